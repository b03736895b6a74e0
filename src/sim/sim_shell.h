// SimShell: the simulated process of a node: what PROTOCOL.md section 2 asks of a shell, and
// nothing else. The servers, fronts, coordinator and membership in it are the product's own, byte
// for byte; every message between two of them is encoded and decoded, also within the node.
//
// A node has a few workers, each with a server and a front. Between them messages go through
// mailboxes, first in, first out, each with delays of its own. Each worker dials its own
// connections. Time stands still for a process that is frozen. With a disk every worker has a log,
// and what it says waits for that as in the product; a shell is then one life of its node, made
// from what is on the disk.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/client_core.h"
#include "core/coordinator.h"
#include "core/effects.h"
#include "core/member.h"
#include "core/rebuild.h"
#include "core/record_home.h"
#include "core/server.h"
#include "sim/client_port.h"
#include "sim/file_checker.h"
#include "sim/sim_disk.h"
#include "sim/sim_log.h"
#include "sim/sim_network.h"
#include "sim/watch.h"
#include "sim/world.h"

namespace lh::sim {

// What all nodes of a cluster share.
struct SimParts {
  World* world;
  SimNetwork* network;
  FileChecker* checker;
  Watch* watch;
  ProcessId coordinator;  // the process of node 1, and of the coordinator
};

class SimShell {
 public:
  struct Config {
    ProcessId process = 0;
    std::string name;
    uint64_t incarnation = 0;
    SimDisk* disk = nullptr;               // none: memory only
    std::vector<core::ClientSink*> sinks;  // by worker, one at least: of its text clients
    size_t workers = 1;
    bool rebuilds = false;  // the coordinator's: its file, when its disk has none
    Action on_rebuilt;
    Action on_refused;  // its number is one that nobody in a rebuilt file had heard of
  };
  SimShell(const SimParts& shared, Config config);
  ~SimShell();

  // With a disk, before start(): takes in what the directory has, and makes it ready.
  Status recover();
  Status open_logs(const Action& on_failed);
  void start();

  NodeId id() const { return workers_[0]->server.self(); }
  const core::Coordinator* coordinator() const { return coordinator_.get(); }
  core::Server& server(size_t worker) { return workers_[worker]->server; }
  size_t worker_count() const { return workers_.size(); }

  // ---- text clients of a worker's front
  const core::ClientCore& front(size_t worker) const { return workers_[worker]->front; }
  bool is_ready(size_t worker) const;
  void submit(size_t worker, const core::Operation& asked, uint64_t tag);
  void call(size_t worker, const core::FileRequest& request, uint64_t tag);

  // ---- the network
  bool on_accepted(LinkId link, ProcessId from);
  void on_connected(LinkId link);
  void on_frame(LinkId link, std::string_view frame);
  void on_closed(LinkId link, const Process::Closed& closed);

 private:
  struct Worker final : public core::Server::Placement {
    Worker(SimShell* shell, size_t number);
    bool claim(BucketNo a) override { return owner->home_of(a) == index; }
    void on_recovered(BucketNo a) override { owner->owners_[a] = index; }

    SimShell* owner;
    size_t index;
    core::ClientSink* sink;
    core::Server server;
    core::ClientCore front;
    core::Effects effects;
    bool turn_pending = false;
    std::map<ProcessId, LinkId> dialed;
    std::vector<base::Instant> mail_at;  // by worker: nothing posted later arrives earlier
    std::unique_ptr<SimLog> log;         // with a disk
  };
  struct LinkInfo {
    ProcessId peer = 0;
    size_t worker = 0;
    bool dialed = false;
    core::ClientId client = 0;  // of a client that connected, once it has said Hello
    std::string listener;
  };

  // The worker that has bucket a of this node, or is to have it when it is new.
  size_t home_of(BucketNo a) { return owners_.try_emplace(a, a % workers_.size()).first->second; }
  void start_coordinator(bool returns);
  bool has_buckets() const;
  void tick_rebuild();
  void take_file_over();
  // What comes in.
  void on_hello(LinkId link, LinkInfo* info, const core::Hello& hello);
  void on_registered(const core::Registered& m);
  void configure(NodeId id, const core::FileOptions& options, const core::BookPart& book);
  void serve(Worker* w);
  void accept(size_t worker, const core::Message& message);
  size_t owner_of(const core::Message& message, size_t here);
  void handle(size_t worker, const core::Message& message);
  void step_server(Worker* w, const core::Message& message);
  void step_front(Worker* w, const core::Message& message);
  void deliver_along_path(size_t worker, const core::Message& message);

  // What goes out.
  void run(Worker* w, bool of_server);
  void run_effects(Worker* w, core::Effects* effects);
  void leave(Worker* w, const core::Outgoing& outgoing, uint64_t place);
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

  bool recover_record(const core::RecordSource& source, uint64_t stream, std::string_view record);
  bool execute(Worker* w, core::Operation asked, uint64_t tag);

  // In this life, when the process runs.
  void later(base::Duration delay, Action action);
  void schedule_tick(size_t worker);
  void tick(size_t worker);
  void turn(size_t worker);
  base::Instant now() const { return shared_.world->now(); }
  bool is_own(const core::ReplyPath& path) const { return path.entry == id(); }

  SimParts shared_;
  Config config_;
  const ProcessId process_;
  SimDisk* const disk_;
  const std::shared_ptr<int> life_ = std::make_shared<int>(0);
  std::vector<std::unique_ptr<Worker>> workers_;
  std::unique_ptr<core::Coordinator> coordinator_;
  std::unique_ptr<core::Rebuild> rebuild_;  // until it is done, in the place of the coordinator
  std::unique_ptr<core::Member> member_;
  core::Effects office_effects_;  // of the coordinator and the member
  std::map<LinkId, LinkInfo> links_;
  std::map<BucketNo, size_t> owners_;  // worker of each bucket that this node was ever given
  bool started_ = false;
};

}  // namespace lh::sim
