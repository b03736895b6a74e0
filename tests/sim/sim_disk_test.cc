#include "sim/sim_disk.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace lh::sim {
namespace {

using Ending = SimDisk::Ending;

// One worker of a process that nobody interrupts.
class SimDiskTest : public ::testing::Test, public storage::LogListener {
 protected:
  explicit SimDiskTest(storage::Fsync fsync = storage::Fsync::kAlways) : world_(options(fsync)) {}
  static Options options(storage::Fsync fsync) {
    Options o;
    o.fsync = fsync;
    o.seed = 5;
    o.disks = true;
    o.sync_min = base::ms(1);
    o.sync_max = base::ms(1);
    o.segment_bytes = 1'024;
    return o;
  }

  std::vector<std::string> open() {
    std::vector<std::string> found;
    EXPECT_TRUE(disk_.open(1).ok());
    const Status status =
        disk_.recover([&](const core::RecordSource&, uint64_t, std::string_view record) {
          found.push_back(std::string(record));
          return true;
        });
    EXPECT_TRUE(status.ok()) << status.message();
    const auto later = [this](base::Duration delay, Action action) {
      world_.events.after(delay, std::move(action));
    };
    EXPECT_TRUE(disk_.start({this}, {later, [this] { failed_ = true; }}).ok());
    batch_ = storage::LogBatch(disk_.dir().log(0)->next_sequence());
    return found;
  }
  uint64_t write(const std::string& record) {
    const uint64_t sequence = batch_.append(1, record);
    disk_.write(0, &batch_, storage::LogBatch(), false);
    return sequence;
  }
  void run() {
    while (!world_.events.empty()) world_.events.run_next();
  }
  void end(Ending how) {
    disk_.end(how);
    run();
  }

  void on_synced(uint64_t durable) override { durable_ = durable; }
  void on_logged(uint64_t, uint64_t durable, storage::LogBatch) override { durable_ = durable; }
  void on_snapshot_written(bool, storage::LogBatch) override {}
  void on_snapshot_installed(bool) override {}

  World world_;
  SimDisk disk_{&world_};
  storage::LogBatch batch_;
  uint64_t durable_ = 0;
  bool failed_ = false;
};

using Records = std::vector<std::string>;

TEST_F(SimDiskTest, aRecordIsDurableAWhileAfterItWasWritten) {
  open();
  const uint64_t sequence = write("one");
  EXPECT_EQ(durable_, 0u);
  const base::Instant before = world_.now();
  run();
  EXPECT_EQ(durable_, sequence);
  EXPECT_GE(world_.now() - before, base::ms(1));
  end(Ending::kPowerCut);
  EXPECT_EQ(open(), Records{"one"});
}

TEST_F(SimDiskTest, whatWasHandedOverAndNotWrittenIsLostUnlessTheEndIsOrderly) {
  open();
  write("one");
  disk_.end(Ending::kKilled);
  batch_ = storage::LogBatch(1);
  EXPECT_EQ(open(), Records{});
  write("two");
  disk_.end(Ending::kOrderly);
  EXPECT_EQ(open(), Records{"two"});
}

TEST_F(SimDiskTest, aFullDiskWaitsForRoom) {
  open();
  disk_.set_full(true);
  write(std::string(10'000, 'x'));
  for (int k = 0; k < 20; ++k) world_.events.run_next();
  EXPECT_EQ(durable_, 0u);
  disk_.set_full(false);
  run();
  EXPECT_EQ(durable_, 1u);
  EXPECT_FALSE(failed_);
}

TEST_F(SimDiskTest, aSyncThatFailsEndsTheProcess) {
  open();
  disk_.env().fail_sync(1);
  write("one");
  run();
  EXPECT_TRUE(failed_);
  EXPECT_EQ(durable_, 0u);
}

TEST_F(SimDiskTest, whateverBitFlipsTheDirectoryIsDamagedUntilItIsPutBack) {
  open();
  for (int k = 0; k < 60; ++k) {
    write("record " + std::to_string(k));
    run();
  }
  end(Ending::kOrderly);
  const std::string whole = disk_.image();
  base::Prng prng(3);
  for (int round = 0; round < 100; ++round) {
    const auto place = disk_.flip_some_bit(&prng);
    ASSERT_TRUE(place.has_value());
    Status status = disk_.open(1);
    if (status.ok()) {
      status =
          disk_.recover([](const core::RecordSource&, uint64_t, std::string_view) { return true; });
    }
    EXPECT_EQ(status.code(), StatusCode::kDamaged) << place->path << " bit " << place->bit;
    disk_.end(Ending::kKilled);
    disk_.flip_back(*place);
    ASSERT_EQ(disk_.image(), whole);
  }
  EXPECT_EQ(open().size(), 60u);
}

class EverySecondTest : public SimDiskTest {
 protected:
  EverySecondTest() : SimDiskTest(storage::Fsync::kEverySecond) {}
  void run_for(base::Duration time) {
    const base::Instant end = world_.now() + time;
    while (!world_.events.empty() && world_.events.next_at() <= end) world_.events.run_next();
  }
};

TEST_F(EverySecondTest, aPowerCutTakesNothingThatIsOlderThanTheBound) {
  open();
  write("old");
  run_for(base::ms(1'010));
  EXPECT_EQ(durable_, 1u);
  EXPECT_LT(disk_.unsynced_max(), base::ms(1'010)) << "a second and a sync";
  write("new");
  run_for(base::ms(500));
  EXPECT_FALSE(disk_.end(Ending::kPowerCut)) << "not all of it was synced";
  const Records left = open();
  ASSERT_FALSE(left.empty());
  EXPECT_EQ(left.front(), "old");
}

TEST_F(EverySecondTest, somethingIsLost) {
  size_t lost = 0;
  constexpr size_t kRounds = 100;
  for (size_t round = 0; round < kRounds; ++round) {
    const size_t before = open().size();
    write("new");
    run_for(base::ms(500));
    disk_.end(Ending::kPowerCut);
    const size_t after = open().size();
    lost += after == before ? 1 : 0;
    EXPECT_TRUE(disk_.end(Ending::kOrderly));
  }
  EXPECT_GT(lost, 2u);
  EXPECT_LT(lost, kRounds);
}

TEST_F(EverySecondTest, aKillTakesNothing) {
  open();
  write("new");
  run_for(base::ms(500));
  disk_.end(Ending::kKilled);
  EXPECT_EQ(open(), Records{"new"});
}

}  // namespace
}  // namespace lh::sim
