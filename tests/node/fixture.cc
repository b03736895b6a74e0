#include "tests/node/fixture.h"

#include <sys/socket.h>

#include <algorithm>

namespace lh::node::testing {

namespace {

// Time passes in steps of this; in longer ones when there is much to pass, but not so long that
// nodes miss each other's heartbeats.
constexpr base::Duration kStep = base::ms(10);
constexpr base::Duration kLongStep = base::ms(200);
// Only reached by a failing test.
constexpr base::Duration kPatience = base::seconds(20);
// On a standing clock nobody has work for longer than this.
constexpr int kTurnsMax = 200'000;

net::Socket make_pair(net::Socket* here, int buffer_bytes) {
  int fds[2] = {-1, -1};
  EXPECT_EQ(0, ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds));
  if (buffer_bytes > 0) {
    for (const int fd : fds) {
      EXPECT_EQ(0, ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer_bytes, sizeof buffer_bytes));
      EXPECT_EQ(0, ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer_bytes, sizeof buffer_bytes));
    }
  }
  *here = net::Socket(fds[0]);
  return net::Socket(fds[1]);
}

}  // namespace

core::FileOptions integer_file(uint64_t capacity) {
  core::FileOptions options;
  options.capacity = capacity;
  options.hash = base::HashMode::kInteger;
  return options;
}

// ---------------------------------------------------------------------------------------- nodes

TestNode::TestNode(const base::Clock& clock, NodeConfig config, uint64_t seed, size_t mail_max,
                   storage::LogQueue* log)
    : frozen_(config.workers) {
  auto pool = net::WorkerPool::create(config.workers, mail_max, clock);
  EXPECT_TRUE(pool.ok()) << pool.status().message();
  pool_ = std::move(pool).value();
  listener_ = std::make_unique<net::Listener>(pool_->loop(0), *this);
  const Status status = listener_->open(net::SocketAddress::ipv4_loopback(0));
  EXPECT_TRUE(status.ok()) << status.message();
  shared_ = std::make_unique<Shared>(config, listener_->local_address().to_string(), seed, seed);
  shared_->log = log;
  for (size_t k = 0; k < config.workers; ++k) {
    workers_.push_back(std::make_unique<Worker>(*shared_, *pool_, k, this));
  }
  Worker::Past past;
  past.next_record = 1;
  for (const auto& worker : workers_) worker->start(past);
  for (size_t k = 0; k < config.workers; ++k) {
    probes_.push_back(std::make_unique<RestProbe>(pool_->loop(k)));
  }
}

TestNode::~TestNode() {
  pool_->stop();
  probes_.clear();
  listener_.reset();
  for (const auto& worker : workers_) worker->stop();
  workers_.clear();
}

void TestNode::on_accept(net::Socket socket, const net::SocketAddress&) {
  const size_t k = next_worker_++ % workers_.size();
  pool_->post(k, [worker = workers_[k].get(), s = std::move(socket)]() mutable {
    worker->adopt(std::move(s));
  });
}

bool TestNode::turn(bool* patient) {
  bool rest = true;
  for (size_t k = 0; k < size(); ++k) {
    if (!frozen_[k]) rest = probes_[k]->turn(std::exchange(*patient, false)) && rest;
  }
  return rest;
}

net::Socket TestNode::connect(size_t k) {
  net::Socket here;
  net::Socket there = make_pair(&here, 0);
  workers_[k]->adopt(std::move(here));
  return there;
}

