#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/prng.h"
#include "lh/address.h"
#include "table/hash_table.h"
#include "tests/table/model.h"

namespace lh::table {
namespace {

class HashTableMergeTest : public testing::Test {
 protected:
  Arena arena_;
};

// A bucket and what should be in it.
struct Half {
  HashTable table;
  std::map<std::string, std::string> records;
};

class HashTableSplitTest : public testing::TestWithParam<Skew> {
 protected:
  void put(Half* half, const std::string& key, const std::string& value) {
    half->table.put(GetParam().hash(key), key, value);
    half->records[key] = value;
  }
  void expect(const Half& half) {
    ASSERT_EQ(half.table.size(), half.records.size());
    uint64_t payload_bytes = 0;
    for (const auto& [key, value] : half.records) {
      ASSERT_EQ(half.table.find(GetParam().hash(key), key), value) << key;
      payload_bytes += key.size() + value.size();
    }
    ASSERT_EQ(half.table.payload_bytes(), payload_bytes);
  }
  // Splits a bucket of level j.
  Half split(Half* half, Level j) {
    Half other{half->table.split_off(), {}};
    for (auto at = half->records.begin(); at != half->records.end();) {
      const auto next = std::next(at);
      if ((GetParam().hash(at->first) >> j & 1) != 0) {
        other.records.insert(half->records.extract(at));
      }
      at = next;
    }
    return other;
  }
  void merge(Half* half, Half* other) {
    half->table.merge(std::move(other->table));
    half->records.merge(other->records);
  }
  Half new_half(Level j) { return {HashTable({j, GetParam().hash, &arena_}), {}}; }

  Arena arena_;
};

TEST_P(HashTableSplitTest, bothHalvesAreTablesOfTheNextLevel) {
  for (const uint64_t records : {0u, 1u, 7u, 8u, 9u, 100u, 5'000u}) {
    Half half = new_half(0);
    for (uint64_t i = 0; i < records % GetParam().keys; ++i) put(&half, number(i), number(i));
    const uint64_t bytes = half.table.memory_bytes();
    Half other = split(&half, 0);
    expect(half);
    expect(other);
    EXPECT_LE(half.table.memory_bytes() + other.table.memory_bytes(), bytes + 4'096);
    EXPECT_EQ(half.table.memory_bytes() + other.table.memory_bytes(), arena_.allocated_bytes());
    merge(&half, &other);
    expect(half);
    EXPECT_EQ(half.table.memory_bytes(), arena_.allocated_bytes());
  }
}

TEST_P(HashTableSplitTest, halvesLiveOnAndMergeAgain) {
  base::Prng prng(17);
  Half half = new_half(0);
  for (uint64_t i = 0; i < GetParam().keys; ++i) put(&half, number(i), std::string(i % 90, 'v'));
  for (int round = 0; round < 6; ++round) {
    Half other = split(&half, 0);
    // One grows, the other one loses most of its records; by turns.
    Half* grows = round % 2 == 0 ? &half : &other;
    Half* shrinks = round % 2 == 0 ? &other : &half;
    for (uint64_t i = 0; i < GetParam().keys; ++i) {
      const std::string key = number(prng.below(4 * GetParam().keys));
      if ((GetParam().hash(key) & 1) == (grows == &other ? 1 : 0)) put(grows, key, "grown");
    }
    while (shrinks->records.size() > 20) {
      const std::string key = shrinks->records.begin()->first;
      ASSERT_TRUE(shrinks->table.erase(GetParam().hash(key), key));
      shrinks->records.erase(key);
    }
    expect(half);
    expect(other);
    merge(&half, &other);
    expect(half);
  }
}

TEST_P(HashTableSplitTest, splitsAllTheWayDownAndMergesAllTheWayUp) {
  std::vector<Half> buckets;
  buckets.push_back(new_half(0));
  const uint64_t keys = std::min<uint64_t>(GetParam().keys, 2'000);
  for (uint64_t i = 0; i < keys; ++i) put(&buckets[0], number(i), "value");
  constexpr Level kDeepest = 6;
  for (Level j = 0; j < kDeepest; ++j) {
    for (size_t a = 0; a < size_t{1} << j; ++a) buckets.push_back(split(&buckets[a], j));
    for (const Half& bucket : buckets) expect(bucket);
  }
  for (Level j = kDeepest; j-- > 0;) {
    for (size_t a = size_t{1} << j; a-- > 0;) {
      merge(&buckets[a], &buckets[a + (size_t{1} << j)]);
      buckets.pop_back();
    }
    for (const Half& bucket : buckets) expect(bucket);
  }
  EXPECT_EQ(buckets[0].records.size(), keys);
}

INSTANTIATE_TEST_SUITE_P(AllHashes, HashTableSplitTest,
                         testing::Values(Skew{"mixed", mixed, 4'000},
                                         Skew{"integer", integer, 4'000},
                                         Skew{"oneLowWord", one_low_word, 4'000},
                                         Skew{"tagged", tagged, 4'000},
                                         Skew{"allEqual", all_equal, 300}),
                         [](const auto& test) { return std::string(test.param.name); });

TEST_F(HashTableMergeTest, mergeWithAnEmptyHalfIsCheap) {
  HashTable table({1, mixed, &arena_});
  for (uint64_t i = 0; i < 50'000; ++i) {
    if (mixed(number(i)) % 2 == 0) table.put(mixed(number(i)), number(i), "v");
  }
  const uint64_t records = table.size();
  table.merge(HashTable({1, mixed, &arena_}));
  EXPECT_EQ(table.size(), records);
  for (uint64_t i = 0; i < 50'000; ++i) {
    ASSERT_EQ(table.find(mixed(number(i)), number(i)).has_value(), mixed(number(i)) % 2 == 0);
  }
}

TEST_F(HashTableMergeTest, aWalkGoesOnInBothHalvesAfterASplit) {
  HashTable table({0, mixed, &arena_});
  for (uint64_t i = 0; i < 10'000; ++i) table.put(mixed(number(i)), number(i), "v");
  std::multiset<std::string> seen;
  const auto note = [&](HashValue, const Record& record) { seen.emplace(record.key); };
  const auto next = table.walk(0, ~uint64_t{0}, 20'000, note);
  ASSERT_TRUE(next.has_value());
  HashTable odd = table.split_off();
  const Interval even_interval = interval_of({0, 1});
  const Interval odd_interval = interval_of({1, 1});
  ASSERT_TRUE(even_interval.contains(*next));
  EXPECT_FALSE(table.walk(*next, even_interval.last, SIZE_MAX, note).has_value());
  EXPECT_FALSE(odd.walk(odd_interval.first, odd_interval.last, SIZE_MAX, note).has_value());
  EXPECT_EQ(seen.size(), 10'000u);
  for (uint64_t i = 0; i < 10'000; ++i) ASSERT_EQ(seen.count(number(i)), 1u);
}

TEST_F(HashTableMergeTest, mergingTablesOfDifferentLevelsIsABug) {
  HashTable table({1, mixed, &arena_});
  EXPECT_DEATH(table.merge(HashTable({2, mixed, &arena_})), "check failed");
}

}  // namespace
}  // namespace lh::table
