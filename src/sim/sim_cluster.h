// SimCluster: a simulated file with its nodes and clients, ready to be driven: by a run of the
// simulator at random, by a test step by step.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "sim/canary.h"
#include "sim/file_checker.h"
#include "sim/sim_client.h"
#include "sim/sim_network.h"
#include "sim/sim_node.h"
#include "sim/watch.h"
#include "sim/workload.h"
#include "sim/world.h"

namespace lh::sim {

class SimCluster {
 public:
  // The coordinator's node and the other nodes that there are from the start; no clients yet.
  // canary: "" for none.
  SimCluster(const Options& options, std::string_view canary, Transcript::Listener listener);

  // Joins at once.
  SimNode* add_node();
  // A native client with a driver.
  Driver* add_client(SimClient::Listening listening, bool sleeper);
  // A text client of a node's front.
  Driver* add_text_client(size_t node, size_t worker, bool sleeper);
  // Ends a native client for good.
  void kill_client(size_t client);

  // Runs until the condition holds, `limit` has passed or a violation was found. True when it
  // holds.
  bool run_until(const std::function<bool()>& condition, base::Duration limit);
  void run_for(base::Duration time);

  // Everybody runs, everything gets through; what is asked is answered from now on.
  void heal();

  World& world() { return world_; }
  SimNetwork& network() { return network_; }
  FileChecker& checker() { return checker_; }
  Workload& workload() { return workload_; }
  Watch& watch() { return watch_; }
  // The first one is the coordinator's.
  const std::vector<std::unique_ptr<SimNode>>& nodes() const { return nodes_; }
  // The process of a node by its number; 0 when there is none.
  ProcessId process_of(NodeId node) const;
  struct Client {
    std::unique_ptr<SimClient> shell;
    Driver* driver = nullptr;
  };
  const std::vector<Client>& clients() const { return clients_; }
  // Counters of the run, with what only the cores know.
  Counters counters() const;

 private:
  World world_;
  std::unique_ptr<Canary> canary_;
  SimNetwork network_;
  FileChecker checker_;
  Watch watch_;
  Workload workload_;
  std::vector<std::unique_ptr<SimNode>> nodes_;
  std::vector<Client> clients_;
};

}  // namespace lh::sim