net::Socket TestNode::connect_narrow(size_t k) {
  net::Socket here;
  net::Socket there = make_pair(&here, 4'096);
  workers_[k]->adopt(std::move(here));
  return there;
}

size_t TestNode::live_buckets() {
  size_t live = 0;
  for (const auto& worker : workers_) live += worker->server().stats().buckets;
  return live;
}

size_t TestNode::worker_of(BucketNo a) {
  for (size_t k = 0; k < size(); ++k) {
    if (workers_[k]->server().find(a) != nullptr) return k;
  }
  ADD_FAILURE() << "no worker of this node has bucket " << a;
  return 0;
}

// -------------------------------------------------------------------------------------- cluster

Cluster::~Cluster() {
  peers_.clear();
  nodes_.clear();
}

TestNode& Cluster::add_node(NodeConfig config, const Start& start) {
  config.workers = start.workers;
  config.buckets_max = start.buckets_max;
  config.idle_timeout = start.idle_timeout;
  config.clients_max = start.clients_max;
  config.memory_max = start.memory_max;
  config.result_bytes_max = start.result_bytes_max;
  nodes_.push_back(
      std::make_unique<TestNode>(clock_, config, next_seed_++, start.mail_max, start.log));
  return *nodes_.back();
}

TestNode& Cluster::start_coordinator(const core::FileOptions& file, const Start& start) {
  NodeConfig config;
  config.coordinator = true;
  config.file = file;
  TestNode& node = add_node(config, start);
  EXPECT_TRUE(until([&] { return node.joined(); }));
  return node;
}

TestNode& Cluster::start_rebuilding(const Start& start) {
  NodeConfig config;
  config.coordinator = true;
  config.rebuild = true;
  config.file = integer_file(10);
  return add_node(config, start);
}

TestNode& Cluster::start_bucket_node(const Start& start) {
  TestNode& node = start_bucket_node_at(nodes_[0]->address(), start);
  EXPECT_TRUE(within(base::seconds(1), [&] { return node.joined(); }));
  return node;
}

TestNode& Cluster::start_bucket_node_at(const std::string& coordinator, const Start& start) {
  NodeConfig config;
  config.coordinator_address = coordinator;
  return add_node(config, start);
}

void Cluster::kill(TestNode& node) {
  const auto it = std::find_if(nodes_.begin(), nodes_.end(),
                               [&](const auto& candidate) { return candidate.get() == &node; });
  ASSERT_NE(it, nodes_.end());
  nodes_.erase(it);
}

Peer& Cluster::add_peer(net::Socket socket) { return peers_.emplace_back(std::move(socket)); }

Peer& Cluster::connect_client(TestNode& node, core::ClientId client, size_t worker,
                              std::string_view listener) {
  Peer& peer = connect(node, worker);
  send_message(peer, client_hello(client, listener));
  std::unique_ptr<Received> welcome;
  EXPECT_TRUE(until([&] { return (welcome = take_message(peer)) != nullptr; }));
  EXPECT_TRUE(welcome && std::holds_alternative<core::Welcome>(welcome->message));
  return peer;
}

Peer& Cluster::connect_node(TestNode& node, NodeId as, size_t worker) {
  Peer& peer = connect(node, worker);
  send_message(peer, node_hello(as));
  settle();
  return peer;
}

bool Cluster::turn(bool patient) {
  bool rest = true;
  for (Peer& peer : peers_) rest = !peer.pump() && rest;
  // Socket pairs and mailboxes carry nothing on their own time; only nodes have real connections.
  patient = patient && nodes_.size() > 1;
  for (const auto& node : nodes_) rest = node->turn(&patient) && rest;
  return rest;
}

void Cluster::settle() {
  for (int turns = 0; turns < kTurnsMax; ++turns) {
    // What one of them has just sent to another shows in the second turn.
    if (turn() && turn(true) && turn()) return;
  }
  ADD_FAILURE() << "the cluster never comes to rest";
}

void Cluster::pass(base::Duration time) {
  const base::Duration step = std::clamp(time / 50, kStep, kLongStep);
  settle();
  for (const base::Instant end = now() + time; now() < end;) {
    clock_.advance(std::min(step, end - now()));
    settle();
  }
}

::testing::AssertionResult Cluster::until(const Condition& holds) {
  const base::SteadyClock real;
  const base::Instant patience = real.now() + kPatience;
  for (bool patient = false; !holds(); patient = turn(patient)) {
    if (real.now() > patience) return ::testing::AssertionFailure() << "it never comes to pass";
  }
  return ::testing::AssertionSuccess();
}

::testing::AssertionResult Cluster::within(base::Duration limit, const Condition& holds) {
  const base::SteadyClock real;
  const base::Instant patience = real.now() + kPatience;
  const base::Instant end = now() + limit;
  while (!holds()) {
    if (real.now() > patience) return ::testing::AssertionFailure() << "it never comes to rest";
    if (!turn() || !turn(true) || !turn()) continue;
    if (now() >= end) {
      return ::testing::AssertionFailure() << "it has not come to pass in " << limit.ms() << " ms";
    }
    clock_.advance(std::min(kStep, end - now()));
  }
  return ::testing::AssertionSuccess();
}

std::string Cluster::ask(Peer& peer, std::string_view line, size_t lines) {
  peer.send(std::string(line) + "\n");
  const auto answered = [&] { return peer.lines() >= lines || peer.ended(); };
  EXPECT_TRUE(within(base::seconds(30), answered)) << line;
  std::string answer;
  for (size_t k = 0; k < lines; ++k) answer += peer.take_line();
  return answer;
}

std::string Cluster::ask_listing(Peer& peer, std::string_view line) {
  std::string answer;
  std::string next = ask(peer, line);
  while (!next.empty()) {
    answer += next;
    if (next.starts_with("END ") || next.starts_with("ERR ")) break;
    const auto more = [&] { return peer.lines() > 0 || peer.ended(); };
    EXPECT_TRUE(within(base::seconds(30), more)) << line;
    next = peer.take_line();
  }
  return answer;
}

void Cluster::fill(Peer& peer, uint64_t records) {
  for (uint64_t k = 0; k < records; ++k) {
    ASSERT_EQ("OK\n", ask(peer, "INSERT " + std::to_string(k) + " v" + std::to_string(k)));
  }
  ASSERT_EQ("OK\n", ask(peer, "SETTLE"));
}

}  // namespace lh::node::testing
