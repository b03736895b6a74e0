// The bounds of a connection: what it reads in a turn, what it holds, and the backpressure between
// its two directions.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/prng.h"
#include "net/connection.h"
#include "tests/net/connection_fixture.h"

namespace lh::net {
namespace {

using testing::kKiB;
using testing::kNoWait;
using testing::make_socket_pair;
using testing::make_tcp_pair;
using testing::peer_reads;
using testing::peer_writes;
using testing::SocketPair;
using testing::turn_until;

using ConnectionLimitsTest = testing::ConnectionFixture;

TEST_F(ConnectionLimitsTest, a_turn_reads_a_bounded_amount) {
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

TEST_F(ConnectionLimitsTest, a_request_as_long_as_the_limit_is_read_over_many_turns) {
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

TEST_F(ConnectionLimitsTest, a_request_beyond_the_input_limit_closes_it) {
  group_.limits.input_max = 10 * kKiB;
  open();
  peer_writes(peer_, std::string(11 * kKiB, 'x'));
  settle();
  EXPECT_EQ("input limit. ", echo_.story);
  EXPECT_EQ(1u, group_.closed[static_cast<size_t>(CloseReason::kInputLimit)]);
}

TEST_F(ConnectionLimitsTest, a_peer_that_reads_nothing_is_stalled_until_it_reads_something) {
  open(make_narrow_pair());
  connection_->write(std::string(100 * kKiB, 'x'));
  turn();
  EXPECT_EQ(base::Duration(), connection_->stalled_for(clock_.now()));
  clock_.advance(base::seconds(5));
  settle();
  EXPECT_EQ(base::seconds(5), connection_->stalled_for(clock_.now()));
  EXPECT_GT(peer_reads(peer_).size(), 0u);
  settle();
  EXPECT_EQ(base::Duration(), connection_->stalled_for(clock_.now()));
  clock_.advance(base::seconds(5));
  connection_->close_stalled();
  settle();
  EXPECT_EQ("output limit. ", echo_.story);
}

TEST_F(ConnectionLimitsTest, one_that_owes_nothing_is_never_stalled) {
  open();
  peer_writes(peer_, "a\n");
  turn();
  clock_.advance(base::seconds(100));
  settle();
  EXPECT_EQ(base::Duration(), connection_->stalled_for(clock_.now()));
}

TEST_F(ConnectionLimitsTest, output_beyond_the_limit_closes_it) {
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

TEST_F(ConnectionLimitsTest, a_peer_that_does_not_read_is_not_read_from) {
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

// Answers that come from elsewhere, another worker say, count like those of on_data().
TEST_F(ConnectionLimitsTest, output_that_no_request_asked_for_stops_reading_too) {
  group_.limits.output_soft_max = 8 * kKiB;
  open(make_narrow_pair());
  connection_->write(std::string(64 * kKiB, 'x'));
  turn();
  ASSERT_TRUE(connection_->output_full());
  peer_writes(peer_, "request\n");
  settle();
  EXPECT_EQ(0, echo_.calls);
  std::string received;
  EXPECT_TRUE(turn_until(*loop_, [&] {
    received += peer_reads(peer_);
    return echo_.lines == 1;
  }));
}

TEST_F(ConnectionLimitsTest, a_turn_reads_no_more_once_the_output_is_full) {
  group_.limits.output_soft_max = kKiB;
  open();
  std::string pipeline;
  while (pipeline.size() < 100 * kKiB) pipeline += "request\n";
  peer_writes(peer_, pipeline);  // more than one read takes
  turn();
  EXPECT_EQ(1u, connection_->stats().reads);
}

// A whole pipeline is in the input buffer, the answers do not fit: the handler stops, and is called
// again although nothing more arrives.
TEST_F(ConnectionLimitsTest, requests_left_in_the_buffer_are_taken_up_again) {
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
TEST_F(ConnectionLimitsTest, the_end_of_input_waits_for_requests_left_in_the_buffer) {
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

TEST_F(ConnectionLimitsTest, a_handler_can_pause_and_resume) {
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

TEST_F(ConnectionLimitsTest, pausing_before_open_and_after_the_end_is_harmless) {
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

// Many connections, random pieces, closings at random: every line that was sent whole on a
// connection that stayed is answered, in order.
TEST_F(ConnectionLimitsTest, random_traffic_on_many_connections) {
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
