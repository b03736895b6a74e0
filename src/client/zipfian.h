// Zipfian: ranks that come as often as Zipf says: rank k, from 0, in proportion to 1 / (k +
// 1)^theta.
//
// The generator of Gray et al., "Quickly generating billion-record synthetic databases" (SIGMOD
// 1994), section 3.2, as YCSB has it: constant time a number, exact for the two most frequent ranks
// and close for the others. One thread.
#pragma once

#include <cstdint>

#include "base/prng.h"

namespace lh::client {

class Zipfian {
 public:
  // items > 0, 0 < theta < 1. Takes time in proportion to items, for zeta.
  Zipfian(uint64_t items, double theta);
  // With zeta(items, theta) known.
  Zipfian(uint64_t items, double theta, double zeta_items);

  // A rank below items().
  uint64_t next(base::Prng* prng) const;

  uint64_t items() const { return items_; }
  // More items, in time that goes with how many more. items >= items().
  void grow(uint64_t items);

  // The sum of 1 / k^theta for k in 1..items.
  static double zeta(uint64_t items, double theta);

 private:
  void find_eta();

  uint64_t items_;
  double theta_;
  double alpha_;
  double zeta_two_;
  double zeta_items_;
  double eta_ = 0;
};

// The constant of YCSB: a few records are asked for very often.
inline constexpr double kZipfianTheta = 0.99;

// As YCSB scatters the ranks over the records: drawn from ten billion ranks, whatever the number of
// records is, and hashed (FNV-1a of the eight bytes), so that what is popular lies anywhere.
class ScrambledZipfian {
 public:
  // A number below items. items > 0.
  uint64_t next(uint64_t items, base::Prng* prng) const;

  static uint64_t scramble(uint64_t rank);

 private:
  static constexpr uint64_t kRanks = 10'000'000'000;
  static constexpr double kZetaOfRanks = 26.46902820178302;

  Zipfian ranks_{kRanks, kZipfianTheta, kZetaOfRanks};
};

}  // namespace lh::client
