#include "table/block_store.h"

#include <gtest/gtest.h>

#include <string>

namespace lh::table {
namespace {

class BlockStoreTest : public testing::Test {
 protected:
  ~BlockStoreTest() override {
    free_block();
    EXPECT_EQ(store_.tally().records, 0u);
    EXPECT_EQ(store_.tally().payload_bytes, 0u);
    EXPECT_EQ(store_.tally().block_bytes, 0u);
    EXPECT_EQ(store_.tally().other_bytes, 0u);
    EXPECT_EQ(store_.tally().others, 0u);
    EXPECT_EQ(arena_.allocated_bytes(), 0u);
  }
  void free_block() {
    size_t unlimited = SIZE_MAX;
    EXPECT_TRUE(store_.free_some(&block_, &unlimited));
    EXPECT_EQ(block_, Ref::kNone);
  }
  void add(std::string_view key, std::string_view value) { store_.add(&block_, 1, {key, value}); }
  unsigned count() { return block_ == Ref::kNone ? 0 : store_.at(block_)->count(); }
  unsigned find(std::string_view key, Tag tag = 1) {
    return store_.find(*store_.at(block_), tag, key, &found_);
  }
  std::string value_of(std::string_view key) {
    return find(key) < count() ? std::string(found_.value) : "nothing";
  }
  uint64_t bytes() { return store_.tally().block_bytes + store_.tally().other_bytes; }

