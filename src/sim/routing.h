// Routing: what a simulated shell has to know of a message to pass it on: who it is for, and along
// which path answers go. Addresses of the simulated world are "p3:1" for process 3. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/address_book.h"
#include "core/message.h"
#include "lh/types.h"
#include "sim/sim_network.h"

namespace lh::sim {

std::string address_of(ProcessId process);
std::optional<ProcessId> process_at(std::string_view address);

// The node that this process is by a book; kNone when no node of it is there.
NodeId node_at(const core::AddressBook& book, ProcessId process);

enum class Party : uint8_t {
  kServer,       // the one that has, or is to have, the bucket
  kEveryServer,  // of the node
  kCoordinator,
  kPath,    // whoever asked: the message's ReplyPath tells
  kNobody,  // not a message that travels between parties
};
// BookQueries are for the coordinator where there is one.
Party party_of(const core::Message& message, bool has_coordinator);

// The bucket that a message for a kServer is about.
std::optional<BucketNo> bucket_of(const core::Message& message);

// The path inside a message; nullptr when its type has none.
core::ReplyPath* path_of(core::Message* message);
const core::ReplyPath* path_of(const core::Message& message);

}  // namespace lh::sim
