// BENCH: puts records into the file, waits until it has come to rest, then does what a workload of
// YCSB does, from several clients in one loop of this thread, and reports what it took.
//
// Without a rate each client has `depth` operations under way all the time. With a rate operations
// are due at equal distances, whoever of the clients has room takes the next, and a latency counts
// from the moment when the operation was due: what had to wait because the file was slow is seen
// ("coordinated omission" is not).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/bench_client.h"
#include "client/bench_options.h"
#include "client/due_timer.h"
#include "client/outcome.h"
#include "client/progress.h"
#include "net/event_loop.h"

namespace lh::client {

class Bench {
 public:
  // progress_fd: of a terminal, or negative.
  Bench(const BenchOptions& options, int progress_fd);

  // The report, or `ERR` and what failed, is appended to *out.
  Outcome run(const std::string& coordinator, std::string* out);

 private:
  Status connect(const std::string& coordinator);
  void run_phase(const std::string& name, uint64_t operations, BenchMix* mix);
  uint64_t start_due(base::Instant start, uint64_t started, uint64_t operations, BenchRun* run);
  BenchClient* client_with_room();
  base::Duration wait_before(base::Instant start, uint64_t next);
  core::ClientCore::Counters counters_since(const core::ClientCore::Counters& before) const;

  const BenchOptions options_;
  const int progress_fd_;
  std::unique_ptr<net::EventLoop> loop_;
  std::optional<DueTimer> timer_;
  std::optional<BenchRecords> records_;
  std::vector<std::unique_ptr<BenchClient>> clients_;
  size_t turn_of_ = 0;     // the client that is looked at first for the next operation
  bool all_busy_ = false;  // nobody had room for what was due
  std::vector<BenchPhase> phases_;
  Outcome outcome_ = Outcome::kDone;
};

// When operation number `index` of `rate` a second is due, `rate` > 0.
base::Instant due_at(base::Instant start, uint64_t index, uint64_t rate);

}  // namespace lh::client
