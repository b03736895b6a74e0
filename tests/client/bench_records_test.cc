#include "client/bench_records.h"

#include <gtest/gtest.h>

#include <set>

namespace lh::client {
namespace {

TEST(BenchRecordsTest, keys) {
  BenchRecords mixed(base::HashMode::kMixed, 1);
  EXPECT_EQ(mixed.key(0), "user000000000000");
  EXPECT_EQ(mixed.key(42), "user000000000042");
  EXPECT_EQ(mixed.key(999'999'999'999), "user999999999999");
  EXPECT_EQ(mixed.key(1'000'000'000'000), "user1000000000000");
  BenchRecords integer(base::HashMode::kInteger, 1);
  EXPECT_EQ(integer.key(0), "0");
  EXPECT_EQ(integer.key(42), "42");
}

TEST(BenchRecordsTest, values) {
  for (const size_t size : {0, 1, 32, 100'000}) {
    BenchRecords records(base::HashMode::kMixed, size);
    for (int k = 0; k < 5'000; ++k) ASSERT_EQ(records.value().size(), size);
  }
  BenchRecords records(base::HashMode::kMixed, 32);
  std::set<std::string> seen;
  for (int k = 0; k < 4'000; ++k) {
    const std::string value(records.value());
    seen.insert(value);
    for (const char c : value) ASSERT_TRUE(c > ' ' && c <= '~');
  }
  EXPECT_EQ(seen.size(), 4'000u);
}

}  // namespace
}  // namespace lh::client
