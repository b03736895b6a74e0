// Worker: one thread of the request pool. It runs one event loop and alone owns its connections,
// its buckets (a core::Server) and its front; worker 0 also has the node's membership and, on the
// coordinator's node, the Coordinator. Nothing here takes a lock: what belongs to another worker
// goes there by mailbox, as frames.
//
// This is the imperative shell of PROTOCOL.md section 2: it hands messages to the state machines
// and runs the effects that come back. With a data directory, records go into the worker's log
// first, and what tells of them waits in connections (net/output_gate.h) and in HeldMail until the
// log thread says that they are durable; everything else goes on. Set up and torn down by the
// thread that owns the pool; in between used in the loop's thread only.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/prng.h"
#include "core/coordinator.h"
#include "core/effects.h"
#include "core/member.h"
#include "core/rebuild.h"
#include "core/server.h"
#include "core/snapshot_maker.h"
#include "net/connection.h"
#include "net/output_gate.h"
#include "net/worker_pool.h"
#include "node/coordinator_log.h"
#include "node/front.h"
#include "node/heap_trimmer.h"
#include "node/held_mail.h"
#include "node/input_queue.h"
#include "node/links.h"
#include "node/rebuild_log.h"
#include "node/route.h"
#include "node/session.h"
#include "node/session_table.h"
#include "node/shared.h"
#include "node/sync_pace.h"
#include "storage/log_feed.h"
#include "storage/snapshot_outlet.h"

