#include "table/block.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "base/prng.h"

namespace lh::table {
namespace {

class BlockTest : public testing::Test {
 protected:
  BlockTest() { block_.format(cell_.size()); }

  Record at(const Block& block, unsigned k) { return read_inline(block.record(k), block.size(k)); }
  void expect(unsigned k, Tag tag, std::string_view key, std::string_view value) {
    EXPECT_EQ(block_.tag(k), tag);
    EXPECT_EQ(at(block_, k).key, key);
    EXPECT_EQ(at(block_, k).value, value);
  }

  alignas(kUnitBytes) std::array<std::byte, 512> cell_{};
  Block& block_ = *reinterpret_cast<Block*>(cell_.data());
};

// The bytes of the example in block.h.
TEST(BlockLayoutTest, exampleOfTheHeader) {
  alignas(kUnitBytes) std::array<unsigned char, 64> cell{};
  auto* block = reinterpret_cast<Block*>(cell.data());
  block->format(cell.size());
  block->append_inline(0x175a, {"a", "one"});
  block->append_inline(0xf0c3, {"b", "two"});
  const std::vector<unsigned char> front(cell.begin(), cell.begin() + 14);
  EXPECT_EQ(front,
            (std::vector<unsigned char>{0, 2, 2, 0, 8, 0, 0x5a, 0x17, 5, 0, 0xc3, 0xf0, 10, 0}));
  const std::string back(cell.begin() + 54, cell.end());
  EXPECT_EQ(back, "\4btwo\4aone");
  EXPECT_EQ(block->free_bytes(), 54u - 14u);
}

TEST_F(BlockTest, aNewBlockIsEmpty) {
  EXPECT_EQ(block_.kind(), NodeKind::kBlock);
  EXPECT_EQ(block_.count(), 0u);
  EXPECT_EQ(block_.payload_bytes(), 0u);
  EXPECT_EQ(block_.used_bytes(), Block::kHeaderBytes);
  EXPECT_EQ(block_.free_bytes(), 512 - Block::kHeaderBytes);
}

TEST_F(BlockTest, recordsOfAllLengthsComeBack) {
  const std::string long_key(32, 'k');  // the first with two header bytes
  block_.append_inline(1, {"", ""});
  block_.append_inline(2, {"key", ""});
  block_.append_inline(3, {"", "value"});
  block_.append_inline(4, {long_key, std::string(200, 'v')});
  block_.append_inline(5, {long_key.substr(1), "x"});
  expect(0, 1, "", "");
  expect(1, 2, "key", "");
  expect(2, 3, "", "value");
  expect(3, 4, long_key, std::string(200, 'v'));
  expect(4, 5, long_key.substr(1), "x");
  EXPECT_EQ(block_.payload_bytes(), 0u + 3 + 5 + 232 + 32);
  EXPECT_EQ(block_.record_bytes(), block_.payload_bytes() + 4 * 1 + 2);
}

TEST_F(BlockTest, removingClosesTheGap) {
  for (const unsigned gone : {0u, 1u, 2u, 3u}) {
    block_.format(cell_.size());
    const std::array<std::string, 4> keys = {"a", "bb", "", "dddd"};
    for (unsigned k = 0; k < 4; ++k) {
      block_.append_inline(static_cast<Tag>(k), {keys[k], "v" + keys[k]});
    }
    block_.remove(gone);
    ASSERT_EQ(block_.count(), 3u);
    for (unsigned k = 0; k < 3; ++k) {
      const unsigned was = k < gone ? k : k + 1;
      expect(k, static_cast<Tag>(was), keys[was], "v" + keys[was]);
    }
  }
}

TEST_F(BlockTest, copiesIntoAnotherCell) {
  block_.append_inline(7, {"key", "value"});
  block_.append_outside(8, {}, Ref{77});
  alignas(kUnitBytes) std::array<std::byte, 96> cell;
  auto& copy = *reinterpret_cast<Block*>(cell.data());
  copy.format(cell.size());
  copy.copy_all(block_);
  EXPECT_EQ(copy.count(), 2u);
  EXPECT_EQ(copy.outside(), 1u);
  EXPECT_EQ(copy.payload_bytes(), 8u);
  EXPECT_EQ(copy.cell_bytes(), 96u);
  EXPECT_EQ(at(copy, 0).value, "value");
  EXPECT_EQ(outside_ref(copy.record(1)), Ref{77});
  copy.append_copy(9, block_, 1);
  copy.append_copy(10, block_, 0);
  EXPECT_EQ(copy.outside(), 2u);
  EXPECT_EQ(copy.payload_bytes(), 16u);
  EXPECT_EQ(outside_ref(copy.record(2)), Ref{77});
  EXPECT_EQ(at(copy, 3).key, "key");
}

TEST_F(BlockTest, agreesWithAVectorUnderRandomChanges) {
  base::Prng prng(11);
  std::vector<std::pair<std::string, std::string>> model;
  for (int step = 0; step < 20'000; ++step) {
    const std::string key(prng.below(40), static_cast<char>('a' + prng.below(26)));
    const std::string value(prng.below(60), static_cast<char>('a' + prng.below(26)));
    const Record record{key, value};
    if (Block::kEntryBytes + inline_bytes(record) <= block_.free_bytes() && prng.chance(1, 2)) {
      block_.append_inline(static_cast<Tag>(key.size()), record);
      model.emplace_back(key, value);
    } else if (!model.empty()) {
      const auto k = static_cast<unsigned>(prng.below(model.size()));
      block_.remove(k);
      model.erase(model.begin() + k);
    }
    ASSERT_EQ(block_.count(), model.size());
    for (unsigned k = 0; k < model.size(); ++k) {
      ASSERT_EQ(at(block_, k).key, model[k].first);
      ASSERT_EQ(at(block_, k).value, model[k].second);
    }
  }
}

TEST(TagTest, holdsTheNextBitsOfEachLevel) {
  base::Prng prng(12);
  for (Level level = 0; level < 64; ++level) {
    const HashValue c = prng.next();
    for (unsigned bits = 1; bits <= 4 && level + bits <= 64; ++bits) {
      EXPECT_EQ(next_bits(tag_of(c, level), level, bits), c >> level & ((1U << bits) - 1));
    }
  }
  EXPECT_EQ(tag_shift(64), 48u);
}

TEST(TagTest, keepsItsMeaningWithinAByteOfBits) {
  EXPECT_EQ(tag_shift(8), tag_shift(15));
  EXPECT_NE(tag_shift(15), tag_shift(16));
}

TEST(SameKeyTest, agreesWithEqualityAtEveryLengthAndPosition) {
  for (size_t bytes = 0; bytes < 40; ++bytes) {
    const std::string key(bytes, 'k');
    EXPECT_TRUE(same_key(key, std::string(bytes, 'k')));
    EXPECT_FALSE(same_key(key, std::string(bytes + 1, 'k')));
    for (size_t at = 0; at < bytes; ++at) {
      std::string other = key;
      other[at] = 'x';
      EXPECT_FALSE(same_key(key, other)) << bytes << " " << at;
    }
  }
}

}  // namespace
}  // namespace lh::table
