#include "client/zipfian.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace lh::client {
namespace {

double zeta_between(uint64_t first, uint64_t last, double theta) {
  double sum = 0;
  for (uint64_t k = first; k <= last; ++k) sum += std::pow(static_cast<double>(k), -theta);
  return sum;
}

}  // namespace

double Zipfian::zeta(uint64_t items, double theta) { return zeta_between(1, items, theta); }

Zipfian::Zipfian(uint64_t items, double theta) : Zipfian(items, theta, zeta(items, theta)) {}

Zipfian::Zipfian(uint64_t items, double theta, double zeta_items)
    : items_(items),
      theta_(theta),
      alpha_(1 / (1 - theta)),
      zeta_two_(zeta(2, theta)),
      zeta_items_(zeta_items) {
  LH_CHECK(items > 0);
  LH_CHECK(theta > 0 && theta < 1);
  find_eta();
}

void Zipfian::find_eta() {
  const double share_of_two = std::pow(2.0 / static_cast<double>(items_), 1 - theta_);
  eta_ = (1 - share_of_two) / (1 - zeta_two_ / zeta_items_);
}

void Zipfian::grow(uint64_t items) {
  LH_CHECK(items >= items_);
  zeta_items_ += zeta_between(items_ + 1, items, theta_);
  items_ = items;
  find_eta();
}

uint64_t Zipfian::next(base::Prng* prng) const {
  const double u = prng->uniform();
  const double uz = u * zeta_items_;
  if (uz < 1) return 0;
  if (uz < zeta_two_) return 1;
  const double rank = static_cast<double>(items_) * std::pow(eta_ * u - eta_ + 1, alpha_);
  return std::min(static_cast<uint64_t>(rank), items_ - 1);
}

uint64_t ScrambledZipfian::scramble(uint64_t rank) {
  uint64_t hash = 0xcbf29ce484222325;
  for (int octet = 0; octet < 8; ++octet, rank >>= 8) {
    hash ^= rank & 0xff;
    hash *= 0x100000001b3;
  }
  return hash;
}

uint64_t ScrambledZipfian::next(uint64_t items, base::Prng* prng) const {
  LH_CHECK(items > 0);
  return scramble(ranks_.next(prng)) % items;
}

}  // namespace lh::client
