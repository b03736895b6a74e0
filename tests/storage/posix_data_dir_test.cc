// A data directory on a real file system: what the simulated disk cannot show.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "base/log.h"
#include "storage/file_names.h"
#include "storage/posix_env.h"
#include "tests/storage/store_model.h"

namespace lh::storage {
namespace {

class PosixDataDirTest : public ::testing::Test {
 protected:
  struct Silence : base::LogSink {
    void write(base::LogLevel, std::string_view) override {}
  };

  PosixDataDirTest() {
    base::set_log_sink(&silence_);
    std::string pattern = ::testing::TempDir() + "/lhnode-data-XXXXXX";
    EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
  }
  ~PosixDataDirTest() override {
    std::filesystem::remove_all(root_);
    base::set_log_sink(nullptr);
  }

  std::string segment() const { return dir() + "/worker-0-generation-1/" + segment_name(1); }
  std::string dir() const { return root_ + "/d"; }

  // One worker, one record, stopped.
  void make_store() {
    StoreModel store(posix_env(), 1, dir());
    ASSERT_TRUE(store.start(1).ok());
    store.put(1, "a", "x");
    ASSERT_TRUE(store.commit().ok());
  }
  Status start() {
    StoreModel store(posix_env(), 1, dir());
    return store.start(1);
  }

 private:
  Silence silence_;
  std::string root_;
};

TEST_F(PosixDataDirTest, aWholeLife) {
  StoreModel store(posix_env(), 1, dir());
  ASSERT_TRUE(store.start(2, {.segment_bytes = 1000}).ok());
  for (int i = 0; i < 200; ++i) {
    store.put(static_cast<uint64_t>(i % 5), std::to_string(i % 20), std::to_string(i));
    if (i % 10 == 0) {
      ASSERT_TRUE(store.commit().ok());
    }
    if (i % 70 == 69) {
      ASSERT_TRUE(store.snapshot(static_cast<uint32_t>(i / 70 % 2)).ok());
    }
  }
  ASSERT_TRUE(store.commit().ok());
  ASSERT_TRUE(store.dir().set_node(NodeId{2}).ok());
  const StoreModel::State before = store.state();
  for (const uint32_t workers : {2u, 3u, 1u, 1u}) {
    ASSERT_TRUE(store.dir().close().ok());
    ASSERT_TRUE(store.start(workers, {.segment_bytes = 1000, .reserve_bytes = 300}).ok());
    EXPECT_EQ(store.state(), before);
  }
  ASSERT_TRUE(store.snapshot(0).ok());
  EXPECT_FALSE(store.dir().needs_snapshots());
  ASSERT_TRUE(store.start(1, {.segment_bytes = 1000}).ok());
  EXPECT_EQ(store.state(), before);
}

TEST_F(PosixDataDirTest, oneHolderAtATime) {
  StoreModel first(posix_env(), 1, dir());
  ASSERT_TRUE(first.start(1).ok());
  const Status second = start();
  EXPECT_EQ(second.code(), StatusCode::kRefused);
  EXPECT_EQ(second.message(), dir() + "/LOCK is held by process " + std::to_string(::getpid()));
  first.stop();
  EXPECT_TRUE(start().ok());
}

TEST_F(PosixDataDirTest, otherThingsInPlaceOfFiles) {
  make_store();
  for (const std::string& path : {segment(), dir() + "/MANIFEST"}) {
    const std::string aside = path + ".aside";
    std::filesystem::rename(path, aside);
    ASSERT_EQ(0, ::mkfifo(path.c_str(), 0600));
    EXPECT_EQ(start().code(), StatusCode::kDamaged) << "a FIFO, which is not waited for";
    std::filesystem::remove(path);
    ASSERT_EQ(0, ::mkdir(path.c_str(), 0700));
    EXPECT_EQ(start().code(), StatusCode::kDamaged) << "a directory";
    std::filesystem::remove(path);
    ASSERT_EQ(0, ::symlink(path.c_str(), path.c_str()));
    EXPECT_EQ(start().code(), StatusCode::kDamaged) << "a link to itself";
    std::filesystem::remove(path);
    std::filesystem::rename(aside, path);
    EXPECT_TRUE(start().ok());
  }
}

TEST_F(PosixDataDirTest, workersRecoverAtTheSameTime) {
  StoreModel store(posix_env(), 1, dir());
  ASSERT_TRUE(store.start(4).ok());
  for (uint64_t i = 0; i < 400; ++i) store.put(i % 4, std::to_string(i), "x");
  ASSERT_TRUE(store.commit().ok());
  store.stop();
  const auto opened = DataDir::open(posix_env(), dir(), {.workers = 4, .log = {}});
  ASSERT_TRUE(opened.ok());
  std::vector<uint64_t> records(4);
  std::vector<std::thread> threads;
  for (size_t source = 0; source < 4; ++source) {
    threads.emplace_back([&, source] {
      const Status status = opened.value()->recover(source, [&, source](const Record&) {
        ++records[source];
        return Status();
      });
      EXPECT_TRUE(status.ok()) << status.message();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(records, std::vector<uint64_t>(4, 100));
  EXPECT_TRUE(opened.value()->start().ok());
}

// A sparse file of the size that a header claims takes no memory of that size.
TEST_F(PosixDataDirTest, hugeSparseTails) {
  make_store();
  std::filesystem::resize_file(segment(), 200 << 20);
  EXPECT_TRUE(start().ok());
  EXPECT_LT(std::filesystem::file_size(segment()), 200u) << "a tail of zeros is cut";
}

}  // namespace
}  // namespace lh::storage
