// Faults: breaks, blocks, slows and stops things in a simulated cluster at random, each kind at the
// rate that the options give it, until told to stop.
#pragma once

#include <optional>
#include <string>

#include "sim/sim_cluster.h"

namespace lh::sim {

class Faults {
 public:
  explicit Faults(SimCluster* cluster);

  void start();
  // Nothing new happens; what is broken stays so: SimCluster::heal() mends it.
  void stop() { stopped_ = true; }

 private:
  using Fault = void (Faults::*)(base::Duration lasts);

  void schedule(const FaultRate& rate, Fault fault);
  void reset_connection(base::Duration);
  void partition(base::Duration lasts);
  void block_one_way(base::Duration lasts);
  void isolate(base::Duration lasts);
  void clog(base::Duration lasts);
  void freeze(base::Duration lasts);
  void crash(base::Duration lasts);
  void crash_with_disk(SimNode* node, base::Duration lasts);
  void cut_again(SimNode* node, base::Duration after);
  void fail_sync(base::Duration);
  void lose_coordinator(base::Duration lasts);
  void fill_disk(base::Duration lasts);
  void slow_disk(base::Duration lasts);
  void kill_client(base::Duration);
  void flood();

  // Half of the time a node that takes part in the split under way: faults there are the ones that
  // matter. 0 when there is none.
  ProcessId random_node(bool coordinator_too);
  // One that is up, or nullptr.
  SimNode* random_machine();
  // Two different processes, at least one of them a node; half of the time source and target of the
  // split under way.
  bool random_pair(ProcessId* a, ProcessId* b);
  struct Split {
    ProcessId source = 0;
    ProcessId target = 0;
  };
  std::optional<Split> split_under_way();
  void block_both(ProcessId a, ProcessId b, base::Duration lasts);
  void note(const std::string& what);

  SimCluster* cluster_;
  World* world_;
  base::Prng prng_;
  bool stopped_ = false;
};

}  // namespace lh::sim
