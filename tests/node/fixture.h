// What the tests of the node share: whole nodes inside the test's process, their workers stepped by
// hand, on a clock that moves when the test says so. Nodes reach each other over real sockets on
// loopback; a test talks to a worker of its choice through a socket pair, as a peer would.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "core/message.h"
#include "net/event_loop.h"
#include "net/listener.h"
#include "net/socket.h"
#include "net/worker_pool.h"
#include "node/node_config.h"
#include "node/shared.h"
#include "node/worker.h"
#include "tests/link/fixture.h"

namespace lh::node::testing {

using link::testing::client_hello;
using link::testing::node_hello;
using link::testing::Peer;
using link::testing::QuietLog;
using link::testing::Received;
using link::testing::request;
using link::testing::RestProbe;
using link::testing::send_message;
using link::testing::take_message;
using link::testing::take_message_of;

// A file whose keys are integers and c = key, with room for `capacity` records in a bucket.
core::FileOptions integer_file(uint64_t capacity);

// A node without signals and threads.
class TestNode final : public net::AcceptHandler, public Worker::Listener {
 public:
  static constexpr size_t kMailMax = size_t{8} << 20;

  // config.listen is ignored: it listens on a free port.
  // log: outlives it; none: memory only.
  TestNode(const base::Clock& clock, NodeConfig config, uint64_t seed, size_t mail_max = kMailMax,
           storage::LogQueue* log = nullptr);
  ~TestNode();

  const std::string& address() const { return shared_->address; }
  NodeId id() { return workers_[0]->server().self(); }
  const core::FileOptions& file() { return workers_[0]->server().options(); }
  Shared& shared() { return *shared_; }
  size_t size() const { return workers_.size(); }
  Worker& worker(size_t k) { return *workers_[k]; }
  net::EventLoop& loop(size_t k) { return pool_->loop(k); }
  net::WorkerPool& pool() { return *pool_; }
  bool joined() const { return joined_; }
  int unreachable_calls() const { return unreachable_calls_; }
  const std::string& rebuild_failure() const { return rebuild_failure_; }

  // One turn of every worker that is not frozen. True when all of them are at rest.
  // When *patient the first of them sleeps for a moment, and *patient is reset.
  bool turn(bool* patient);
  // A frozen worker, or all of them, does nothing, but its sockets stay.
  void freeze(size_t k) { frozen_[k] = true; }
  void freeze() { frozen_.assign(size(), true); }
  void thaw() { frozen_.assign(size(), false); }
  void stop_listening() { listener_->close(); }

  // A connection to worker k, the far end of which is returned.
  net::Socket connect(size_t k);
  // The same, with small buffers in the kernel.
  net::Socket connect_narrow(size_t k);

  // How many buckets that are live its workers have, and in which worker bucket a is.
  size_t live_buckets();
  size_t worker_of(BucketNo a);

 private:
  void on_accept(net::Socket socket, const net::SocketAddress& peer) override;
  void on_joined() override { joined_ = true; }
  void on_coordinator_unreachable() override { ++unreachable_calls_; }
  void on_rebuild_failed(core::Rebuild::Failure, const std::string& why) override {
    rebuild_failure_ = why;
  }

  std::unique_ptr<net::WorkerPool> pool_;
  std::unique_ptr<Shared> shared_;
  std::unique_ptr<net::Listener> listener_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::unique_ptr<RestProbe>> probes_;
  std::vector<bool> frozen_;
  size_t next_worker_ = 0;
  bool joined_ = false;
  int unreachable_calls_ = 0;
  std::string rebuild_failure_;
};

// Nodes, peers, and the time that passes for all of them.
class Cluster : public ::testing::Test {
 protected:
  ~Cluster() override;

  struct Start {
    size_t workers = 1;
    uint64_t buckets_max = 0;
    base::Duration idle_timeout{};
    size_t mail_max = TestNode::kMailMax;
    size_t result_bytes_max = kResultBytesMax;
    uint64_t clients_max = 10'000;
    uint64_t memory_max = 0;
    storage::LogQueue* log = nullptr;
  };
  TestNode& start_coordinator(const core::FileOptions& file) {
    return start_coordinator(file, Start());
  }
  TestNode& start_coordinator(const core::FileOptions& file, const Start& start);
  // It has to hear from nodes of a file like integer_file(10) first.
  TestNode& start_rebuilding(const Start& start);
  // Returns when it has joined.
  TestNode& start_bucket_node() { return start_bucket_node(Start()); }
  TestNode& start_bucket_node(const Start& start);
  // Whose coordinator is at this address; it need not join.
  TestNode& start_bucket_node_at(const std::string& coordinator, const Start& start);
  // The process is gone: its sockets are closed, nothing was said.
  void kill(TestNode& node);
  TestNode& node(size_t k) { return *nodes_[k]; }

  Peer& connect(TestNode& node, size_t worker = 0) { return add_peer(node.connect(worker)); }
  Peer& connect_narrow(TestNode& node, size_t worker = 0) {
    return add_peer(node.connect_narrow(worker));
  }
  // A connection that has said its Hello, and had its Welcome.
  Peer& connect_client(TestNode& node, core::ClientId client, size_t worker = 0,
                       std::string_view listener = {});
  Peer& connect_node(TestNode& node, NodeId as, size_t worker = 0);
  Peer& add_peer(net::Socket socket);

  // One turn of every node and peer. True when all are at rest; then `patient` waits a moment for
  // what the kernel may still be carrying.
  bool turn(bool patient = false);
  // Turns, on a standing clock, until all are at rest. Fails when they never are.
  void settle();
  void pass(base::Duration time);
  // Turns until the condition holds: on a standing clock; or while time passes, but no more than
  // `limit`.
  using Condition = std::function<bool()>;
  [[nodiscard]] ::testing::AssertionResult until(const Condition& holds);
  [[nodiscard]] ::testing::AssertionResult within(base::Duration limit, const Condition& holds);

  // Sends the line and returns the answer's first `lines` lines. Time passes if it has to.
  std::string ask(Peer& peer, std::string_view line, size_t lines = 1);
  // The answer up to the line that starts with END or ERR.
  std::string ask_listing(Peer& peer, std::string_view line);

  // Inserts keys 0 .. records - 1 through `peer` and waits until all splits are done.
  void fill(Peer& peer, uint64_t records);

  base::Instant now() const { return clock_.now(); }
  base::ManualClock& clock() { return clock_; }

 private:
  TestNode& add_node(NodeConfig config, const Start& start);

  QuietLog quiet_;
  base::ManualClock clock_{base::Instant::from_ns(1'000'000'000)};
  uint64_t next_seed_ = 1;
  std::vector<std::unique_ptr<TestNode>> nodes_;
  std::deque<Peer> peers_;
};

}  // namespace lh::node::testing
