// What a benchmark found, and how it is told: as a table for people, or as one JSON object on a
// line for programs. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/histogram.h"
#include "client/bench_mix.h"
#include "client/bench_options.h"
#include "core/client_core.h"

namespace lh::client {

// One phase: the load, or the workload after it.
struct BenchPhase {
  std::string name;
  base::Duration took;
  std::array<base::Histogram, kBenchKinds> latency;  // by kind; of all that got an answer
  uint64_t not_found = 0;                            // among them
  uint64_t failed = 0;                               // a bucket was down, or refused
  core::ClientCore::Counters counters;               // of all clients, in this phase

  uint64_t answered() const;
  base::Histogram all() const;
};

std::string bench_text(const BenchOptions& options, const std::vector<BenchPhase>& phases);
std::string bench_json(const BenchOptions& options, const std::vector<BenchPhase>& phases);

}  // namespace lh::client
