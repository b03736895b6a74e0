// FakeFile: a whole LH* file for tests of the client: the real coordinator and servers of src/core,
// with the least that is needed around them. All nodes live in one loop in a thread of their own;
// between them messages are encoded and decoded but take no socket, towards clients they take real
// ones on loopback. A node can be killed, or made to fall silent.
//
// All methods may be called from the test's thread; they return when what they ask for is done.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "core/coordinator.h"
#include "core/effects.h"
#include "core/server.h"
#include "link/frame_stream.h"
#include "link/peer_link.h"
#include "net/event_loop.h"
#include "net/listener.h"

namespace lh::client::testing {

struct FakeSetup {
  size_t nodes = 3;  // the coordinator's own is number 0
  core::FileOptions options = {4, base::HashMode::kMixed, core::SplitPolicy::kUncontrolled};
  // Whether answers of other nodes than the one asked go straight to the client's listener.
  bool straight = true;
};

class FakeFile {
 public:
  explicit FakeFile(const FakeSetup& setup = {});
  ~FakeFile();
  FakeFile(const FakeFile&) = delete;
  FakeFile& operator=(const FakeFile&) = delete;

  // HOST:PORT. The address stays the node's when it is gone.
  std::string address(size_t node = 0) const { return addresses_[node]; }

  // The node's port and connections are closed, for good.
  void kill(size_t node);
  // The node accepts connections and says nothing any more, like a process that was stopped.
  void silence(size_t node);
  // The connections that clients made to the node are closed; it goes on.
  void drop_clients(size_t node);
  // The node moves to another port, and the coordinator learns it. Connections are closed.
  void move(size_t node);

  // Whose answers came through a listener so far, and how many splits were made.
  uint64_t answers_to_listeners();
  uint64_t splits();

 private:
  class Node;
  struct Parcel {
    enum class Kind : uint8_t { kServer, kCoordinator, kClient };
    Kind kind = Kind::kServer;
    size_t from = 0;
    size_t to = 0;
    std::string frame;
  };

  // Runs in the loop's thread; returns when it has run.
  void run(const std::function<void()>& call);
  void found(const FakeSetup& setup);
  void join(size_t node);
  void tick();

  void run_effects(size_t from, const core::Effects& effects);
  void answer(size_t from, const core::Message& message);
  void post(Parcel::Kind kind, size_t from, size_t to, const core::Message& message);
  void pump();
  void deliver(const Parcel& parcel);
  void step_server(size_t node, const core::Message& message);
  void step_coordinator(const core::Message& message);
  size_t index(NodeId id) const { return static_cast<size_t>(id) - 1; }

  base::SteadyClock clock_;
  std::unique_ptr<net::EventLoop> loop_;
  net::ConnectionGroup group_;
  bool straight_ = true;
  uint64_t answers_to_listeners_ = 0;
  std::vector<std::string> addresses_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::optional<core::Coordinator> coordinator_;
  std::deque<Parcel> parcels_;
  bool pumping_ = false;
  std::thread thread_;
};

}  // namespace lh::client::testing
