#include "storage/posix_env.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <string>

#include "tests/storage/env_contract.h"

namespace lh::storage {
namespace {

class PosixEnvTest : public ::testing::Test {
 public:
  PosixEnvTest() {
    std::string pattern = ::testing::TempDir() + "/lhnode-env-XXXXXX";
    EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
    dir_ = pattern;
  }
  ~PosixEnvTest() override { std::filesystem::remove_all(dir_); }

  Env* env() { return posix_env(); }
  std::string dir() { return dir_; }
  std::string path(const std::string& name) { return dir_ + "/" + name; }

 private:
  std::string dir_;
};

INSTANTIATE_TYPED_TEST_SUITE_P(Posix, EnvContract, PosixEnvTest);

TEST_F(PosixEnvTest, aFifoIsNoFileAndIsNotWaitedFor) {
  ASSERT_EQ(0, ::mkfifo(path("f").c_str(), 0600));
  EXPECT_EQ(env()->open_read(path("f")).status().code(), StatusCode::kDamaged);
  EXPECT_EQ(env()->open_append(path("f")).status().code(), StatusCode::kDamaged);
}

TEST_F(PosixEnvTest, aLoopOfLinksIsNoFile) {
  ASSERT_EQ(0, ::symlink("b", path("a").c_str()));
  ASSERT_EQ(0, ::symlink("a", path("b").c_str()));
  EXPECT_EQ(env()->open_read(path("a")).status().code(), StatusCode::kDamaged);
}

TEST_F(PosixEnvTest, aDeviceIsNoFile) {
  const auto null = env()->open_append("/dev/null");
  EXPECT_EQ(null.status().code(), StatusCode::kDamaged);
}

// The system is told to begin to write on the way.
TEST_F(PosixEnvTest, whatIsLargeComesBackAsItWas) {
  auto file = env()->create(path("f"));
  ASSERT_TRUE(file.ok());
  std::string all;
  for (int k = 0; k < 50; ++k) {
    const std::string piece(100'000, static_cast<char>('a' + k % 26));
    ASSERT_TRUE(file.value()->append(piece).ok());
    all += piece;
    if (k != 30) continue;
    all.resize(1'234'567);
    ASSERT_TRUE(file.value()->truncate(all.size()).ok());
  }
  ASSERT_TRUE(file.value()->sync().ok());
  const auto read = env()->open_read(path("f"));
  ASSERT_TRUE(read.ok());
  std::string found(all.size() + 1, '\0');
  const Result<size_t> size = read.value()->read(0, found.size(), found.data());
  ASSERT_TRUE(size.ok());
  found.resize(size.value());
  EXPECT_TRUE(found == all);
}

// A limit on the size of files stands for a full disk: the same short write, the same error.
TEST_F(PosixEnvTest, whatFitsIsWrittenAndTheRestRefused) {
  const auto before = ::signal(SIGXFSZ, SIG_IGN);
  rlimit old{};
  ASSERT_EQ(0, ::getrlimit(RLIMIT_FSIZE, &old));
  const rlimit tight{100, old.rlim_max};
  auto file = env()->create(path("f"));
  ASSERT_EQ(0, ::setrlimit(RLIMIT_FSIZE, &tight));
  const Status status = file.value()->append(std::string(150, 'x'));
  ::setrlimit(RLIMIT_FSIZE, &old);
  ::signal(SIGXFSZ, before);
  EXPECT_EQ(status.code(), StatusCode::kRefused) << status.message();
  EXPECT_EQ(read_all(env(), path("f")), std::string(100, 'x'));
  EXPECT_TRUE(file.value()->truncate(10).ok());
  EXPECT_TRUE(file.value()->append("y").ok());
  EXPECT_EQ(read_all(env(), path("f")), std::string(10, 'x') + "y");
}

TEST_F(PosixEnvTest, theRefusalOfALockNamesItsHolder) {
  const auto lock = env()->lock(path("LOCK"));
  ASSERT_TRUE(lock.ok());
  EXPECT_EQ(env()->lock(path("LOCK")).status().message(),
            path("LOCK") + " is held by process " + std::to_string(::getpid()));
}

}  // namespace
}  // namespace lh::storage
