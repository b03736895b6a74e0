// PeerLink: the way to one peer (a node, the coordinator, a client's listener): it connects when
// there is something to send, says Hello, keeps messages in order, and finds out that the peer is
// gone, also when the peer's machine stopped without a word.
//
//   idle --(send)--> connecting --> up --(closed, or silent)--> down --(send, after a pause)--> ...
//
// What was sent to a peer that turns out not to be reachable is given back message by message
// through on_undeliverable(), as far as it had not been written to a connection: what was written
// to one that broke is lost, and its sender asks again. Messages sent while the link is down come
// back at once. So they do after a peer was silent, or did not take a connection in time, until it
// has been heard: the kernel of a peer that hangs goes on accepting connections, and without that
// every try would cost its senders as much time as the first. A silent peer is tried again without
// anything to send, so that the link is there soon after the peer is. Lives in one loop; not to be
// destroyed in a call of its handler.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "core/message.h"
#include "link/frame_stream.h"
#include "net/connector.h"
#include "net/event_loop.h"

namespace lh::link {

class PeerLink;

class LinkHandler {
 public:
  // Messages that come back along this connection. False as in FrameHandler.
  virtual bool on_link_message(PeerLink& link, core::Message& message) = 0;
  // Connected, and Hello is sent; before anything that waited.
  virtual void on_link_up(PeerLink&) {}
  // The peer cannot be reached, or was lost. Follows the on_undeliverable() calls.
  virtual void on_link_down(PeerLink& link) = 0;
  virtual void on_undeliverable(PeerLink& link, const core::Message& message) = 0;

 protected:
  ~LinkHandler() = default;
};

class PeerLink final : private FrameHandler, private net::ConnectHandler {
 public:
  // What this side says of itself. Outlives the link.
  struct Self {
    core::PeerKind kind = core::PeerKind::kClient;
    core::ClientId client = 0;
    NodeId node = NodeId::kNone;
    uint64_t file = 0;    // FileOptions::id, as soon as it is known
    std::string address;  // listener, or the node's own
  };

  // name: for whom the link is, as the owner pleases (a NodeId, a place in a table).
  PeerLink(net::EventLoop& loop, net::ConnectionGroup& group, LinkHandler& handler,
           const Self& self, uint64_t name, uint64_t seed);
  ~PeerLink();

  // Where the peer is, or is now. A connection to another address is closed, as lost; what is sent
  // from then on goes to the new one.
  void set_address(std::string_view address);
  const std::string& address() const { return address_; }
  uint64_t name() const { return name_; }
  bool is_up() const { return state_ == State::kUp && stream_->is_open(); }

  // Connects if need be. Bound of what waits for a connection: kBacklogBytesMax, beyond it messages
  // come back as undeliverable.
  void send(const core::Message& message, wire::Routing routing);
  // Connects without anything to send.
  void connect();

  // About twenty times a second: pings a silent peer, gives up a dead one, looks for it again.
  void tick();

  bool idle_since(base::Instant then) const;
  // Waiting for the connection or for the peer to read.
  size_t unsent_bytes() const { return backlog_.size() + (stream_ ? stream_->output_size() : 0); }

  static constexpr size_t kBacklogBytesMax = size_t{16} << 20;

 private:
  // kProving: connected to a peer that is suspected to hang.
  enum class State : uint8_t { kIdle, kConnecting, kProving, kUp, kDown };

  bool on_message(FrameStream& stream, core::Message& message) override;
  void on_pong(FrameStream& stream) override;
  void on_closed(FrameStream& stream, net::CloseReason reason) override;
  void on_connected(net::Socket socket) override;
  void on_connect_failed(const Status& status, bool again) override;
  void say_hello();
  void ping();
  void come_up();
  void go_down();
  void give_back_backlog();

  net::EventLoop& loop_;
  net::ConnectionGroup& group_;
  LinkHandler& handler_;
  const Self& self_;
  const uint64_t name_;
  std::string address_;
  State state_ = State::kIdle;
  net::Connector connector_;
  std::unique_ptr<FrameStream> stream_;
  std::unique_ptr<FrameStream> closed_stream_;  // destroyed outside its own calls
  std::string backlog_;                         // whole frames that wait for the connection
  base::Instant connecting_since_;
  base::Instant down_at_;
  base::Instant used_at_;
  base::Instant waiting_since_;  // of the first send that nothing was heard after
  base::Instant pinged_at_;
  bool waiting_ = false;
  bool pinged_ = false;
  bool suspect_ = false;  // was silent, or did not take a connection, and was not heard since
  bool moved_ = false;    // the stream is closing because the peer is elsewhere
};

}  // namespace lh::link
