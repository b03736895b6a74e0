#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
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

class HashTableWalkTest : public testing::Test {
 protected:
  Arena arena_;
};

// Walks a table in pieces, lets `between` change it between them, and returns the keys it saw.
template <typename Between>
std::multiset<std::string> walk_in_pieces(HashTable* table, size_t budget_bytes, Between between) {
  std::multiset<std::string> seen;
  ReversedHash from = 0;
  for (;;) {
    const auto next =
        table->walk(from, ~uint64_t{0}, budget_bytes, [&](HashValue c, const Record& record) {
          EXPECT_GE(reverse64(c), from);
          seen.emplace(record.key);
        });
    if (!next) return seen;
    EXPECT_GT(*next, from);
    from = *next;
    between();
  }
}

TEST_F(HashTableWalkTest, aWalkSeesWhatStaysOnceThroughGrowth) {
  for (const HashFunction hash : {mixed, integer, tagged, one_low_word, few_values}) {
    Model model(&arena_, hash);
    for (uint64_t i = 0; i < 2'000; ++i) model.put(number(i), "stays");
    uint64_t next = 2'000;
    const auto seen = walk_in_pieces(&model.table(), 500, [&] {
      for (int i = 0; i < 30 && next < 10'000; ++i) model.put(number(next++), "comes");
    });
    for (uint64_t i = 0; i < 2'000; ++i) ASSERT_EQ(seen.count(number(i)), 1u) << i;
    for (uint64_t i = 2'000; i < next; ++i) ASSERT_LE(seen.count(number(i)), 1u) << i;
  }
}

TEST_F(HashTableWalkTest, aWalkSeesWhatStaysOnceThroughShrinkage) {
  for (const HashFunction hash : {mixed, integer, tagged, one_low_word, few_values}) {
    Model model(&arena_, hash);
    for (uint64_t i = 0; i < 10'000; ++i) model.put(number(i), "some value");
    uint64_t next = 1'000;
    const auto seen = walk_in_pieces(&model.table(), 500, [&] {
      for (int i = 0; i < 60 && next < 10'000; ++i) model.erase(number(next++));
    });
    EXPECT_GT(next, 5'000u);
    for (uint64_t i = 0; i < 1'000; ++i) ASSERT_EQ(seen.count(number(i)), 1u) << i;
    for (uint64_t i = 1'000; i < 10'000; ++i) ASSERT_LE(seen.count(number(i)), 1u) << i;
    for (uint64_t i = next; i < 10'000; ++i) ASSERT_EQ(seen.count(number(i)), 1u) << i;
  }
}

TEST_F(HashTableWalkTest, aWalkSurvivesAnythingBetweenItsCalls) {
  for (const uint64_t seed : {1u, 2u, 3u, 4u, 5u, 6u}) {
    base::Prng prng(seed);
    Model model(&arena_, seed % 2 == 0 ? mixed : tagged);
    for (uint64_t i = 0; i < 500; ++i) model.put("stays" + number(i), number(i));
    const auto seen = walk_in_pieces(&model.table(), 50, [&] {
      const uint64_t growth = prng.chance(1, 2) ? 80 : 0;
      for (uint64_t steps = prng.below(300); steps > 0; --steps) {
        random_step(&model, &prng, 5'000, growth);
      }
    });
    for (uint64_t i = 0; i < 500; ++i) ASSERT_EQ(seen.count("stays" + number(i)), 1u);
    for (const std::string& key : seen) ASSERT_EQ(seen.count(key), 1u);
    model.check();
  }
}

TEST_F(HashTableWalkTest, aWalkOfWhatHasExpiredSeesNothingElse) {
  for (const HashFunction hash : {mixed, integer, tagged, one_low_word, few_values}) {
    Model model(&arena_, hash);
    base::Prng prng(7);
    for (uint64_t i = 0; i < 3'000; ++i) {
      const std::string value = value_of_some_size(&prng);
      if (i % 3 == 0) {
        model.put(number(i), value);
      } else {
        model.put_expiring(number(i), value, 1 + i % 100);
      }
    }
    for (const ExpiryMs now : {ExpiryMs{1}, ExpiryMs{50}, ExpiryMs{100}}) {
      std::multiset<std::string> expected;
      for (const auto& [key, expiry] : model.expiries()) {
        if (expiry <= now) expected.insert(key);
      }
      std::multiset<std::string> seen;
      std::optional<ReversedHash> from = 0;
      while (from) {
        from = model.table().walk_expired(*from, ~ReversedHash{0}, 4'000, now,
                                          [&](HashValue c, const Record& record) {
                                            EXPECT_EQ(c, hash(record.key));
                                            seen.emplace(record.key);
                                          });
      }
      EXPECT_EQ(seen, expected);
    }
  }
}

TEST_F(HashTableWalkTest, aWalkGoesInTheOrderOfIntervals) {
  HashTable table({0, mixed, &arena_});
  for (uint64_t i = 0; i < 5'000; ++i) table.put(mixed(number(i)), number(i), "v");
  ReversedHash from = 0;
  uint64_t seen = 0;
  for (std::optional<ReversedHash> next = 0; next; from = next.value_or(0)) {
    std::vector<ReversedHash> points;
    next = table.walk(from, ~uint64_t{0}, 200,
                      [&](HashValue c, const Record&) { points.push_back(reverse64(c)); });
    for (const ReversedHash r : points) {
      ASSERT_GE(r, from);
      ASSERT_LT(r - 1, next.value_or(0) - 1);  // without a next one: below 2^64
    }
    seen += points.size();
  }
  EXPECT_EQ(seen, 5'000u);
}

TEST_F(HashTableWalkTest, aWalkStopsAtTheBoundsOfItsInterval) {
  HashTable table({0, mixed, &arena_});
  std::vector<ReversedHash> points;
  for (uint64_t i = 0; i < 3'000; ++i) {
    table.put(mixed(number(i)), number(i), "v");
    points.push_back(reverse64(mixed(number(i))));
  }
  std::sort(points.begin(), points.end());
  for (const auto& [first, last] :
       {std::pair<size_t, size_t>{0, 0}, {0, 2'999}, {10, 10}, {500, 1'500}, {2'999, 2'999}}) {
    size_t seen = 0;
    const auto next = table.walk(points[first], points[last], SIZE_MAX,
                                 [&](HashValue, const Record&) { ++seen; });
    EXPECT_FALSE(next.has_value());
    EXPECT_EQ(seen, last - first + 1);
  }
}

TEST_F(HashTableWalkTest, aPieceOfAWalkIsBoundedInAnEmptyTableToo) {
  HashTable table({0, mixed, &arena_});
  for (uint64_t i = 0; i < 100'000; ++i) table.put(mixed(number(i)), number(i), "v");
  HashTable odd = table.split_off();
  // Erase in r order from the end, so that the table has shrunk least where the walk begins.
  EXPECT_TRUE(table.walk(0, ~uint64_t{0} >> 1, 1'000, [](HashValue, const Record&) {}).has_value());
  size_t visited = 0;
  const auto next =
      table.walk(0, ~uint64_t{0} >> 1, 10'000, [&](HashValue, const Record&) { ++visited; });
  ASSERT_TRUE(next.has_value());
  EXPECT_LT(visited, 3'000u);
}

TEST_F(HashTableWalkTest, walksABucketOfADeeperLevel) {
  for (const BucketMark mark : {BucketMark{5, 3}, BucketMark{0, 1}, BucketMark{1023, 10}}) {
    HashTable table({mark.j, mixed, &arena_});
    std::set<std::string> keys;
    for (uint64_t i = 0; i < 100'000; ++i) {
      if (h(mark.j, mixed(number(i))) != mark.a) continue;
      table.put(mixed(number(i)), number(i), "v");
      keys.insert(number(i));
    }
    const Interval whole = interval_of(mark);
    std::set<std::string> seen;
    ReversedHash from = whole.first;
    for (;;) {
      const auto next = table.walk(from, whole.last, 300, [&](HashValue, const Record& record) {
        EXPECT_TRUE(seen.emplace(record.key).second);
      });
      if (!next) break;
      ASSERT_TRUE(whole.contains(*next));
      from = *next;
    }
    EXPECT_EQ(seen, keys);
  }
}

}  // namespace
}  // namespace lh::table
