// SyncPace: when a worker hands its records to the log thread for a sync. Pure.
//
// While one sync runs, the answers of the next one gather. Right when it ends only those are there
// whose clients did not wait for it; the others hear now, and many of them ask again within less
// time than a sync takes. Syncing at once would split them into two groups that take turns, with
// twice as many syncs for half as many answers each. So the next sync waits until as many records
// have come as there were in both groups, but no longer than the last sync took: what it costs at
// most is what it can save. When waiting was in vain it is not tried for a while, a longer one each
// time. (PostgreSQL has commit_delay for this, with a fixed time.)
//
// One a worker; used in its thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

#include "base/clock.h"

namespace lh::node {

class SyncPace {
 public:
  // The records up to sequence `last` were handed over.
  void on_handed_over(base::Instant now, uint64_t last) {
    handed_over_at_ = now;
    last_ = last;
  }

  // They are durable, and those up to `last` have come since.
  void on_durable(base::Instant now, uint64_t last) {
    const uint64_t all = last - std::exchange(durable_, last_);
    waits_ = skip_ == 0;
    if (!waits_) --skip_;
    due_at_record_ = durable_ + all - all / 8;  // some clients do something else now and then
    due_at_ = now + std::min(now - handed_over_at_, kWaitMax);
  }

  // Whether records up to `last` are to be handed over now.
  bool is_due(base::Instant now, uint64_t last) {
    if (!waits_) return true;
    if (now < due_at_ && last < due_at_record_) return false;
    waits_ = false;
    const bool in_vain = last < due_at_record_;
    skip_ = skips_ = in_vain ? std::min(2 * skips_ + 1, kSkipsMax) : 0;
    return true;
  }
  // Otherwise when they are, at the latest.
  base::Instant due_at() const { return due_at_; }

 private:
  static constexpr base::Duration kWaitMax = base::ms(1);
  static constexpr uint32_t kSkipsMax = 63;

  base::Instant handed_over_at_;
  uint64_t last_ = 0;  // what was handed over
  uint64_t durable_ = 0;
  bool waits_ = false;  // for both, whichever comes first:
  base::Instant due_at_;
  uint64_t due_at_record_ = 0;
  uint32_t skip_ = 0;   // so many syncs are not waited for
  uint32_t skips_ = 0;  // as many as the last time
};

}  // namespace lh::node
