// EventQueue: simulated time. Actions are run one by one in the order of their time, and in the
// order in which they were added when that is equal: nothing else decides what happens next, so a
// run is a function of its seed. One thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/clock.h"

namespace lh::sim {

using Action = std::function<void()>;

class EventQueue {
 public:
  base::Instant now() const { return now_; }

  // `when` may be in the past: then it is now.
  void at(base::Instant when, Action action) {
    heap_.push_back({std::max(when, now_), next_number_++, std::move(action)});
    std::push_heap(heap_.begin(), heap_.end(), later);
  }
  void after(base::Duration delay, Action action) { at(now_ + delay, std::move(action)); }

  bool empty() const { return heap_.empty(); }
  // When the next action is due. Bound: !empty().
  base::Instant next_at() const { return heap_.front().at; }

  // Bound: !empty().
  void run_next() {
    LH_CHECK(!heap_.empty());
    std::pop_heap(heap_.begin(), heap_.end(), later);
    Entry entry = std::move(heap_.back());
    heap_.pop_back();
    now_ = entry.at;
    entry.action();
  }

 private:
  struct Entry {
    base::Instant at;
    uint64_t number = 0;
    Action action;
  };
  static bool later(const Entry& a, const Entry& b) {
    return a.at != b.at ? a.at > b.at : a.number > b.number;
  }

  // Not at zero: an Instant of zero means "never yet" in places of the core.
  base::Instant now_ = base::Instant::from_ns(1'000'000'000);
  std::vector<Entry> heap_;
  uint64_t next_number_ = 0;
};

}  // namespace lh::sim
