#include "storage/log_keeper.h"

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "storage/mem_env.h"
#include "storage/snapshot_outlet.h"

namespace lh::storage {
namespace {

// Worker 0, its queue, and a keeper whose rounds the test runs part by part.
class LogKeeperTest : public ::testing::Test,
                      public LogQueue,
                      public Syncer,
                      public LogListener,
                      public LogKeeper::Owner {
 protected:
  void open(Fsync fsync) {
    DataDirOptions options;
    options.new_epoch = 77;
    options.ballast_bytes = ballast_bytes_;
    options.log.segment_bytes = segment_bytes_;
    auto dir = DataDir::open(&env_, "data", options);
    ASSERT_TRUE(dir.ok()) << dir.status().message();
    dir_ = std::move(dir).value();
    recovered_.clear();
    for (size_t source = 0; source < dir_->sources().size(); ++source) {
      const Status status = dir_->recover(source, [this](const Record& record) {
        recovered_.push_back(std::string(record.payload));
        return Status();
      });
      ASSERT_TRUE(status.ok()) << status.message();
    }
    ASSERT_TRUE(dir_->start().ok());
    keeper_ = std::make_unique<LogKeeper>(dir_.get(), fsync, this, this);
    keeper_->start({this}, now_);
    batch_ = LogBatch(dir_->log(0)->next_sequence());
  }
  void power_cut() {
    base::Prng prng(1);
    env_.crash(&prng, {.torn_sectors = false, .torn_names = false});
    keeper_.reset();
    dir_.reset();
  }

  uint64_t append(std::string_view payload, bool urgent = false) {
    const uint64_t sequence = batch_.append(5, payload);
    LogQueue::write(0, &batch_, LogBatch(), urgent);
    return sequence;
  }
  void push(LogJob job) override { jobs_.push_back(std::move(job)); }
  bool has_room() const override { return keeper_->has_room(); }
  void begin(SyncJob job) override { syncs_.push_back(std::move(job)); }
  // Of those that nobody waits for the first one that was begun is over.
  void end_sync() {
    ASSERT_FALSE(syncs_.empty());
    SyncJob job = std::move(syncs_.front());
    syncs_.pop_front();
    job.run();
    keeper_->end(std::move(job));
  }
  void write() { keeper_->write(std::exchange(jobs_, {}), now_); }
  void begin_round() {
    write();
    keeper_->sync(now_);
    keeper_->settle(now_);
  }
  void round() {
    begin_round();
    while (!syncs_.empty()) {
      end_sync();
      keeper_->settle(now_);
    }
  }

  void on_synced(uint64_t durable) override { durable_ = durable; }
  void on_logged(uint64_t written, uint64_t durable, LogBatch emptied) override {
    EXPECT_TRUE(emptied.empty());
    written_ = written;
    durable_ = durable;
  }
  void on_snapshot_written(bool ok, LogBatch) override { notes_ += ok ? "piece " : "no-piece "; }
  void on_snapshot_installed(bool ok) override { notes_ += ok ? "installed " : "not-installed "; }
  void on_log_failed(const Status& status) override { failures_ += status.ok() ? 0 : 1; }

  MemEnv env_;
  base::Instant now_ = base::Instant::from_ns(1'000'000'000);
  std::unique_ptr<DataDir> dir_;
  std::unique_ptr<LogKeeper> keeper_;
  std::deque<LogJob> jobs_;
  std::deque<SyncJob> syncs_;
  LogBatch batch_;
  std::vector<std::string> recovered_;
  uint64_t ballast_bytes_ = 0;
  uint64_t segment_bytes_ = uint64_t{1} << 20;
  uint64_t written_ = 0;
  uint64_t durable_ = 0;
  int failures_ = 0;
  std::string notes_;
};

using Payloads = std::vector<std::string>;

TEST_F(LogKeeperTest, alwaysMakesEachRoundDurableBeforeItSaysSo) {
  open(Fsync::kAlways);
  const uint64_t last = append("one");
  write();
  EXPECT_EQ(written_, 0u) << "nobody was told yet";
  keeper_->sync(now_);
  EXPECT_EQ(written_, last);
  EXPECT_EQ(durable_, last);
  power_cut();
  open(Fsync::kAlways);
  EXPECT_EQ(recovered_, Payloads{"one"});
}

TEST_F(LogKeeperTest, everySecondSyncsWhenASecondIsOver) {
  open(Fsync::kEverySecond);
  const uint64_t first = append("one");
  round();
  EXPECT_EQ(written_, first);
  EXPECT_LT(durable_, first);
  now_ = now_ + base::seconds(1);
  const uint64_t second = append("two");
  round();
  EXPECT_EQ(durable_, second);
}

TEST_F(LogKeeperTest, everySecondDoesNotPutASyncOffForWhatIsWrittenMeanwhile) {
  open(Fsync::kEverySecond);
  EXPECT_GT(keeper_->patience(now_), base::seconds(60)) << "nothing is owed";
  append("one");
  round();
  EXPECT_EQ(keeper_->patience(now_), base::seconds(1));
  now_ = now_ + base::ms(900);
  const uint64_t second = append("two");
  round();
  EXPECT_LT(durable_, second);
  EXPECT_EQ(keeper_->patience(now_), base::ms(100));
  EXPECT_EQ(keeper_->patience(now_ + base::seconds(5)), base::Duration()) << "and no less";
  now_ = now_ + base::ms(100);
  round();
  EXPECT_EQ(durable_, second);
  EXPECT_GT(keeper_->patience(now_), base::seconds(60));
}

TEST_F(LogKeeperTest, everySecondDoesNotPutASyncOffForAFullDisk) {
  open(Fsync::kEverySecond);
  const uint64_t first = append("one");
  round();
  now_ = now_ + base::ms(990);
  env_.set_capacity(env_.used_bytes() + 10);
  append(std::string(1'000, 'x'));
  round();
  EXPECT_FALSE(keeper_->has_room());
  EXPECT_EQ(keeper_->patience(now_), base::ms(10));
  now_ = now_ + base::ms(10);
  round();
  EXPECT_EQ(durable_, first);
}

TEST_F(LogKeeperTest, everySecondTellsOfWhatIsWrittenBeforeItSyncs) {
  open(Fsync::kEverySecond);
  const uint64_t last = append("one", true);
  write();
  EXPECT_EQ(written_, last);
  EXPECT_LT(durable_, last);
  keeper_->sync(now_);
  EXPECT_LT(durable_, last);
  end_sync();
  EXPECT_EQ(durable_, last);
  // And of a sync that is due although nothing was written since.
  const uint64_t more = append("two");
  round();
  EXPECT_LT(durable_, more);
  now_ = now_ + base::seconds(1);
  round();
  EXPECT_EQ(durable_, more);
}

TEST_F(LogKeeperTest, everySecondSyncsAtOnceForWhatIsUrgent) {
  open(Fsync::kEverySecond);
  append("one");
  round();
  const uint64_t second = append("two", true);
  round();
  EXPECT_EQ(durable_, second);
  append("three");
  round();
  EXPECT_EQ(durable_, second);
  LogQueue::write(0, &batch_, LogBatch(), true);  // nothing but the wish for a sync
  round();
  EXPECT_EQ(durable_, batch_.next() - 1);
}

TEST_F(LogKeeperTest, nobodyWaitsForTheSyncOfASecond) {
  open(Fsync::kEverySecond);
  const uint64_t first = append("one", true);
  begin_round();
  ASSERT_EQ(syncs_.size(), 1u);
  const uint64_t second = append("two", true);
  begin_round();
  EXPECT_EQ(syncs_.size(), 1u) << "one at a time";
  EXPECT_EQ(written_, second);
  EXPECT_LT(durable_, first);
  end_sync();
  EXPECT_EQ(durable_, first) << "two may have been too late for it";
  begin_round();
  ASSERT_EQ(syncs_.size(), 1u) << "it is owed";
  end_sync();
  EXPECT_EQ(durable_, second);
  begin_round();
  EXPECT_TRUE(syncs_.empty());
}

TEST_F(LogKeeperTest, nobodyIsToldOfMoreWhileASyncTakesLong) {
  open(Fsync::kEverySecond);
  append("one", true);
  begin_round();
  now_ = now_ + base::ms(999);
  const uint64_t second = append("two");
  begin_round();
  EXPECT_EQ(written_, second);
  now_ = now_ + base::ms(1);
  const uint64_t third = append("three");
  begin_round();
  EXPECT_EQ(written_, second) << "a second's worth is in danger already";
  end_sync();
  begin_round();
  EXPECT_EQ(written_, third);
}

// The three syncs of it count as one: until the last one is over nothing new is durable.
TEST_F(LogKeeperTest, nobodyIsToldOfMoreWhileASegmentTakesLongToEnd) {
  segment_bytes_ = 60;
  open(Fsync::kEverySecond);
  append("one");
  begin_round();
  EXPECT_TRUE(syncs_.empty());
  append("two");
  begin_round();
  ASSERT_EQ(syncs_.size(), 1u) << "at once, without being due";
  now_ = now_ + base::ms(600);
  end_sync();
  begin_round();
  ASSERT_EQ(syncs_.size(), 1u);
  now_ = now_ + base::ms(399);
  const uint64_t third = append("three");
  begin_round();
  EXPECT_EQ(written_, third);
  now_ = now_ + base::ms(1);
  const uint64_t fourth = append("four");
  begin_round();
  EXPECT_EQ(written_, third);
  end_sync();
  begin_round();
  EXPECT_EQ(written_, third) << "not yet";
  EXPECT_LT(durable_, 1u);
  end_sync();
  EXPECT_EQ(durable_, 2u);
  begin_round();
  EXPECT_EQ(written_, fourth);
}

TEST_F(LogKeeperTest, aSyncElsewhereThatFailsEndsIt) {
  open(Fsync::kEverySecond);
  env_.fail_sync(1);
  const uint64_t last = append("in doubt", true);
  round();
  EXPECT_EQ(failures_, 1);
  EXPECT_LT(durable_, last);
  append("later", true);
  begin_round();
  EXPECT_TRUE(syncs_.empty());
  EXPECT_FALSE(keeper_->close().ok());
}

TEST_F(LogKeeperTest, aSnapshotThatIsNotAheadOfTheLogWaitsForTheSyncUnderWay) {
  open(Fsync::kEverySecond);
  const uint64_t covered = append("old", true);
  begin_round();
  SnapshotOutlet outlet(this, 0);
  outlet.begin(covered);
  outlet.add(5, "state");
  outlet.write();
  const uint64_t log_end = append("new");
  outlet.install(log_end);
  begin_round();
  ASSERT_EQ(syncs_.size(), 1u);
  EXPECT_EQ(syncs_.front().snapshot, nullptr);
  end_sync();
  EXPECT_EQ(durable_, covered);
  begin_round();
  ASSERT_EQ(syncs_.size(), 1u);
  EXPECT_EQ(syncs_.front().snapshot, nullptr) << "of what came since";
  end_sync();
  EXPECT_EQ(durable_, log_end);
  begin_round();
  ASSERT_EQ(syncs_.size(), 1u);
  EXPECT_EQ(notes_, "piece ");
  end_sync();
  EXPECT_EQ(notes_, "piece installed ");
  power_cut();
  open(Fsync::kEverySecond);
  EXPECT_EQ(recovered_, (Payloads{"state", "new"}));
}

TEST_F(LogKeeperTest, aSnapshotThatTakesItsTimeHoldsNothingUp) {
  open(Fsync::kEverySecond);
  const uint64_t covered = append("old", true);
  round();
  SnapshotOutlet outlet(this, 0);
  outlet.begin(covered);
  outlet.add(5, "state");
  outlet.write();
  outlet.install(covered);
  begin_round();
  ASSERT_EQ(syncs_.size(), 1u);
  SyncJob snapshot = std::move(syncs_.front());
  syncs_.pop_front();
  now_ = now_ + base::seconds(5);
  const uint64_t last = append("new");
  begin_round();
  EXPECT_EQ(written_, last);
  ASSERT_EQ(syncs_.size(), 1u);
  end_sync();
  EXPECT_EQ(durable_, last);
  snapshot.run();
  keeper_->end(std::move(snapshot));
  EXPECT_EQ(notes_, "piece installed ");
}

TEST_F(LogKeeperTest, neverNeverSyncs) {
  open(Fsync::kNever);
  const uint64_t last = append("one", true);
  now_ = now_ + base::seconds(100);
  round();
  EXPECT_EQ(written_, last);
  EXPECT_LT(durable_, last);
}

TEST_F(LogKeeperTest, aFullDiskKeepsWhatItGotInOrderUntilThereIsRoom) {
  open(Fsync::kAlways);
  env_.set_capacity(env_.used_bytes() + 10);
  append(std::string(1'000, 'x'));
  round();
  const uint64_t last = append("small");
  round();
  EXPECT_FALSE(keeper_->has_room());
  EXPECT_EQ(written_, 0u) << "the small one does not overtake";
  EXPECT_LT(keeper_->patience(now_), base::seconds(1));
  env_.set_capacity(uint64_t{1} << 40);
  round();
  EXPECT_TRUE(keeper_->has_room());
  EXPECT_EQ(durable_, last);
  EXPECT_EQ(failures_, 0);
}

TEST_F(LogKeeperTest, ballastIsGivenUpForWhatIsInHand) {
  ballast_bytes_ = 4'096;
  open(Fsync::kAlways);
  ASSERT_TRUE(keeper_->has_room());
  env_.set_capacity(env_.used_bytes() + 10);
  const uint64_t last = append(std::string(1'000, 'x'));
  round();
  EXPECT_EQ(durable_, last) << "nothing waits";
  EXPECT_FALSE(keeper_->has_room()) << "but it should not get more";
  EXPECT_LT(keeper_->patience(now_), base::seconds(1));
  now_ = now_ + base::seconds(1);
  round();
  EXPECT_FALSE(keeper_->has_room());
  env_.set_capacity(uint64_t{1} << 40);
  now_ = now_ + base::seconds(1);
  round();
  EXPECT_TRUE(keeper_->has_room());
}

TEST_F(LogKeeperTest, aStartOnAFullDiskHasNoRoom) {
  env_.set_capacity(env_.used_bytes() + 2'000);
  ballast_bytes_ = 4'096;
  open(Fsync::kAlways);
  EXPECT_FALSE(keeper_->has_room());
  EXPECT_EQ(failures_, 0);
}

TEST_F(LogKeeperTest, whatAFullDiskDidNotTakeIsConfessedAtTheEnd) {
  open(Fsync::kAlways);
  env_.set_capacity(env_.used_bytes() + 10);
  append(std::string(1'000, 'x'));
  round();
  EXPECT_EQ(keeper_->close().code(), StatusCode::kRefused);
}

TEST_F(LogKeeperTest, whatAFullDiskDidTakeIsSyncedAtTheEnd) {
  open(Fsync::kEverySecond);
  const uint64_t last = append("one");
  round();
  EXPECT_EQ(written_, last);
  EXPECT_LT(durable_, last);
  env_.set_capacity(env_.used_bytes() + 10);
  append(std::string(1'000, 'x'));
  round();
  EXPECT_EQ(keeper_->close().code(), StatusCode::kRefused);
  power_cut();
  env_.set_capacity(uint64_t{1} << 40);
  open(Fsync::kEverySecond);
  EXPECT_EQ(recovered_, Payloads{"one"});
}

TEST_F(LogKeeperTest, aSyncThatFailsEndsItAndNothingIsSaidToBeDurable) {
  open(Fsync::kAlways);
  env_.fail_sync(1);
  append("in doubt");
  round();
  append("later");
  round();
  EXPECT_EQ(written_, 0u);
  EXPECT_EQ(failures_, 1);
  EXPECT_FALSE(keeper_->close().ok());
}

TEST_F(LogKeeperTest, aSnapshotTakesThePlaceOfTheLogBeforeIt) {
  open(Fsync::kAlways);
  const uint64_t covered = append("old");
  round();
  SnapshotOutlet outlet(this, 0);
  outlet.begin(covered);
  outlet.add(5, "state");
  EXPECT_GT(outlet.piece_bytes(), 5u);
  outlet.write();
  outlet.install(covered);
  round();
  EXPECT_EQ(notes_, "piece installed ");
  append("new");
  round();
  ASSERT_TRUE(keeper_->close().ok());
  dir_.reset();
  open(Fsync::kAlways);
  EXPECT_EQ(recovered_, (Payloads{"state", "new"}));
}

TEST_F(LogKeeperTest, aSnapshotWithoutRoomIsGivenUpAndTheLogGoesOn) {
  open(Fsync::kAlways);
  const uint64_t covered = append("old");
  round();
  SnapshotOutlet outlet(this, 0);
  outlet.begin(covered);
  round();
  env_.set_capacity(env_.used_bytes() + 100);
  outlet.add(5, std::string(100'000, 's'));
  outlet.write();
  outlet.install(covered);
  round();
  EXPECT_EQ(notes_, "no-piece not-installed ");
  env_.set_capacity(uint64_t{1} << 40);
  const uint64_t last = append("new");
  round();
  EXPECT_EQ(durable_, last);
  EXPECT_EQ(failures_, 0);
}

TEST_F(LogKeeperTest, theNodesNumberIsInTheDirectory) {
  open(Fsync::kAlways);
  set_node(NodeId{3});
  round();
  EXPECT_EQ(dir_->manifest().node, NodeId{3});
}

}  // namespace
}  // namespace lh::storage
