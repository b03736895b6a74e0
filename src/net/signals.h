// Signals as events of a loop: SIGTERM, SIGINT and SIGHUP arrive like bytes on a socket (signalfd),
// in one thread, between two pieces of work, where everything may be called.
//
// The signals must be blocked in all threads for that: main() calls block_signals() before it
// starts any, and threads inherit the mask. A blocked signal is not lost, it waits for the
// SignalWatcher.
#pragma once

#include "lh/status.h"
#include "net/event_loop.h"
#include "net/lifeline.h"
#include "net/socket.h"
#include "net/watcher.h"

namespace lh::net {

// Blocks the three signals in this thread and those that it starts from now on, and ignores SIGPIPE
// for the whole process: a peer that is gone is an error of send().
void block_signals();

// Undoes block_signals() for this thread; for a child between fork() and exec(), which would
// inherit the mask.
void unblock_signals();

class SignalHandler {
 public:
  // SIGTERM, SIGINT or SIGHUP. Equal signals that come faster than the loop turns are one.
  virtual void on_signal(int number) = 0;

 protected:
  ~SignalHandler() = default;
};

class SignalWatcher final : private EventHandler {
 public:
  // Both must outlive the watcher.
  SignalWatcher(EventLoop& loop, SignalHandler& handler);

  // Precondition: not open; block_signals() was called.
  Status open();

 private:
  void on_ready(Ready ready) override;

  SignalHandler& handler_;
  Socket signal_fd_;
  Lifeline lifeline_;
  Watcher watcher_;  // last: dies first
};

}  // namespace lh::net
