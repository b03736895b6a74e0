#include "node/sync_thread.h"

#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

#include "../storage/locked_env.h"

namespace lh::node {
namespace {

class SyncThreadTest : public ::testing::Test, public SyncThread::Listener {
 protected:
  void on_sync_ended(storage::SyncJob job) override { ended_.push_back(std::move(job)); }

  storage::LockedEnv env_;
  std::vector<storage::SyncJob> ended_;  // the sync thread's, until it is stopped
};

TEST_F(SyncThreadTest, jobs_are_done_in_order_and_all_of_them_before_it_ends) {
  std::unique_ptr<storage::AppendFile> file = std::move(env_.create("a")).value();
  ASSERT_TRUE(file->append("bytes").ok());
  env_.mem().fail_sync(2);
  SyncThread thread(this);
  ASSERT_TRUE(thread.start().ok());
  for (uint32_t worker = 0; worker < 3; ++worker) {
    thread.begin({.worker = worker, .log = file.get()});
  }
  thread.stop();
  ASSERT_EQ(ended_.size(), 3u);
  for (uint32_t k = 0; k < 3; ++k) {
    EXPECT_EQ(ended_[k].worker, k);
    EXPECT_EQ(ended_[k].status.ok(), k != 1);
  }
}

TEST_F(SyncThreadTest, snapshots_are_finished) {
  auto snapshot = std::move(storage::SnapshotWriter::begin(&env_, ".", {}, 1)).value();
  SyncThread thread(this);
  ASSERT_TRUE(thread.start().ok());
  thread.begin({.snapshot = snapshot.get(), .log_end = 1});
  thread.stop();
  ASSERT_EQ(ended_.size(), 1u);
  EXPECT_TRUE(ended_[0].status.ok()) << ended_[0].status.message();
  EXPECT_TRUE(snapshot->is_finished());
}

}  // namespace
}  // namespace lh::node
