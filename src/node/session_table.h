// SessionTable: the connections of one worker, under the tokens by which answers find them. A
// session ends in the middle of its own calls: it is destroyed later, by bury(). Owned by a worker,
// used in its thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
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

  // ---- Beyond --max-clients. Other nodes always get in, and who calls shows with the first bytes.
  // Until then a connection is late: of those there are few, the one that has been silent for the
  // longest has to go for the next, and none stays long.
  static constexpr size_t kLateMax = 32;
  static constexpr base::Duration kLateTimeMax = base::seconds(1);
  void add_late(LinkToken token, base::Instant now);
  // Whether it is late and there still are too many clients. The peer is told so.
  bool is_refused(LinkToken token);
  // It may stay.
  void admit(LinkToken token);

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

  struct Late {
    LinkToken token;
    base::Instant since;
  };

  void dismiss_first();
  void close_who_hold_too_much(base::Instant now);

  Shared& shared_;
  const size_t worker_;
  std::vector<Slot> slots_;  // slot 0 is the front's
  std::vector<uint32_t> free_slots_;
  std::vector<std::unique_ptr<Session>> ended_;
  std::deque<Late> late_;
};

}  // namespace lh::node
