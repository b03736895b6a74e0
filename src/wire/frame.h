// Frames: how messages are told apart in a stream of bytes.
//
//   | length, 4 bytes big endian | wire version, 1 byte | type, 1 byte | body, length - 2 bytes |
//
// The length counts what follows it and is below 2^24, so a frame starts with a zero byte: that is
// how a port tells the binary protocol from text, RESP and HTTP. See FORMAT.md.
//
// Pure and incremental: the caller keeps the bytes, asks for the next frame in what it has not
// consumed yet, handles it and consumes Frame::size bytes. Nothing is copied and nothing kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "wire/message_type.h"

namespace lh::wire {

inline constexpr uint8_t kWireVersion = 1;
inline constexpr size_t kLengthBytes = 4;
inline constexpr size_t kHeaderBytes = kLengthBytes + 2;

enum class FrameStatus : uint8_t {
  kNeedMore,  // so far so good
  kFrame,
  kBad,  // the stream cannot be made sense of any more: say why and close
};

struct Frame {
  FrameStatus status = FrameStatus::kNeedMore;
  MessageType type{};
  Routing routing = Routing::kDirect;
  std::string_view body;   // kFrame: a view of the caller's bytes
  size_t size = 0;         // kFrame: bytes to consume; kNeedMore: how many there must be, at least
  std::string_view error;  // kBad: a reason, in words that live for ever
};

// The frame at the start of `unread`. A frame that can never be right is kBad as soon as the byte
// that says so is there: the length is checked against what the type can need at most, so that no
// peer makes us wait for, or store, more than a message of that type takes.
Frame next_frame(std::string_view unread);

// Writes the header of a frame to p, which has room for kHeaderBytes.
// Bound: body_bytes + 2 <= core::kFrameBytesMax.
void put_header(char* p, MessageType type, Routing routing, size_t body_bytes);

}  // namespace lh::wire
