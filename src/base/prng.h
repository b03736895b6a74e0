// Prng: the only randomness in core, lookup and sim. Equal seeds give equal sequences on every
// machine and for ever: a seed printed by a failing run is a complete bug report.
//
// xoshiro256** by Blackman and Vigna (2018), seeded through splitmix64 as its authors advise. Not
// for secrets. Not thread-safe: a Prng has one owner; fork() gives another owner its own.
#pragma once

#include <bit>
#include <cstdint>

#include "base/check.h"

namespace lh::base {

// One step of splitmix64: advances *state and returns the next output.
constexpr uint64_t splitmix64(uint64_t* state) {
  uint64_t z = (*state += 0x9e3779b97f4a7c15);
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  return z ^ z >> 31;
}

class Prng {
 public:
  constexpr explicit Prng(uint64_t seed) {
    for (uint64_t& word : state_) word = splitmix64(&seed);
  }

  // The four words of the state themselves, not all zero; for the published test vectors.
  static constexpr Prng from_state(uint64_t a, uint64_t b, uint64_t c, uint64_t d) {
    LH_CHECK((a | b | c | d) != 0, "the all-zero state only yields zeros");
    Prng prng(0);
    prng.state_[0] = a;
    prng.state_[1] = b;
    prng.state_[2] = c;
    prng.state_[3] = d;
    return prng;
  }

  // 64 uniform bits.
  constexpr uint64_t next() {
    const uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const uint64_t t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  // Uniform in [0, n), without bias (Lemire's multiplication, rejecting the short part). n > 0.
  constexpr uint64_t below(uint64_t n) {
    LH_CHECK(n > 0);
    Wide product = Wide{next()} * n;
    if (static_cast<uint64_t>(product) < n) {
      const uint64_t rejected = (0 - n) % n;
      while (static_cast<uint64_t>(product) < rejected) product = Wide{next()} * n;
    }
    return static_cast<uint64_t>(product >> 64);
  }

  // Uniform in [first, last], both included. first <= last.
  constexpr uint64_t between(uint64_t first, uint64_t last) {
    LH_CHECK(first <= last);
    const uint64_t span = last - first;
    return span == ~uint64_t{0} ? next() : first + below(span + 1);
  }

  // True with probability numerator / denominator. numerator <= denominator, denominator > 0.
  constexpr bool chance(uint64_t numerator, uint64_t denominator) {
    LH_CHECK(numerator <= denominator);
    return below(denominator) < numerator;
  }

  // Uniform in [0, 1), a multiple of 2^-53.
  constexpr double uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }

  // A generator for another owner; its sequence is independent of what this one yields next.
  constexpr Prng fork() { return Prng(next()); }

 private:
  __extension__ using Wide = unsigned __int128;

  uint64_t state_[4] = {};
};

}  // namespace lh::base
