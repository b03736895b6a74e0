#include "table/look_ahead.h"

#include <gtest/gtest.h>

#include <string>

#include "base/hash.h"

namespace lh::table {
namespace {

HashValue hash_of(std::string_view key) { return base::hash_key(key); }

TEST(LookAheadTest, ChangesNothingAndCanBeUsedAgain) {
  Arena arena;
  HashTable table({.hash = hash_of, .arena = &arena});
  HashTable empty({.hash = hash_of, .arena = &arena});
  LookAhead ahead;
  for (int round = 0; round < 50; ++round) {
    for (int k = 0; !ahead.full(); ++k) {
      const std::string key = "key" + std::to_string(round * 100 + k);
      ahead.add(k % 7 == 0 ? empty : table, hash_of(key));
    }
    ahead.run();
    for (int k = 0; k < 40; ++k) {
      const std::string key = "key" + std::to_string(round * 100 + k);
      EXPECT_FALSE(table.find(hash_of(key), key));
      table.put(hash_of(key), key, std::string(static_cast<size_t>(20 * k), 'v'));
    }
  }
  EXPECT_EQ(table.size(), 2'000u);
  EXPECT_TRUE(empty.empty());
}

// Many records whose c share all bits but a few: branches and chains below the slots.
TEST(LookAheadTest, WhatIsNoBlockIsLeftAlone) {
  Arena arena;
  HashTable table({.hash = [](std::string_view) { return HashValue{5}; }, .arena = &arena});
  LookAhead ahead;
  for (int k = 0; k < 200; ++k) {
    table.put(5, "key" + std::to_string(k), "v");
    ahead.add(table, 5);
    ahead.add(table, 6);
    ahead.run();
  }
  EXPECT_EQ(table.size(), 200u);
}

}  // namespace
}  // namespace lh::table
