// Connector: makes one outgoing connection, and makes it again and again until it succeeds.
//
// Each attempt has a time limit. Between attempts it waits: the delay doubles from backoff_min to
// backoff_max, and of each delay a random part of up to one half is left out, so that the peers of
// a node that restarts do not come back all at the same moment. The randomness is a seed: equal
// seeds, equal delays.
//
// A connection that is made and lost at once must not become a busy loop either: attempts count as
// failed until the owner calls reset_backoff(), when the peer has proved to be alive.
//
// Lives in one loop. The handler is called from the loop, never from within start(); it may start,
// cancel or destroy the connector.
#pragma once

#include <cstdint>

#include "base/clock.h"
#include "base/prng.h"
#include "lh/status.h"
#include "net/event_loop.h"
#include "net/socket.h"
#include "net/socket_address.h"
#include "net/watcher.h"

namespace lh::net {

class ConnectHandler {
 public:
  // Connected; the connector is idle.
  virtual void on_connected(Socket socket) = 0;

  // An attempt failed. `again`: another one will follow (unless the handler cancels); otherwise the
  // connector is idle.
  virtual void on_connect_failed(const Status& status, bool again) = 0;

 protected:
  ~ConnectHandler() = default;
};

struct ConnectOptions {
  base::Duration attempt_max = base::seconds(1);  // time for one attempt
  base::Duration backoff_min = base::ms(50);      // 0 < backoff_min <= backoff_max
  base::Duration backoff_max = base::seconds(2);
  uint32_t attempts_max = 0;  // of one start(); 0 is without end
};

class Connector final : private EventHandler {
 public:
  // loop and handler must outlive the connector.
  Connector(EventLoop& loop, ConnectHandler& handler, const ConnectOptions& options, uint64_t seed);
  ~Connector() { cancel(); }

  // Attempts to connect: now, or after the delay that earlier failures call for. Precondition:
  // idle.
  void start(const SocketAddress& address);

  // Ends the attempt or the wait without a call to the handler. Nothing happens when idle.
  void cancel();

  bool idle() const { return state_ == State::kIdle; }

  // The peer is alive: the next start() attempts at once.
  void reset_backoff() { failures_ = 0; }

  // The delay before the attempt that follows `failures` failures in a row: a number of nanoseconds
  // in [d/2, d], d = min(backoff_max, backoff_min * 2^(failures - 1)). No failure, no delay.
  static base::Duration backoff(const ConnectOptions& options, uint32_t failures,
                                base::Prng* random);

 private:
  enum class State : uint8_t { kIdle, kWaiting, kConnecting, kFailing };

  void on_ready(Ready ready) override;
  void schedule();
  void attempt();
  void finish(int error);
  void report();
  void leave_attempt();

  EventLoop& loop_;
  ConnectHandler& handler_;
  const ConnectOptions options_;
  base::Prng random_;
  SocketAddress address_;
  State state_ = State::kIdle;
  uint32_t failures_ = 0;           // in a row, over several start()s
  uint32_t attempts_ = 0;           // since start()
  TimerId timer_ = TimerId::kNone;  // end of the wait or of the attempt
  Status failure_;                  // kFailing: what report() will tell
  Socket socket_;
  DeferredMember<Connector, &Connector::report> report_call_{*this};
  Watcher watcher_;  // last: dies first
};

}  // namespace lh::net
