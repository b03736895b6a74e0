#include "node/node_config.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "base/strings.h"

namespace lh::node {

namespace {

Result<net::SocketAddress> resolve(const char* flag, const base::FlagValues& values) {
  Result<net::SocketAddress> address = net::SocketAddress::resolve(values.text(flag));
  if (address.ok()) return address;
  return Status(StatusCode::kInvalid,
                "--" + std::string(flag) + ": " + std::string(address.status().message()));
}

Status read_addresses(const base::FlagValues& values, NodeConfig* config) {
  const Result<net::SocketAddress> listen = resolve("listen", values);
  if (!listen.ok()) return listen.status();
  config->listen = listen.value();
  if (!config->listen.is_loopback()) {
    return {StatusCode::kInvalid,
            "--listen=" + values.text("listen") +
                ": only loopback addresses are allowed as long as peers are not authenticated"};
  }
  if (values.has("advertise")) {
    const Result<net::SocketAddress> advertise = resolve("advertise", values);
    if (!advertise.ok()) return advertise.status();
    config->advertise = advertise.value().to_string();
  }
  if (config->coordinator) return {};
  const Result<net::SocketAddress> coordinator = resolve("coordinator", values);
  if (!coordinator.ok()) return coordinator.status();
  config->coordinator_address = coordinator.value().to_string();
  return {};
}

}  // namespace

Result<NodeConfig> make_node_config(const base::FlagValues& values) {
  NodeConfig config;
  config.coordinator = values.text("role") == "coordinator";
  if (Status status = read_addresses(values, &config); !status.ok()) return status;
  config.workers = values.has("workers") ? values.u64("workers")
                                         : std::max(1U, std::thread::hardware_concurrency());
  config.workers = std::min<uint64_t>(config.workers, 255);
  config.buckets_max = values.u64("max-buckets");
  config.memory_max = values.u64("max-memory");
  config.clients_max = values.u64("max-clients");
  config.idle_timeout = base::seconds(static_cast<int64_t>(values.u64("idle-timeout")));
  if (values.has("data-dir")) config.data_dir = values.text("data-dir");
  config.fsync = static_cast<Fsync>(values.word("fsync"));
  if (config.coordinator) {
    config.rebuild = values.on("rebuild");
    config.file.capacity = values.u64("capacity");
    config.file.hash =
        values.text("hash") == "integer" ? base::HashMode::kInteger : base::HashMode::kMixed;
    config.file.split = core::SplitPolicy::kUncontrolled;
  }
  return config;
}

}  // namespace lh::node
