#include "net/connection.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/prng.h"
#include "tests/net/fixture.h"

namespace lh::net {
namespace {

using testing::kNoWait;
using testing::make_loop;
using testing::make_socket_pair;
using testing::make_tcp_pair;
using testing::peer_reads;
using testing::peer_sees_end;
using testing::peer_writes;
using testing::SocketPair;
using testing::turn_until;

constexpr size_t kKiB = 1024;

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
  std::function<void(Connection&)> data_body;
  std::function<void(Connection&)> end_body;
  std::function<void(Connection&)> closed_body;
};

class ConnectionTest : public ::testing::Test {
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

TEST_F(ConnectionTest, answers_in_the_turn_of_the_request) {
  open();
  peer_writes(peer_, "hello\n");
  turn();
  EXPECT_EQ("hello\n", peer_reads(peer_));
}

TEST_F(ConnectionTest, a_partial_request_waits_for_its_rest) {
  open();
  for (const char* piece : {"h", "el", "lo", "\nwor"}) {
    peer_writes(peer_, piece);
    turn();
  }
  EXPECT_EQ("hello\n", peer_reads(peer_));
  EXPECT_EQ("wor", connection_->input().view());
  peer_writes(peer_, "ld\n");
  turn();
  EXPECT_EQ("world\n", peer_reads(peer_));
}

TEST_F(ConnectionTest, a_pipeline_costs_one_read_and_one_send) {
  open();
  std::string pipeline;
  for (int i = 0; i < 64; ++i) pipeline += std::to_string(i) + "\n";
  peer_writes(peer_, pipeline);
  turn();
  EXPECT_EQ(pipeline, peer_reads(peer_));
  const ConnectionStats& stats = connection_->stats();
  EXPECT_EQ(1u, stats.reads);
  EXPECT_EQ(1u, stats.writes);
  EXPECT_EQ(pipeline.size(), stats.bytes_in);
  EXPECT_EQ(pipeline.size(), stats.bytes_out);
}

TEST_F(ConnectionTest, nothing_is_sent_before_the_end_of_the_turn) {
  open();
  echo_.data_body = [this](Connection& connection) {
    connection.write("one ");
    connection.write("");
    connection.write("two");
    connection.input().consume(connection.input().size());
    EXPECT_EQ("", peer_reads(peer_));
  };
  peer_writes(peer_, "x\n");
  turn();
  EXPECT_EQ("one two", peer_reads(peer_));
}

TEST_F(ConnectionTest, output_can_be_encoded_in_place) {
  open();
  char* to = connection_->reserve_output(100);
  ASSERT_NE(nullptr, to);
  std::memcpy(to, "abc", 3);
  connection_->commit_output(3);
  turn();
  EXPECT_EQ("abc", peer_reads(peer_));
}

TEST_F(ConnectionTest, an_idle_connection_costs_less_than_a_kilobyte) {
  open();
  peer_writes(peer_, "hello\n");
  turn();
  EXPECT_EQ(0u, connection_->input().capacity());
  EXPECT_LT(sizeof(Connection), 600u);
  // With a partial request it is one small block.
  peer_writes(peer_, "hel");
  turn();
  EXPECT_EQ(BufferPool::kBlockMin, connection_->input().capacity());
}

TEST_F(ConnectionTest, counts_for_itself_and_for_its_group) {
  open();
  peer_writes(peer_, "hello\n");
  turn();
  SocketPair second = make_socket_pair();
  Connection other(*loop_, group_, echo_);
  ASSERT_TRUE(other.open(std::move(second.here)).ok());
  peer_writes(second.there, "hi\n");
  turn();
  EXPECT_EQ(3u, other.stats().bytes_in);
  EXPECT_EQ(9u, group_.stats.bytes_in);
  EXPECT_EQ(9u, group_.stats.bytes_out);
  EXPECT_EQ(2u, group_.stats.reads);
  EXPECT_EQ(2u, group_.stats.writes);
  EXPECT_EQ(2u, group_.opened);
}

TEST_F(ConnectionTest, knows_when_it_last_heard_of_its_peer) {
  clock_.advance(base::seconds(3));
  turn();
  open();
  EXPECT_EQ(clock_.now(), connection_->last_read_at());
  clock_.advance(base::seconds(5));
  turn();
  EXPECT_EQ(base::seconds(5), clock_.now() - connection_->last_read_at());
  peer_writes(peer_, "x");
  turn();
  EXPECT_EQ(clock_.now(), connection_->last_read_at());
}

// ---------------------------------------------------------------------------------------------
// Closing.

TEST_F(ConnectionTest, a_peer_that_leaves_closes_it_once) {
  open();
  peer_.close();
  settle();
  EXPECT_EQ("end peer closed. ", echo_.story);
  EXPECT_FALSE(connection_->is_open());
  EXPECT_EQ(1u, group_.closed[static_cast<size_t>(CloseReason::kPeerClosed)]);
}

TEST_F(ConnectionTest, after_half_close_what_is_owed_is_still_sent) {
  open(make_tcp_pair());
  peer_writes(peer_, "a\nb\nrest");
  ASSERT_EQ(0, ::shutdown(peer_.fd(), SHUT_WR));
  EXPECT_TRUE(turn_until(*loop_, [this] { return !connection_->is_open(); }));
  EXPECT_EQ("a\nb\n", peer_reads(peer_));
  EXPECT_TRUE(peer_sees_end(peer_));
  EXPECT_EQ("end peer closed. ", echo_.story);
}

TEST_F(ConnectionTest, a_handler_may_owe_answers_after_half_close) {
  open(make_tcp_pair());
  echo_.data_body = [](Connection& connection) {
    connection.input().consume(connection.input().size());
  };
  echo_.end_body = [](Connection&) {};
  peer_writes(peer_, "slow\n");
  ASSERT_EQ(0, ::shutdown(peer_.fd(), SHUT_WR));
  EXPECT_TRUE(turn_until(*loop_, [this] { return connection_->input_ended(); }));
  settle();
  EXPECT_TRUE(connection_->is_open());
  connection_->write("late answer\n");
  connection_->close_after_flush();
  settle();
  EXPECT_EQ("late answer\n", peer_reads(peer_));
  EXPECT_EQ("end peer closed. ", echo_.story);
}

TEST_F(ConnectionTest, close_drops_output_and_is_reported_at_the_end_of_the_turn) {
  open();
  echo_.data_body = [this](Connection& connection) {
    connection.write("lost");
    connection.close();
    connection.close();
    EXPECT_EQ("", echo_.story);
    EXPECT_FALSE(connection.is_open());
    EXPECT_EQ("x\n", connection.input().view());  // still as it was
    connection.write("dropped");
    EXPECT_EQ(nullptr, connection.reserve_output(1));
  };
  peer_writes(peer_, "x\n");
  settle();
  EXPECT_EQ("closed here. ", echo_.story);
  EXPECT_EQ("", peer_reads(peer_));
  EXPECT_TRUE(peer_sees_end(peer_));
}

TEST_F(ConnectionTest, close_after_flush_sends_what_is_owed) {
  open();
  echo_.data_body = [](Connection& connection) {
    connection.write("bye");
    connection.close_after_flush();
  };
  peer_writes(peer_, "quit\n");
  turn();
  EXPECT_EQ("closed here. ", echo_.story);
  EXPECT_EQ("bye", peer_reads(peer_));
  EXPECT_TRUE(peer_sees_end(peer_));
}

TEST_F(ConnectionTest, close_after_flush_takes_no_more_input) {
  open(make_narrow_pair());
  const std::string answer(64 * kKiB, 'a');
  echo_.data_body = [&answer](Connection& connection) {
    connection.write(answer);
    connection.close_after_flush();
  };
  peer_writes(peer_, "quit\n");
  turn();
  EXPECT_EQ("", echo_.story);  // the peer has not read it all
  peer_writes(peer_, "more\n");
  std::string received;
  EXPECT_TRUE(turn_until(*loop_, [&] {
    received += peer_reads(peer_);
    return !connection_->is_open();
  }));
  received += peer_reads(peer_);
  EXPECT_EQ(answer.size(), received.size());
  EXPECT_EQ(1, echo_.calls);
  EXPECT_EQ("closed here. ", echo_.story);
}

// An error message followed by close() would be destroyed by a reset if the rest of a long bad
// request stayed unread.
TEST_F(ConnectionTest, the_last_answer_survives_input_that_nobody_wanted) {
  group_.limits.read_turn_max = kKiB;
  open(make_tcp_pair());
  echo_.data_body = [](Connection& connection) {
    connection.write("error\n");
    connection.close_after_flush();
  };
  peer_writes(peer_, std::string(20 * kKiB, 'x'));
  EXPECT_TRUE(turn_until(*loop_, [this] { return !echo_.story.empty(); }));
  EXPECT_EQ("error\n", peer_reads(peer_));
  char byte = 0;
  EXPECT_EQ(0, ::recv(peer_.fd(), &byte, 1, 0));  // the end, and not a reset
}

TEST_F(ConnectionTest, a_reset_is_reported_with_its_error) {
  open(make_tcp_pair());
  const linger at_once{1, 0};
  ASSERT_EQ(0, setsockopt(peer_.fd(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once));
  peer_.close();
  EXPECT_TRUE(turn_until(*loop_, [this] { return !echo_.story.empty(); }));
  EXPECT_EQ("peer failed. ", echo_.story);
  EXPECT_EQ(ECONNRESET, connection_->error());
}

TEST_F(ConnectionTest, a_reset_is_noticed_while_reading_is_paused) {
  open(make_tcp_pair());
  connection_->pause_reading();
  turn();
  const linger at_once{1, 0};
  ASSERT_EQ(0, setsockopt(peer_.fd(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once));
  peer_.close();
  EXPECT_TRUE(turn_until(*loop_, [this] { return !echo_.story.empty(); }));
  EXPECT_EQ("peer failed. ", echo_.story);
}

TEST_F(ConnectionTest, writing_to_a_peer_that_is_gone_is_no_signal) {
  open();
  connection_->write("x");
  peer_.close();
  settle();  // SIGPIPE would end the test
  EXPECT_FALSE(connection_->is_open());
  EXPECT_EQ(1, static_cast<int>(echo_.story.find("peer failed. ") != std::string::npos));
}

TEST_F(ConnectionTest, destruction_closes_without_a_report) {
  open();
  connection_->write("lost");
  connection_.reset();
  settle();
  EXPECT_EQ("", echo_.story);
  EXPECT_TRUE(peer_sees_end(peer_));
}

// ---------------------------------------------------------------------------------------------
// Destruction inside each call.

TEST_F(ConnectionTest, the_handler_may_destroy_it_in_on_data) {
  open();
  echo_.data_body = [this](Connection& connection) {
    connection.write("x");
    connection_.reset();
  };
  peer_writes(peer_, "x\n");
  settle();
  EXPECT_EQ(1, echo_.calls);
  EXPECT_TRUE(peer_sees_end(peer_));
}

TEST_F(ConnectionTest, the_handler_may_destroy_it_in_on_end_of_input) {
  open();
  echo_.end_body = [this](Connection&) { connection_.reset(); };
  peer_.close();
  settle();
  EXPECT_EQ("end ", echo_.story);
}

TEST_F(ConnectionTest, the_handler_may_destroy_it_in_on_closed) {
  open();
  echo_.closed_body = [this](Connection&) { connection_.reset(); };
  connection_->close();
  settle();
  EXPECT_EQ("closed here. ", echo_.story);
  EXPECT_EQ(nullptr, connection_);
}

TEST_F(ConnectionTest, the_handler_may_destroy_others_that_are_ready_too) {
  struct Party {
    Socket peer;
    std::unique_ptr<Connection> connection;
  };
  std::vector<Party> parties(10);
  for (Party& party : parties) {
    SocketPair pair = make_socket_pair();
    party.peer = std::move(pair.there);
    party.connection = std::make_unique<Connection>(*loop_, group_, echo_);
    ASSERT_TRUE(party.connection->open(std::move(pair.here)).ok());
    party.connection->write("owed");
    peer_writes(party.peer, "x\n");
  }
  echo_.data_body = [&parties](Connection& connection) {
    for (Party& party : parties) {
      if (party.connection.get() != &connection) party.connection.reset();
    }
  };
  settle();
  EXPECT_EQ(1, echo_.calls);
}

TEST_F(ConnectionTest, one_may_close_another_while_both_are_flushed) {
  open();
  SocketPair second = make_socket_pair();
  auto other = std::make_unique<Connection>(*loop_, group_, echo_);
  ASSERT_TRUE(other->open(std::move(second.here)).ok());
  echo_.closed_body = [&](Connection& connection) {
    if (&connection == connection_.get()) other.reset();
  };
  connection_->close();
  other->write("lost");
  settle();
  EXPECT_EQ("closed here. ", echo_.story);
}

// ---------------------------------------------------------------------------------------------
// Limits and backpressure.

TEST_F(ConnectionTest, a_turn_reads_a_bounded_amount) {
  group_.limits.read_turn_max = 4 * kKiB;
  open();
  echo_.data_body = [](Connection& connection) {
    connection.input().consume(connection.input().size());
  };
  peer_writes(peer_, std::string(20 * kKiB, 'x'));
  turn();
  EXPECT_EQ(4 * kKiB, connection_->stats().bytes_in);
  for (int i = 0; i < 4; ++i) turn();
  EXPECT_EQ(20 * kKiB, connection_->stats().bytes_in);
}

TEST_F(ConnectionTest, a_request_as_long_as_the_limit_is_read_over_many_turns) {
  group_.limits.input_max = 3 << 20;
  group_.limits.output_soft_max = 8 << 20;
  open();
  std::string line((3 << 20) - 1, 'v');
  line += '\n';
  std::string answer;
  size_t sent = 0;
  EXPECT_TRUE(turn_until(*loop_, [&] {
    const ssize_t n = ::send(peer_.fd(), line.data() + sent, line.size() - sent, MSG_NOSIGNAL);
    if (n > 0) sent += static_cast<size_t>(n);
    answer += peer_reads(peer_);
    return answer.size() == line.size();
  }));
  EXPECT_TRUE(answer == line);
  EXPECT_EQ(0u, connection_->input().capacity());
}

TEST_F(ConnectionTest, a_request_beyond_the_input_limit_closes_it) {
  group_.limits.input_max = 10 * kKiB;
  open();
  peer_writes(peer_, std::string(11 * kKiB, 'x'));
  settle();
  EXPECT_EQ("input limit. ", echo_.story);
  EXPECT_EQ(1u, group_.closed[static_cast<size_t>(CloseReason::kInputLimit)]);
}

TEST_F(ConnectionTest, output_beyond_the_limit_closes_it) {
  group_.limits.output_soft_max = 8 * kKiB;
  group_.limits.output_max = 16 * kKiB;
  open(make_narrow_pair());
  const std::string piece(kKiB, 'x');
  for (int i = 0; i < 1000; ++i) {
    connection_->write(piece);
    if (!connection_->is_open()) break;
    if (i % 8 == 0) turn();
  }
  EXPECT_FALSE(connection_->is_open());
  EXPECT_EQ("", echo_.story);  // not from within write()
  settle();
  EXPECT_EQ("output limit. ", echo_.story);
  EXPECT_EQ(1u, group_.closed[static_cast<size_t>(CloseReason::kOutputLimit)]);
}

TEST_F(ConnectionTest, a_peer_that_does_not_read_is_not_read_from) {
  group_.limits.output_soft_max = 8 * kKiB;
  open(make_narrow_pair());
  const std::string line = std::string(1023, 'x') + "\n";
  size_t sent = 0;
  // The peer writes until its own socket is full: nobody takes the bytes any more.
  for (int i = 0; i < 1000; ++i) {
    const ssize_t n = ::send(peer_.fd(), line.data(), line.size(), MSG_NOSIGNAL);
    if (n > 0) sent += static_cast<size_t>(n);
    turn();
  }
  EXPECT_LT(sent, 100 * kKiB);
  EXPECT_TRUE(connection_->output_full());
  EXPECT_LE(connection_->output_size(), 8 * kKiB + line.size());
  EXPECT_EQ(0u, loop_->run_once(kNoWait));  // and the loop can sleep
  // Once the peer reads, everything flows, in order and whole.
  std::string received;
  EXPECT_TRUE(turn_until(*loop_, [&] {
    received += peer_reads(peer_);
    return received.size() >= sent / line.size() * line.size();
  }));
  EXPECT_EQ(sent / line.size(), received.size() / line.size());
  for (size_t at = 0; at < received.size(); at += line.size()) {
    ASSERT_EQ(line, received.substr(at, line.size()));
  }
  EXPECT_EQ("", echo_.story);
}

// A whole pipeline is in the input buffer, the answers do not fit: the handler stops, and is called
// again although nothing more arrives.
TEST_F(ConnectionTest, requests_left_in_the_buffer_are_taken_up_again) {
  group_.limits.output_soft_max = 2 * kKiB;
  open();
  std::string pipeline;
  for (int i = 0; i < 1000; ++i) pipeline += "request " + std::to_string(i) + "\n";
  peer_writes(peer_, pipeline);
  turn();
  EXPECT_LT(echo_.lines, 1000);
  std::string received = peer_reads(peer_);
  EXPECT_TRUE(turn_until(*loop_, [&] {
    received += peer_reads(peer_);
    return received.size() == pipeline.size();
  }));
  EXPECT_EQ(pipeline, received);
  EXPECT_EQ(1000, echo_.lines);
}

// The same with the end of input behind the pipeline: it must not overtake the requests.
TEST_F(ConnectionTest, the_end_of_input_waits_for_requests_left_in_the_buffer) {
  group_.limits.output_soft_max = 2 * kKiB;
  open(make_tcp_pair());
  std::string pipeline;
  for (int i = 0; i < 5000; ++i) pipeline += "request " + std::to_string(i) + "\n";
  peer_writes(peer_, pipeline);
  ASSERT_EQ(0, ::shutdown(peer_.fd(), SHUT_WR));
  std::string received;
  EXPECT_TRUE(turn_until(*loop_, [&] {
    received += peer_reads(peer_);
    return !echo_.story.empty() && !connection_->is_open();
  }));
  received += peer_reads(peer_);
  EXPECT_TRUE(pipeline == received);
  EXPECT_EQ(5000, echo_.lines);
  EXPECT_EQ("end peer closed. ", echo_.story);
}

TEST_F(ConnectionTest, a_handler_can_pause_and_resume) {
  open();
  echo_.data_body = [](Connection& connection) { connection.pause_reading(); };
  peer_writes(peer_, "a\n");
  turn();
  peer_writes(peer_, "b\n");
  settle();
  EXPECT_EQ(1, echo_.calls);
  EXPECT_EQ("a\n", connection_->input().view());
  echo_.data_body = nullptr;
  connection_->resume_reading();
  settle();
  EXPECT_EQ("a\nb\n", peer_reads(peer_));
}

TEST_F(ConnectionTest, pausing_before_open_and_after_the_end_is_harmless) {
  SocketPair pair = make_socket_pair();
  Connection connection(*loop_, group_, echo_);
  connection.pause_reading();
  ASSERT_TRUE(connection.open(std::move(pair.here)).ok());
  peer_writes(pair.there, "a\n");
  settle();
  EXPECT_EQ(0, echo_.calls);
  connection.resume_reading();
  settle();
  EXPECT_EQ("a\n", peer_reads(pair.there));
  connection.close();
  settle();
  connection.pause_reading();
  connection.resume_reading();
  connection.close_after_flush();
  connection.close();
  connection.write("x");
  settle();
  EXPECT_EQ("closed here. ", echo_.story);
}

// ---------------------------------------------------------------------------------------------
// Moving to another loop.

TEST_F(ConnectionTest, a_connection_moves_with_its_unread_bytes) {
  open();
  std::string unread;
  Socket moving;
  echo_.data_body = [&](Connection& connection) {
    moving = connection.detach(&unread);
    connection_.reset();
  };
  peer_writes(peer_, "first\nsecond");
  settle();
  EXPECT_EQ("first\nsecond", unread);
  EXPECT_EQ("", echo_.story);

  const std::unique_ptr<EventLoop> other = make_loop(clock_);
  EchoLines echo;
  Connection moved(*other, group_, echo);
  ASSERT_TRUE(moved.open(std::move(moving), unread).ok());
  EXPECT_EQ(0, echo.calls);
  EXPECT_TRUE(turn_until(*other, [&] { return echo.lines == 1; }));
  EXPECT_EQ("first\n", peer_reads(peer_));
  peer_writes(peer_, "\n");
  other->run_once(kNoWait);
  EXPECT_EQ("second\n", peer_reads(peer_));
}

TEST_F(ConnectionTest, a_socket_is_posted_to_another_threads_loop) {
  const base::SteadyClock steady;
  const std::unique_ptr<EventLoop> other = make_loop(steady);
  std::thread worker([&other] { other->run(); });
  open();
  Socket moving;
  std::string unread;
  moving = connection_->detach(&unread);
  EchoLines echo;
  ConnectionGroup group;
  std::unique_ptr<Connection> moved;
  other->post([&, socket = std::move(moving)]() mutable {
    moved = std::make_unique<Connection>(*other, group, echo);
    EXPECT_TRUE(moved->open(std::move(socket)).ok());
  });
  peer_writes(peer_, "over there\n");
  pollfd waiting{peer_.fd(), POLLIN, 0};
  EXPECT_EQ(1, ::poll(&waiting, 1, 10'000));
  EXPECT_EQ("over there\n", peer_reads(peer_));
  other->post([&] { moved.reset(); });
  other->post([&] { other->stop(); });
  worker.join();
}

// ---------------------------------------------------------------------------------------------

// Many connections, random pieces, closings at random: every line that was sent whole on a
// connection that stayed is answered, in order.
TEST_F(ConnectionTest, random_traffic_on_many_connections) {
  struct Party {
    Socket peer;
    std::unique_ptr<Connection> connection;
    std::string sent;
    std::string received;
  };
  base::Prng random(2024);
  group_.limits.output_soft_max = 4 * kKiB;
  std::vector<Party> parties(40);
  std::map<Connection*, size_t> index;
  echo_.closed_body = [&](Connection& connection) {
    parties[index.at(&connection)].connection.reset();
  };
  for (size_t i = 0; i < parties.size(); ++i) {
    SocketPair pair = i % 2 == 0 ? make_narrow_pair() : make_socket_pair();
    parties[i].peer = std::move(pair.there);
    parties[i].connection = std::make_unique<Connection>(*loop_, group_, echo_);
    index[parties[i].connection.get()] = i;
    ASSERT_TRUE(parties[i].connection->open(std::move(pair.here)).ok());
  }
  for (int step = 0; step < 20'000; ++step) {
    Party& party = parties[random.below(parties.size())];
    const uint64_t choice = random.below(100);
    if (choice < 70) {
      std::string piece(random.below(600), static_cast<char>('a' + random.below(26)));
      if (random.chance(1, 2)) piece += '\n';
      const ssize_t n = ::send(party.peer.fd(), piece.data(), piece.size(), MSG_NOSIGNAL);
      if (n > 0) party.sent.append(piece, 0, static_cast<size_t>(n));
    } else if (choice < 90) {
      party.received += peer_reads(party.peer);
    } else if (choice == 99 && random.chance(1, 20) && party.connection != nullptr) {
      random.chance(1, 2) ? party.connection->close() : party.connection.reset();
    }
    if (random.chance(1, 3)) turn();
  }
  for (int i = 0; i < 2000; ++i) {
    turn();
    for (Party& party : parties) party.received += peer_reads(party.peer);
  }
  size_t survivors = 0;
  for (const Party& party : parties) {
    ASSERT_TRUE(party.sent.starts_with(party.received));
    if (party.connection == nullptr) continue;
    ++survivors;
    EXPECT_EQ(party.sent.rfind('\n') + 1, party.received.size());
  }
  EXPECT_GT(survivors, 0u);
  EXPECT_LT(survivors, parties.size());
}

}  // namespace
}  // namespace lh::net
