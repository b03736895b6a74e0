#include "core/mail_order.h"

#include <gtest/gtest.h>

#include <utility>

namespace lh::core {
namespace {

template <typename Answer>
Message to_client(Answer answer) {
  answer.to.client = 7;
  return answer;
}

TEST(MailOrderTest, answersKnowTheirPath) {
  for (const Message& answer : {to_client(Reply()), to_client(ScanReply()), to_client(FileReply()),
                                to_client(Registered()), to_client(BookUpdate())}) {
    ASSERT_NE(reply_path(answer), nullptr) << to_string(answer);
    EXPECT_EQ(reply_path(answer)->client, 7u);
  }
  BookUpdate to_a_node;
  to_a_node.to.entry = NodeId{3};
  EXPECT_NE(reply_path(Message(to_a_node)), nullptr) << "a node may ask and be no client";
}

TEST(MailOrderTest, questionsAndOrdersHaveNone) {
  Request request;
  request.from.client = 7;
  for (const Message& message : std::initializer_list<Message>{
           request, BookUpdate(), Scan(), Hello(), Heartbeat(), SplitOrder()}) {
    EXPECT_EQ(reply_path(message), nullptr) << to_string(message);
  }
}

TEST(MailOrderTest, whatMakesTheReceiverForgetIsAPromise) {
  SplitRecords records;
  EXPECT_TRUE(is_promise(Message(records))) << "opens the stream: its number is taken";
  records.batch = 1;
  EXPECT_FALSE(is_promise(Message(records))) << "nothing is handed over yet";
  records.last = true;
  EXPECT_TRUE(is_promise(Message(records)));
  EXPECT_TRUE(is_promise(Message(SplitRecordsAck())));
  EXPECT_TRUE(is_promise(Message(SplitDone())));
  EXPECT_TRUE(is_promise(Message(Standing())));
  EXPECT_TRUE(is_promise(Message(Overflow())));
  EXPECT_TRUE(is_promise(Message(OverflowAck())));
  EXPECT_TRUE(is_promise(Message(SplitOrder())));
  EXPECT_TRUE(is_promise(Message(Registered())));
  EXPECT_TRUE(is_promise(Message(BookUpdate())));
}

TEST(MailOrderTest, whatUsersAskAndAreToldIsNone) {
  EXPECT_FALSE(is_promise(Message(Request())));
  EXPECT_FALSE(is_promise(Message(Reply())));
  EXPECT_FALSE(is_promise(Message(Scan())));
  EXPECT_FALSE(is_promise(Message(ScanReply())));
  EXPECT_FALSE(is_promise(Message(Heartbeat())));
}

uint64_t lane(Destination to, Message message) { return lane_of({to, std::move(message)}); }

TEST(MailOrderTest, lanesAreNodesClientsAndTheCoordinator) {
  const uint64_t two = lane(Destination::to_bucket(NodeId{2}, 1), SplitRecords());
  EXPECT_EQ(two, lane(Destination::to_bucket(NodeId{2}, 5), Request())) << "one link";
  EXPECT_NE(two, lane(Destination::to_bucket(NodeId{3}, 1), SplitRecords()));
  Reply one;
  one.to.client = 1;
  Reply other;
  other.to.client = 2;
  EXPECT_NE(lane(Destination::reply(), one), lane(Destination::reply(), other));
}

TEST(MailOrderTest, answersToRequestsOvertakeEachOtherAndOthersDoNot) {
  Reply one;
  one.to.client = 1;
  one.seq = 1;
  Reply next = one;
  next.seq = 2;
  EXPECT_NE(lane(Destination::reply(), one), lane(Destination::reply(), next));
  ScanReply piece;
  piece.to.client = 1;
  piece.chunk = 1;
  ScanReply more = piece;
  more.chunk = 2;
  EXPECT_EQ(lane(Destination::reply(), piece), lane(Destination::reply(), more));
}

TEST(MailOrderTest, aHeartbeatWaitsForNothing) {
  EXPECT_NE(lane(Destination::to_coordinator(), Overflow()),
            lane(Destination::to_coordinator(), Heartbeat()));
  EXPECT_EQ(lane(Destination::to_coordinator(), Overflow()),
            lane(Destination::to_coordinator(), SplitDone()));
}

}  // namespace
}  // namespace lh::core
