// SessionTable: the connections of one worker, under the tokens by which answers find them. A
// session ends in the middle of its own calls: it is destroyed later, by bury(). Owned by a worker,
// used in its thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "node/route.h"
#include "node/session.h"
#include "node/shared.h"

namespace lh::node {

class SessionTable {
 public:
  SessionTable(Shared& shared, size_t worker) : shared_(shared), worker_(worker), slots_(1) {}

  // A place for a session, to be filled by replace().
  LinkToken add();
  // The connection goes on as another session, with the same token. Bound: it has not ended.
  void replace(LinkToken token, std::unique_ptr<Session> session);
  // The second time nothing happens.
  void end(LinkToken token);
  // nullptr when it has ended.
  Session* find(LinkToken token) const;

  // About twenty times a second. What waits for peers that do not read has a bound over all
  // sessions: when it is exceeded, those that hold most are closed.
  void tick(base::Instant now);
  void drain();

  bool has_ended() const { return !ended_.empty(); }
  void bury() { ended_.clear(); }
  void clear();

 private:
  struct Slot {
    std::unique_ptr<Session> session;
    uint32_t generation = 0;
  };

  void close_who_hold_too_much(base::Instant now);

  Shared& shared_;
  const size_t worker_;
  std::vector<Slot> slots_;  // slot 0 is the front's
  std::vector<uint32_t> free_slots_;
  std::vector<std::unique_ptr<Session>> ended_;
};

}  // namespace lh::node
