// TimerQueue: calls to be made at an Instant, in order of their deadlines and, for equal ones, of
// their creation.
//
// Pure: it is told what time it is. The loop sleeps in epoll_wait until next_deadline() and then
// calls run_expired(); a timerfd would cost a system call per change of the first deadline and
// another per expiry to learn what the heap knows. The price is that epoll_wait counts in
// milliseconds: a timer fires up to one late, never early.
//
// A binary heap that knows where each timer is: add and cancel cost O(log n). One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/clock.h"
#include "net/task.h"

namespace lh::net {

// Names one timer for ever: an id is not used again when its timer has fired.
enum class TimerId : uint64_t { kNone = 0 };

class TimerQueue {
 public:
  TimerQueue() = default;
  TimerQueue(const TimerQueue&) = delete;
  TimerQueue& operator=(const TimerQueue&) = delete;

  // May be called from within a timer's call.
  TimerId add(base::Instant deadline, Task call);

  // False when the timer has fired, was cancelled or is kNone. After true the call will not be
  // made, even if its deadline has passed.
  bool cancel(TimerId id);

  // The first deadline; Instant::never() when there is none.
  base::Instant next_deadline() const {
    return heap_.empty() ? base::Instant::never() : heap_.front().deadline;
  }

  // Makes the calls whose deadline is at or before `now`; returns how many. What a call adds waits
  // for the next run_expired() even if it is due, so that a timer that renews itself at once cannot
  // hold the loop. Not to be called from within a timer's call.
  size_t run_expired(base::Instant now);

  // Timers that wait.
  size_t size() const { return heap_.size(); }

 private:
  using Index = uint32_t;

  struct Entry {
    base::Instant deadline;
    uint64_t sequence;  // order of creation
    Index slot;

    bool before(const Entry& other) const {
      return deadline != other.deadline ? deadline < other.deadline : sequence < other.sequence;
    }
  };

  // A timer keeps its slot while it waits; the generation tells the users of a slot apart.
  struct Slot {
    Task call;
    uint32_t generation = 0;
    Index heap_index = 0;  // kDue once it was taken from the heap to be run
  };

  static constexpr Index kDue = ~Index{0};

  Slot* find(TimerId id);
  void free_slot(Index slot);
  void place(Index heap_index, const Entry& entry);
  void sift_up(Index heap_index, const Entry& entry);
  void sift_down(Index heap_index, const Entry& entry);
  void remove(Index heap_index);
  void collect_due(base::Instant now);

  std::vector<Entry> heap_;
  std::vector<Slot> slots_;
  std::vector<Index> free_slots_;
  std::vector<TimerId> due_;
  uint64_t next_sequence_ = 0;
  bool running_ = false;
};

}  // namespace lh::net
