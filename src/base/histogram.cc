#include "base/histogram.h"

#include <cmath>

#include "base/check.h"

namespace lh::base {

void Histogram::merge(const Histogram& other) {
  for (size_t i = 0; i < kBuckets; ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  sum_ns_ += other.sum_ns_;
  max_ns_ = std::max(max_ns_, other.max_ns_);
}

double Histogram::mean_ns() const {
  return count_ == 0 ? 0 : static_cast<double>(sum_ns_) / static_cast<double>(count_);
}

uint64_t Histogram::quantile_ns(double q) const {
  static_assert(bucket_of(kValueMax) == kBuckets - 1);
  static_assert(last_of(kBuckets - 1) == kValueMax);
  LH_CHECK(q >= 0 && q <= 1);
  const double exact_rank = std::ceil(q * static_cast<double>(count_));
  const uint64_t rank = std::max<uint64_t>(static_cast<uint64_t>(exact_rank), 1);
  uint64_t seen = 0;
  for (size_t i = 0; i < kBuckets - 1; ++i) {
    seen += buckets_[i];
    if (seen >= rank) return std::min(last_of(i), max_ns_);
  }
  return max_ns_;
}

uint64_t Histogram::count_at_most(uint64_t bound_ns) const {
  const size_t last = bucket_of(bound_ns);
  uint64_t seen = 0;
  for (size_t i = 0; i <= last; ++i) seen += buckets_[i];
  return seen;
}

}  // namespace lh::base
