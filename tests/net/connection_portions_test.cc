// An answer that is longer than a connection wants to hold at once: its writer stops when the
// output is full and is called again when there is room, though nothing has come in.
#include <gtest/gtest.h>

#include <string>

#include "tests/net/connection_fixture.h"

namespace lh::net {
namespace {

using testing::kKiB;
using testing::peer_reads;
using testing::turn_until;

class ConnectionPortionsTest : public testing::ConnectionFixture {
 protected:
  static constexpr size_t kAnswerBytes = 1000 * kKiB;

  void write_some() {
    while (written_ < kAnswerBytes && !connection_->output_full()) {
      connection_->write(std::string(kKiB, static_cast<char>('a' + written_ / kKiB % 26)));
      written_ += kKiB;
    }
  }

  // The whole answer has arrived.
  ::testing::AssertionResult answered() {
    return turn_until(*loop_, [this] {
      received_ += peer_reads(peer_);
      return received_.size() == kAnswerBytes;
    });
  }

  size_t written_ = 0;
  std::string received_;
};

TEST_F(ConnectionPortionsTest, output_begun_outside_of_on_data_goes_on_when_there_is_room) {
  group_.limits.output_soft_max = 8 * kKiB;
  open();
  echo_.data_body = [this](Connection&) { write_some(); };
  write_some();
  EXPECT_LT(written_, kAnswerBytes);
  EXPECT_TRUE(answered());
}

TEST_F(ConnectionPortionsTest, the_same_after_the_peer_has_half_closed) {
  group_.limits.output_soft_max = 8 * kKiB;
  open(testing::make_tcp_pair());
  echo_.data_body = [this](Connection&) { write_some(); };
  echo_.end_body = [this](Connection&) { write_some(); };
  ASSERT_EQ(0, ::shutdown(peer_.fd(), SHUT_WR));
  EXPECT_TRUE(answered());
  EXPECT_EQ("end ", echo_.story);
}

TEST_F(ConnectionPortionsTest, a_peer_that_takes_everything_at_once_gets_everything) {
  group_.limits.output_soft_max = 4 * kKiB;
  open();
  echo_.data_body = [this](Connection&) { write_some(); };
  write_some();
  turn();  // all of the portion is sent: there was never a moment without room in the kernel
  EXPECT_EQ(0u, connection_->output_size());
  EXPECT_TRUE(answered());
}

}  // namespace
}  // namespace lh::net
