#include "table/node_store.h"

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <string>

#include "base/prng.h"
#include "lh/address.h"

namespace lh::table {
namespace {

// Keys are eight bytes of c itself, and more bytes that do not count: the tests choose c.
HashValue first_eight(std::string_view key) {
  HashValue c;
  std::memcpy(&c, key.data(), sizeof c);
  return c;
}

std::string key_of(HashValue c, std::string_view rest = "") {
  std::string key(sizeof c, '\0');
  std::memcpy(key.data(), &c, sizeof c);
  return key.append(rest);
}

// One slot, whose records all have c = 0 in the low `level_` bits.
class NodeStoreTest : public testing::Test {
 protected:
  ~NodeStoreTest() override {
    for (Ref* slot : {&slot_, &other_}) {
      size_t unlimited = SIZE_MAX;
      EXPECT_TRUE(store_.release_some(slot, &unlimited));
    }
    EXPECT_EQ(store_.tally().records, 0u);
    EXPECT_EQ(arena_.allocated_bytes(), 0u);
  }

  NodeStore::Place place() { return {&slot_, level_}; }
  NodeStore::Hit find(const std::string& key) {
    return store_.find(place(), first_eight(key), key);
  }
  void put(const std::string& key, std::string_view value) {
    const HashValue c = first_eight(key);
    if (const NodeStore::Hit hit = find(key)) {
      store_.replace(hit, c, {key, value});
    } else {
      store_.insert(hit, c, {key, value});
    }
    model_[key] = value;
  }
  void erase(const std::string key) {  // a copy: it may be the key in model_
    const NodeStore::Hit hit = find(key);
    ASSERT_TRUE(hit);
    store_.erase(place(), hit, first_eight(key));
    model_.erase(key);
  }

  size_t records_below(Ref node) { return store_.count(node).records; }
  void expect_model() {
    EXPECT_EQ(store_.tally().records, model_.size());
    uint64_t payload_bytes = 0;
    for (const auto& [key, value] : model_) {
      const NodeStore::Hit hit = find(key);
      ASSERT_TRUE(hit);
      ASSERT_EQ(hit.record.value, value);
      payload_bytes += key.size() + value.size();
    }
    EXPECT_EQ(store_.tally().payload_bytes, payload_bytes);
    const Tally counted = store_.count(slot_);
    EXPECT_EQ(counted.records, model_.size());
    EXPECT_EQ(counted.block_bytes, store_.tally().block_bytes);
    EXPECT_EQ(counted.other_bytes, store_.tally().other_bytes);
    EXPECT_EQ(counted.others, store_.tally().others);
    EXPECT_EQ(arena_.allocated_bytes(), counted.block_bytes + counted.other_bytes);
  }

