// Where a message that reached this node belongs: to the worker that has the bucket, to worker 0
// for the coordinator and the node's membership, or to the worker that holds the connection which a
// reply is for. Pure look-ups; any thread.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/message.h"
#include "core/record_home.h"
#include "node/bucket_owners.h"

namespace lh::node {

// A connection of this process as a number that can travel in a ReplyPath. Slot 0 of a worker is
// its front. A token outlives its connection without harm: the generation tells.
struct LinkToken {
  uint8_t worker = 0;
  uint32_t slot = 0;
  uint32_t generation = 0;  // 24 bits

  uint64_t packed() const {
    return uint64_t{worker} << 56 | uint64_t{generation & 0xffffff} << 32 | slot;
  }
  static LinkToken unpack(uint64_t packed) {
    return {static_cast<uint8_t>(packed >> 56), static_cast<uint32_t>(packed),
            static_cast<uint32_t>(packed >> 32 & 0xffffff)};
  }
};

using core::kCoordinatorWorker;

enum class Party : uint8_t {
  kServer,       // the server of `worker`
  kCoordinator,  // in worker 0 of the coordinator's node
  kLink,         // the connection that the reply path names, in `worker`
  kEveryServer,  // all servers of the node
  kNobody,       // not a message that travels between parties
};

struct Target {
  Party party = Party::kNobody;
  size_t worker = 0;
};

// `here`: the worker that asks; messages for a bucket that nobody has stay with it.
Target find_target(const core::Message& message, size_t here, BucketOwners* owners,
                   bool has_coordinator);

}  // namespace lh::node
