// HeldMail: messages to other workers and nodes that tell of state which is not durable yet. They
// leave, in the order in which they came, when the log is as far; a message to a destination for
// which another one waits waits behind it, so that the order of a link or mailbox is kept.
//
// What is held is bounded by what a worker executes while the disk syncs. Owned by a worker.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>

#include "core/effects.h"

namespace lh::node {

class HeldMail {
 public:
  // Where a message goes, as far as its order counts: a node's buckets, the coordinator, a client.
  static uint64_t lane_of(const core::Outgoing& outgoing);

  bool empty() const { return entries_.empty(); }
  // Whether something for the lane waits.
  bool holds(uint64_t lane) const { return !lanes_.empty() && lanes_.contains(lane); }

  // A copy of the message waits for `barrier`, and for those of its lane before it.
  void add(uint64_t lane, uint64_t barrier, const core::Outgoing& outgoing);

  // Hands what may leave to send(const core::Outgoing&), oldest first.
  template <typename Send>
  void release(uint64_t durable, Send send) {
    while (!entries_.empty() && entries_.front().barrier <= durable) {
      const Entry entry = std::move(entries_.front());
      entries_.pop_front();
      const auto lane = lanes_.find(entry.lane);
      if (--lane->second == 0) lanes_.erase(lane);
      send(decode(entry));
    }
  }

 private:
  struct Entry {
    uint64_t lane;
    uint64_t barrier;
    core::Destination to;
    std::string frame;
  };

  // Borrows from the entry.
  const core::Outgoing& decode(const Entry& entry);

  std::deque<Entry> entries_;                   // barriers never shrink
  std::unordered_map<uint64_t, size_t> lanes_;  // how many of each wait
  core::Outgoing decoded_;
};

}  // namespace lh::node
