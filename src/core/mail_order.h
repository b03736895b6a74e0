// What a shell has to know of a message that may have to wait for the disk (Effects): whether it
// does when users do not, and which others it must not overtake. Pure.
#pragma once

#include <cstdint>

#include "core/effects.h"
#include "core/message.h"

namespace lh::core {

// The path that an answer goes back along; nullptr for messages that are no answers.
const ReplyPath* reply_path(const Message& message);

// Messages whose receiver forgets, for good, what it could otherwise do again: a source its moved
// half when the target has it, a coordinator the collision that it took in. They wait for the disk
// whatever users were promised (--fsync): else a node that loses its last second loses what others
// gave it long ago. So does what opens a stream, whose number must not be used again, and what
// is said of nodes. Not so what users ask and are told of records.
bool is_promise(const Message& message);

// Messages of one lane keep their order: those to the buckets of a node, to the coordinator, to a
// client. Not the answers to its requests, which have numbers: one that tells of what is on the
// disk does not wait for one that does not. A heartbeat is in nobody's way: a slow disk is no dead
// node.
uint64_t lane_of(const Outgoing& outgoing);

}  // namespace lh::core
