#include "core/snapshot_maker.h"

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "storage/mem_env.h"
#include "storage/snapshot_outlet.h"

namespace lh::core {
namespace {

// A server with a log, and its snapshots.
class SnapshotMakerTest : public ::testing::Test,
                          public storage::LogQueue,
                          public storage::Syncer,
                          public storage::LogListener,
                          public storage::LogKeeper::Owner {
 protected:
  void open() {
    storage::DataDirOptions options;
    options.new_epoch = 7;
    auto dir = storage::DataDir::open(&env_, "data", options);
    ASSERT_TRUE(dir.ok()) << dir.status().message();
    dir_ = std::move(dir).value();
    server_ = std::make_unique<Server>();
    for (size_t source = 0; source < dir_->sources().size(); ++source) {
      const Status status = dir_->recover(source, [this](const storage::Record& record) {
        ++recovered_;
        EXPECT_TRUE(server_->recover(record.stream, record.payload));
        return Status();
      });
      ASSERT_TRUE(status.ok()) << status.message();
    }
    ASSERT_TRUE(dir_->start().ok());
    keeper_ = std::make_unique<storage::LogKeeper>(dir_.get(), storage::Fsync::kAlways, this, this);
    keeper_->start({this}, {});
    batch_ = storage::LogBatch(dir_->log(0)->next_sequence());
    maker_ = std::make_unique<Maker>(storage::SnapshotOutlet(this, 0));
    effects_.keep_journal(true);
  }
  void close() {
    ASSERT_TRUE(keeper_->close().ok());
    dir_.reset();
  }
  void TearDown() override { close(); }

  void push(storage::LogJob job) override { jobs_.push_back(std::move(job)); }
  bool has_room() const override { return true; }
  void begin(storage::SyncJob job) override { syncs_.push_back(std::move(job)); }
  void work() {
    for (storage::SyncJob& job : std::exchange(syncs_, {})) {
      job.run();
      keeper_->end(std::move(job));
    }
    keeper_->write(std::exchange(jobs_, {}), {});
    keeper_->sync({});
    keeper_->settle({});
  }
  // The log is written when this returns.
  void write() {
    effects_.write_journal(
        [this](uint64_t stream, std::string_view record) { return batch_.append(stream, record); });
    effects_.clear();
    LogQueue::write(0, &batch_, storage::LogBatch(), false);
    work();
  }
  uint64_t logged() const { return batch_.next() - 1; }
  void put(uint64_t c, const std::string& value) {
    server_->execute(base::Instant(), server_->find(0), {Op::kPut, c, std::to_string(c), value},
                     &effects_);
  }
  // Lets it work until it is done; between the slices records change.
  void make() {
    maker_->look(*server_, nullptr, logged());
    for (uint64_t k = 0; !installed_; ++k) {
      if (maker_->has_work()) {
        maker_->turn(server_.get(), logged());
        put(k % 1'000, "later");
      }
      write();
    }
  }

  void on_synced(uint64_t) override {}
  void on_logged(uint64_t written, uint64_t, storage::LogBatch) override {
    maker_->on_logged(written);
  }
  void on_snapshot_written(bool ok, storage::LogBatch emptied) override {
    maker_->outlet().take_back(std::move(emptied));
    maker_->on_written(ok);
  }
  void on_snapshot_installed(bool ok) override {
    installed_ = ok;
    maker_->on_installed();
  }
  void on_log_failed(const Status& status) override { ADD_FAILURE() << status.message(); }

  std::map<std::string, std::string> contents() {
    std::map<std::string, std::string> all;
    for (std::optional<ReversedHash> at = 0; at;) {
      at = server_->find(0)->table().walk(*at, ~ReversedHash{0}, 10'000,
                                          [&](HashValue, const table::Record& record) {
                                            all[std::string(record.key)] = record.value;
                                          });
    }
    return all;
  }

  using Maker = SnapshotMaker<storage::SnapshotOutlet>;
  storage::MemEnv env_;
  std::unique_ptr<storage::DataDir> dir_;
  std::unique_ptr<storage::LogKeeper> keeper_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<Maker> maker_;
  std::deque<storage::LogJob> jobs_;
  std::vector<storage::SyncJob> syncs_;
  storage::LogBatch batch_;
  Effects effects_;
  uint64_t recovered_ = 0;
  bool installed_ = false;
};

TEST_F(SnapshotMakerTest, a_snapshot_replaces_the_log_and_the_server_comes_back_from_it) {
  open();
  FileOptions options;
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
  server_->configure(NodeId{1}, FileOptions(), &effects_);
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
}  // namespace lh::core
