// FrameStream: a connection that speaks frames. It cuts the bytes that come into messages, answers
// pings by itself, and encodes what is sent straight into the connection's output.
//
// A frame that cannot be made sense of ends the stream: the peer gets an Error message that says
// why, then the connection closes. Lives in one loop, owned by its user, who may destroy it in any
// call of the handler.
#pragma once

#include <string_view>

#include "base/clock.h"
#include "core/message.h"
#include "net/connection.h"
#include "wire/codec.h"
#include "wire/frame_batch.h"

namespace lh::link {

class FrameStream;

class FrameHandler {
 public:
  // A message other than Ping and Pong. Its views hold during the call. False: not from this peer;
  // the handler has said why with refuse(), or closed the stream.
  virtual bool on_message(FrameStream& stream, core::Message& message) = 0;
  // These have come, and on_message() is about to be called for each.
  virtual void look_ahead(wire::FrameBatch&) {}
  // This one came alone, and on_message() follows when the inputs of the connection's group are run
  // (net::ConnectionGroup::inputs).
  virtual void on_announced(core::Message&) {}
  virtual void on_pong(FrameStream&) {}
  // The peer will send nothing more. This default closes when everything is sent.
  virtual void on_end_of_input(FrameStream& stream);
  virtual void on_closed(FrameStream& stream, net::CloseReason reason) = 0;

 protected:
  ~FrameHandler() = default;
};

class FrameStream final : private net::ConnectionHandler {
 public:
  FrameStream(net::EventLoop& loop, net::ConnectionGroup& group, FrameHandler& handler);

  Status open(net::Socket socket, std::string_view unread = {});
  bool is_open() const { return connection_.is_open(); }

  void send(const core::Message& message, wire::Routing routing);
  void send(const core::Reply& reply, wire::Routing routing);
  // Whole frames, encoded before.
  void send_frames(std::string_view frames) { connection_.write(frames); }

  // Tells the peer why, then closes. The first call counts.
  void refuse(std::string_view why);
  void close() { connection_.close(); }
  void close_after_flush() { connection_.close_after_flush(); }

  // For a handler that cannot take more.
  void pause_reading() { paused_ = true, connection_.pause_reading(); }
  void resume_reading() { paused_ = false, connection_.resume_reading(); }
  bool is_paused() const { return paused_ || connection_.output_full(); }

  base::Instant last_heard_at() const { return connection_.last_read_at(); }
  size_t output_size() const { return connection_.output_size(); }
  // As of Connection.
  base::Duration stalled_for(base::Instant now) const { return connection_.stalled_for(now); }
  void close_stalled() { connection_.close_stalled(); }
  // Of a frame that is not complete, or of several when reading is paused.
  size_t unread_bytes() { return connection_.input().size(); }
  const net::Socket& socket() const { return connection_.socket(); }
  // How the message came; during on_message().
  wire::Routing routing() const { return routing_; }
  // Why the stream was refused, when it was this side that refused; for the log.
  std::string_view refusal() const { return refusal_; }

 private:
  void on_announced(net::Connection& connection) override;
  void on_data(net::Connection& connection) override;
  void on_end_of_input(net::Connection& connection) override;
  void on_closed(net::Connection& connection, net::CloseReason reason) override;
  wire::FrameStatus parse(std::string_view unread);
  bool take(wire::FrameBatch::Entry* entry);

  FrameHandler& handler_;
  net::Connection connection_;
  wire::FrameBatch batch_;
  std::string_view announced_;  // the input that parsed_ and batch_ are about, when there is any
  wire::FrameStatus parsed_ = wire::FrameStatus::kNeedMore;
  wire::Routing routing_ = wire::Routing::kDirect;
  std::string refusal_;
  std::string pongs_;  // to the pings among what is being taken
  bool paused_ = false;
  net::Lifeline lifeline_;
};

}  // namespace lh::link
