// Simulation: one run of the simulator. A cluster and its clients are let loose with the faults of
// their seed; then the faults stop, and everything has to come right within bounded time: every
// question answered, every split done, every record found where it belongs.
//
// A function of its options: equal options give equal transcripts, byte for byte.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sim/counters.h"
#include "sim/options.h"
#include "sim/transcript.h"

namespace lh::sim {

struct RunResult {
  uint64_t seed = 0;
  std::string violation;  // empty: none
  uint64_t transcript_hash = 0;
  Counters counters;
  bool ok() const { return violation.empty(); }
};

// canary: a planted bug by name, or "" for none. listener: gets the transcript as text.
RunResult run_simulation(const Options& options, std::string_view canary = {},
                         Transcript::Listener listener = nullptr);

}  // namespace lh::sim
