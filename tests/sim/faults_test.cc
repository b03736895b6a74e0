#include "sim/faults.h"

#include <functional>

#include "tests/sim/cluster_fixture.h"

namespace lh::sim {
namespace {

// One kind of fault at a time, often.
class FaultsTest : public ::testing::Test {
 protected:
  using Choice = std::function<void(Options*)>;

  // What was counted when that had been going on for some seconds, under load.
  Counters run(const Choice& choose) {
    Options o = disk_options();
    o.disks = false;
    o.ops = 2'000;
    o.think = base::ms(5);
    o.depth = 4;
    o.weights[0] = o.weights[2] = 1;
    o.coordinator_stops = true;
    choose(&o);
    cluster_ = std::make_unique<SimCluster>(o, std::string_view(), nullptr);
    Faults faults(cluster_.get());
    for (int k = 0; k < 2; ++k) {
      cluster_->add_client(SimClient::Listening::kYes, false)->start();
    }
    faults.start();
    cluster_->run_for(base::seconds(8));
    faults.stop();
    cluster_->heal();
    cluster_->run_until([this] { return cluster_->workload().is_idle(); }, base::seconds(40));
    EXPECT_EQ(cluster_->world().failure, "");
    const Counters counters = cluster_->world().counters;
    cluster_.reset();
    return counters;
  }
  static FaultRate often() { return {base::ms(300), base::ms(200)}; }

  std::unique_ptr<SimCluster> cluster_;
};

TEST_F(FaultsTest, withoutRatesNothingHappens) {
  const Counters counters = run([](Options*) {});
  for (const Count what : {Count::kBroken, Count::kPartitions, Count::kFrozen, Count::kCrashed,
                           Count::kClientDeaths, Count::kSilenced}) {
    EXPECT_EQ(counters[what], 0u) << name_of(what);
  }
}

TEST_F(FaultsTest, eachRateBringsItsOwnFaults) {
  const struct {
    FaultRate Options::*rate;
    Count what;
  } kinds[] = {{&Options::breaks, Count::kBroken},   {&Options::partitions, Count::kPartitions},
               {&Options::one_way, Count::kOneWay},  {&Options::isolations, Count::kIsolated},
               {&Options::clogs, Count::kClogged},   {&Options::freezes, Count::kFrozen},
               {&Options::crashes, Count::kCrashed}, {&Options::deaths, Count::kClientDeaths}};
  for (const auto& kind : kinds) {
    const Counters counters = run([&](Options* o) { o->*kind.rate = often(); });
    EXPECT_GT(counters[kind.what], 3u) << name_of(kind.what);
    for (const auto& other : kinds) {
      if (other.what != kind.what) {
        EXPECT_EQ(counters[other.what], 0u) << name_of(other.what);
      }
    }
  }
}

TEST_F(FaultsTest, withDisksACrashIsTheEndOfAProcess) {
  const Counters counters = run([](Options* o) {
    o->disks = true;
    o->crashes = often();
    o->flips_permille = 300;
  });
  EXPECT_GT(counters[Count::kPowerCuts], 0u);
  EXPECT_GT(counters[Count::kKilled], 0u);
  EXPECT_GT(counters[Count::kBitsFlipped], 0u);
  EXPECT_EQ(counters[Count::kBitsFlipped], counters[Count::kDamageFound]);
}

TEST_F(FaultsTest, disksFailFillUpAndGetSlow) {
  const Counters counters = run([](Options* o) {
    o->disks = true;
    o->sync_failures = o->full_disks = o->slow_disks = often();
  });
  EXPECT_GT(counters[Count::kSyncsFailed], 3u);
  EXPECT_GT(counters[Count::kDisksFull], 3u);
  EXPECT_GT(counters[Count::kDisksSlow], 3u);
  EXPECT_GT(counters[Count::kPowerCuts], 0u) << "of the syncs that failed";
}

}  // namespace
}  // namespace lh::sim
