#include "net/connection.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/net/connection_fixture.h"

namespace lh::net {
namespace {

using testing::EchoLines;
using testing::kKiB;
using testing::kNoWait;
using testing::make_loop;
using testing::make_socket_pair;
using testing::make_tcp_pair;
using testing::peer_reads;
using testing::peer_sees_end;
using testing::peer_writes;
using testing::SocketPair;
using testing::turn_until;

using ConnectionTest = testing::ConnectionFixture;

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

TEST_F(ConnectionTest, the_first_reason_is_the_one_reported) {
  group_.limits.output_soft_max = group_.limits.output_max = 10;
  open();
  connection_->write("more than ten bytes");
  connection_->close();
  settle();
  EXPECT_EQ("output limit. ", echo_.story);
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
  // One byte more would be asked for after the message, and the error of a reset be swallowed.
  char answer[6];
  ASSERT_EQ(6, ::recv(peer_.fd(), answer, sizeof answer, 0));
  EXPECT_EQ("error\n", std::string(answer, sizeof answer));
  EXPECT_EQ(0, ::recv(peer_.fd(), answer, sizeof answer, 0));  // the end, and not a reset
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

TEST_F(ConnectionTest, a_connection_that_gave_its_socket_away_reads_no_more) {
  open();
  std::string unread;
  Socket moving;
  echo_.data_body = [&](Connection& connection) { moving = connection.detach(&unread); };
  peer_writes(peer_, std::string(100 * kKiB, 'x'));  // more than one read takes
  settle();
  EXPECT_EQ(1u, connection_->stats().reads);
  EXPECT_EQ(100 * kKiB, unread.size() + peer_reads(moving).size());
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

}  // namespace
}  // namespace lh::net
