// World: what all parts of one simulated run share. Owned by the run, outlives its parts.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/prng.h"
#include "core/operation.h"
#include "lh/address.h"
#include "sim/counters.h"
#include "sim/event_queue.h"
#include "sim/linearizability.h"
#include "sim/options.h"
#include "sim/transcript.h"

namespace lh::sim {

class Canary;

// Any duration from none to `most`. Bound: that is not negative.
inline base::Duration random_up_to(base::Prng* prng, base::Duration most) {
  return base::Duration(static_cast<int64_t>(prng->below(static_cast<uint64_t>(most.ns()) + 1)));
}

// A node without power, that had synced only what is older than a moment: of what was said later
// about the keys that it had the last part may be gone.
struct PowerLoss {
  Moment since = 0;
  Moment at = 0;
  std::vector<Interval> had;  // of the reversed key space
};

// The Unix time when a run begins.
inline constexpr base::Duration kUnixOffset = base::seconds(1'000'000'000);

struct World {
  explicit World(const Options& chosen) : options(chosen), prng(chosen.seed ^ 0x6c687369) {
    if (chosen.is_slow()) trouble_until = base::Instant::never();
  }

  // The first violation ends the run.
  void fail(std::string what) {
    if (failed()) return;
    failure = std::move(what);
    transcript.note(events.now(), "VIOLATION: " + failure);
  }
  bool failed() const { return !failure.empty(); }

  // Something is wrong, and will be for so long.
  void trouble(base::Duration time) { trouble_until = std::max(trouble_until, now() + time); }

  Moment next_moment() {
    moments.push_back(now());
    return moments.size();
  }
  // The last moment by then; 0 when there was none.
  Moment moment_by(base::Instant at) const {
    const auto after = std::upper_bound(moments.begin(), moments.end(), at);
    return static_cast<Moment>(after - moments.begin());
  }
  base::Instant now() const { return events.now(); }
  core::ExpiryMs unix_ms() const { return core::to_unix_ms(now(), kUnixOffset); }

  const Options options;
  EventQueue events;
  base::Prng prng;
  Counters counters;
  Transcript transcript;
  Canary* canary = nullptr;  // a planted bug, or none
  std::string failure;
  bool is_moot = false;                // what failed is nobody's fault
  std::vector<base::Instant> moments;  // when each was, from moment 1 on
  std::vector<PowerLoss> losses;
  std::vector<PowerLoss> wipes;  // all that was had is gone
  // Until when answers may be late or missing because of a fault.
  base::Instant trouble_until;
};

}  // namespace lh::sim
