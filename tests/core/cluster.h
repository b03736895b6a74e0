// Cluster: an LH* file in one process, for scenario and paper tests: nodes (a Server and a Member
// each), the split coordinator, clients, and between any two of them a FIFO link under the control
// of the test. It plays the shell's part as PROTOCOL.md section 2 has it, and nothing moves by
// itself: messages are delivered, turns taken and time passed when the test says so.
//
// Node 1 is the coordinator's; its Server and the coordinator are parties of their own. Equal calls
// give equal transcripts.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "core/client_core.h"
#include "core/coordinator.h"
#include "core/member.h"
#include "core/server.h"
#include "tests/core/parcel.h"

namespace lh::core::testing {

// "n2", "sc" (the split coordinator), "c1" (or what a client is called).
using Party = std::string;
Party party_of(NodeId node);

// A message on its way.
struct Envelope {
  Party from;
  Party to;
  Parcel parcel;
  unsigned depth = 1;  // messages in the chain of cause and effect that ends with this one
  base::Instant sent_at;
  const Message& message() const { return parcel.message(); }
};

class Cluster {
 public:
  // buckets_max: of node 1; 0 is no limit.
  explicit Cluster(const FileOptions& options, uint64_t buckets_max = 0);

  // A new process that has the link to the coordinator; it registers with the next messages.
  Party add_node(uint64_t buckets_max = 0, const std::string& address = {});
  Party add_client(const Party& name);

  // ---- what happened, told as it happens.
  enum class Fate { kDelivered, kRefused, kLost };
  using Watcher = std::function<void(const Envelope&, Fate)>;
  void watch(Watcher watcher) { watcher_ = std::move(watcher); }
  // `c1: Put 12 Ok ...`: what clients finished since the last call.
  std::vector<std::string> take_news() { return std::exchange(news_, {}); }

  // ---- the users' side.
  void submit(const Party& client, Op op, const std::string& key, const std::string& value = {});
  void call(const Party& client, const FileRequest& request);
  // As if a local user of the right node had done it: no client, no forward, nothing remembered.
  void execute(Op op, const std::string& key, const std::string& value = {});
  // Inserts and deletes records until the file has that many buckets, by splits like any other.
  void grow_to(uint64_t buckets);

  // ---- links, turns, time.
  const std::deque<Envelope>& in_flight() const { return in_flight_; }
  // Delivers the oldest message between the two (empty: anybody); false when there is none.
  bool deliver_one(const Party& from = {}, const Party& to = {});
  // Loses the newest `count` messages of a link.
  void lose(const Party& from, const Party& to, size_t count);
  // What is sent from here to there waits until it is released, behind what waits already.
  void hold(const Party& from, const Party& to) { held_links_.insert({from, to}); }
  void release(const Party& from, const Party& to) { held_links_.erase({from, to}); }
  bool turn(const Party& node);
  // Delivers and takes turns until nothing moves. A paused party's messages wait.
  void run();
  // Time passes: everybody ticks every 50 ms. Nothing is delivered but what comes back.
  void pass(base::Duration time);
  // Time passes, and all that is sent is delivered.
  void run_for(base::Duration time);

  // ---- trouble. Stopped: what is sent there is refused; the process keeps its memory and may come
  // back, at another port. Restarted: a new process, which is another node, has its address.
  // Paused: it does nothing, and what is sent there waits, for 700 ms at most.
  void stop(const Party& party);
  void bring_back(const Party& party, const std::string& address = {});
  Party restart(const Party& node);
  void pause(const Party& party) { paused_.insert(party); }
  void resume(const Party& party) { paused_.erase(party); }

  // ---- a look inside.
  Coordinator& coordinator() { return *coordinator_; }
  Server& server(const Party& node) { return nodes_.at(node)->server; }
  ClientCore& client(const Party& name) { return clients_.at(name)->core; }
  std::vector<Party> nodes() const;
  base::Instant now() const { return now_; }
  // The invariant of PROTOCOL.md section 4; the first violation, empty when all is well.
  std::string violation() const;

 private:
  struct Node {
    Party name;
    uint64_t incarnation = 0;
    std::string address;
    std::optional<Member> member;
    Server server;
    bool turn_wanted = false;
  };
  struct Client final : ClientSink {
    Client(Cluster* the_cluster, const Party& the_name, ClientId id)
        : cluster(the_cluster), name(the_name), core(id, this) {}
    void on_done(const Completion& done) override;
    void on_scan_piece(uint64_t tag, const ScanReply& piece) override;
    void on_call_done(uint64_t tag, const FileResult& result) override;
    void say(const std::string& text) { cluster->news_.push_back(name + ": " + text); }

    Cluster* cluster;
    Party name;
    ClientCore core;
    FileState image;  // before the step
  };

  bool is_up(const Party& party) const { return !stopped_.contains(party); }
  bool is_paused(const Party& party) const { return paused_.contains(party); }
  // Runs a step of `party` and puts what it sends on the links.
  template <typename Step>
  void step(const Party& party, unsigned depth, Step step);
  Party receiver_of(const Party& from, const Outgoing& outgoing) const;
  void deliver(const Envelope& envelope);
  void receive(Node* node, const Message& message, Effects* effects);
  void come_back(const Envelope& envelope, Fate fate);
  void return_overdue();
  void tick();
  void connect(Node* node);
  bool quiet_step();

  base::Instant now_ = base::Instant::from_ns(1'000'000'000);
  std::optional<Coordinator> coordinator_;
  std::map<Party, std::unique_ptr<Node>> nodes_;
  std::map<Party, std::unique_ptr<Client>> clients_;
  std::map<ClientId, Party> client_names_;
  std::vector<Party> node_names_;  // in order of making
  std::deque<Envelope> in_flight_;
  std::set<Party> stopped_;
  std::set<Party> paused_;
  std::set<std::pair<Party, Party>> held_links_;
  std::vector<std::string> news_;
  Watcher watcher_;
  uint64_t incarnations_ = 0;
};

}  // namespace lh::core::testing
