#include "sim/faults.h"

#include <algorithm>
#include <memory>

#include "base/hash.h"
#include "base/strings.h"
#include "core/limits.h"
#include "core/rebuild.h"

namespace lh::sim {

namespace {

using base::Duration;
using base::ms;

// How long after the end of a fault its traces may be seen.
constexpr Duration kTroubleAfter = ms(5'000);
constexpr Duration kClogMax = ms(800);
constexpr Duration kUnsyncedFor = ms(1'000);

}  // namespace

Faults::Faults(SimCluster* cluster)
    : cluster_(cluster), world_(&cluster->world()), prng_(world_->options.seed ^ 0x6661756c74) {}

void Faults::start() {
  const Options& o = world_->options;
  schedule(o.breaks, &Faults::reset_connection);
  schedule(o.partitions, &Faults::partition);
  schedule(o.one_way, &Faults::block_one_way);
  schedule(o.isolations, &Faults::isolate);
  schedule(o.clogs, &Faults::clog);
  schedule(o.freezes, &Faults::freeze);
  schedule(o.crashes, &Faults::crash);
  schedule(o.deaths, &Faults::kill_client);
  schedule(o.sync_failures, &Faults::fail_sync);
  schedule(o.lost_coordinators, &Faults::lose_coordinator);
  schedule(o.full_disks, &Faults::fill_disk);
  schedule(o.slow_disks, &Faults::slow_disk);
  for (uint64_t k = 0; k < o.floods; ++k) flood();
}

void Faults::note(const std::string& what) {
  world_->transcript.note(world_->now(), "FAULT " + what);
}

void Faults::schedule(const FaultRate& rate, Fault fault) {
  if (!rate.on()) return;
  world_->events.after(random_up_to(&prng_, rate.every * 2), [this, &rate, fault] {
    if (stopped_) return;
    const Duration lasts = random_up_to(&prng_, rate.lasts_max);
    world_->trouble(lasts + kTroubleAfter);
    (this->*fault)(lasts);
    schedule(rate, fault);
  });
}

std::optional<Faults::Split> Faults::split_under_way() {
  const std::optional<Watch::Order> order = cluster_->watch().order();
  if (!order) return std::nullopt;
  const core::Server* source = cluster_->checker().server_of(order->source.a);
  if (source == nullptr) return std::nullopt;
  return Split{cluster_->process_of(source->self()), cluster_->process_of(order->target_node)};
}

ProcessId Faults::random_node(bool coordinator_too) {
  const auto& nodes = cluster_->nodes();
  if (const std::optional<Split> split = split_under_way(); split && prng_.chance(1, 2)) {
    const ProcessId node = prng_.chance(2, 3) ? split->target : split->source;
    if (node != 0 && (coordinator_too || node != 1)) return node;
  }
  const size_t first = coordinator_too ? 0 : 1;
  if (nodes.size() <= first) return 0;
  return nodes[first + prng_.below(nodes.size() - first)]->process();
}

bool Faults::random_pair(ProcessId* a, ProcessId* b) {
  const size_t nodes = cluster_->nodes().size();
  const size_t clients = cluster_->clients().size();
  if (nodes + clients < 2) return false;
  if (const std::optional<Split> split = split_under_way();
      split && split->source != split->target && prng_.chance(1, 2)) {
    *a = split->source;
    *b = split->target;
    if (prng_.chance(1, 3)) std::swap(*a, *b);
    return true;
  }
  *a = random_node(true);
  do {
    const uint64_t place = prng_.below(nodes + clients);
    *b = place < nodes ? cluster_->nodes()[place]->process()
                       : cluster_->clients()[place - nodes].shell->process();
  } while (*a == *b);
  if (prng_.chance(1, 2)) std::swap(*a, *b);
  return true;
}

void Faults::reset_connection(Duration) {
  SimNetwork& network = cluster_->network();
  std::vector<LinkId> links = network.links();
  const auto keep = [&links](const auto& wanted) {
    std::vector<LinkId> kept;
    for (const LinkId link : links) {
      if (wanted(link)) kept.push_back(link);
    }
    if (!kept.empty()) links = std::move(kept);
  };
  // Where it hurts.
  if (const std::optional<Split> split = split_under_way(); split && prng_.chance(1, 3)) {
    keep([&](LinkId link) { return network.connects(link, split->source, split->target); });
  }
  if (prng_.chance(2, 3)) keep([&](LinkId link) { return network.is_busy(link); });
  if (links.empty()) return;
  const LinkId link = links[prng_.below(links.size())];
  note(base::format("connection %llu breaks", static_cast<unsigned long long>(link)));
  world_->counters.add(Count::kBroken);
  network.break_link(link);
}

void Faults::block_both(ProcessId a, ProcessId b, Duration lasts) {
  SimNetwork* network = &cluster_->network();
  network->block(a, b);
  network->block(b, a);
  world_->events.after(lasts, [network, a, b] {
    network->unblock(a, b);
    network->unblock(b, a);
  });
}

void Faults::partition(Duration lasts) {
  ProcessId a = 0;
  ProcessId b = 0;
  if (!random_pair(&a, &b)) return;
  note(base::format("processes %u and %u are cut off from each other", a, b));
  world_->counters.add(Count::kPartitions);
  block_both(a, b, lasts);
}

void Faults::block_one_way(Duration lasts) {
  ProcessId a = 0;
  ProcessId b = 0;
  if (!random_pair(&a, &b)) return;
  note(base::format("nothing gets from process %u to %u", a, b));
  world_->counters.add(Count::kOneWay);
  SimNetwork* network = &cluster_->network();
  network->block(a, b);
  world_->events.after(lasts, [network, a, b] { network->unblock(a, b); });
}

void Faults::isolate(Duration lasts) {
  const ProcessId node = random_node(world_->options.coordinator_stops);
  if (node == 0) return;
  // Clients may be on its side of the cut.
  const bool clients_too = prng_.chance(1, 2);
  note(base::format("process %u is cut off from all %s", node, clients_too ? "others" : "nodes"));
  world_->counters.add(Count::kIsolated);
  for (const auto& other : cluster_->nodes()) {
    if (other->process() != node) block_both(node, other->process(), lasts);
  }
  if (!clients_too) return;
  for (const auto& client : cluster_->clients()) block_both(node, client.shell->process(), lasts);
}

void Faults::clog(Duration lasts) {
  ProcessId a = 0;
  ProcessId b = 0;
  if (!random_pair(&a, &b)) return;
  const Duration delay = random_up_to(&prng_, kClogMax);
  note(base::format("the way from process %u to %u is slow", a, b));
  world_->counters.add(Count::kClogged);
  SimNetwork* network = &cluster_->network();
  network->clog(a, b, delay);
  world_->events.after(lasts, [network, a, b] { network->clog(a, b, Duration()); });
}

void Faults::freeze(Duration lasts) {
  const ProcessId node = random_node(world_->options.coordinator_stops);
  SimNetwork* network = &cluster_->network();
  if (node == 0 || !network->is_running(node)) return;
  note(base::format("process %u stands still", node));
  world_->counters.add(Count::kFrozen);
  if (node == 1) world_->counters.add(Count::kCoordinatorStops);
  network->freeze(node);
  world_->events.after(lasts, [network, node] { network->resume(node); });
}

SimNode* Faults::random_machine() {
  const ProcessId process = random_node(world_->options.coordinator_stops);
  for (const auto& node : cluster_->nodes()) {
    if (node->process() == process && node->is_up()) return node.get();
  }
  return nullptr;
}

// At once, or at one of its next operations on the disk, so that it happens in the middle of a
// snapshot and between two parts of a write as well.
void Faults::crash_with_disk(SimNode* node, Duration lasts) {
  if (!node->is_up()) return;
  if (node->process() == 1) world_->counters.add(Count::kCoordinatorStops);
  world_->counters.add(Count::kCrashed);
  if (prng_.chance(1, 3)) {
    world_->counters.add(Count::kPlannedDeaths);
    return node->die_at_operation(prng_.below(30));
  }
  using Ending = SimDisk::Ending;
  node->stop(prng_.chance(1, 8)   ? Ending::kOrderly
             : prng_.chance(1, 3) ? Ending::kKilled
                                  : Ending::kPowerCut);
  if (prng_.chance(world_->options.flips_permille, 1'000)) {
    node->flip_a_bit(&prng_);
  } else if (prng_.chance(1, 4)) {
    node->die_at_operation(prng_.below(30));  // while it starts
  }
  world_->events.after(lasts, [node] { node->restart(); });
  if (world_->options.fsync == storage::Fsync::kEverySecond && prng_.chance(1, 2)) {
    cut_again(node, lasts + random_up_to(&prng_, kUnsyncedFor));
  }
}

// Before a node that has come back has synced for the first time.
void Faults::cut_again(SimNode* node, Duration after) {
  world_->events.after(after, [this, node] {
    if (stopped_ || !node->is_up()) return;
    world_->counters.add(Count::kCrashed);
    node->stop(SimDisk::Ending::kPowerCut);
    world_->events.after(ms(1), [node] { node->restart(); });
  });
}

void Faults::fail_sync(Duration) {
  SimNode* node = random_machine();
  if (node == nullptr) return;
  note(node->name() + " will have a sync that fails");
  world_->counters.add(Count::kSyncsFailed);
  node->disk().env().fail_sync(prng_.between(1, 3));
}

void Faults::lose_coordinator(Duration lasts) {
  SimNode* node = cluster_->nodes()[0].get();
  if (!node->is_up() || node->id() == NodeId::kNone || !cluster_->checker().may_be_lost(1)) return;
  world_->trouble(lasts + core::Rebuild::kPatience * 2 + kTroubleAfter);
  world_->counters.add(Count::kDisksLost);
  node->lose_disk();
  world_->events.after(lasts, [node] { node->restart(); });
}

void Faults::fill_disk(Duration lasts) {
  SimNode* node = random_machine();
  if (node == nullptr) return;
  note("the disk of " + node->name() + " is full");
  world_->counters.add(Count::kDisksFull);
  node->disk().set_full(true);
  world_->events.after(lasts, [node] { node->disk().set_full(false); });
}

void Faults::slow_disk(Duration lasts) {
  SimNode* node = random_machine();
  if (node == nullptr) return;
  note("the disk of " + node->name() + " is slow");
  world_->counters.add(Count::kDisksSlow);
  node->disk().slow_down(world_->now() + lasts, random_up_to(&prng_, ms(1'500)));
}

void Faults::crash(Duration lasts) {
  if (world_->options.disks) {
    SimNode* node = random_machine();
    return node != nullptr ? crash_with_disk(node, lasts) : void();
  }
  const ProcessId node = random_node(world_->options.coordinator_stops);
  SimNetwork* network = &cluster_->network();
  if (node == 0 || !network->is_running(node)) return;
  note(base::format("process %u stops", node));
  world_->counters.add(Count::kCrashed);
  if (node == 1) world_->counters.add(Count::kCoordinatorStops);
  network->crash(node);
  world_->events.after(lasts, [network, node] { network->resume(node); });
}

void Faults::kill_client(Duration) {
  const auto& clients = cluster_->clients();
  if (clients.empty()) return;
  const size_t victim = prng_.below(clients.size());
  if (clients[victim].shell->is_dead()) return;
  note("client " + clients[victim].shell->name() + " is gone");
  world_->counters.add(Count::kClientDeaths);
  cluster_->kill_client(victim);
  if (prng_.chance(1, 4)) return;
  cluster_->add_client(SimClient::Listening::kYes, false)->start();
}

// Waits for a split whose stream cannot get on, then changes the largest records that there are, in
// the moving half, until more changes are pending than the source keeps.
void Faults::flood() {
  world_->events.after(ms(2), [this] {
    if (stopped_) return;
    const std::optional<Watch::Order> order = cluster_->watch().order();
    const FileChecker& checker = cluster_->checker();
    const core::Server* source = order ? checker.server_of(order->source.a) : nullptr;
    if (source == nullptr || order->target < checker.version() ||
        order->target_node == source->self()) {
      return flood();
    }
    const ProcessId from = cluster_->process_of(source->self());
    const ProcessId to = cluster_->process_of(order->target_node);
    Workload& workload = cluster_->workload();
    const Interval moving = interval_of({order->target, static_cast<Level>(order->source.j + 1)});
    const auto& keys = workload.history().keys();
    const auto moves = [&](const std::string& key) {
      return moving.contains(reverse64(*base::hash_key(world_->options.hash, key)));
    };
    const auto key = std::find_if(keys.begin(), keys.end(), moves);
    if (key == keys.end()) return flood();
    note(base::format("a flood into the split of bucket %llu",
                      static_cast<unsigned long long>(order->source.a)));
    world_->trouble(ms(1'500) + kTroubleAfter);
    block_both(from, to, ms(1'500));
    Driver* driver = cluster_->add_client(SimClient::Listening::kNo, false);
    const auto place = static_cast<size_t>(key - keys.begin());
    constexpr uint64_t kPuts = core::kSplitPendingBytesMax / core::kValueBytesMax + 2;
    for (uint64_t k = 0; k < kPuts; ++k) {
      world_->events.after(ms(20 + 10 * static_cast<int64_t>(k)), [this, driver, place] {
        if (stopped_ || !driver->is_ready()) return;
        driver->submit(core::Op::kPut, place, core::kValueBytesMax);
      });
    }
  });
}

}  // namespace lh::sim
