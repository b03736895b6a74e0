#include "sim/sim_cluster.h"

#include <utility>

#include "base/check.h"
#include "base/strings.h"

namespace lh::sim {

namespace {

// How long after a fault its traces may still be seen: a node counts as down until its next
// heartbeat, requests are repeated after pauses that double.
constexpr base::Duration kTroubleAfter = base::ms(5'000);
// How long a sync takes at most when all is well again.
constexpr base::Duration kSyncAfterwards = base::ms(1);

}  // namespace

SimCluster::SimCluster(const Options& options, std::string_view canary,
                       Transcript::Listener listener)
    : world_(options),
      canary_(make_canary(canary)),
      network_(&world_),
      checker_(&world_),
      watch_(&world_),
      workload_(&world_, &checker_) {
  LH_CHECK(canary.empty() || canary_ != nullptr, canary);
  world_.canary = canary_.get();
  world_.transcript.set_listener(std::move(listener));
  for (uint64_t k = 0; k < options.nodes; ++k) add_node();
}

SimNode* SimCluster::add_node() {
  nodes_.push_back(
      std::make_unique<SimNode>(SimParts{&world_, &network_, &checker_, &watch_, ProcessId{1}}));
  nodes_.back()->start();
  return nodes_.back().get();
}

Driver* SimCluster::add_client(SimClient::Listening listening, bool sleeper) {
  auto shell = std::make_unique<SimClient>(&world_, &network_, &checker_, ProcessId{1},
                                           base::format("c%zu", clients_.size() + 1), listening);
  Driver* driver = workload_.add(shell.get(), sleeper);
  shell->start();
  clients_.push_back({std::move(shell), driver});
  return driver;
}

Driver* SimCluster::add_text_client(size_t node, size_t worker, bool sleeper) {
  return workload_.add(nodes_[node]->front(worker), sleeper);
}

void SimCluster::kill_client(size_t client) {
  clients_[client].driver->abandon();
  clients_[client].shell->die();
}

bool SimCluster::run_until(const std::function<bool()>& condition, base::Duration limit) {
  const base::Instant end = world_.now() + limit;
  while (!world_.failed()) {
    if (condition()) return true;
    if (world_.events.empty() || world_.events.next_at() > end) return false;
    world_.events.run_next();
  }
  return false;
}

void SimCluster::run_for(base::Duration time) {
  run_until([] { return false; }, time);
}

void SimCluster::heal() {
  network_.heal();
  for (const auto& node : nodes_) {
    if (!node->has_disk()) continue;
    node->disk().set_full(false);
    node->disk().slow_down(base::Instant::never(), kSyncAfterwards);
    node->disk().env().stop_after(~uint64_t{0});
    if (!node->is_up()) node->restart();
  }
  world_.trouble_until = world_.now() + kTroubleAfter;
}

ProcessId SimCluster::process_of(NodeId id) const {
  for (const auto& node : nodes_) {
    if (node->id() == id) return node->process();
  }
  return 0;
}

Counters SimCluster::counters() const {
  Counters all = world_.counters;
  for (const auto& node : nodes_) {
    all.add(Count::kSplits, node->splits());
    all.add(Count::kResent, node->retries());
  }
  for (const Client& client : clients_) {
    all.add(Count::kResent, client.shell->core().counters().retries);
  }
  return all;
}

}  // namespace lh::sim
