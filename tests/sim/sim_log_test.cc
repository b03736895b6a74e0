#include "sim/sim_log.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace lh::sim {
namespace {

// A worker's log on a disk of its own, without a worker.
class SimLogTest : public ::testing::Test {
 protected:
  static Options options(storage::Fsync fsync) {
    Options o;
    o.seed = 5;
    o.disks = true;
    o.fsync = fsync;
    o.sync_min = o.sync_max = base::ms(1);
    o.segment_bytes = 4'096;
    o.snapshot_log_bytes = 1'024;
    return o;
  }
  void start(storage::Fsync fsync) {
    world_ = std::make_unique<World>(options(fsync));
    disk_ = std::make_unique<SimDisk>(world_.get());
    const SimDisk::Later later = [this](base::Duration delay, Action action) {
      world_->events.after(delay, std::move(action));
    };
    log_ = std::make_unique<SimLog>(world_.get(), disk_.get(), 0, &server_, later);
    ASSERT_TRUE(disk_->open(1).ok());
    ASSERT_TRUE(disk_->start({log_.get()}, {later, [] {}}).ok());
    log_->begin(disk_->dir().log(0)->next_sequence());
    effects_.keep_journal(true);
  }
  uint64_t put(const std::string& value) {
    if (server_.self() == NodeId::kNone) {
      server_.configure(NodeId{1}, core::FileOptions(), &effects_);
      server_.create_bucket({0, 0}, &effects_);
    }
    core::Bucket* bucket = server_.find(0);
    server_.execute(world_->now(), bucket, {core::Op::kPut, base::hash_key("k"), "k", value},
                    &effects_);
    const uint64_t place = log_->write(&effects_);
    effects_.clear();
    return place;
  }
  void run_for(base::Duration time) {
    const base::Instant end = world_->now() + time;
    while (!world_->events.empty() && world_->events.next_at() <= end) world_->events.run_next();
  }

  std::unique_ptr<World> world_;
  std::unique_ptr<SimDisk> disk_;
  core::Server server_;
  std::unique_ptr<SimLog> log_;
  core::Effects effects_;
};

TEST_F(SimLogTest, whatIsHeldLeavesInOrderWhenItIsDurable) {
  start(storage::Fsync::kAlways);
  const core::Wait wait = log_->wait_for(put("v"), false);
  EXPECT_TRUE(wait.durable);
  ASSERT_FALSE(log_->lets_pass(1, wait));
  std::string left;
  log_->hold(1, wait, [&] { left += "a"; });
  EXPECT_FALSE(log_->lets_pass(1, {})) << "it would overtake";
  EXPECT_TRUE(log_->lets_pass(2, {}));
  log_->hold(1, {}, [&] { left += "b"; });
  EXPECT_EQ(left, "");
  run_for(base::ms(10));
  EXPECT_EQ(left, "ab");
  EXPECT_TRUE(log_->lets_pass(1, wait));
}

TEST_F(SimLogTest, everySecondAnswersWhenItIsWrittenAndSyncsForPromises) {
  start(storage::Fsync::kEverySecond);
  const uint64_t place = put("v");
  const core::Wait wait = log_->wait_for(place, false);
  EXPECT_FALSE(log_->lets_pass(1, wait)) << "a process that is killed now loses it";
  bool left = false;
  log_->hold(1, wait, [&] { left = true; });
  run_for(base::ms(10));
  EXPECT_TRUE(left);
  const core::Wait promise = log_->wait_for(place, true);
  EXPECT_FALSE(log_->lets_pass(1, promise)) << "not synced";
  left = false;
  log_->hold(1, promise, [&] { left = true; });
  run_for(base::ms(10));
  EXPECT_TRUE(left) << "long before the second is over";
}

TEST_F(SimLogTest, aLogThatHasGrownBecomesASnapshot) {
  start(storage::Fsync::kAlways);
  for (int k = 0; k < 100; ++k) put(std::string(50, 'v'));
  run_for(base::ms(10));
  log_->look(nullptr);
  run_for(base::ms(100));
  EXPECT_EQ(world_->counters[Count::kSnapshots], 1u);
  EXPECT_TRUE(disk_->dir().manifest().entries[0].has_snapshot);
}

}  // namespace
}  // namespace lh::sim
