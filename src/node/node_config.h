// What a coordinator or bucket node is started with, checked and resolved. Read-only once the node
// runs, so every worker may read it.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/flags.h"
#include "core/file_options.h"
#include "lh/status.h"
#include "net/socket_address.h"
#include "node/log_thread.h"
#include "node/result_budget.h"

namespace lh::node {

struct NodeConfig {
  bool coordinator = false;
  bool rebuild = false;  // the coordinator's state is lost: the nodes are asked for it
  net::SocketAddress listen;
  std::string advertise;            // host:port that others are told; empty: what was bound
  std::string coordinator_address;  // bucket nodes
  uint64_t workers = 1;
  uint64_t buckets_max = 0;  // 0: no limit
  uint64_t clients_max = 10'000;
  uint64_t memory_max = 0;                    // bytes, 0: no limit
  size_t result_bytes_max = kResultBytesMax;  // no flag
  base::Duration idle_timeout;                // 0: never
  core::FileOptions file;                     // coordinator
  std::string data_dir;                       // empty: memory only
  Fsync fsync = Fsync::kAlways;
};

// kInvalid with a sentence that names the flag. Resolves host names.
Result<NodeConfig> make_node_config(const base::FlagValues& values);

}  // namespace lh::node
