#include "node/node.h"

#include <signal.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <memory>
#include <vector>

#include "base/check.h"
#include "base/log.h"
#include "base/version.h"
#include "net/listener.h"
#include "net/signals.h"
#include "net/worker_pool.h"
#include "node/disk.h"
#include "node/shared.h"
#include "node/worker.h"

namespace lh::node {

namespace {

// How long a bucket node waits for its coordinator at the start, so that a file's processes can be
// started in any order.
constexpr base::Duration kJoinMax = base::seconds(5);
// What is in hand when a node is told to stop may take this long.
constexpr base::Duration kDrainMax = base::seconds(3);
constexpr base::Duration kDrainLookEvery = base::ms(5);
// For each pair of workers; beyond it the connection that fills the mailbox is not read.
constexpr size_t kMailBytesMax = size_t{8} << 20;

constexpr int kExitFailed = 1;
constexpr int kExitUsage = 2;
constexpr int kExitUnreachable = 3;
constexpr int kExitDamaged = 4;

int exit_status_of(const Status& status) {
  return status.code() == StatusCode::kDamaged ? kExitDamaged : kExitUsage;
}

uint64_t random_u64() {
  uint64_t value = 0;
  const ssize_t got = getrandom(&value, sizeof value, 0);
  LH_CHECK(got == sizeof value, "the system has no randomness");
  return value != 0 ? value : 1;
}

int complain(const Status& status, int exit_status) {
  std::fprintf(stderr, "lhnode: %.*s\n", static_cast<int>(status.message().size()),
               status.message().data());
  return exit_status;
}

// The node in the making and running. The main thread waits while worker 0's loop has the listener
// and the signals.
class Node final : public net::AcceptHandler,
                   public net::SignalHandler,
                   public Worker::Listener,
                   public LogThread::Owner {
 public:
  explicit Node(const NodeConfig& config) : config_(config) {}

  int run();

 private:
  Status open();
  void say_hello() const;
  void fit_descriptor_limit();
  void on_accept(net::Socket socket, const net::SocketAddress& peer) override;
  void on_signal(int number) override;
  void on_joined() override;
  void on_coordinator_unreachable() override;
  void on_rebuild_failed(core::Rebuild::Failure kind, const std::string& why) override;
  void on_log_failed(const Status& status) override;
  Status start();
  int stop();
  void announce();
  void drain();
  void look_whether_drained();
  void finish(int exit_status);

  NodeConfig config_;
  base::SteadyClock clock_;
  base::Instant started_at_;
  std::unique_ptr<net::WorkerPool> pool_;
  std::unique_ptr<Disk> disk_;  // none: memory only
  std::unique_ptr<Shared> shared_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::unique_ptr<net::Listener> listener_;
  std::unique_ptr<net::SignalWatcher> signals_;
  size_t next_worker_ = 0;
  bool draining_ = false;
  base::Instant drain_started_at_;
  std::atomic<int> exit_status_{-1};
};

Status Node::open() {
  Result<std::unique_ptr<net::WorkerPool>> pool =
      net::WorkerPool::create(config_.workers, kMailBytesMax, clock_);
  if (!pool.ok()) return pool.status();
  pool_ = std::move(pool).value();
  net::EventLoop& loop = pool_->loop(0);
  listener_ = std::make_unique<net::Listener>(loop, *this);
  if (Status status = listener_->open(config_.listen); !status.ok()) return status;
  std::string address = config_.advertise;
  if (address.empty()) address = listener_->local_address().to_string();
  const uint64_t random = random_u64();
  if (!config_.data_dir.empty()) {
    Result<std::unique_ptr<Disk>> disk = Disk::open(config_, random_u64(), this);
    if (!disk.ok()) return disk.status();
    disk_ = std::move(disk).value();
  }
  shared_ = std::make_unique<Shared>(config_, address, random, disk_ ? disk_->epoch() : random);
  if (disk_) shared_->log = disk_->log();
  signals_ = std::make_unique<net::SignalWatcher>(loop, *this);
  return signals_->open();
}

// As many descriptors as there may be connections. When the system lets us have fewer there are
// fewer clients: nodes, logs and links have theirs in any case.
void Node::fit_descriptor_limit() {
  const uint64_t beside_clients = 256 + config_.workers * SessionTable::kLateMax;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const uint64_t wanted = config_.clients_max + beside_clients;
  if (limit.rlim_cur >= wanted) return;
  const rlim_t before = limit.rlim_cur;
  limit.rlim_cur = std::min<rlim_t>(wanted, limit.rlim_max);
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) limit.rlim_cur = before;
  if (limit.rlim_cur >= wanted) return;
  config_.clients_max =
      std::max<uint64_t>(1, limit.rlim_cur - std::min(limit.rlim_cur, beside_clients));
  LH_LOG(kWarn, "node", "fewer clients than --max-clients: the system gives too few descriptors")
      .kv("limit", limit.rlim_cur)
      .kv("clients", config_.clients_max);
}

void Node::say_hello() const {
  LH_LOG(kInfo, "node", "starting")
      .kv("version", base::kVersion)
      .kv("pid", getpid())
      .kv("role", config_.coordinator ? "coordinator" : "bucket")
      .kv("listen", listener_->local_address().to_string())
      .kv("workers", config_.workers);
  if (!disk_) {
    LH_LOG(kInfo, "node", "memory only: nothing survives the end of this process");
  }
}

int Node::run() {
  started_at_ = clock_.now();
  fit_descriptor_limit();
  if (const Status status = open(); !status.ok()) return complain(status, exit_status_of(status));
  say_hello();
  for (size_t k = 0; k < pool_->size(); ++k) {
    workers_.push_back(std::make_unique<Worker>(*shared_, *pool_, k, this));
  }
  if (const Status status = start(); !status.ok()) return complain(status, exit_status_of(status));
  exit_status_.wait(-1);
  const int exit_status = stop();
  LH_LOG(kInfo, "node", "stopped").kv("status", exit_status);
  return exit_status;
}

Status Node::start() {
  if (!disk_) {
    for (const auto& worker : workers_) worker->start();
    return pool_->start();
  }
  if (Status status = disk_->recover(workers_, &shared_->owners); !status.ok()) return status;
  if (workers_[0]->joined()) shared_->file_id = workers_[0]->server().options().id;
  if (Status status = disk_->start(workers_); !status.ok()) return status;
  Status status = pool_->start();
  if (!status.ok()) stop();
  return status;
}

int Node::stop() {
  pool_->stop();
  listener_.reset();
  signals_.reset();
  for (const auto& worker : workers_) worker->stop();
  int exit_status = exit_status_;
  if (disk_) {
    if (const Status status = disk_->stop(); !status.ok()) {
      LH_LOG(kError, "disk", "not everything is on disk").kv("why", status.message());
      exit_status = kExitFailed;
    }
  }
  workers_.clear();
  return exit_status;
}

void Node::on_log_failed(const Status&) { finish(kExitFailed); }

void Node::finish(int exit_status) {
  int running = -1;
  if (exit_status_.compare_exchange_strong(running, exit_status)) exit_status_.notify_all();
}

// ------------------------------------------------------------------------------------- serving

void Node::on_accept(net::Socket socket, const net::SocketAddress&) {
  const size_t k = next_worker_++ % workers_.size();
  if (k == 0) return workers_[0]->adopt(std::move(socket));
  pool_->post(k, [worker = workers_[k].get(), s = std::move(socket)]() mutable {
    worker->adopt(std::move(s));
  });
}

void Node::on_joined() {
  pool_->post(0, [this] { announce(); });
}

void Node::announce() {
  if (draining_) return;
  std::printf("ready role=%s listen=%s pid=%d\n", config_.coordinator ? "coordinator" : "bucket",
              listener_->local_address().to_string().c_str(), getpid());
  std::fflush(stdout);
}

void Node::on_coordinator_unreachable() {
  if (pool_->loop(0).now() - started_at_ < kJoinMax) return;
  LH_LOG(kError, "node", "cannot reach the coordinator")
      .kv("coordinator", config_.coordinator_address);
  finish(kExitUnreachable);
}

void Node::on_rebuild_failed(core::Rebuild::Failure kind, const std::string& why) {
  const bool options = kind == core::Rebuild::Failure::kOptions;
  finish(complain(Status(StatusCode::kInvalid, "--rebuild: " + why),
                  options ? kExitUsage : kExitDamaged));
}

// ----------------------------------------------------------------------------------------- end

void Node::on_signal(int number) {
  if (number == SIGHUP) {
    if (!base::reopen_log()) {
      LH_LOG(kWarn, "node", "cannot reopen the log");
    }
    return;
  }
  // The second time somebody is in a hurry.
  if (draining_ && number == SIGINT) _exit(130);
  if (!draining_) drain();
}

void Node::drain() {
  LH_LOG(kInfo, "node", "stopping");
  draining_ = true;
  drain_started_at_ = pool_->loop(0).now();
  listener_->close();
  for (size_t k = 0; k < workers_.size(); ++k) {
    pool_->post(k, [worker = workers_[k].get()] { worker->drain(); });
  }
  look_whether_drained();
}

void Node::look_whether_drained() {
  if (pool_->loop(0).now() - drain_started_at_ > kDrainMax) return finish(0);
  // Every client has had its answers and is gone. Other nodes stay to the end, as they bring some
  // of the answers.
  if (shared_->clients.load() <= shared_->peers.load()) return finish(0);
  pool_->loop(0).call_after(kDrainLookEvery, [this] { look_whether_drained(); });
}

}  // namespace

int run(const base::FlagValues& values) {
  const Result<NodeConfig> config = make_node_config(values);
  if (!config.ok()) return complain(config.status(), kExitUsage);
  base::remember_log_file();
  net::block_signals();
  Node node(config.value());
  return node.run();
}

}  // namespace lh::node
