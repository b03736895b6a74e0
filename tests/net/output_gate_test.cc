#include "net/output_gate.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/net/connection_fixture.h"

namespace lh::net {
namespace {

using testing::peer_reads;
using testing::peer_sees_end;

class OutputGateTest : public testing::ConnectionFixture {
 protected:
  OutputGateTest() { group_.gate = &gate_; }

  void write(uint64_t barrier, std::string_view bytes) {
    const OutputBarrier scope(gate_, barrier);
    connection_->write(bytes);
  }
  std::string seen() {
    turn();
    return peer_reads(peer_);
  }

  OutputGate gate_;
};

TEST_F(OutputGateTest, what_waits_for_nothing_is_sent) {
  open();
  write(0, "a");
  EXPECT_EQ("a", seen());
}

TEST_F(OutputGateTest, what_is_behind_a_barrier_waits_for_it) {
  open();
  write(7, "a");
  EXPECT_EQ("", seen());
  gate_.release(6);
  EXPECT_EQ("", seen());
  gate_.release(7);
  EXPECT_EQ("a", seen());
}

TEST_F(OutputGateTest, what_was_written_before_goes_and_what_is_written_behind_waits_too) {
  open();
  write(0, "a");
  write(3, "b");
  write(0, "c");
  write(5, "d");
  write(4, "e");
  EXPECT_EQ("a", seen());
  gate_.release(3);
  EXPECT_EQ("bc", seen());
  gate_.release(4);
  EXPECT_EQ("", seen());
  gate_.release(5);
  EXPECT_EQ("de", seen());
  write(5, "f");
  EXPECT_EQ("f", seen());
}

TEST_F(OutputGateTest, what_tells_of_nothing_goes_ahead_of_what_waits) {
  open();
  write(0, "a");
  write(3, "bc");
  write(5, "de");
  connection_->write_unheld("<1>");
  EXPECT_EQ("a<1>", seen());
  connection_->write_unheld("<2>");
  gate_.release(3);
  connection_->write_unheld("<3>");
  EXPECT_EQ("<2><3>bc", seen());
  gate_.release(5);
  EXPECT_EQ("de", seen());
  connection_->write_unheld("<4>");
  EXPECT_EQ("<4>", seen());
}

TEST_F(OutputGateTest, who_writes_ahead_and_is_not_read_is_called_again_when_there_is_room) {
  group_.limits.output_soft_max = 2 * testing::kKiB;
  open(make_narrow_pair());
  std::string pong(99, 'p');
  pong += '\n';
  int left = 5'000;
  echo_.data_body = [&](Connection& connection) {
    for (; left > 0 && !connection.output_full(); --left) connection.write_unheld(pong);
  };
  testing::peer_writes(peer_, "go\n");
  size_t seen = 0;
  for (int k = 0; k < 100'000 && seen < 500'000; ++k) {
    turn();
    EXPECT_LE(connection_->output_size(), 3 * testing::kKiB);
    seen += peer_reads(peer_).size();
  }
  EXPECT_EQ(seen, 500'000u);
}

TEST_F(OutputGateTest, barriers_nest) {
  const OutputBarrier outer(gate_, 3);
  {
    const OutputBarrier inner(gate_, 9);
    EXPECT_EQ(9u, gate_.barrier());
  }
  EXPECT_EQ(3u, gate_.barrier());
}

TEST_F(OutputGateTest, what_is_owed_is_sent_before_the_end) {
  open();
  write(2, "owed");
  connection_->close_after_flush();
  EXPECT_EQ("", seen());
  EXPECT_FALSE(peer_sees_end(peer_));
  gate_.release(2);
  EXPECT_EQ("owed", seen());
  EXPECT_TRUE(peer_sees_end(peer_));
}

TEST_F(OutputGateTest, a_connection_that_is_gone_waits_no_more) {
  open();
  write(2, "lost");
  turn();
  connection_.reset();
  gate_.release(2);
  EXPECT_EQ("", seen());
}

TEST_F(OutputGateTest, more_than_the_socket_takes_goes_in_pieces_and_in_order) {
  open();
  std::string sent;
  for (uint64_t k = 1; k <= 40; ++k) {
    const std::string piece(20'000, static_cast<char>('a' + k % 26));
    write(k, piece);
    sent += piece;
  }
  std::string got = seen();
  EXPECT_EQ("", got);
  for (uint64_t k = 1; k <= 40; ++k) {
    gate_.release(k);
    got += seen();
    EXPECT_LE(got.size(), k * 20'000);
  }
  for (int turns = 0; got.size() < sent.size() && turns < 1'000; ++turns) got += seen();
  EXPECT_EQ(sent, got);
}

}  // namespace
}  // namespace lh::net
