// BenchMix: what a benchmark asks for next, and of which record: the core workloads of YCSB, and
// the load before them. Pure: equal seeds give equal sequences.
//
// Records have numbers: 0, 1, ... Reads and updates are of records that are there, so inserted()
// has to be told what was stored: a number is asked for when it and all below it are.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "base/prng.h"
#include "client/bench_options.h"
#include "client/zipfian.h"

namespace lh::client {

enum class BenchKind : uint8_t { kRead, kUpdate, kInsert, kReadModifyWrite };
inline constexpr size_t kBenchKinds = 4;
const char* to_string(BenchKind kind);

struct BenchOp {
  BenchKind kind = BenchKind::kRead;
  uint64_t record = 0;
};

class BenchMix {
 public:
  // Inserts only, from record 0 on.
  static BenchMix load() { return {100, BenchKind::kInsert, Choice::kUniform, 0, 0}; }

  // The file has `records` records, at least one.
  BenchMix(Workload workload, KeyOrder keys, uint64_t records, uint64_t seed);

  BenchOp next();
  // A record that next() gave to be inserted is stored.
  void inserted(uint64_t record);

  // Records that may be asked for: 0 to this, exclusive.
  uint64_t stored() const { return stored_; }

 private:
  enum class Choice : uint8_t { kUniform, kZipfian, kLatest };

  BenchMix(unsigned write_percent, BenchKind write, Choice choice, uint64_t records, uint64_t seed);
  uint64_t choose();

  unsigned write_percent_;
  BenchKind write_;
  Choice choice_;
  base::Prng prng_;
  ScrambledZipfian scrambled_;
  std::optional<Zipfian> latest_;  // kLatest; 0 is the newest
  uint64_t stored_;
  uint64_t next_insert_;
  std::deque<bool> inserts_;  // from stored_ on: whether it is stored
};

}  // namespace lh::client
