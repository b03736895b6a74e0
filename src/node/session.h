// Session: one accepted connection and the protocol that it speaks. Owned by its worker, in whose
// thread everything happens.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/clock.h"
#include "core/message.h"

namespace lh::node {

class Session {
 public:
  virtual ~Session() = default;

  // An answer for this connection. Its views hold during the call.
  virtual void deliver(const core::Message& message) = 0;

  // The mailbox or link that the session waited for has room again.
  virtual void resume() {}

  // About twenty times a second. idle_max: 0 is for ever.
  virtual void tick(base::Instant now, base::Duration idle_max) = 0;

  // What it holds for a peer that takes none of it, and that it closes then. See Worker::tick().
  virtual size_t unread_bytes(base::Instant) const { return 0; }
  virtual void close_stalled() {}

  // It came beyond the limit of clients and has not shown that it is a node: says so and closes.
  virtual void dismiss() {}

  // The node stops: take nothing new, answer what was taken, then close.
  virtual void drain() = 0;
};

// A request that was begun has to be finished in this time, so that half a request and then silence
// does not hold a connection for ever.
inline constexpr base::Duration kRequestTimeMax = base::seconds(10);

// A peer that takes nothing of its answers for so long is closed, and what they hold is free again.
inline constexpr base::Duration kStallMax = base::seconds(30);
// And when it is not the only one, and together they hold more than there may be, much earlier.
inline constexpr base::Duration kStallTightMax = base::seconds(1);

// What a client is told that came beyond --max-clients.
inline constexpr std::string_view kTooManyClients = "max number of clients reached";

}  // namespace lh::node
