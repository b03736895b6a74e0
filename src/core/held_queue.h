// HeldQueue: messages that tell of state which is not durable yet, as a shell keeps them: they
// leave, in the order in which they came, when the log is as far. A message to a destination for
// which another one waits waits behind it, so that the order of a link or mailbox is kept; which
// destinations share a lane is the shell's business. `Held` is the shell's own copy of one.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <unordered_map>
#include <utility>

namespace lh::core {

template <typename Held>
class HeldQueue {
 public:
  bool empty() const { return entries_.empty(); }
  // Whether something for the lane waits.
  bool holds(uint64_t lane) const { return !lanes_.empty() && lanes_.contains(lane); }

  // Waits for `barrier`, and for those that came before it.
  void add(uint64_t lane, uint64_t barrier, Held held) {
    if (!entries_.empty()) barrier = std::max(barrier, entries_.back().barrier);
    entries_.push_back({lane, barrier, std::move(held)});
    ++lanes_[lane];
  }

  // Hands what may leave to send(Held), oldest first.
  template <typename Send>
  void release(uint64_t durable, Send send) {
    while (!entries_.empty() && entries_.front().barrier <= durable) {
      Entry entry = std::move(entries_.front());
      entries_.pop_front();
      const auto lane = lanes_.find(entry.lane);
      if (--lane->second == 0) lanes_.erase(lane);
      send(std::move(entry.held));
    }
  }

 private:
  struct Entry {
    uint64_t lane;
    uint64_t barrier;
    Held held;
  };
  std::deque<Entry> entries_;                   // barriers never shrink
  std::unordered_map<uint64_t, size_t> lanes_;  // how many of each wait
};

}  // namespace lh::core