  Arena arena_;
  BlockStore store_{&arena_};
  Ref block_ = Ref::kNone;
  Record found_;
};

TEST_F(BlockStoreTest, findsByTagAndKey) {
  add("a", "one");
  add("b", "two");
  EXPECT_EQ(value_of("a"), "one");
  EXPECT_EQ(value_of("b"), "two");
  EXPECT_EQ(value_of("c"), "nothing");
  EXPECT_EQ(find("a", 2), count());
}

TEST_F(BlockStoreTest, whatExpiresIsCounted) {
  const std::string large(1'000, 'o');
  const std::string long_key(100, 'k');
  store_.add(&block_, 1, {"a", "one", 5});
  store_.add(&block_, 1, {"b", large, kExpiryMax});
  store_.add(&block_, 1, {long_key, "three", 6});
  add("d", "four");
  for (const auto& [key, value, expiry] :
       {Record{"a", "one", 5}, Record{"b", large, kExpiryMax}, Record{long_key, "three", 6},
        Record{"d", "four", kNever}}) {
    EXPECT_EQ(value_of(key), value);
    EXPECT_EQ(found_.expiry, expiry);
    EXPECT_EQ(BlockStore::expiry(*store_.at(block_), find(key)), expiry);
  }
  EXPECT_EQ(store_.tally().expiring, 3u);
  EXPECT_EQ(store_.tally().payload_bytes, 4 + 1'001 + 105 + 5u);
  const Tally count = store_.count(block_);
  EXPECT_EQ(count.expiring, 3u);
  EXPECT_EQ(count.payload_bytes, store_.tally().payload_bytes);
  EXPECT_EQ(count.other_bytes, store_.tally().other_bytes);

  EXPECT_TRUE(store_.overwrite(store_.at(block_), find("a"), {"a", "two", 7}));
  EXPECT_TRUE(store_.overwrite(store_.at(block_), find("b"), {"b", large, 8}));
  EXPECT_FALSE(store_.overwrite(store_.at(block_), find("a"), {"a", "two"}));
  EXPECT_FALSE(store_.overwrite(store_.at(block_), find("a"), {"a", "two456789"}))
      << "as long as it is with the expiry";
  EXPECT_FALSE(store_.overwrite(store_.at(block_), find("b"), {"b", large}));
  EXPECT_FALSE(store_.overwrite(store_.at(block_), find("d"), {"d", "four", 1}));
  EXPECT_EQ(value_of("a"), "two");
  EXPECT_EQ(found_.expiry, 7u);
  EXPECT_EQ(value_of("b"), large);
  EXPECT_EQ(found_.expiry, 8u);

  for (const std::string& key : {std::string("b"), long_key}) store_.take_out(&block_, find(key));
  EXPECT_TRUE(store_.at(block_)->any_expires());
  store_.take_out(&block_, find("a"));
  EXPECT_TRUE(store_.at(block_)->plain());
  EXPECT_EQ(store_.tally().expiring, 0u);
  EXPECT_EQ(value_of("d"), "four");
}

TEST_F(BlockStoreTest, largeRecordsLiveOutside) {
  const std::string within(kInlineBytesMax - 4, 'w');
  const std::string outside(kInlineBytesMax - 3, 'o');
  add("in_", within.substr(1));
  EXPECT_EQ(store_.tally().others, 0u);
  add("out", outside);
  EXPECT_EQ(store_.tally().others, 1u);
  EXPECT_EQ(value_of("in_"), within.substr(1));
  EXPECT_EQ(value_of("out"), outside);
  EXPECT_EQ(store_.tally().payload_bytes, 6 + within.size() - 1 + outside.size());
  EXPECT_LT(store_.tally().block_bytes, 700u);
}

TEST_F(BlockStoreTest, largestKeyAndValue) {
  const std::string key(kKeyBytesMax, 'k');
  const std::string value(kValueBytesMax, 'v');
  add(key, value);
  add("", "");
  EXPECT_EQ(value_of(key), value);
  EXPECT_EQ(value_of(""), "");
  EXPECT_GE(store_.tally().other_bytes, key.size() + value.size());
  EXPECT_LE(store_.tally().other_bytes, key.size() + value.size() + 8'192);
}

TEST_F(BlockStoreTest, tooLargeIsABug) {
  EXPECT_DEATH(add(std::string(kKeyBytesMax + 1, 'k'), ""), "check failed");
  EXPECT_DEATH(add("", std::string(kValueBytesMax + 1, 'v')), "check failed");
}

TEST_F(BlockStoreTest, overwritesInPlaceWhatIsAsLarge) {
  add("a", "one");
  add("b", std::string(1000, 'x'));
  const Ref before = block_;
  EXPECT_TRUE(store_.overwrite(store_.at(block_), find("a"), {"a", "two"}));
  EXPECT_TRUE(store_.overwrite(store_.at(block_), find("b"), {"b", std::string(1001, 'y')}));
  EXPECT_EQ(value_of("a"), "two");
  EXPECT_EQ(value_of("b"), std::string(1001, 'y'));
  EXPECT_EQ(block_, before);
  EXPECT_EQ(store_.tally().payload_bytes, 4u + 1002);
}

TEST_F(BlockStoreTest, overwriteRefusesWhatNeedsOtherRoom) {
  add("a", "one");
  add("b", std::string(1000, 'x'));
  EXPECT_FALSE(store_.overwrite(store_.at(block_), find("a"), {"a", "four"}));
  EXPECT_FALSE(store_.overwrite(store_.at(block_), find("a"), {"a", std::string(1000, 'y')}));
  EXPECT_FALSE(store_.overwrite(store_.at(block_), find("b"), {"b", "small"}));
  EXPECT_FALSE(store_.overwrite(store_.at(block_), find("b"), {"b", std::string(5000, 'y')}));
  EXPECT_EQ(value_of("a"), "one");
  EXPECT_EQ(value_of("b"), std::string(1000, 'x'));
}

TEST_F(BlockStoreTest, takingOutTheLastFreesTheBlock) {
  add("a", std::string(1000, 'x'));
  add("b", "two");
  store_.take_out(&block_, find("a"));
  EXPECT_EQ(store_.tally().others, 0u);
  EXPECT_EQ(value_of("a"), "nothing");
  store_.take_out(&block_, find("b"));
  EXPECT_EQ(block_, Ref::kNone);
  EXPECT_EQ(bytes(), 0u);
}

TEST_F(BlockStoreTest, growsByCellsAndShrinksOnTrim) {
  for (int i = 0; i < 20; ++i) add("key" + std::to_string(i), std::string(50, 'v'));
  EXPECT_LT(store_.tally().block_bytes, 20 * 61 + 6 + 128u);
  for (int i = 0; i < 19; ++i) store_.take_out(&block_, find("key" + std::to_string(i)));
  store_.trim(&block_);
  EXPECT_EQ(store_.tally().block_bytes, 96u);
  EXPECT_EQ(value_of("key19"), std::string(50, 'v'));
}

TEST_F(BlockStoreTest, admitsUpToTheBounds) {
  while (block_ == Ref::kNone || BlockStore::admits(*store_.at(block_), {"", "v"})) add("", "v");
  EXPECT_EQ(count(), Block::kRecordsMax);
  free_block();
  const std::string large(500, 'l');
  while (block_ == Ref::kNone || BlockStore::admits(*store_.at(block_), {"", large})) {
    add("", large);
  }
  EXPECT_LE(store_.at(block_)->cell_bytes(), Block::kBytesMax);
  EXPECT_GT(store_.at(block_)->used_bytes() + 505, Block::kBytesMax);
}

TEST_F(BlockStoreTest, freesLargeRecordsOneAtATime) {
  for (int i = 0; i < 10; ++i) add("key", std::string(100'000, 'x'));
  add("small", "one");
  size_t calls = 0;
  for (bool done = false; !done; ++calls) {
    size_t budget = 50'000;
    done = store_.free_some(&block_, &budget);
  }
  EXPECT_GE(calls, 10u);
}

TEST_F(BlockStoreTest, countIsWhatTheBooksSay) {
  add("a", "one");
  add("b", std::string(1000, 'x'));
  add("c", std::string(100'000, 'x'));
  const Tally counted = store_.count(block_);
  EXPECT_EQ(counted.records, store_.tally().records);
  EXPECT_EQ(counted.payload_bytes, store_.tally().payload_bytes);
  EXPECT_EQ(counted.block_bytes, store_.tally().block_bytes);
  EXPECT_EQ(counted.other_bytes, store_.tally().other_bytes);
  EXPECT_EQ(counted.others, store_.tally().others);
  EXPECT_EQ(bytes(), arena_.allocated_bytes());
}

}  // namespace
}  // namespace lh::table
