#include "net/buffer.h"

#include <gtest/gtest.h>

#include <string>

#include "base/prng.h"

namespace lh::net {
namespace {

constexpr size_t kMiB = size_t{1} << 20;

class BufferTest : public ::testing::Test {
 protected:
  BufferPool pool_;
};

TEST_F(BufferTest, holds_no_memory_before_the_first_byte) {
  const Buffer buffer(pool_, kMiB);
  EXPECT_TRUE(buffer.empty());
  EXPECT_EQ(0u, buffer.capacity());
  EXPECT_EQ("", buffer.view());
}

TEST_F(BufferTest, what_is_appended_is_consumed_in_order) {
  Buffer buffer(pool_, kMiB);
  EXPECT_TRUE(buffer.append(""));
  EXPECT_EQ(0u, buffer.capacity());
  EXPECT_TRUE(buffer.append("hello "));
  EXPECT_TRUE(buffer.append(""));
  EXPECT_TRUE(buffer.append("world"));
  EXPECT_EQ("hello world", buffer.view());
  buffer.consume(6);
  EXPECT_EQ("world", buffer.view());
  buffer.consume(5);
  EXPECT_TRUE(buffer.empty());
}

TEST_F(BufferTest, reserve_and_commit_take_what_was_written) {
  Buffer buffer(pool_, kMiB);
  char* to = buffer.reserve(100);
  ASSERT_NE(nullptr, to);
  EXPECT_GE(buffer.space(), 100u);
  std::memcpy(to, "abc", 3);
  buffer.commit(3);
  EXPECT_EQ("abc", buffer.view());
}

TEST_F(BufferTest, beyond_the_limit_nothing_changes) {
  Buffer buffer(pool_, 10);
  EXPECT_TRUE(buffer.append("12345678"));
  EXPECT_FALSE(buffer.append("9ab"));
  EXPECT_EQ(nullptr, buffer.reserve(3));
  EXPECT_EQ("12345678", buffer.view());
  EXPECT_EQ(2u, buffer.space());
  EXPECT_TRUE(buffer.append("9a"));
  EXPECT_EQ(0u, buffer.space());
  buffer.consume(4);
  EXPECT_TRUE(buffer.append("bcde"));
  EXPECT_EQ("56789abcde", buffer.view());
}

TEST_F(BufferTest, an_impossible_size_is_refused_rather_than_wrapped) {
  Buffer buffer(pool_, kMiB);
  EXPECT_TRUE(buffer.append("x"));
  EXPECT_EQ(nullptr, buffer.reserve(~size_t{0}));
  EXPECT_EQ("x", buffer.view());
}

TEST_F(BufferTest, trim_of_an_empty_buffer_gives_the_block_back) {
  Buffer buffer(pool_, kMiB);
  EXPECT_TRUE(buffer.append(std::string(5'000, 'x')));
  buffer.consume(5'000);
  EXPECT_EQ(16'384u, buffer.capacity());
  buffer.trim();
  EXPECT_EQ(0u, buffer.capacity());
  EXPECT_GT(pool_.kept_bytes(), 0u);
}

TEST_F(BufferTest, trim_moves_a_small_rest_to_a_small_block) {
  Buffer buffer(pool_, kMiB);
  ASSERT_NE(nullptr, buffer.reserve(65'536));
  EXPECT_TRUE(buffer.append(std::string(60'000, 'x')));
  EXPECT_TRUE(buffer.append("rest"));
  buffer.consume(60'000);
  buffer.trim();
  EXPECT_EQ(1'024u, buffer.capacity());
  EXPECT_EQ("rest", buffer.view());
}

TEST_F(BufferTest, trim_leaves_a_block_that_is_well_used) {
  Buffer buffer(pool_, kMiB);
  EXPECT_TRUE(buffer.append(std::string(2'000, 'x')));
  buffer.trim();
  EXPECT_EQ(4'096u, buffer.capacity());
}

TEST_F(BufferTest, a_long_queue_does_not_grow_without_end) {
  Buffer buffer(pool_, kMiB);
  const std::string piece(700, 'p');
  for (int i = 0; i < 10'000; ++i) {
    ASSERT_TRUE(buffer.append(piece));
    if (buffer.size() > 3'000) buffer.consume(900);
  }
  EXPECT_LE(buffer.capacity(), 65'536u);
}

// A block nearly full that gives and takes a byte at a time must not move its content each time.
TEST_F(BufferTest, content_is_moved_rarely) {
  Buffer buffer(pool_, kMiB);
  EXPECT_TRUE(buffer.append(std::string(65'530, 'x')));
  int moves = 0;
  for (int i = 0; i < 100'000; ++i) {
    const char* before = buffer.data();
    buffer.consume(1);
    ASSERT_TRUE(buffer.append("y"));
    moves += buffer.data() != before + 1;
  }
  EXPECT_LE(moves, 4);
}

TEST_F(BufferTest, large_content_survives_growth) {
  Buffer buffer(pool_, 64 * kMiB);
  std::string expected;
  base::Prng random(7);
  while (expected.size() < 5 * kMiB) {
    const std::string piece(100'003, static_cast<char>('a' + random.below(26)));
    ASSERT_TRUE(buffer.append(piece));
    expected += piece;
  }
  EXPECT_TRUE(buffer.view() == expected);
  buffer.clear();
  EXPECT_EQ(0u, buffer.capacity());
}

// Against a std::string that does the same the plain way.
TEST_F(BufferTest, random_operations_agree_with_a_string) {
  base::Prng random(42);
  Buffer buffer(pool_, 300'000);
  std::string model;
  for (int i = 0; i < 20'000; ++i) {
    const uint64_t choice = random.below(10);
    if (choice < 5) {
      const std::string piece(random.below(choice == 0 ? 50'000 : 500),
                              static_cast<char>('a' + random.below(26)));
      const bool fits = model.size() + piece.size() <= buffer.size_max();
      ASSERT_EQ(fits, buffer.append(piece));
      if (fits) model += piece;
    } else if (choice < 9) {
      const size_t n = random.below(std::min<size_t>(model.size(), 20'000) + 1);
      buffer.consume(n);
      model.erase(0, n);
    } else {
      buffer.trim();
    }
    ASSERT_EQ(model.size(), buffer.size());
    ASSERT_LE(buffer.size(), buffer.capacity());
    if (i % 64 == 0) {
      ASSERT_TRUE(buffer.view() == model);
    }
  }
  EXPECT_TRUE(buffer.view() == model);
}

using BufferDeathTest = BufferTest;

TEST_F(BufferDeathTest, consuming_more_than_there_is_is_a_bug) {
  Buffer buffer(pool_, kMiB);
  EXPECT_TRUE(buffer.append("abc"));
  EXPECT_DEATH(buffer.consume(4), "check failed");
}

}  // namespace
}  // namespace lh::net
