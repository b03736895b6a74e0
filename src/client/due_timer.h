// DueTimer: ends the sleep of a loop at a moment, to the microsecond: a loop by itself sleeps in
// whole milliseconds, which is long when twenty thousand operations a second are due. One loop, one
// thread.
#pragma once

#include "base/clock.h"
#include "lh/status.h"
#include "net/event_loop.h"
#include "net/socket.h"
#include "net/watcher.h"

namespace lh::client {

class DueTimer final : private net::EventHandler {
 public:
  explicit DueTimer(net::EventLoop& loop) : watcher_(loop, *this) {}

  // kIo when there is no descriptor for it.
  Status open();

  // The loop does not sleep beyond `at`, of CLOCK_MONOTONIC. Takes the place of an earlier one.
  // Bound: opened.
  void set(base::Instant at);

 private:
  void on_ready(net::Ready ready) override;

  net::Socket timer_;  // owns the descriptor
  net::Watcher watcher_;
};

}  // namespace lh::client
