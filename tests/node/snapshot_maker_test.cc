#include "node/snapshot_maker.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "storage/mem_env.h"

namespace lh::node {
namespace {

// A server with a log, and its snapshots; the test's thread is the worker's.
class SnapshotMakerTest : public ::testing::Test, public LogListener, public LogThread::Owner {
 protected:
  void open() {
    storage::DataDirOptions options;
    options.new_epoch = 7;
    auto dir = storage::DataDir::open(&env_, "data", options);
    ASSERT_TRUE(dir.ok()) << dir.status().message();
    dir_ = std::move(dir).value();
    server_ = std::make_unique<core::Server>();
    for (size_t source = 0; source < dir_->sources().size(); ++source) {
      const Status status = dir_->recover(source, [this](const storage::Record& record) {
        ++recovered_;
        EXPECT_TRUE(server_->recover(record.stream, record.payload));
        return Status();
      });
      ASSERT_TRUE(status.ok()) << status.message();
    }
    ASSERT_TRUE(dir_->start().ok());
    log_ = std::make_unique<LogThread>(dir_.get(), Fsync::kAlways, this);
    ASSERT_TRUE(log_->start({this}).ok());
    batch_ = storage::LogBatch(dir_->log(0)->next_sequence());
    maker_ = std::make_unique<SnapshotMaker>(log_.get(), 0);
    effects_.keep_journal(true);
  }
  void close() {
    ASSERT_TRUE(log_->stop().ok());
    log_.reset();
    dir_.reset();
  }
  void TearDown() override { close(); }

  // The log is written when this returns.
  void write() {
    effects_.write_journal(
        [this](uint64_t stream, std::string_view record) { return batch_.append(stream, record); });
    effects_.clear();
    log_->write(0, &batch_, storage::LogBatch());
    const base::MutexLock lock(mutex_);
    while (written_ < batch_.next() - 1) changed_.wait(mutex_);
  }
  uint64_t logged() const { return batch_.next() - 1; }
  void put(uint64_t c, const std::string& value) {
    server_->execute(base::Instant(), server_->find(0), core::Op::kPut, c, std::to_string(c), value,
                     &effects_);
  }
  // What the log thread said since the last call.
  void hear() {
    std::vector<std::function<void()>> said;
    {
      const base::MutexLock lock(mutex_);
      said.swap(said_);
    }
    for (const auto& tell : said) tell();
  }
  // Lets it work until it is done; between the slices records change.
  void make() {
    maker_->look(*server_, nullptr, logged());
    for (uint64_t k = 0; !installed_; ++k) {
      if (maker_->has_work()) {
        maker_->turn(server_.get(), logged());
        put(k % 1'000, "later");
        write();
      }
      hear();
      maker_->on_logged(logged());
    }
  }

  void on_logged(uint64_t written, uint64_t, storage::LogBatch) override {
    const base::MutexLock lock(mutex_);
    written_ = written;
    changed_.notify_all();
  }
  void on_snapshot_written(bool ok, storage::LogBatch emptied) override {
    auto batch = std::make_shared<storage::LogBatch>(std::move(emptied));
    const base::MutexLock lock(mutex_);
    said_.push_back([this, ok, batch] { maker_->on_written(ok, std::move(*batch)); });
  }
  void on_snapshot_installed(bool ok) override {
    const base::MutexLock lock(mutex_);
    said_.push_back([this, ok] { installed_ = ok, maker_->on_installed(ok); });
  }
  void on_log_failed(const Status& status) override { ADD_FAILURE() << status.message(); }

  std::map<std::string, std::string> contents() {
    std::map<std::string, std::string> all;
    for (std::optional<ReversedHash> at = 0; at;) {
      at = server_->find(0)->table().walk(
          *at, ~ReversedHash{0}, 10'000,
          [&](HashValue, std::string_view key, std::string_view value) {
            all[std::string(key)] = value;
          });
    }
    return all;
  }

  storage::MemEnv env_;
  std::unique_ptr<storage::DataDir> dir_;
  std::unique_ptr<LogThread> log_;
  std::unique_ptr<core::Server> server_;
  std::unique_ptr<SnapshotMaker> maker_;
  storage::LogBatch batch_;
  core::Effects effects_;
  uint64_t recovered_ = 0;
  bool installed_ = false;
  base::Mutex mutex_;
  base::CondVar changed_;
  uint64_t written_ = 0;
  std::vector<std::function<void()>> said_;
};

TEST_F(SnapshotMakerTest, a_snapshot_replaces_the_log_and_the_server_comes_back_from_it) {
  open();
  core::FileOptions options;
  options.hash = base::HashMode::kInteger;
  server_->configure(NodeId{1}, options, &effects_);
  server_->create_bucket({0, 0}, &effects_);
  for (int round = 0; round < 10; ++round) {
    for (uint64_t c = 0; c < 1'000; ++c) put(c, std::string(1'000, static_cast<char>('a' + round)));
  }
  write();
  maker_->look(*server_, nullptr, logged());
  EXPECT_FALSE(maker_->has_work()) << "the log is short";
  maker_->want();
  make();
  const auto before = contents();
  const uint64_t all = logged();
  close();
  open();
  EXPECT_EQ(contents(), before);
  EXPECT_LT(recovered_, all / 2);
  EXPECT_EQ(before.at("0"), "later");
}

TEST_F(SnapshotMakerTest, is_due_when_the_log_has_grown_enough) {
  open();
  server_->configure(NodeId{1}, core::FileOptions(), &effects_);
  server_->create_bucket({0, 0}, &effects_);
  write();
  maker_->add_log_bytes(size_t{60} << 20);
  maker_->look(*server_, nullptr, logged());
  EXPECT_FALSE(maker_->has_work());
  maker_->add_log_bytes(size_t{5} << 20);
  make();
  EXPECT_TRUE(installed_);
}

}  // namespace
}  // namespace lh::node
