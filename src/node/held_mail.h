// HeldMail: messages to other workers and nodes that tell of state which the log does not have yet,
// as frames. What is held is bounded by what a worker executes while the disk syncs. Owned by a
// worker.
#pragma once

#include <cstdint>
#include <string>

#include "core/effects.h"
#include "core/held_queue.h"

namespace lh::node {

class HeldMail {
 public:
  bool empty() const { return queue_.empty(); }
  bool holds(uint64_t lane) const { return queue_.holds(lane); }

  // A copy of the message waits, also for those of its lane before it.
  void add(uint64_t lane, const core::Wait& wait, const core::Outgoing& outgoing);

  // Hands what may leave to send(const core::Outgoing&), a lane's oldest first.
  template <typename Send>
  void release(const core::LogProgress& log, Send send) {
    queue_.release(log, [&](const Entry& entry) { send(decode(entry)); });
  }

 private:
  struct Entry {
    core::Destination to;
    std::string frame;
  };

  // Borrows from the entry.
  const core::Outgoing& decode(const Entry& entry);

  core::HeldQueue<Entry> queue_;
  core::Outgoing decoded_;
};

}  // namespace lh::node
