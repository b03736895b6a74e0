// Input that waits in a list of the group's owner.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/net/connection_fixture.h"

namespace lh::net {
namespace {

using testing::kKiB;
using testing::peer_reads;
using testing::peer_writes;
using Strings = std::vector<std::string>;

class ConnectionInputsTest : public testing::ConnectionFixture {
 protected:
  ConnectionInputsTest() { group_.inputs = &inputs_; }

  DeferredList inputs_;
};

TEST_F(ConnectionInputsTest, smallInputIsAnnouncedAndDeliveredWhenTheOwnerSays) {
  open();
  peer_writes(peer_, "one\n");
  turn();
  EXPECT_EQ(echo_.announced, Strings{"one\n"});
  EXPECT_LE(connection_->input().capacity(), kKiB) << "many wait at the same time";
  EXPECT_EQ(echo_.calls, 0);
  inputs_.run_present();
  EXPECT_EQ(echo_.calls, 1);
  turn();
  EXPECT_EQ(peer_reads(peer_), "one\n");
  EXPECT_TRUE(inputs_.empty());
}

TEST_F(ConnectionInputsTest, inputThatComesBeforeIsDeliveredWithWhatWaits) {
  open();
  peer_writes(peer_, "par");
  turn();
  inputs_.run_present();
  peer_writes(peer_, "tial\n");
  turn();
  EXPECT_EQ(echo_.announced, (Strings{"par", "partial\n"}));
  inputs_.run_present();
  turn();
  EXPECT_EQ(peer_reads(peer_), "partial\n");
}

TEST_F(ConnectionInputsTest, muchInputDoesNotWait) {
  open();
  const std::string much = std::string(1'200, 'x') + '\n';
  for (const bool after_little : {false, true}) {
    peer_writes(peer_, much);
    turn();
    EXPECT_TRUE(inputs_.empty());
    turn();
    EXPECT_EQ(peer_reads(peer_), much);
    if (after_little) break;
    peer_writes(peer_, "little\n");
    turn();
    inputs_.run_present();
    turn();
    EXPECT_EQ(peer_reads(peer_), "little\n");
  }
}

TEST_F(ConnectionInputsTest, theLimitOfInputHolds) {
  group_.limits.input_max = 2 * kKiB;
  open();
  for (int k = 0; k < 100 && echo_.story.empty(); ++k) {
    peer_writes(peer_, std::string(300, 'x'));
    turn();
    inputs_.run_present();
  }
  EXPECT_EQ(echo_.story, "input limit. ");
}

TEST_F(ConnectionInputsTest, whoIsClosedMeanwhileIsNotDelivered) {
  open();
  peer_writes(peer_, "one\n");
  turn();
  connection_->close();
  turn();
  EXPECT_TRUE(inputs_.empty());
  EXPECT_EQ(echo_.calls, 0);
}

TEST_F(ConnectionInputsTest, whoDiesMeanwhileIsForgotten) {
  open();
  peer_writes(peer_, "one\n");
  turn();
  EXPECT_FALSE(inputs_.empty());
  connection_.reset();
  EXPECT_TRUE(inputs_.empty());
}

TEST_F(ConnectionInputsTest, whoPausesGetsItWhenItResumes) {
  open();
  peer_writes(peer_, "one\n");
  turn();
  connection_->pause_reading();
  inputs_.run_present();
  EXPECT_EQ(echo_.calls, 0);
  connection_->resume_reading();
  settle();
  EXPECT_EQ(peer_reads(peer_), "one\n");
}

TEST_F(ConnectionInputsTest, theEndOfInputComesBehindIt) {
  open();
  peer_writes(peer_, "one\n");
  ASSERT_EQ(0, ::shutdown(peer_.fd(), SHUT_WR));
  turn();
  inputs_.run_present();
  settle();
  EXPECT_EQ(echo_.lines, 1);
  EXPECT_EQ(echo_.story, "end peer closed. ");
}

}  // namespace
}  // namespace lh::net
