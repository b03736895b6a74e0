#include "table/slab_space.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstring>
#include <set>
#include <vector>

namespace lh::table {
namespace {

class SlabSpaceTest : public testing::Test {
 protected:
  std::byte* address(SlabNo slab) const {
    return space_.chunk_base(slab / kChunkSlabs) + slab % kChunkSlabs * kSlabBytes;
  }
  void touch(SlabNo first, uint32_t count = 1) {
    std::memset(address(first), 0xa5, count * kSlabBytes);
  }
  // Pages of a slab that the system holds memory for.
  size_t resident_pages(SlabNo slab) const {
    constexpr size_t kPageBytes = 4096;
    std::vector<unsigned char> pages(kSlabBytes / kPageBytes);
    EXPECT_EQ(mincore(address(slab), kSlabBytes, pages.data()), 0);
    size_t resident = 0;
    for (const unsigned char page : pages) resident += page & 1;
    return resident;
  }

  SlabSpace space_;
};

TEST_F(SlabSpaceTest, zeroIsNeverHandedOut) {
  std::set<SlabNo> slabs;
  for (uint32_t i = 0; i < 2 * kChunkSlabs; ++i) slabs.insert(space_.take(1));
  EXPECT_EQ(slabs.size(), 2 * kChunkSlabs);
  EXPECT_FALSE(slabs.contains(0));
  EXPECT_EQ(space_.chunks(), 3u);
  EXPECT_EQ(space_.slabs_held(), 2 * kChunkSlabs);
}

TEST_F(SlabSpaceTest, runsFillTheGapsThatFit) {
  const SlabNo a = space_.take(10);
  const SlabNo b = space_.take(100);
  const SlabNo c = space_.take(10);
  EXPECT_EQ(b, a + 10);
  EXPECT_EQ(c, b + 100);
  space_.give(b, 100);
  EXPECT_EQ(space_.take(101), c + 10);
  EXPECT_EQ(space_.take(60), b);
  EXPECT_EQ(space_.take(40), b + 60);
}

TEST_F(SlabSpaceTest, runDoesNotCrossChunks) {
  const SlabNo most = space_.take(kChunkSlabs - 10);
  EXPECT_EQ(most, 1u);
  EXPECT_EQ(space_.take(10), kChunkSlabs);
  EXPECT_EQ(space_.take(9), kChunkSlabs - 9);
  EXPECT_EQ(space_.chunks(), 2u);
}

TEST_F(SlabSpaceTest, memoryGoesBackToTheSystem) {
  const SlabNo run = space_.take(20);
  touch(run, 20);
  EXPECT_EQ(resident_pages(run + 19), 16u);
  space_.give(run, 20);
  for (SlabNo slab = run; slab < run + 20; ++slab) EXPECT_EQ(resident_pages(slab), 0u);
  EXPECT_EQ(space_.slabs_held(), 0u);
}

TEST_F(SlabSpaceTest, fewSingleSlabsAreKeptForTheNextTake) {
  std::vector<SlabNo> slabs;
  for (int i = 0; i < 20; ++i) touch(slabs.emplace_back(space_.take(1)));
  for (const SlabNo slab : slabs) space_.give(slab, 1);
  size_t kept = 0;
  for (const SlabNo slab : slabs) kept += resident_pages(slab) > 0;
  EXPECT_EQ(kept, 4u);
  EXPECT_EQ(space_.slabs_held(), 4u);
  EXPECT_GT(resident_pages(space_.take(1)), 0u);
}

TEST_F(SlabSpaceTest, givingTwiceIsABug) {
  const SlabNo run = space_.take(3);
  space_.take(3);
  space_.give(run, 3);
  EXPECT_DEATH(space_.give(run, 3), "check failed");
}

}  // namespace
}  // namespace lh::table