namespace lh::node {

class Worker final : public LogListener,
                     private core::Server::Placement,
                     private net::MailHandler,
                     private net::LoopHook,
                     private link::LinkHandler {
 public:
  // What the node learns from its workers, in their threads.
  class Listener {
   public:
    // Every worker knows the node's number and the file: the node serves.
    virtual void on_joined() = 0;
    // The node has no number yet, and at the moment no connection to the coordinator either. Comes
    // again and again.
    virtual void on_coordinator_unreachable() = 0;
    // --rebuild: the nodes are of no file that this node could have the coordinator of.
    virtual void on_rebuild_failed(core::Rebuild::Failure kind, const std::string& why) = 0;

   protected:
    ~Listener() = default;
  };

  Worker(Shared& shared, net::WorkerPool& pool, size_t index, Listener* listener);
  ~Worker();

  // Before start(), with a data directory: a record from there. False when it makes no sense.
  bool recover(uint64_t stream, std::string_view record);
  // What the data directory says to a start.
  struct Past {
    uint64_t next_record = 0;     // where the worker's log goes on
    uint32_t boot = 0;            // which start this is, from 1 on
    NodeId node = NodeId::kNone;  // as whoever of the node's workers knows it
  };
  // Before the pool starts.
  void start(const Past& past);
  void start() { start(Past()); }
  // Of the boot that is recorded, 0 when none is.
  uint32_t boot() const { return server_.boot().number; }
  // After it stopped.
  void stop();

  // A fresh connection, from the node's listener; in this worker's thread.
  void adopt(net::Socket socket);

  // Take nothing new, answer what was taken, close.
  void drain();

  // ---- for sessions
  net::EventLoop& loop() { return loop_; }
  Shared& shared() { return shared_; }
  core::Server& server() { return server_; }
  Front& front() { return front_; }
  // A session executed a request by itself.
  void count_request() { ++requests_; }
  bool joined() const { return server_.self() != NodeId::kNone; }
  bool has_coordinator() const { return shared_.config.coordinator; }

  // Effects to pass to the server or front; run when the lease ends.
  class Lease {
   public:
    explicit Lease(Worker& worker) : worker_(worker), effects_(worker.lend()) {}
    ~Lease() {
      if (!effects_->empty()) worker_.run(effects_);
      effects_->clear();
      --worker_.depth_;
    }
    core::Effects* operator->() { return effects_; }
    core::Effects* get() { return effects_; }
    // Writes the records of these effects to the log. What tells of the state behind them is to be
    // written to connections behind this barrier.
    uint64_t barrier() { return worker_.write_journal(effects_); }

   private:
    Worker& worker_;
    core::Effects* effects_;
  };

  // A message from a peer, for whoever in this node it concerns. False when it, or what came of it
  // at once, went to a worker whose mailbox is full: the session then stops reading until resume().
  bool accept(const core::Message& message);
  SessionTable& sessions() { return sessions_; }
  // Calls Session::resume() when a mailbox has room again.
  void wait_for_room(LinkToken token) { waiting_for_room_.push_back(token); }

  net::OutputGate& gate() { return gate_; }
  InputQueue& inputs() { return inputs_; }
  uint64_t chance() { return chance_.next(); }
  // The data directory still needs files of another number of workers, until all have snapshots.
  void want_snapshot() { snapshots_.want(); }
  // Whether more mutations may be executed: the log is not too far behind.
  bool log_has_room() const { return feed_.unwritten_bytes() < log_bytes_max_; }

  net::ConnectionGroup& new_group() { return new_group_; }
  net::ConnectionGroup& text_group() { return text_group_; }
  net::ConnectionGroup& resp_group() { return resp_group_; }
  net::ConnectionGroup& binary_group() { return binary_group_; }

 private:
  friend class Lease;
  // net
  void on_mail(size_t from, std::string_view frames) override;
  void on_mail_room(size_t to) override;
  // log thread
  void on_logged(uint64_t written, uint64_t durable, storage::LogBatch emptied) override;
  void on_synced(uint64_t durable) override;
  void on_snapshot_written(bool ok, storage::LogBatch emptied) override;
  void on_snapshot_installed(bool ok) override;

  void take_in() override;
  void before_sleep() override;
  bool has_work() const override;
  // links
  bool on_link_message(link::PeerLink& link, core::Message& message) override;
  void on_link_up(link::PeerLink& link) override;
  void on_link_down(link::PeerLink& link) override;
  void on_undeliverable(link::PeerLink& link, const core::Message& message) override;

  void end_waits();
  void handle(const core::Message& message, Party party);
  void on_registered(const core::Registered& m);
  void start_file(bool returns);
  void step_rebuild(const core::Message& message);
  void tick_rebuild(base::Instant now);
  void take_file_over();
  bool rebuilds() const { return shared_.config.coordinator && shared_.config.rebuild; }
  static uint32_t boot_of(const core::BookPart& book);
  void configure(NodeId id, const core::FileOptions& options, const core::BookPart& book);
  bool claim(BucketNo a) override;
  void on_recovered(BucketNo a) override;
  void serve();
  void look_for_coordinator();
  void deliver_to_link(const core::Message& message);

  core::Effects* lend() {
    return depth_ < effects_.size() ? effects_[depth_++].get() : add_effects();
  }
  core::Effects* add_effects();
  uint64_t write_journal(core::Effects* effects);
  // What users are told waits for the disk when they were promised so, else for the system.
  bool answers_are_durable() const { return shared_.config.fsync == Fsync::kAlways; }
  core::LogProgress progress() const { return {feed_.written(), feed_.durable()}; }
  void take_progress();
  bool may_hand_over();
  void run(core::Effects* effects);
  void route(const core::Outgoing& outgoing, const core::Wait& wait);
  bool is_for_own_connection(const core::Outgoing& outgoing) const;
  void dispatch(const core::Outgoing& outgoing);
  void route_reply(const core::Message& message);
  void send_to_node(NodeId node, const core::Message& message);
  void give_back(NodeId node, const core::Message& message);
  void mail(size_t worker, const core::Message& message);
  void mail_all(const core::Message& message);
  bool is_own_front(const core::ReplyPath& path) const;

  void tick();
  void count_memory();
  void report_stats();
  void beat();

  Shared& shared_;
  net::WorkerPool& pool_;
  net::EventLoop& loop_;
  net::Mailbox& mailbox_;
  const size_t index_;
  Listener* listener_;

  // The worker's log, when there is one.
  storage::LogQueue* log_;
  storage::LogFeed feed_;
  const size_t log_bytes_max_;  // as much as may be neither written nor refused on a full disk
  SyncPace pace_;
  bool pause_ends_ = false;  // a timer ends the pause that the pace makes
  core::SnapshotMaker<storage::SnapshotOutlet> snapshots_;
  net::OutputGate gate_;  // of answers
  InputQueue inputs_;     // of RESP and of frames
  HeldMail held_;

  core::Server server_;
  Front front_;
  std::unique_ptr<core::Coordinator> coordinator_;
  CoordinatorLog coordinator_log_;
  // Until it is done everything for the coordinator is for it.
  std::unique_ptr<core::Rebuild> rebuild_;
  RebuildLog rebuild_log_;
  uint64_t rebuilt_at_ = 0;  // where the last record of its result is in the log
  std::unique_ptr<core::Member> member_;
  Links links_;

  net::ConnectionGroup new_group_;
  net::ConnectionGroup text_group_;
  net::ConnectionGroup resp_group_;
  net::ConnectionGroup binary_group_;
  SessionTable sessions_;
  base::Prng chance_;
  std::vector<LinkToken> waiting_for_room_;
  bool draining_ = false;

  std::vector<std::unique_ptr<core::Effects>> effects_;  // one a nesting depth
  size_t depth_ = 0;
  bool turn_wanted_ = false;
  uint64_t remembered_ = 0;       // bytes of answers, as of the latest tick
  uint64_t counted_ = 0;          // this worker's part of Shared::memory
  HeapTrimmer trimmer_;           // worker 0's, for all
  size_t requests_ = 0;           // handed to the server since the last slice of long work
  std::set<NodeId> unreachable_;  // for the front, which must not be called from within its calls
  bool coordinator_unreachable_ = false;
  bool crowded_ = false;   // mail went to a full mailbox
  wire::FrameBatch mail_;  // that is being handled
};

}  // namespace lh::node
