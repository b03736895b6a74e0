// What the workers of one node process have in common. Constant after the start, or atomic.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "core/message.h"
#include "node/bucket_owners.h"
#include "node/node_config.h"
#include "node/result_budget.h"
#include "storage/log_keeper.h"

namespace lh::node {

// What a worker tells worker 0 of itself, several times a second, for the heartbeat.
struct alignas(64) WorkerReport {
  std::atomic<uint64_t> buckets{0};
  std::atomic<uint64_t> records{0};
  std::atomic<uint64_t> bytes{0};
  std::atomic<uint64_t> known{0};     // buckets whose nodes it knows
  std::atomic<uint64_t> requests{0};  // keyed ones executed by it
  std::atomic<uint64_t> expired{0};   // records that have gone because of that
  std::atomic<bool> full{false};      // NodeStats::full
  std::atomic<uint64_t> unread{0};    // connections closed because their peers did not read
};

struct Shared {
  // random_bits: of this process. The incarnation is that of the data directory, if there is one.
  Shared(const NodeConfig& node_config, std::string node_address, uint64_t random_bits,
         uint64_t node_incarnation)
      : config(node_config),
        address(std::move(node_address)),
        random(random_bits),
        incarnation(node_incarnation),
        file_id(node_incarnation),
        owners(node_config.workers),
        results(node_config.result_bytes_max),
        reports(node_config.workers) {}

  // At the coordinator's node.
  core::FileOptions file() const {
    core::FileOptions options = config.file;
    options.id = file_id;
    return options;
  }

  const NodeConfig config;
  const std::string address;   // that others are told
  const uint64_t random;       // the seed of all that is drawn at random in this process
  const uint64_t incarnation;  // of the node: what it knows is gone when this is another one
  // A file is known by the incarnation of the coordinator that made it. Set before the workers
  // start.
  uint64_t file_id;
  const base::Instant started_at = base::SteadyClock().now();
  storage::LogQueue* log = nullptr;  // none: memory only. Set before the workers start
  BucketOwners owners;
  ResultBudget results;
  std::vector<WorkerReport> reports;  // by worker
  std::atomic<uint64_t> clients{0};   // connections accepted and not yet closed
  std::atomic<uint64_t> peers{0};     // those of them that are other nodes
  std::atomic<uint64_t> memory{0};    // bytes of all workers' tables and remembered answers
  std::atomic<uint64_t> rejected{0};  // for being too many, ever
  // Closed for a request that was begun and not finished, ever.
  std::atomic<uint64_t> unfinished{0};
  std::atomic<uint64_t> joined{0};  // workers that know the node's number and the file

  uint64_t client_count() const {
    const uint64_t others = peers.load();
    return clients.load() - std::min(clients.load(), others);
  }
};

}  // namespace lh::node
