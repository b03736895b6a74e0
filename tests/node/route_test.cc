#include "node/route.h"

#include <gtest/gtest.h>

namespace lh::node {
namespace {

constexpr size_t kHere = 2;

// Buckets 0, 1 and 2 belong to workers 0, 1 and 2 of four; nobody has another.
class RouteTest : public ::testing::Test {
 protected:
  RouteTest() {
    for (BucketNo a = 0; a < 3; ++a) EXPECT_EQ(a, owners_.claim(a));
  }
  Target find(const core::Message& message, bool has_coordinator = false) {
    return find_target(message, kHere, &owners_, has_coordinator);
  }
  void expect(Party party, size_t worker, const core::Message& message) {
    const Target target = find(message);
    EXPECT_EQ(party, target.party) << core::to_string(message);
    EXPECT_EQ(worker, target.worker) << core::to_string(message);
  }

  BucketOwners owners_{4};
};

core::ReplyPath path_to(uint8_t worker, core::ClientId client = 9) {
  core::ReplyPath path;
  path.client = client;
  path.entry = NodeId{1};
  path.link = LinkToken{worker, 5, 6}.packed();
  return path;
}

TEST(LinkTokenTest, IsTheSameAfterItsTravels) {
  for (const LinkToken token :
       {LinkToken{}, LinkToken{255, 0xffffffff, 0xffffff}, LinkToken{1, 2, 3}}) {
    const LinkToken back = LinkToken::unpack(token.packed());
    EXPECT_EQ(token.worker, back.worker);
    EXPECT_EQ(token.slot, back.slot);
    EXPECT_EQ(token.generation, back.generation);
  }
  EXPECT_EQ((LinkToken{1, 2, 3}.packed()), (LinkToken{1, 2, 3 + (1u << 24)}.packed()))
      << "a generation has 24 bits";
}

TEST_F(RouteTest, WhatConcernsABucketGoesToItsWorker) {
  core::Request request;
  request.to = 1;
  expect(Party::kServer, 1, request);
  core::Scan scan;
  scan.to = 2;
  expect(Party::kServer, 2, scan);
  core::ScanMore more;
  more.to = 1;
  expect(Party::kServer, 1, more);
  core::SplitOrder order;
  order.source = {1, 1};
  order.target = 2;
  expect(Party::kServer, 1, order);
  core::SplitRecordsAck ack;
  ack.source = 1;
  expect(Party::kServer, 1, ack);
  core::OverflowAck overflow;
  overflow.bucket = 1;
  expect(Party::kServer, 1, overflow);
}

TEST_F(RouteTest, WhatConcernsABucketThatNobodyHasStaysHere) {
  core::Request request;
  request.to = 77;
  expect(Party::kServer, kHere, request);
  EXPECT_FALSE(owners_.find(77).has_value()) << "and nobody gets it for that";
}

TEST_F(RouteTest, TheRecordsOfANewBucketFindItAWorker) {
  core::SplitRecords records;
  records.source = 1;
  records.target = {3, 2};
  expect(Party::kServer, 3, records);
  EXPECT_EQ(3u, owners_.find(3));
  records.target = {BucketNo{1} << 33, 34};
  expect(Party::kServer, kHere, records);
}

TEST_F(RouteTest, AnswersGoToTheWorkerOfTheConnection) {
  core::Reply reply;
  reply.to = path_to(3);
  expect(Party::kLink, 3, reply);
  core::ScanReply piece;
  piece.to = path_to(1);
  expect(Party::kLink, 1, piece);
  core::FileReply file;
  file.to = path_to(1);
  expect(Party::kLink, 1, file);
  core::Registered registered;
  registered.to = path_to(1);
  expect(Party::kLink, 1, registered);
  core::BookUpdate update;
  update.to = path_to(3);
  expect(Party::kLink, 3, update);
}

TEST_F(RouteTest, AMapThatNobodyAskedForIsForEveryServer) {
  expect(Party::kEveryServer, kHere, core::BookUpdate{});
}

TEST_F(RouteTest, TheCoordinatorIsInTheFirstWorker) {
  expect(Party::kCoordinator, kCoordinatorWorker, core::Register{});
  expect(Party::kCoordinator, kCoordinatorWorker, core::Heartbeat{});
  expect(Party::kCoordinator, kCoordinatorWorker, core::Overflow{});
  expect(Party::kCoordinator, kCoordinatorWorker, core::SplitDone{});
  expect(Party::kCoordinator, kCoordinatorWorker, core::Standing{});
  expect(Party::kCoordinator, kCoordinatorWorker, core::FileQuery{});
}

TEST_F(RouteTest, AnyNodeAnswersWhereBucketsAreTheCoordinatorFirst) {
  expect(Party::kServer, kHere, core::BookQuery{});
  const Target target = find(core::BookQuery{}, true);
  EXPECT_EQ(Party::kCoordinator, target.party);
  EXPECT_EQ(kCoordinatorWorker, target.worker);
}

TEST_F(RouteTest, WhatBelongsToAConnectionTravelsNoFurther) {
  expect(Party::kNobody, 0, core::Hello{});
  expect(Party::kNobody, 0, core::Welcome{});
  expect(Party::kNobody, 0, core::Ping{});
  expect(Party::kNobody, 0, core::Pong{});
  expect(Party::kNobody, 0, core::Error{});
}

}  // namespace
}  // namespace lh::node
