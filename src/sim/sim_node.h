// SimNode: the simulated shell of a node: what PROTOCOL.md section 2 asks of one, and nothing else.
// The servers, fronts, coordinator and membership in it are the product's own, byte for byte; every
// message between two of them is encoded and decoded, also within the node.
//
// A node has one or two workers, each with a server and a front. Between them messages go through
// mailboxes, first in, first out, each with delays of its own. Each worker dials its own
// connections. Time stands still for a node that is frozen or down; its memory stays.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/client_core.h"
#include "core/coordinator.h"
#include "core/effects.h"
#include "core/member.h"
#include "core/server.h"
#include "sim/client_port.h"
#include "sim/file_checker.h"
#include "sim/sim_network.h"
#include "sim/watch.h"
#include "sim/world.h"

namespace lh::sim {

class SimNode final : public Process {
 public:
  struct Shared {
    World* world;
    SimNetwork* network;
    FileChecker* checker;
    Watch* watch;
    ProcessId coordinator;  // the process of node 1, and of the coordinator
  };
  // Adds itself to the network. The first node of all is the coordinator's, and has bucket 0.
  explicit SimNode(const Shared& shared);
  ~SimNode() override;

  void start();

  ProcessId process() const { return process_; }
  NodeId id() const { return workers_[0]->server.self(); }
  const core::Coordinator* coordinator() const { return coordinator_.get(); }
  core::Server& server(size_t worker) { return workers_[worker]->server; }
  size_t worker_count() const { return workers_.size(); }
  // For text clients of this node.
  ClientPort* front(size_t worker) { return workers_[worker].get(); }

  const std::string& name() const override { return name_; }
  bool on_accepted(LinkId link, ProcessId from) override;
  void on_connected(LinkId link) override;
  void on_frame(LinkId link, std::string_view frame) override;
  void on_closed(LinkId link, const Closed& closed) override;

 private:
  // A worker, and the port of its front.
  struct Worker final : public ClientPort {
    Worker(SimNode* node, size_t number);
    void set_sink(core::ClientSink* to) override { sink.set(to); }
    bool is_ready() const override;
    void submit(core::Op op, std::string_view key, std::string_view value, uint64_t tag) override;
    void call(const core::FileRequest& request, uint64_t tag) override;
    const core::ClientCore& core() const override { return front; }
    bool execute(core::Op op, std::string_view key, std::string_view value, uint64_t tag);

    SimNode* owner;
    size_t index;
    core::Server server;
    LateSink sink;
    core::ClientCore front;
    core::Effects effects;
    bool turn_pending = false;
    std::map<ProcessId, LinkId> dialed;
    std::vector<base::Instant> mail_at;  // by worker: nothing posted later arrives earlier
  };
  struct LinkInfo {
    ProcessId peer = 0;
    size_t worker = 0;
    bool dialed = false;
    core::ClientId client = 0;  // of a client that connected, once it has said Hello
    std::string listener;
  };

  // What comes in.
  void on_hello(LinkId link, LinkInfo* info, const core::Hello& hello);
  void on_registered(const core::Registered& m);
  void configure(NodeId id, const core::FileOptions& options, const core::BookPart& book);
  void accept(size_t worker, const core::Message& message);
  size_t owner_of(const core::Message& message, size_t here);
  void handle(size_t worker, const core::Message& message);
  void step_server(Worker* w, const core::Message& message);
  void step_front(Worker* w, const core::Message& message);
  void deliver_along_path(size_t worker, const core::Message& message);

  // What goes out.
  void run(Worker* w, bool of_server);
  void route(Worker* w, const core::Outgoing& outgoing);
  void route_reply(Worker* w, const core::Message& message, bool straight);
  void send_to_node(Worker* w, NodeId node, const core::Message& message);
  void send_to_process(Worker* w, ProcessId to, const core::Message& message);
  void mail(size_t from, size_t to, const core::Message& message);
  void read_mail(size_t from, size_t to, const std::string& frame);
  LinkId link_to(Worker* w, ProcessId to);
  void give_back(Worker* w, ProcessId peer, std::string_view frame);
  void tell_front(Worker* w, ProcessId unreachable);
  ProcessId process_of(const Worker& w, NodeId node) const;

  void schedule_tick(size_t worker);
  void tick(size_t worker);
  void turn(size_t worker);
  base::Instant now() const { return shared_.world->now(); }
  bool is_own(const core::ReplyPath& path) const { return path.entry == id(); }

  Shared shared_;
  ProcessId process_;
  std::string name_;
  uint64_t incarnation_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::unique_ptr<core::Coordinator> coordinator_;
  std::unique_ptr<core::Member> member_;
  core::Effects office_effects_;  // of the coordinator and the member
  std::map<LinkId, LinkInfo> links_;
  std::map<BucketNo, size_t> owners_;  // worker of each bucket that this node was ever given
  bool started_ = false;
};

}  // namespace lh::sim