  Arena arena_;
  NodeStore store_{&arena_, first_eight};
  Ref slot_ = Ref::kNone;
  Ref other_ = Ref::kNone;
  Level level_ = 0;
  std::map<std::string, std::string> model_;
};

TEST_F(NodeStoreTest, aFullBlockBecomesABranch) {
  for (HashValue c = 0; c < Block::kRecordsMax; ++c) put(key_of(c), "v");
  EXPECT_EQ(store_.tally().others, 0u);
  put(key_of(Block::kRecordsMax), "v");
  EXPECT_EQ(store_.tally().others, 1u);
  EXPECT_EQ(store_.descend(place(), 5).level, 4);
  expect_model();
}

TEST_F(NodeStoreTest, largeRecordsFillABlockToo) {
  for (HashValue c = 0; c < 20; ++c) put(key_of(c), std::string(490, 'v'));
  EXPECT_EQ(store_.tally().others, 1u);
  expect_model();
}

TEST_F(NodeStoreTest, sharedBitsAreSkippedByBranches) {
  for (HashValue k = 0; k < 1'000; ++k) put(key_of(k << 30), "v");
  EXPECT_GT(store_.descend(place(), 0).level, 30);
  expect_model();
}

TEST_F(NodeStoreTest, equalHashesMakeAChain) {
  for (int i = 0; i < 500; ++i) put(key_of(77, std::to_string(i)), std::to_string(i));
  EXPECT_EQ(store_.descend(place(), 77).level, NodeStore::kAllBits);
  expect_model();
  for (int i = 0; i < 500; i += 2) put(key_of(77, std::to_string(i)), std::string(700, 'x'));
  expect_model();
  for (int i = 0; i < 500; i += 3) erase(key_of(77, std::to_string(i)));
  expect_model();
  while (!model_.empty()) erase(model_.begin()->first);
  EXPECT_EQ(slot_, Ref::kNone);
}

TEST_F(NodeStoreTest, branchesEndWhenTheirRecordsGo) {
  for (HashValue k = 0; k < 2'000; ++k) put(key_of(k << 20), "v");
  for (HashValue k = 0; k < 2'000; ++k) {
    erase(key_of(k << 20));
    if (k % 100 == 0) expect_model();
    if (model_.size() == 8) {
      EXPECT_EQ(store_.tally().others, 0u);
    }
  }
  EXPECT_EQ(slot_, Ref::kNone);
}

TEST_F(NodeStoreTest, splitSeparatesByTheNextBit) {
  for (const Level level : std::initializer_list<Level>{0, 3, 7, 8, 15, 40, 55, 60, 63}) {
    for (const int records : {0, 1, 20, 3'000}) {
      level_ = level;
      base::Prng prng(static_cast<uint64_t>(records));
      for (int i = 0; i < records; ++i) {
        put(key_of(level == 63 ? prng.next() << 63 : prng.next() >> 4 << level, std::to_string(i)),
            "v");
      }
      Ref zero = Ref::kNone;
      Ref one = Ref::kNone;
      store_.split(slot_, level, &zero, &one);
      slot_ = zero;
      other_ = one;
      const auto below = static_cast<Level>(level + 1);
      for (const auto& [key, value] : model_) {
        const HashValue c = first_eight(key);
        const bool bit = (c >> level & 1) != 0;
        ASSERT_TRUE(store_.find({bit ? &other_ : &slot_, below}, c, key));
        ASSERT_FALSE(store_.find({bit ? &slot_ : &other_, below}, c, key));
      }
      EXPECT_EQ(records_below(slot_) + records_below(other_), model_.size());
      slot_ = store_.join(slot_, other_, level);
      other_ = Ref::kNone;
      expect_model();
      size_t unlimited = SIZE_MAX;
      EXPECT_TRUE(store_.release_some(&slot_, &unlimited));
      model_.clear();
    }
  }
}

TEST_F(NodeStoreTest, joiningNothingIsNothing) {
  EXPECT_EQ(store_.join(Ref::kNone, Ref::kNone, 3), Ref::kNone);
  Ref zero = Ref::kNone;
  Ref one = Ref::kNone;
  store_.split(Ref::kNone, 3, &zero, &one);
  EXPECT_EQ(zero, Ref::kNone);
  EXPECT_EQ(one, Ref::kNone);
}

TEST_F(NodeStoreTest, aLargeNodeIsFreedInPieces) {
  for (HashValue k = 0; k < 20'000; ++k) put(key_of(k * 0x9e3779b97f4a7c15), "value");
  size_t pieces = 0;
  for (bool done = false; !done; ++pieces) {
    const uint64_t before = store_.tally().block_bytes;
    size_t budget = 4'096;
    done = store_.release_some(&slot_, &budget);
    EXPECT_LE(before - store_.tally().block_bytes, 4'096 + Block::kBytesMax);
  }
  EXPECT_GT(pieces, 50u);
  EXPECT_EQ(slot_, Ref::kNone);
}

TEST_F(NodeStoreTest, agreesWithAMapWhateverBitsAreShared) {
  for (const uint64_t mask :
       {~uint64_t{0}, uint64_t{0xff}, uint64_t{0xff} << 56, uint64_t{0xf0f0}, uint64_t{3}}) {
    base::Prng prng(mask);
    for (int step = 0; step < 30'000; ++step) {
      const uint64_t chosen = prng.below(1'500);
      uint64_t seed = chosen;
      const std::string key = key_of(base::splitmix64(&seed) & mask, std::to_string(chosen));
      if (prng.chance(step < 20'000 ? 6 : 2, 10)) {
        put(key, std::string(prng.chance(1, 20) ? prng.below(2'000) : prng.below(60), 'v'));
      } else if (model_.contains(key)) {
        erase(key);
      } else {
        ASSERT_FALSE(find(key));
      }
    }
    expect_model();
    while (!model_.empty()) erase(model_.begin()->first);
    ASSERT_EQ(slot_, Ref::kNone);
  }
}

}  // namespace
}  // namespace lh::table
