#include "storage/mem_env.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "tests/storage/env_contract.h"

namespace lh::storage {
namespace {

class MemEnvTest : public ::testing::Test {
 public:
  MemEnvTest() {
    EXPECT_TRUE(mem_.make_dir("d").ok());
    EXPECT_TRUE(mem_.sync_dir(".").ok());
  }

  Env* env() { return &mem_; }
  std::string dir() { return "d"; }

 protected:
  void write_synced(const std::string& path, const std::string& bytes) {
    create(&mem_, path, bytes);
    ASSERT_TRUE(mem_.sync_dir("d").ok());
  }
  std::string content(const std::string& path) {
    return mem_.exists(path) ? mem_.content(path) : "-";
  }

  MemEnv mem_;
  base::Prng prng_{301};
};

INSTANTIATE_TYPED_TEST_SUITE_P(Mem, EnvContract, MemEnvTest);

TEST_F(MemEnvTest, syncedBytesSurvive) {
  for (int i = 0; i < 100; ++i) {
    write_synced("d/f", std::string(1000, 'a'));
    append(&mem_, "d/f", std::string(1000, 'b'));
    mem_.crash(&prng_);
    ASSERT_EQ(content("d/f").substr(0, 1000), std::string(1000, 'a'));
    ASSERT_LE(content("d/f").size(), 2000u);
  }
}

TEST_F(MemEnvTest, unsyncedSectorsSurviveInAnyCombination) {
  std::set<std::string> seen;
  for (int i = 0; i < 400; ++i) {
    write_synced("d/f", "");
    append(&mem_, "d/f", std::string(512, 'a') + std::string(512, 'b'));
    mem_.crash(&prng_);
    const std::string left = content("d/f");
    ASSERT_TRUE(left.find_first_not_of(std::string("ab\0", 3)) == std::string::npos);
    if (left.size() == 1024) seen.insert({left[0], left[512]});
    if (left.empty()) seen.insert("empty");
  }
  const std::string none(2, '\0');
  const std::set<std::string> all = {"ab", std::string("a\0", 2), std::string("\0b", 2), none,
                                     "empty"};
  EXPECT_EQ(seen, all);
}

TEST_F(MemEnvTest, withoutTearingAPrefixSurvives) {
  for (int i = 0; i < 100; ++i) {
    write_synced("d/f", "head");
    append(&mem_, "d/f", std::string(2000, 'b'));
    mem_.crash(&prng_, {.torn_sectors = false, .torn_names = false});
    const std::string all = "head" + std::string(2000, 'b');
    ASSERT_TRUE(all.starts_with(content("d/f")));
  }
}

TEST_F(MemEnvTest, anUnsyncedTruncationMayBeLost) {
  std::set<size_t> sizes;
  for (int i = 0; i < 100; ++i) {
    write_synced("d/f", "0123456789");
    auto file = mem_.open_append("d/f");
    ASSERT_TRUE(file.value()->truncate(4).ok());
    mem_.crash(&prng_);
    sizes.insert(content("d/f").size());
    ASSERT_TRUE(std::string("0123456789").starts_with(content("d/f")));
  }
  EXPECT_EQ(sizes, (std::set<size_t>{4, 10}));
}

TEST_F(MemEnvTest, whatTookThePlaceOfZerosMayBeLostAndTheyAreBack) {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    write_synced("d/f", "");
    auto file = mem_.open_append("d/f");
    ASSERT_TRUE(file.value()->reserve(1024).ok());
    ASSERT_TRUE(file.value()->sync().ok());
    ASSERT_TRUE(file.value()->append(std::string(512, 'a') + std::string(512, 'b')).ok());
    EXPECT_FALSE(mem_.synced("d/f"));
    mem_.crash(&prng_);
    const std::string left = content("d/f");
    ASSERT_EQ(left.size(), 1024u);
    seen.insert({left[0], left[512]});
  }
  EXPECT_EQ(seen, (std::set<std::string>{"ab", std::string("a\0", 2), std::string("\0b", 2),
                                         std::string(2, '\0')}));
}

TEST_F(MemEnvTest, namesWithoutASyncedDirectoryMayBeLost) {
  std::set<std::string> seen;
  for (int i = 0; i < 200; ++i) {
    write_synced("d/f", "old");
    create(&mem_, "d/t", "new");
    ASSERT_TRUE(mem_.rename("d/t", "d/f").ok());
    mem_.crash(&prng_);
    seen.insert(content("d/f") + " " + content("d/t"));
    if (mem_.exists("d/t")) {
      ASSERT_TRUE(mem_.remove("d/t").ok());
    }
  }
  EXPECT_EQ(seen, (std::set<std::string>{"old -", "old new", "new -"}));
}

TEST_F(MemEnvTest, aLostDirectoryTakesItsFilesAlong) {
  bool lost = false;
  bool kept = false;
  for (int i = 0; i < 50; ++i) {
    MemEnv mem;
    ASSERT_TRUE(mem.make_dir("x").ok());
    create(&mem, "x/f", "bytes");
    ASSERT_TRUE(mem.sync_dir("x").ok());
    mem.crash(&prng_);
    (mem.exists("x") ? kept : lost) = true;
    ASSERT_EQ(mem.exists("x"), mem.exists("x/f"));
  }
  EXPECT_TRUE(lost);
  EXPECT_TRUE(kept);
}

TEST_F(MemEnvTest, equalSeedsLeaveEqualDisks) {
  std::string left[2];
  for (std::string& each : left) {
    MemEnv mem;
    base::Prng prng(7);
    create(&mem, "f", std::string(3000, 'a'));
    append(&mem, "f", std::string(3000, 'b'));
    ASSERT_TRUE(mem.sync_dir(".").ok());
    mem.crash(&prng);
    each = mem.content("f");
  }
  EXPECT_EQ(left[0], left[1]);
}

TEST_F(MemEnvTest, whatWasOpenBeforeACrashFails) {
  auto file = mem_.create("d/f");
  const auto lock = mem_.lock("d/LOCK");
  mem_.crash(&prng_);
  EXPECT_EQ(file.value()->append("x").code(), StatusCode::kIo);
  EXPECT_EQ(file.value()->sync().code(), StatusCode::kIo);
  EXPECT_TRUE(mem_.lock("d/LOCK").ok());
}

TEST_F(MemEnvTest, aFullDiskTakesWhatFits) {
  mem_.set_capacity(10);
  auto file = mem_.create("d/f");
  EXPECT_TRUE(file.value()->append("1234567").ok());
  EXPECT_EQ(file.value()->append("89abc").code(), StatusCode::kRefused);
  EXPECT_EQ(content("d/f"), "123456789a");
  EXPECT_TRUE(file.value()->truncate(2).ok());
  EXPECT_TRUE(file.value()->append("xyz").ok());
  EXPECT_EQ(mem_.used_bytes(), 5u);
}

TEST_F(MemEnvTest, aFailedSyncLosesItsBytesForEver) {
  write_synced("d/f", "head");
  auto file = mem_.open_append("d/f");
  ASSERT_TRUE(file.value()->append("lost").ok());
  mem_.fail_sync(1);
  EXPECT_EQ(file.value()->sync().code(), StatusCode::kIo);
  EXPECT_TRUE(file.value()->sync().ok()) << "as on Linux";
  EXPECT_EQ(content("d/f"), "headlost") << "the cache still has it";
  EXPECT_FALSE(mem_.content("d/f").empty());
  mem_.crash(&prng_);
  EXPECT_EQ(content("d/f"), "head" + std::string(4, '\0'));
}

TEST_F(MemEnvTest, theNthAppendWritesHalf) {
  auto file = mem_.create("d/f");
  mem_.fail_append(2);
  EXPECT_TRUE(file.value()->append("1234").ok());
  EXPECT_EQ(file.value()->append("5678").code(), StatusCode::kIo);
  EXPECT_TRUE(file.value()->append("9").ok());
  EXPECT_EQ(content("d/f"), "123496") << "the next one takes its place";
}

TEST_F(MemEnvTest, afterTheLastOperationNothingChanges) {
  mem_.stop_after(2);
  const uint64_t before = mem_.operation_count();
  auto file = mem_.create("d/f");
  EXPECT_TRUE(file.value()->append("1").ok());
  EXPECT_EQ(file.value()->append("2").code(), StatusCode::kIo);
  EXPECT_EQ(mem_.remove("d/f").code(), StatusCode::kIo);
  EXPECT_EQ(mem_.operation_count(), before + 2);
  EXPECT_EQ(content("d/f"), "1");
}

TEST_F(MemEnvTest, vandalsChangeWhatIsThere) {
  mem_.set_content("d/f", "abc");
  mem_.flip_bit("d/f", 8);
  EXPECT_EQ(content("d/f"), "acc");
  EXPECT_TRUE(mem_.synced("d/f"));
  EXPECT_EQ(mem_.files(), std::vector<std::string>{"d/f"});
  mem_.fail_reads("d/f");
  EXPECT_EQ(read_all(&mem_, "d/f"), "cannot read d/f: Input/output error");
}

}  // namespace
}  // namespace lh::storage
