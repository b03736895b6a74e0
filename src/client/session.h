// Session: the shell around a core::ClientCore that makes a process a native LH* client: one link
// to the coordinator (or to any node, which then stands for it), one to each node that is asked,
// and a listener for answers that come straight from nodes that were not.
//
//   open()    connects, says Hello, learns the file's options and where bucket 0 is from Welcome
//   submit()  keyed requests, many at a time; call() questions about the file as a whole
//   turn()    moves messages; whatever is finished goes to the sink
//
// The loop runs in the calling thread, inside turn() only (or when the owner of a shared loop turns
// it): between two calls nothing happens, and nothing is lost. Used by one thread at a time. Errors
// of the world after open() are answers (Code::kDown, kNoCoordinator), never statuses.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/prng.h"
#include "core/client_core.h"
#include "core/effects.h"
#include "core/message.h"
#include "lh/status.h"
#include "link/frame_stream.h"
#include "link/peer_link.h"
#include "net/connection.h"
#include "net/event_loop.h"
#include "net/listener.h"

namespace lh::client {

struct SessionOptions {
  std::string coordinator;                        // HOST:PORT
  base::Duration welcome_max = base::seconds(5);  // until the Welcome is there
  // Shared with other sessions, and outlives them: then a turn of one is a turn of all. nullptr: a
  // loop of its own.
  net::EventLoop* loop = nullptr;
};

// CLOCK_MONOTONIC, by which sessions and their loops go.
const base::Clock& session_clock();

class Session final : private core::ClientSink,
                      private link::LinkHandler,
                      private link::FrameHandler,
                      private net::AcceptHandler,
                      private net::LoopHook {
 public:
  // kUnavailable with a sentence when nobody answers at the address, kInvalid when it is none.
  static Result<std::unique_ptr<Session>> open(const SessionOptions& options);
  ~Session() override;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Who gets what is finished: called within submit(), call() and turn(), and must not call back
  // into the session from there. What is finished while there is no sink (nullptr) is dropped.
  void set_sink(core::ClientSink* sink) { sink_ = sink; }

  // Whether one more request may be submitted now. Besides the core's own bounds few bytes are
  // under way: what waits in front of a ping must not take as long as a peer may be silent.
  bool has_room() const { return core_.has_room() && bytes_ < kBytesMax; }
  size_t in_flight() const { return core_.in_flight(); }
  // Bounds: has_room(), key and value within core/limits.h.
  void submit(core::Op op, std::string_view key, std::string_view value, uint64_t tag) {
    submit({op, 0, key, value}, tag);
  }
  // Its hash is not needed.
  void submit(const core::Operation& asked, uint64_t tag);
  void call(const core::FileRequest& request, uint64_t tag);

  // Waits at most `wait` for something to happen, and handles it.
  void turn(base::Duration wait) { loop_.run_once(wait); }
  // Turns until fd has something to read, or its end. At once for a regular file.
  void wait_readable(int fd);
  // Asks the coordinator where the nodes are, and waits for the answer. False when it cannot be
  // reached: the book is then as it was.
  bool fetch_book();

  const core::ClientCore& core() const { return core_; }
  base::HashMode hash() const { return core_.options().hash; }
  // Host and port as they were given.
  const std::string& coordinator() const { return coordinator_name_; }

 private:
  static constexpr size_t kBytesMax = size_t{2} << 20;

  // A request under way; its place in slots_ is the core's tag.
  struct Slot {
    uint64_t tag = 0;  // the caller's
    size_t bytes = 0;
  };
  struct Peer {
    std::unique_ptr<link::PeerLink> link;
    std::string address;  // as the book has it
  };
  // A node that came to the listener.
  struct Inbound {
    std::unique_ptr<link::FrameStream> stream;
    bool greeted = false;
  };

  Session(std::unique_ptr<net::EventLoop> own_loop, const SessionOptions& options, uint64_t seed);

  Status start();
  Status await_welcome(base::Duration patience);
  void listen_near(const net::SocketAddress& coordinator);
  std::unique_ptr<link::PeerLink> make_link(uint64_t name);

  void run_effects();
  void send(const core::Destination& to, const core::Message& message);
  link::PeerLink* link_to(NodeId node);
  void ask_for_book();
  void step(const core::Message& message);
  void on_welcome(const core::Welcome& welcome, bool of_coordinator);

  // Troubles are gathered where they are met, in the middle of running effects say, and told to the
  // core afterwards.
  void lose_node(NodeId node);
  bool has_troubles() const { return coordinator_lost_ || !lost_nodes_.empty(); }
  void tell_troubles();
  void before_sleep() override { tell_troubles(); }
  bool has_work() const override { return has_troubles(); }

  bool is_coordinator(const link::PeerLink& link) const { return &link == coordinator_.get(); }
  NodeId node_of(const link::PeerLink& link) const;
  void tick();

  void on_done(const core::Completion& done) override;
  void on_scan_piece(uint64_t tag, const core::ScanReply& piece) override;
  void on_call_done(uint64_t tag, const core::FileResult& result) override;

  bool on_link_message(link::PeerLink& link, core::Message& message) override;
  void on_link_up(link::PeerLink& link) override;
  void on_link_down(link::PeerLink& link) override;
  void on_undeliverable(link::PeerLink& link, const core::Message& message) override;

  bool on_message(link::FrameStream& stream, core::Message& message) override;
  void on_closed(link::FrameStream& stream, net::CloseReason reason) override;
  void on_accept(net::Socket socket, const net::SocketAddress& peer) override;

  const std::string coordinator_name_;
  const std::unique_ptr<net::EventLoop> own_loop_;
  net::EventLoop& loop_;
  net::TimerId ticking_ = net::TimerId::kNone;
  base::Prng random_;
  core::ClientCore core_;
  core::ClientSink* sink_ = nullptr;
  core::Effects effects_;
  std::vector<Slot> slots_;
  std::vector<size_t> free_slots_;
  size_t bytes_ = 0;  // of the requests under way

  link::PeerLink::Self self_;
  net::ConnectionGroup group_;
  std::unique_ptr<link::PeerLink> coordinator_;
  NodeId entry_ = NodeId::kNone;  // the node at the other end of it, while it is up
  std::map<NodeId, Peer> peers_;  // all other nodes
  net::Listener listener_;
  std::list<Inbound> inbound_;

  // How the coordinator's link fares. A connection over which something was heard and that is lost
  // is made anew before anybody is told; one over which nothing was heard is a failure.
  bool connected_ = false;
  bool heard_ = false;
  bool reconnect_ = false;
  bool failing_ = false;
  uint64_t failures_ = 0;
  std::string refusal_;  // why it sent us away

  uint64_t books_ = 0;  // answers to BookQuery
  base::Instant book_asked_at_;

  std::vector<NodeId> lost_nodes_;
  bool coordinator_lost_ = false;
};

}  // namespace lh::client
