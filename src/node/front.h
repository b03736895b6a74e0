// Front: the LH* client of one worker, on behalf of the connections that have no image of their
// own (text). What the worker's own server has is executed at once, without a message; everything
// else goes through a ClientCore like any other client's requests. The image is the front's own: it
// starts as (0, 0) and learns by IAMs, and from the buckets that it walks through on its way.
//
// Owned by a worker, used in its thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"
#include "core/client_core.h"
#include "core/effects.h"
#include "core/server.h"
#include "table/look_ahead.h"

namespace lh::node {

// Who waits for an answer of the front. Called in the worker's thread, not from within the call
// that asked.
class FrontWaiter {
 public:
  virtual void on_done(uint64_t ticket, const core::Completion& done) = 0;
  virtual void on_scan_piece(uint64_t ticket, const core::ScanReply& piece) = 0;
  virtual void on_call_done(uint64_t ticket, const core::FileResult& result) = 0;

 protected:
  ~FrontWaiter() = default;
};

class Front final : private core::ClientSink {
 public:
  // The server outlives the front. id: random, not 0.
  Front(core::ClientId id, core::Server* server);

  // The node has its number. link: what the node calls this front in a ReplyPath.
  void configure(NodeId self, uint64_t link);

  // The bucket of this worker that c belongs to, live: requests are executed there, without a
  // message. nullptr when it is elsewhere, or perhaps is: then submit(). Holds until the server has
  // its next message.
  core::Bucket* find(HashValue c);
  // The same, and the search for c becomes part of what is looked ahead for.
  core::Bucket* find(HashValue c, table::LookAhead* ahead) {
    core::Bucket* bucket = find(c);
    if (bucket != nullptr) ahead->add(bucket->table(), c);
    return bucket;
  }

  bool has_room() const { return client_.has_room(); }
  // The answer comes to `waiter` with the ticket that is returned, unless it forgets it first.
  uint64_t submit(base::Instant now, const core::Operation& asked, FrontWaiter* waiter,
                  core::Effects* effects);
  uint64_t call(base::Instant now, const core::FileRequest& request, FrontWaiter* waiter,
                core::Effects* effects);
  void forget(uint64_t ticket) { waiters_.erase(ticket); }

  core::ClientCore& client() { return client_; }
  const core::ClientCore& client() const { return client_; }

 private:
  void on_done(const core::Completion& done) override;
  void on_scan_piece(uint64_t tag, const core::ScanReply& piece) override;
  void on_call_done(uint64_t tag, const core::FileResult& result) override;
  FrontWaiter* waiter(uint64_t ticket) const;

  core::Server* server_;
  core::ClientCore client_;
  std::unordered_map<uint64_t, FrontWaiter*> waiters_;
  uint64_t next_ticket_ = 1;
};

}  // namespace lh::node
