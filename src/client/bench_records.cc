#include "client/bench_records.h"

#include <algorithm>

#include "base/prng.h"

namespace lh::client {
namespace {

constexpr std::string_view kPrefix = "user";
constexpr size_t kDigitsMin = 12;
// Values start at so many places of the noise, this far from each other.
constexpr size_t kOffsets = 4'096;
constexpr size_t kStep = 61;

}  // namespace

BenchRecords::BenchRecords(base::HashMode hash, size_t value_size)
    : hash_(hash), value_size_(value_size) {
  base::Prng prng(1);
  noise_.resize(value_size + kOffsets);
  for (char& c : noise_) c = static_cast<char>('!' + prng.below('~' - '!' + 1));
}

std::string_view BenchRecords::key(uint64_t record) {
  std::string digits = std::to_string(record);
  if (hash_ == base::HashMode::kInteger) return key_ = std::move(digits);
  key_.assign(kPrefix).append(kDigitsMin - std::min(kDigitsMin, digits.size()), '0');
  return key_.append(digits);
}

std::string_view BenchRecords::value() {
  offset_ = (offset_ + kStep) % kOffsets;
  return std::string_view(noise_).substr(offset_, value_size_);
}

}  // namespace lh::client
