// A small simulated file without a fault, driven step by step, for the tests of the simulator's
// parts.
#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "sim/sim_cluster.h"

namespace lh::sim {

inline Options calm_options() {
  Options o;
  o.seed = 1;
  o.capacity = 3;
  o.nodes = 3;
  o.keys = 40;
  o.open_per_key = 4;
  o.delay_min = base::us(50);
  o.delay_max = base::ms(1);
  return o;
}

inline Options disk_options() {
  Options o = calm_options();
  o.disks = true;
  o.sync_min = base::us(100);
  o.sync_max = base::ms(2);
  o.segment_bytes = 4'096;
  o.snapshot_log_bytes = 4'096;
  return o;
}

class ClusterFixture : public ::testing::Test {
 protected:
  explicit ClusterFixture(const Options& options = calm_options())
      : cluster_(options, {}, nullptr), world_(cluster_.world()) {}

  Driver* new_client() {
    Driver* driver = cluster_.add_client(SimClient::Listening::kNo, false);
    EXPECT_TRUE(cluster_.run_until([&] { return driver->is_ready(); }, base::seconds(2)));
    return driver;
  }
  bool await_idle() {
    return cluster_.run_until([this] { return cluster_.workload().is_idle(); }, base::seconds(5));
  }
  // Puts every key, one after the other.
  void fill(Driver* driver) {
    for (size_t key = 0; key < world_.options.keys; ++key) {
      driver->submit(core::Op::kPut, key, 10);
      ASSERT_TRUE(await_idle());
    }
  }
  void settle() { cluster_.run_for(base::seconds(3)); }
  const std::vector<std::unique_ptr<SimNode>>& nodes() { return cluster_.nodes(); }

  SimCluster cluster_;
  World& world_;
};

class DiskClusterFixture : public ClusterFixture {
 protected:
  DiskClusterFixture() : ClusterFixture(disk_options()) {}
};

}  // namespace lh::sim
