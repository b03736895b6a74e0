// A connection between an echo server and a peer, stepped turn by turn.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/connection.h"
#include "tests/net/fixture.h"

namespace lh::net::testing {

inline constexpr size_t kKiB = 1024;

// Answers each line with the same line, and writes down what happens to it.
class EchoLines final : public ConnectionHandler {
 public:
  void on_data(Connection& connection) override {
    ++calls;
    if (data_body) return data_body(connection);
    echo(connection);
  }
  void echo(Connection& connection) {
    Buffer& input = connection.input();
    for (size_t end = 0; (end = input.view().find('\n')) != std::string_view::npos;) {
      if (connection.output_full()) return;
      ++lines;
      connection.write(input.view().substr(0, end + 1));
      input.consume(end + 1);
    }
  }
  void on_announced(Connection& connection) override {
    announced.emplace_back(connection.input().view());
  }
  void on_end_of_input(Connection& connection) override {
    story += "end ";
    end_body ? end_body(connection) : ConnectionHandler::on_end_of_input(connection);
  }
  void on_closed(Connection& connection, CloseReason reason) override {
    story += std::string(to_string(reason)) + ". ";
    if (closed_body) closed_body(connection);
  }

  int calls = 0;
  int lines = 0;
  std::string story;
  std::vector<std::string> announced;
  std::function<void(Connection&)> data_body;
  std::function<void(Connection&)> end_body;
  std::function<void(Connection&)> closed_body;
};

class ConnectionFixture : public ::testing::Test {
 protected:
  void open(SocketPair pair) {
    peer_ = std::move(pair.there);
    connection_ = std::make_unique<Connection>(*loop_, group_, echo_);
    const Status status = connection_->open(std::move(pair.here));
    ASSERT_TRUE(status.ok()) << status.message();
  }
  void open() { open(make_socket_pair()); }
  void turn() { loop_->run_once(kNoWait); }
  // The loop finds nothing more to do.
  void settle() {
    for (int i = 0; i < 100; ++i) turn();
  }
  // Small kernel buffers: a peer that does not read is felt soon.
  SocketPair make_narrow_pair() {
    SocketPair pair = make_socket_pair();
    const int bytes = 4096;
    for (const Socket* socket : {&pair.here, &pair.there}) {
      EXPECT_EQ(0, setsockopt(socket->fd(), SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes));
    }
    return pair;
  }

  base::ManualClock clock_;
  std::unique_ptr<EventLoop> loop_ = make_loop(clock_);
  ConnectionGroup group_;
  EchoLines echo_;
  Socket peer_;
  std::unique_ptr<Connection> connection_;
};

}  // namespace lh::net::testing
