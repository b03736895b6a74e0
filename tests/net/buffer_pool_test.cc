#include "net/buffer_pool.h"

#include <gtest/gtest.h>

#include <vector>

namespace lh::net {
namespace {

TEST(BufferPoolTest, capacities_are_block_sizes_then_powers_of_two) {
  EXPECT_EQ(1024u, BufferPool::capacity_for(0));
  EXPECT_EQ(1024u, BufferPool::capacity_for(1));
  EXPECT_EQ(1024u, BufferPool::capacity_for(1024));
  EXPECT_EQ(4096u, BufferPool::capacity_for(1025));
  EXPECT_EQ(4096u, BufferPool::capacity_for(4096));
  EXPECT_EQ(16384u, BufferPool::capacity_for(4097));
  EXPECT_EQ(65536u, BufferPool::capacity_for(16385));
  EXPECT_EQ(65536u, BufferPool::capacity_for(65536));
  EXPECT_EQ(262144u, BufferPool::capacity_for(65537));
  EXPECT_EQ(262144u, BufferPool::capacity_for(262144));
  EXPECT_EQ(524288u, BufferPool::capacity_for(262145));
  EXPECT_EQ(8u << 20, BufferPool::capacity_for((8u << 20) - 5));
}

TEST(BufferPoolTest, every_capacity_maps_to_itself) {
  for (size_t size = 1; size < (size_t{1} << 21); size += 509) {
    const size_t capacity = BufferPool::capacity_for(size);
    ASSERT_GE(capacity, size);
    ASSERT_EQ(capacity, BufferPool::capacity_for(capacity));
  }
}

TEST(BufferPoolTest, the_last_block_given_is_the_next_one_out) {
  BufferPool pool;
  char* a = pool.take(4096);
  char* b = pool.take(4096);
  EXPECT_NE(a, b);
  pool.give(a, 4096);
  pool.give(b, 4096);
  EXPECT_EQ(8192u, pool.kept_bytes());
  EXPECT_EQ(b, pool.take(4096));
  EXPECT_EQ(a, pool.take(4096));
  EXPECT_EQ(0u, pool.kept_bytes());
  pool.give(a, 4096);
  pool.give(b, 4096);
}

TEST(BufferPoolTest, a_block_serves_only_its_own_size) {
  BufferPool pool;
  pool.give(pool.take(1024), 1024);
  char* large = pool.take(4096);
  EXPECT_EQ(1024u, pool.kept_bytes());
  pool.give(large, 4096);
}

TEST(BufferPoolTest, keeps_a_bounded_number_of_bytes_of_each_size) {
  BufferPool pool;
  std::vector<char*> blocks;
  const size_t fitting = BufferPool::kKeptPerSize / BufferPool::kBlockMax;
  for (size_t i = 0; i < fitting + 3; ++i) blocks.push_back(pool.take(BufferPool::kBlockMax));
  for (char* block : blocks) pool.give(block, BufferPool::kBlockMax);
  EXPECT_EQ(BufferPool::kKeptPerSize, pool.kept_bytes());
}

TEST(BufferPoolTest, larger_blocks_are_not_kept) {
  BufferPool pool;
  const size_t capacity = BufferPool::capacity_for(BufferPool::kBlockMax + 1);
  char* block = pool.take(capacity);
  block[capacity - 1] = 'x';
  pool.give(block, capacity);
  EXPECT_EQ(0u, pool.kept_bytes());
}

}  // namespace
}  // namespace lh::net
