#include "table/hash_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/prng.h"
#include "tests/table/model.h"

namespace lh::table {
namespace {

// ------------------------------------------------------------------------------- basic promises

class HashTableTest : public testing::Test {
 protected:
  Arena arena_;
};

TEST_F(HashTableTest, putInsertUpdateEraseSayWhatTheyFound) {
  Model model(&arena_, mixed);
  model.update("a", "nothing to update");
  model.insert("a", "1");
  model.insert("a", "refused");
  model.find("a");
  model.update("a", "2");
  model.put("a", "3");
  model.put("b", "4");
  model.erase("c");
  model.erase("a");
  model.erase("a");
  model.check();
}

TEST_F(HashTableTest, emptyKeyAndEmptyValue) {
  Model model(&arena_, mixed);
  model.find("");
  model.put("", "");
  model.put("key", "");
  model.check();
  model.put("", "value");
  model.check();
  model.erase("");
  model.check();
}

TEST_F(HashTableTest, largestKeyAndLargestValue) {
  Model model(&arena_, mixed);
  const std::string key(kKeyBytesMax, 'k');
  model.put(key, std::string(kValueBytesMax, 'v'));
  model.put(key.substr(1), "v");
  model.put("small", std::string(kValueBytesMax, 'w'));
  model.check();
  EXPECT_LT(model.table().memory_bytes(), model.table().payload_bytes() + 20'000);
  model.put(key, "now small");
  model.put("small", "now small");
  model.put("small", std::string(kValueBytesMax, 'x'));
  model.check();
  model.erase(key);
  model.erase("small");
  model.check();
}

TEST_F(HashTableTest, keysMayHaveAnyBytes) {
  Model model(&arena_, mixed);
  for (int i = 0; i < 256; ++i) {
    const std::string key(1, static_cast<char>(i));
    model.put(key, key);
    model.put(key + std::string(1, '\0'), key);
  }
  model.check();
}

TEST_F(HashTableTest, everyValueLengthAroundTheBoundOfABlock) {
  Model model(&arena_, mixed);
  for (size_t bytes = 0; bytes < 600; ++bytes) model.put(number(bytes), std::string(bytes, 'v'));
  model.check();
  for (size_t bytes = 0; bytes < 600; ++bytes) model.put("x", std::string(bytes, 'x'));
  for (size_t bytes = 600; bytes-- > 0;) model.put("x", std::string(bytes, 'y'));
  model.check();
}

TEST_F(HashTableTest, movedTablesKeepTheirRecords) {
  HashTable a({0, mixed, &arena_});
  for (uint64_t i = 0; i < 1'000; ++i) a.put(mixed(number(i)), number(i), "a");
  HashTable b(std::move(a));
  EXPECT_EQ(b.size(), 1'000u);
  HashTable c({3, mixed, &arena_});
  c.put(8, "gone", "");
  c = std::move(b);
  EXPECT_EQ(c.size(), 1'000u);
  EXPECT_TRUE(c.find(mixed("7"), "7").has_value());
  a = std::move(c);
  EXPECT_EQ(a.size(), 1'000u);
  std::vector<HashTable> tables;
  for (int i = 0; i < 10; ++i) tables.emplace_back(HashTable::Options{0, mixed, &arena_});
  tables[3] = std::move(a);
  tables.erase(tables.begin());
  EXPECT_EQ(tables[2].size(), 1'000u);
}

// ----------------------------------------------------------------------------- against the model

class HashTableModelTest : public testing::TestWithParam<Skew> {
 protected:
  Arena arena_;
};

TEST_P(HashTableModelTest, agreesWithAMapThroughGrowthAndShrinkage) {
  for (const uint64_t seed : {1u, 2u, 3u}) {
    base::Prng prng(seed);
    Model model(&arena_, GetParam().hash);
    for (const uint64_t growth : {70u, 5u, 50u, 30u, 2u}) {
      for (uint64_t step = 0; step < 8 * GetParam().keys; ++step) {
        random_step(&model, &prng, GetParam().keys, growth);
      }
      ASSERT_FALSE(HasFatalFailure());
      model.check();
    }
    while (!model.records().empty()) model.erase(model.records().begin()->first);
    model.check();
  }
  EXPECT_EQ(arena_.allocated_bytes(), 0u);
}

INSTANTIATE_TEST_SUITE_P(
    AllHashes, HashTableModelTest,
    testing::Values(Skew{"mixed", mixed, 4'000}, Skew{"integer", integer, 4'000},
                    Skew{"oneLowWord", one_low_word, 4'000},
                    Skew{"oneHighWord", one_high_word, 4'000}, Skew{"tagged", tagged, 4'000},
                    Skew{"fewValues", few_values, 400}, Skew{"allEqual", all_equal, 300}),
    [](const auto& test) { return std::string(test.param.name); });

// Several tables share an arena: what one frees the others use, and blocks move under all of them.
TEST_F(HashTableTest, tablesOfOneArenaDoNotDisturbEachOther) {
  base::Prng prng(9);
  std::vector<Model> models;
  models.reserve(6);
  for (const HashFunction hash : {mixed, integer, tagged, mixed, one_low_word, few_values}) {
    models.emplace_back(&arena_, hash);
  }
  for (uint64_t step = 0; step < 120'000; ++step) {
    const uint64_t growth = step / 20'000 % 2 == 0 ? 70 : 5;
    random_step(&models[prng.below(models.size())], &prng, 1'000, growth);
  }
  for (Model& model : models) model.check();
}

// ---------------------------------------------------------------------------------------- memory

TEST_F(HashTableTest, smallRecordsCostLittleMoreThanTheirBytes) {
  HashTable table({0, mixed, &arena_});
  const std::string value(32, 'v');
  for (uint64_t i = 0; i < 200'000; ++i) {
    const std::string key = number(1'000'000'000'000'000 + i);
    table.put(mixed(key), key, value);
  }
  EXPECT_LE(table.memory_bytes(), table.payload_bytes() + 13 * table.size());
  EXPECT_LE(arena_.held_bytes(), table.memory_bytes() * 110 / 100 + (2 << 20));
}

TEST_F(HashTableTest, memoryFollowsTheRecordsDown) {
  HashTable table({0, mixed, &arena_});
  const std::string value(32, 'v');
  for (uint64_t i = 0; i < 200'000; ++i) table.put(mixed(number(i)), number(i), value);
  const uint64_t full = arena_.held_bytes();
  for (uint64_t i = 0; i < 200'000; ++i) {
    if (mix(i) % 10 != 0) table.erase(mixed(number(i)), number(i));
  }
  EXPECT_LE(arena_.held_bytes(), full * 25 / 100);
  for (uint64_t i = 0; i < 200'000; ++i) table.erase(mixed(number(i)), number(i));
  EXPECT_EQ(table.size(), 0u);
  EXPECT_EQ(table.payload_bytes(), 0u);
  EXPECT_LE(table.memory_bytes(), 128u);
  EXPECT_LE(arena_.held_bytes(), uint64_t{512} << 10);
}

TEST_F(HashTableTest, roomThatWasReservedStaysUntilItIsGivenUp) {
  Model model(&arena_, mixed);
  model.table().reserve(50'000);
  const uint64_t reserved = model.table().memory_bytes();
  EXPECT_GT(reserved, 50'000u / 5 * 4 - 4'096);
  for (int i = 0; i < 1'000; ++i) model.put("key" + std::to_string(i), "v");
  model.check();
  EXPECT_GE(model.table().memory_bytes(), reserved);
  model.table().reserve(0);
  for (int i = 0; i < 20'000; ++i) model.put("key0", std::to_string(i));
  EXPECT_LT(model.table().memory_bytes(), reserved + 1'000) << "a slot a request";
  model.check();
}

TEST_F(HashTableTest, memoryOfLargeValuesComesBack) {
  HashTable table({0, mixed, &arena_});
  for (uint64_t i = 0; i < 20'000; ++i) {
    table.put(mixed(number(i)), number(i), std::string(600 + mix(i) % 4'000, 'v'));
  }
  const uint64_t full = arena_.held_bytes();
  EXPECT_LE(full, table.payload_bytes() * 115 / 100);
  for (uint64_t i = 0; i < 20'000; ++i) {
    if (mix(i + 1) % 10 != 0) table.erase(mixed(number(i)), number(i));
  }
  while (arena_.compact_some(1 << 20)) {
  }
  EXPECT_LE(arena_.held_bytes(), full * 25 / 100);
  for (uint64_t i = 0; i < 20'000; ++i) {
    const auto found = table.find(mixed(number(i)), number(i));
    ASSERT_EQ(found.has_value(), mix(i + 1) % 10 == 0);
    if (found) {
      ASSERT_EQ(*found, std::string(600 + mix(i) % 4'000, 'v'));
    }
  }
}

TEST_F(HashTableTest, clearingIsBoundedAndLeavesAnEmptyTable) {
  for (const HashFunction hash : {mixed, one_low_word}) {
    Model model(&arena_, hash);
    for (uint64_t i = 0; i < 30'000; ++i) model.put(number(i), std::string(i % 700, 'v'));
    uint64_t calls = 0;
    uint64_t before = model.table().memory_bytes();
    for (bool more = true; more; ++calls) {
      more = model.table().clear_some(10'000);
      // The last block, and a segment of slots, may go beyond the budget.
      ASSERT_LE(before - std::min(before, model.table().memory_bytes()), 10'000u + 8'000 + 40'000);
      before = model.table().memory_bytes();
    }
    EXPECT_GT(calls, 100u);
    model.records().clear();
    model.check();
    model.put("again", "usable");
    model.check();
  }
}

}  // namespace
}  // namespace lh::table
