#include "storage/file_names.h"

#include <gtest/gtest.h>

#include <limits>

#include "storage/mem_env.h"

namespace lh::storage {
namespace {

TEST(FileNamesTest, namesSortLikeNumbers) {
  EXPECT_EQ(segment_name(1), "00000000000000000001.log");
  EXPECT_LT(segment_name(9), segment_name(10));
  EXPECT_EQ(snapshot_name(std::numeric_limits<uint64_t>::max()), "18446744073709551615.snapshot");
  EXPECT_EQ(folder_name(2, 10), "worker-10-generation-2");
}

TEST(FileNamesTest, namesAreReadBack) {
  EXPECT_EQ(parse_segment_name(segment_name(42)), 42u);
  EXPECT_EQ(parse_snapshot_name(snapshot_name(0)), 0u);
  const auto folder = parse_folder_name(folder_name(7, 3));
  ASSERT_TRUE(folder.has_value());
  EXPECT_EQ(folder->generation, 7u);
  EXPECT_EQ(folder->worker, 3u);
}

TEST(FileNamesTest, eachNameHasOneSpelling) {
  for (const char* name : {"1.log", "00000000000000000001.log.tmp", "0000000000000000000x.log",
                           "000000000000000000001.log", "99999999999999999999.log", ".log", ""}) {
    EXPECT_FALSE(parse_segment_name(name).has_value()) << name;
  }
  EXPECT_FALSE(parse_snapshot_name(segment_name(1)).has_value());
  for (const char* name : {"worker-01-generation-1", "worker--generation-1", "worker-1-generation-",
                           "worker-4294967296-generation-1", "worker-1", "MANIFEST"}) {
    EXPECT_FALSE(parse_folder_name(name).has_value()) << name;
  }
}

// Whatever is written and however the crash falls, the file is the old one or the new one.
TEST(FileNamesTest, aWholeFileIsThereOrItsPredecessorIs) {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    base::Prng prng(seed);
    MemEnv env;
    ASSERT_TRUE(write_whole_file(&env, "f", "old").ok());
    env.stop_after(seed % 6);
    const bool done = write_whole_file(&env, "f", std::string(2000, 'n')).ok();
    env.crash(&prng);
    const std::string left = env.content("f");
    ASSERT_TRUE(left == std::string(2000, 'n') || (left == "old" && !done)) << seed;
  }
}

}  // namespace
}  // namespace lh::storage
