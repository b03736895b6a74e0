#include "node/log_thread.h"

#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <vector>

#include "../storage/locked_env.h"

namespace lh::node {
namespace {

// Stands for a worker: takes down what the log thread says, for the test's thread.
class Recorder final : public LogListener {
 public:
  void on_synced(uint64_t durable) override {
    const base::MutexLock lock(mutex_);
    logged_.push_back({0, durable});
    changed_.notify_all();
  }
  void on_logged(uint64_t written, uint64_t durable, storage::LogBatch emptied) override {
    EXPECT_TRUE(emptied.empty());
    const base::MutexLock lock(mutex_);
    logged_.push_back({written, durable});
    changed_.notify_all();
  }
  void on_snapshot_written(bool ok, storage::LogBatch) override { note(ok ? "piece" : "no piece"); }
  void on_snapshot_installed(bool ok) override { note(ok ? "installed" : "not installed"); }

  struct Logged {
    uint64_t written = 0;
    uint64_t durable = 0;
  };
  Logged next_logged() {
    const base::MutexLock lock(mutex_);
    while (logged_.empty()) changed_.wait(mutex_);
    const Logged first = logged_.front();
    logged_.pop_front();
    return first;
  }
  std::string next_note() {
    const base::MutexLock lock(mutex_);
    while (notes_.empty()) changed_.wait(mutex_);
    const std::string first = notes_.front();
    notes_.pop_front();
    return first;
  }

 private:
  void note(const char* what) {
    const base::MutexLock lock(mutex_);
    notes_.push_back(what);
    changed_.notify_all();
  }
  base::Mutex mutex_;
  base::CondVar changed_;
  std::deque<Logged> logged_;
  std::deque<std::string> notes_;
};

class LogThreadTest : public ::testing::Test, public LogThread::Owner {
 protected:
  void open(Fsync fsync, uint32_t workers = 1) {
    storage::DataDirOptions options;
    options.workers = workers;
    options.new_epoch = 77;
    auto dir = storage::DataDir::open(&env_, "data", options);
    ASSERT_TRUE(dir.ok()) << dir.status().message();
    dir_ = std::move(dir).value();
    for (size_t source = 0; source < dir_->sources().size(); ++source) {
      const Status status = dir_->recover(source, [this](const storage::Record& record) {
        recovered_.push_back(std::to_string(record.stream) + " " + std::string(record.payload));
        return Status();
      });
      ASSERT_TRUE(status.ok()) << status.message();
    }
    ASSERT_TRUE(dir_->start().ok());
    log_ = std::make_unique<LogThread>(dir_.get(), fsync, this);
    recorders_ = std::vector<Recorder>(workers);
    std::vector<LogListener*> listeners;
    for (Recorder& recorder : recorders_) listeners.push_back(&recorder);
    ASSERT_TRUE(log_->start(listeners).ok());
    batch_ = storage::LogBatch(dir_->log(0)->next_sequence());
  }
  Status close() {
    Status status = log_->stop();
    log_.reset();
    dir_.reset();
    return status;
  }
  void TearDown() override {
    if (log_ == nullptr) return;
    EXPECT_TRUE(close().ok());
  }
  uint64_t append(std::string_view payload) { return batch_.append(5, payload); }
  void write(uint32_t worker = 0) { log_->write(worker, &batch_, storage::LogBatch(), false); }

  void on_log_failed(const Status& status) override { failed_.store(!status.ok()); }

  storage::LockedEnv env_;
  std::unique_ptr<storage::DataDir> dir_;
  std::unique_ptr<LogThread> log_;
  std::vector<Recorder> recorders_;
  storage::LogBatch batch_;
  std::vector<std::string> recovered_;
  std::atomic<bool> failed_{false};
};

TEST_F(LogThreadTest, what_is_written_is_durable_when_it_is_said_to_be) {
  open(Fsync::kAlways);
  append("one");
  const uint64_t last = append("two");
  write();
  const Recorder::Logged logged = recorders_[0].next_logged();
  EXPECT_EQ(logged.written, last);
  EXPECT_EQ(logged.durable, last);
  ASSERT_TRUE(close().ok());
  open(Fsync::kAlways);
  EXPECT_EQ(recovered_, (std::vector<std::string>{"5 one", "5 two"}));
}

TEST_F(LogThreadTest, what_was_handed_over_is_written_before_the_end) {
  open(Fsync::kAlways);
  for (int k = 0; k < 50; ++k) {
    append("record " + std::to_string(k));
    write();
  }
  ASSERT_TRUE(close().ok());
  open(Fsync::kAlways);
  EXPECT_EQ(recovered_.size(), 50u);
}

TEST_F(LogThreadTest, a_full_disk_refuses_until_there_is_room_and_loses_nothing) {
  open(Fsync::kAlways);
  env_.mem().set_capacity(env_.mem().used_bytes() + 10);
  const uint64_t last = append(std::string(1'000, 'x'));
  write();
  while (log_->has_room()) sched_yield();
  env_.mem().set_capacity(uint64_t{1} << 40);
  EXPECT_EQ(recorders_[0].next_logged().durable, last);
  while (!log_->has_room()) sched_yield();
  EXPECT_FALSE(failed_.load());
}

TEST_F(LogThreadTest, a_sync_that_fails_ends_it_and_is_never_reported_as_durable) {
  open(Fsync::kAlways);
  env_.mem().fail_sync(1);
  append("in doubt");
  write();
  while (!failed_.load()) sched_yield();
  append("later");
  write();
  EXPECT_FALSE(close().ok());
}

TEST_F(LogThreadTest, a_snapshot_takes_the_place_of_the_log_before_it) {
  open(Fsync::kAlways);
  const uint64_t covered = append("old");
  write();
  recorders_[0].next_logged();
  log_->begin_snapshot(0, covered);
  storage::LogBatch piece(1);
  piece.append(5, "state");
  log_->write_snapshot(0, std::move(piece));
  EXPECT_EQ(recorders_[0].next_note(), "piece");
  log_->install_snapshot(0, covered);
  EXPECT_EQ(recorders_[0].next_note(), "installed");
  append("new");
  write();
  recorders_[0].next_logged();
  ASSERT_TRUE(close().ok());
  open(Fsync::kAlways);
  EXPECT_EQ(recovered_, (std::vector<std::string>{"5 state", "5 new"}));
}

TEST_F(LogThreadTest, everysec_makes_durable_what_is_urgent_and_what_is_there_at_the_end) {
  open(Fsync::kEverySecond);
  const uint64_t first = append("one");
  log_->write(0, &batch_, storage::LogBatch(), true);
  uint64_t durable = 0;
  while (durable < first) durable = recorders_[0].next_logged().durable;
  append("two");
  write();
  ASSERT_TRUE(close().ok());
  base::Prng prng(1);
  env_.mem().crash(&prng);
  open(Fsync::kEverySecond);
  EXPECT_EQ(recovered_, (std::vector<std::string>{"5 one", "5 two"}));
}

TEST_F(LogThreadTest, a_sync_elsewhere_that_fails_ends_it) {
  open(Fsync::kEverySecond);
  env_.mem().fail_sync(1);
  append("in doubt");
  log_->write(0, &batch_, storage::LogBatch(), true);
  while (!failed_.load()) sched_yield();
  EXPECT_FALSE(close().ok());
}

}  // namespace
}  // namespace lh::node
