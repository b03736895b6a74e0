// Messages <-> frames. The bytes are described in FORMAT.md, the fields in fields.h.
//
// Encoding: a direct frame leaves the ReplyPath out, a routed frame has it; see Routing. A message
// without a ReplyPath is always direct, whatever is asked for. What a decoder would refuse must not
// be encoded: that is a bug (LH_CHECK), except that texts for people are cut to a decent length.
// A direct Request has not been forwarded: its hops must be 0.
//
// Decoding believes nothing: every length is checked before it is used, every number against its
// bound, and bytes that are left over are an error. One message has one spelling. The views of a
// decoded message borrow from the frame's body, so they hold as long as the caller's bytes do. What
// a direct frame leaves out (the ReplyPath, a Request's hops and forwarder) is empty afterwards,
// for the node to fill in.
//
// Pure functions, safe on any thread. Nothing is allocated but the lists of a message and, in the
// std::string forms, the string's own growth.
#pragma once

#include <cstddef>
#include <string>

#include "core/message.h"
#include "lh/status.h"
#include "wire/frame.h"

namespace lh::wire {

// Appends the whole frame. The forms for Request and Reply save the hot path the variant.
void encode(const core::Message& message, Routing routing, std::string* out);
void encode(const core::Request& request, Routing routing, std::string* out);
void encode(const core::Reply& reply, Routing routing, std::string* out);

// For other buffers: make room for frame_bytes_max, which is at most a hundred bytes or so more
// than needed for messages without lists; encode_to returns the end of what it wrote.
size_t frame_bytes_max(const core::Message& message, Routing routing);
size_t frame_bytes_max(const core::Request& request, Routing routing);
size_t frame_bytes_max(const core::Reply& reply, Routing routing);
char* encode_to(char* p, const core::Message& message, Routing routing);
char* encode_to(char* p, const core::Request& request, Routing routing);
char* encode_to(char* p, const core::Reply& reply, Routing routing);

// Bound: the frame is a kFrame. After an error (kInvalid, with words for the log: `bad Request: key
// too long`) the connection is not worth keeping, and the message is unspecified.
Status decode(const Frame& frame, core::Message* message);

}  // namespace lh::wire
