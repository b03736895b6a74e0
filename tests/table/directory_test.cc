#include "table/directory.h"

#include <gtest/gtest.h>

#include <vector>

#include "lh/address.h"

namespace lh::table {
namespace {

class DirectoryTest : public testing::Test {
 protected:
  ~DirectoryTest() override {
    directory_.release(&arena_);
    odd_.release(&arena_);
    EXPECT_EQ(arena_.allocated_bytes(), 0u);
  }
  // Slots that know their number.
  static Ref mark(uint64_t s) { return Ref{static_cast<uint32_t>(1000 + s)}; }
  void grow(Directory* directory, uint64_t count, uint64_t factor = 1, uint64_t offset = 0) {
    while (directory->count() < count) {
      directory->append(&arena_, mark(factor * directory->count() + offset));
    }
  }

  Arena arena_;
  Directory directory_;
  Directory odd_;
};

TEST_F(DirectoryTest, addressesAreThoseOfLinearHashing) {
  for (uint64_t count = 1; count < 300; ++count) {
    grow(&directory_, count);
    const FileState state = state_of_count(count);
    for (uint64_t q = 0; q < 1500; q += 7) {
      const Directory::Slot slot = directory_.slot_of(q);
      const uint64_t expected = address(state, q);
      ASSERT_EQ(slot.at, &directory_[expected]);
      ASSERT_EQ(*slot.at, mark(expected));
      ASSERT_EQ(slot.bits, level_of(state, expected));
    }
  }
}

TEST_F(DirectoryTest, splitAndJoinAreThoseOfLinearHashing) {
  for (uint64_t count = 1; count < 300; ++count) {
    grow(&directory_, count);
    const FileState state = state_of_count(count);
    EXPECT_EQ(directory_.next_split().kept, state.n);
    EXPECT_EQ(directory_.next_split().last, count);
    EXPECT_EQ(directory_.next_split().bits, state.i);
    const Directory::Pair split = directory_.next_split();
    grow(&directory_, count + 1);
    const Directory::Pair join = directory_.next_join();
    EXPECT_EQ(join.kept, split.kept);
    EXPECT_EQ(join.last, split.last);
    EXPECT_EQ(join.bits, split.bits);
  }
}

TEST_F(DirectoryTest, slotsDoNotMoveWhileItGrows) {
  grow(&directory_, 1);
  const Ref* first = &directory_[0];
  grow(&directory_, 10'000);
  EXPECT_EQ(first, &directory_[0]);
  for (uint64_t s = 0; s < 10'000; ++s) ASSERT_EQ(directory_[s], mark(s));
}

TEST_F(DirectoryTest, memoryFollowsTheCountBothWays) {
  grow(&directory_, 100'000);
  EXPECT_EQ(directory_.memory_bytes(), arena_.allocated_bytes());
  EXPECT_LT(directory_.memory_bytes(), 100'000 * sizeof(Ref) * 2 + (32 << 10));
  while (directory_.count() > 40) directory_.remove_last(&arena_);
  EXPECT_EQ(directory_.memory_bytes(), arena_.allocated_bytes());
  EXPECT_LT(directory_.memory_bytes(), 1'000u);
}

TEST_F(DirectoryTest, dealingOutTheOddSlotsAndTakingThemBack) {
  for (const uint64_t count : {2u, 3u, 4u, 5u, 63u, 64u, 65u, 1000u, 4097u}) {
    directory_.release(&arena_);
    odd_.release(&arena_);
    grow(&directory_, count);
    directory_.deal_odd(&arena_, &odd_);
    ASSERT_EQ(directory_.count(), (count + 1) / 2);
    ASSERT_EQ(odd_.count(), count / 2);
    for (uint64_t s = 0; s < directory_.count(); ++s) ASSERT_EQ(directory_[s], mark(2 * s));
    for (uint64_t s = 0; s < odd_.count(); ++s) ASSERT_EQ(odd_[s], mark(2 * s + 1));
    grow(&odd_, directory_.count(), 2, 1);
    const uint64_t half = odd_.count();
    directory_.take_odd(&arena_, odd_);
    ASSERT_EQ(directory_.count(), 2 * half);
    for (uint64_t s = 0; s < 2 * half; ++s) ASSERT_EQ(directory_[s], mark(s));
  }
}

// A slot of either half is chosen by the bits of q above the first, as it was by all of them.
TEST_F(DirectoryTest, halvesAreLinearHashingOnTheNextBits) {
  for (uint64_t count = 2; count < 200; ++count) {
    directory_.release(&arena_);
    grow(&directory_, count);
    std::vector<Ref> before;
    for (uint64_t q = 0; q < 1024; ++q) before.push_back(*directory_.slot_of(q).at);
    directory_.deal_odd(&arena_, &odd_);
    for (uint64_t q = 0; q < 1024; ++q) {
      const Directory& half = q % 2 == 0 ? directory_ : odd_;
      ASSERT_EQ(*half.slot_of(q >> 1).at, before[q]) << count << " " << q;
    }
  }
}

}  // namespace
}  // namespace lh::table
