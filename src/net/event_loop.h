// EventLoop: one thread's reactor over epoll. Everything that a worker does happens in a turn:
//
//   sleep until an fd is ready, a timer is due or another thread calls
//   -> ready fds -> calls owed to this turn -> due timers -> posted tasks
//   -> hooks take in what other threads handed over (LoopHook::take_in)
//   -> hooks finish the turn (LoopHook::before_sleep): one log append, one publication of mail
//   -> calls owed before sleep: one send for each connection that has output
//
// Threads: the thread inside run() or run_once() owns the loop and all that is registered with it.
// While nobody runs it, whoever holds it does, for setting up and for tearing down. Only post(),
// stop() and wake_if_sleeping() may be called by any thread at any time; everything else asserts
// its thread.
//
// Errors: create() fails when the process has no descriptors left; a loop that exists does not.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "lh/status.h"
#include "net/buffer_pool.h"
#include "net/deferred.h"
#include "net/task.h"
#include "net/timer_queue.h"
#include "net/watcher.h"

namespace lh::net {

// Work done once a turn. Hooks of upper layers are added after those of lower ones; take_in() runs
// in that order and before_sleep() against it, so that what an upper layer produces is carried away
// by the lower one in the same turn.
class LoopHook {
 public:
  // After all events of the turn: fetch what other threads handed over.
  virtual void take_in() {}

  // After everything else of the turn: write the batch that the turn has gathered.
  virtual void before_sleep() {}

  // Whether the hook has something to do, so that the loop must not sleep. Asked after the loop has
  // announced that it sleeps: another thread that hands something over with a sequentially
  // consistent store and then calls wake_if_sleeping() either is seen here or wakes the loop.
  virtual bool has_work() const { return false; }

 protected:
  ~LoopHook() = default;
};

// Since the loop was made; to be read in its thread.
struct LoopStats {
  uint64_t turns = 0;
  uint64_t events = 0;  // ready fds, wake-ups included
  uint64_t wakeups = 0;
  uint64_t tasks = 0;  // posted and run
};

class EventLoop {
 public:
  // `clock` must outlive the loop.
  static Result<std::unique_ptr<EventLoop>> create(const base::Clock& clock);

  // Precondition: nobody runs it, all watchers are closed and all hooks are removed. Tasks that
  // were posted and not run are destroyed.
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Turns until stop(). A stop() that came first makes it return at once.
  void run();

  // One turn that sleeps at most `timeout`; returns how many fds were ready. For tests and tools.
  size_t run_once(base::Duration timeout);

  // Makes run() return at the end of its turn. Any thread.
  void stop();

  // Runs `task` in the loop's thread in one of the next turns, tasks of one thread in their order.
  // Any thread, its own included. Takes a lock and an allocation: for requests there is Mailbox.
  void post(Task task);

  // Ends the sleep of the loop if it sleeps; a system call only then. Any thread. See
  // LoopHook::has_work() for what must come before.
  void wake_if_sleeping();

  // A hook is called from the next turn on, until it is removed; not to be added or removed within
  // a hook's call.
  void add_hook(LoopHook& hook);
  void remove_hook(LoopHook& hook);

  // Calls owed once: at the end of this turn, after the hooks; or in the next turn, after its ready
  // fds, in which case the loop does not sleep before.
  void call_before_sleep(Deferred& call) { before_sleep_.push_back(call); }
  void call_next_turn(Deferred& call) { next_turn_.push_back(call); }

  TimerId call_at(base::Instant deadline, Task task);
  TimerId call_after(base::Duration delay, Task task);
  bool cancel(TimerId id);

  // The time of this turn: read once, after the sleep. A turn is short, and equal times within it
  // make its decisions agree.
  base::Instant now() const { return now_; }

  // Blocks for buffers that live in this loop.
  BufferPool& buffers() { return buffers_; }

  const LoopStats& stats() const { return stats_; }

  // The loop that this thread runs, or nullptr.
  static EventLoop* current() { return current_; }

  void assert_in_loop_thread() const {
    LH_CHECK(current_ == this || !running_.load(std::memory_order_relaxed));
  }

 private:
  friend class Watcher;
  class RunScope;

  // Ready fds fetched by one epoll_wait.
  static constexpr int kEventsMax = 512;

  // Who is interested in the fd that is the slot's index. The generation tells registrations apart
  // that used the same fd one after the other within a turn; 0 is none.
  struct Slot {
    EventHandler* handler = nullptr;
    uint32_t generation = 0;
  };

  EventLoop(const base::Clock& clock, int epoll_fd, int wake_fd);

  // For Watcher.
  Status watch(int fd, EventHandler& handler, Interest interest);
  void change_interest(int fd, Interest interest);
  void unwatch(int fd);

  size_t turn(base::Duration timeout);
  int sleep(base::Duration timeout);
  bool has_work() const;
  base::Duration time_to_sleep(base::Duration timeout) const;
  void dispatch(int count);
  void run_posted();
  void run_before_sleep();

  static inline thread_local EventLoop* current_ = nullptr;

  const base::Clock& clock_;
  const int epoll_fd_;
  const int wake_fd_;
  std::atomic<bool> running_{false};
  std::atomic<bool> stop_{false};

  std::vector<Slot> slots_;
  uint32_t next_generation_ = 1;
  std::array<epoll_event, kEventsMax> events_;

  base::Instant now_;
  TimerQueue timers_;
  std::vector<LoopHook*> hooks_;
  DeferredList next_turn_;
  DeferredList before_sleep_;
  BufferPool buffers_;
  LoopStats stats_;
  std::vector<Task> running_tasks_;

  // Written by other threads; on cache lines of their own.
  alignas(64) std::atomic<bool> sleeping_{false};
  alignas(64) std::atomic<bool> has_posted_{false};
  base::Mutex mutex_;
  std::vector<Task> posted_ LH_GUARDED_BY(mutex_);
};

}  // namespace lh::net
