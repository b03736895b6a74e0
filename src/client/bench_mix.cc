#include "client/bench_mix.h"

#include "base/check.h"

namespace lh::client {
namespace {

unsigned write_percent_of(Workload workload) {
  switch (workload) {
    case Workload::kA:
    case Workload::kF:
      return 50;
    case Workload::kB:
    case Workload::kD:
      return 5;
    case Workload::kC:
      return 0;
  }
  LH_UNREACHABLE();
}

BenchKind write_of(Workload workload) {
  if (workload == Workload::kD) return BenchKind::kInsert;
  return workload == Workload::kF ? BenchKind::kReadModifyWrite : BenchKind::kUpdate;
}

}  // namespace

const char* to_string(BenchKind kind) {
  switch (kind) {
    case BenchKind::kRead:
      return "read";
    case BenchKind::kUpdate:
      return "update";
    case BenchKind::kInsert:
      return "insert";
    case BenchKind::kReadModifyWrite:
      return "read_modify_write";
  }
  LH_UNREACHABLE();
}

BenchMix::BenchMix(Workload workload, KeyOrder keys, uint64_t records, uint64_t seed)
    : BenchMix(write_percent_of(workload), write_of(workload),
               workload == Workload::kD     ? Choice::kLatest
               : keys == KeyOrder::kZipfian ? Choice::kZipfian
                                            : Choice::kUniform,
               records, seed) {
  LH_CHECK(records > 0);
}

BenchMix::BenchMix(unsigned write_percent, BenchKind write, Choice choice, uint64_t records,
                   uint64_t seed)
    : write_percent_(write_percent),
      write_(write),
      choice_(choice),
      prng_(seed),
      stored_(records),
      next_insert_(records) {
  if (choice == Choice::kLatest) latest_.emplace(records, kZipfianTheta);
}

BenchOp BenchMix::next() {
  const bool writes = prng_.chance(write_percent_, 100);
  if (!writes) return {BenchKind::kRead, choose()};
  if (write_ != BenchKind::kInsert) return {write_, choose()};
  inserts_.push_back(false);
  return {write_, next_insert_++};
}

uint64_t BenchMix::choose() {
  switch (choice_) {
    case Choice::kUniform:
      return prng_.below(stored_);
    case Choice::kZipfian:
      return scrambled_.next(stored_, &prng_);
    case Choice::kLatest:
      if (latest_->items() < stored_) latest_->grow(stored_);
      return stored_ - 1 - latest_->next(&prng_);
  }
  LH_UNREACHABLE();
}

void BenchMix::inserted(uint64_t record) {
  LH_CHECK(record >= stored_ && record < next_insert_);
  inserts_[record - stored_] = true;
  while (!inserts_.empty() && inserts_.front()) {
    inserts_.pop_front();
    ++stored_;
  }
}

}  // namespace lh::client
