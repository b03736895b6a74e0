#include "node/node.h"

#include <signal.h>
#include <sys/random.h>
#include <unistd.h>

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

constexpr int kExitUsage = 2;
constexpr int kExitUnreachable = 3;

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
class Node final : public net::AcceptHandler, public net::SignalHandler, public Worker::Listener {
 public:
  explicit Node(const NodeConfig& config) : config_(config) {}

  int run();

 private:
  Status open();
  void say_hello() const;
  void on_accept(net::Socket socket, const net::SocketAddress& peer) override;
  void on_signal(int number) override;
  void on_joined() override;
  void on_coordinator_unreachable() override;
  void announce();
  void drain();
  void look_whether_drained();
  void finish(int exit_status);

  NodeConfig config_;
  base::SteadyClock clock_;
  base::Instant started_at_;
  std::unique_ptr<net::WorkerPool> pool_;
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
  shared_ = std::make_unique<Shared>(config_, address, random_u64());
  signals_ = std::make_unique<net::SignalWatcher>(loop, *this);
  return signals_->open();
}

void Node::say_hello() const {
  LH_LOG(kInfo, "node", "starting")
      .kv("version", base::kVersion)
      .kv("pid", getpid())
      .kv("role", config_.coordinator ? "coordinator" : "bucket")
      .kv("listen", listener_->local_address().to_string())
      .kv("workers", config_.workers);
  LH_LOG(kInfo, "node", "memory only: nothing survives the end of this process");
}

int Node::run() {
  started_at_ = clock_.now();
  if (const Status status = open(); !status.ok()) return complain(status, kExitUsage);
  say_hello();
  for (size_t k = 0; k < pool_->size(); ++k) {
    workers_.push_back(std::make_unique<Worker>(*shared_, *pool_, k, this));
  }
  for (const auto& worker : workers_) worker->start();
  if (const Status status = pool_->start(); !status.ok()) return complain(status, kExitUsage);
  exit_status_.wait(-1);
  pool_->stop();
  listener_.reset();
  signals_.reset();
  for (const auto& worker : workers_) worker->stop();
  workers_.clear();
  LH_LOG(kInfo, "node", "stopped").kv("status", exit_status_.load());
  return exit_status_;
}

void Node::finish(int exit_status) {
  int running = -1;
  if (exit_status_.compare_exchange_strong(running, exit_status)) exit_status_.notify_all();
}

// ------------------------------------------------------------------------------------- serving

void Node::on_accept(net::Socket socket, const net::SocketAddress& peer) {
  if (shared_->clients.fetch_add(1) >= config_.clients_max) {
    shared_->clients.fetch_sub(1);
    constexpr std::string_view kRefusal = "ERR max number of clients reached\n";
    // A fresh socket's buffer has room for a line; if it has not, the peer sees the end only.
    const ssize_t sent = ::write(socket.fd(), kRefusal.data(), kRefusal.size());
    LH_LOG_LIMITED(kWarn, "node", "too many clients", pool_->loop(0).now())
        .kv("peer", peer.to_string())
        .kv("told", sent > 0);
    return;
  }
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
