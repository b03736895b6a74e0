// What the tests of links and nodes share: the far end of a connection, as a peer would drive it,
// whole messages to and from it, and loops that are turned until they come to rest.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/clock.h"
#include "base/log.h"
#include "core/message.h"
#include "net/event_loop.h"
#include "net/socket.h"
#include "wire/codec.h"

namespace lh::link::testing {

// Keeps the log of a test to itself.
class QuietLog final : public base::LogSink {
 public:
  QuietLog() : before_(base::set_log_sink(this)) {}
  ~QuietLog() override { base::set_log_sink(before_); }
  QuietLog(const QuietLog&) = delete;
  QuietLog& operator=(const QuietLog&) = delete;

 private:
  void write(base::LogLevel, std::string_view) override {}

  base::LogSink* before_;
};

// The far end of a connection. What is to be sent goes out as the socket takes it, and what comes
// is gathered, whenever the cluster turns.
class Peer {
 public:
  explicit Peer(net::Socket socket) : socket_(std::move(socket)) {}

  void send(std::string_view bytes) { out_.append(bytes), pump(); }
  // The end of this side; the other one can go on.
  void half_close();
  // The end of both.
  void hang_up() { socket_.close(); }
  void stop_reading() { reads_ = false; }
  void go_on_reading() { reads_ = true; }
  // Reads at most so much when it is pumped.
  void read_slowly(size_t bytes) { portion_ = bytes; }

  // True when bytes moved.
  bool pump();

  std::string& received() { return in_; }
  std::string take() { return std::exchange(in_, {}); }
  // The first line that was received, with its LF; empty when there is none.
  std::string take_line();
  size_t lines() const;
  bool all_sent() const { return out_.empty(); }
  // The other side has closed.
  bool ended() const { return ended_; }
  const net::Socket& socket() const { return socket_; }

 private:
  net::Socket socket_;
  std::string out_;
  std::string in_;
  size_t portion_ = size_t{1} << 20;
  bool reads_ = true;
  bool ended_ = false;
};

// A message and the bytes that it borrows from.
struct Received {
  std::string bytes;
  core::Message message;
};

void send_message(Peer& peer, const core::Message& message,
                  wire::Routing routing = wire::Routing::kDirect);
// The first whole frame that the peer has received; nullptr when there is none.
std::unique_ptr<Received> take_message(Peer& peer);
// The first message of this type; others before it are dropped.
template <typename M>
std::unique_ptr<Received> take_message_of(Peer& peer) {
  while (std::unique_ptr<Received> received = take_message(peer)) {
    if (std::holds_alternative<M>(received->message)) return received;
  }
  return nullptr;
}

core::Hello client_hello(core::ClientId client, std::string_view listener = {});
core::Hello node_hello(NodeId node, std::string_view address = {});
core::Request request(uint64_t seq, core::Op op, BucketNo to, std::string_view key,
                      std::string_view value = {});

// Tells whether a loop has come to rest: it is asked for work when nobody else has any.
class RestProbe final : public net::LoopHook {
 public:
  explicit RestProbe(net::EventLoop& loop) : loop_(loop) { loop_.add_hook(*this); }
  ~RestProbe() { loop_.remove_hook(*this); }

  // One turn; true when the loop had nothing to do, and would have slept. It sleeps for a moment
  // only when `patient`.
  bool turn(bool patient);

 private:
  bool has_work() const override;

  net::EventLoop& loop_;
  bool patient_ = false;
  mutable bool asked_ = false;
};

}  // namespace lh::link::testing
