// Histogram: latencies in nanoseconds in buckets of constant relative width. Recording is an
// increment; memory is fixed (36 KiB); answers are at most 1/128 too large.
//
// Values below 256 have a bucket each; above, each power of two is cut in 128 equal parts. Values
// from 2^42 ns (73 minutes) on share the last bucket; count, mean and max know them exactly.
//
// Not thread-safe: each thread records into its own, and whoever reports merges copies.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace lh::base {

class Histogram {
 public:
  void record(uint64_t value_ns) {
    ++buckets_[bucket_of(value_ns)];
    ++count_;
    sum_ns_ += value_ns;
    max_ns_ = std::max(max_ns_, value_ns);
  }

  // Adds all that the other has recorded.
  void merge(const Histogram& other);
  void clear() { *this = Histogram(); }

  uint64_t count() const { return count_; }
  uint64_t max_ns() const { return max_ns_; }
  // The sum, modulo 2^64 (it takes 584 years of latency to get there).
  uint64_t sum_ns() const { return sum_ns_; }
  // 0 when nothing was recorded.
  double mean_ns() const;

  // The least value that at least q of all records do not exceed, rounded up to the end of its
  // bucket but never above max_ns(). q is in [0, 1]: 0.5 is the median, 1 the maximum. 0 when
  // nothing was recorded.
  uint64_t quantile_ns(double q) const;

  // How many records are at most this large, those of its own bucket included: monotone in the
  // bound and equal to count() from the largest record on.
  uint64_t count_at_most(uint64_t bound_ns) const;

 private:
  static constexpr unsigned kPartBits = 7;
  static constexpr unsigned kValueBits = 42;
  static constexpr uint64_t kParts = uint64_t{1} << kPartBits;
  static constexpr uint64_t kValueMax = (uint64_t{1} << kValueBits) - 1;
  static constexpr size_t kBuckets = (kValueBits - kPartBits + 1) * kParts;

  // A value with its lowest `shift` bits dropped is in [kParts, 2 * kParts), so that the numbers of
  // the buckets continue those of the values without a shift.
  static constexpr size_t bucket_of(uint64_t value) {
    const uint64_t v = std::min(value, kValueMax);
    const auto bits = static_cast<unsigned>(std::bit_width(v | kParts));
    const unsigned shift = bits - (kPartBits + 1);
    return shift * kParts + (v >> shift);
  }

  // The largest value of a bucket.
  static constexpr uint64_t last_of(size_t bucket) {
    if (bucket < 2 * kParts) return bucket;
    const uint64_t shift = bucket / kParts - 1;
    return ((bucket - shift * kParts + 1) << shift) - 1;
  }

  std::array<uint64_t, kBuckets> buckets_{};
  uint64_t count_ = 0;
  uint64_t sum_ns_ = 0;
  uint64_t max_ns_ = 0;
};

}  // namespace lh::base
