// The records of a benchmark: number n has the key user000000000042, 16 bytes up to a million
// million records, or just 42 in a file of integer keys. Values are printable, of one size, and
// change from one to the next. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/hash.h"

namespace lh::client {

class BenchRecords {
 public:
  BenchRecords(base::HashMode hash, size_t value_size);

  // Each view holds until the next call of the same method.
  std::string_view key(uint64_t record);
  std::string_view value();

 private:
  const base::HashMode hash_;
  const size_t value_size_;
  std::string key_;
  std::string noise_;  // a value is a piece of it
  size_t offset_ = 0;
};

}  // namespace lh::client
