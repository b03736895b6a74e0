#include "sim/routing.h"

#include <gtest/gtest.h>

#include <string>

namespace lh::sim {
namespace {

TEST(RoutingTest, addressesThereAndBack) {
  EXPECT_EQ(address_of(12), "p12:1");
  EXPECT_EQ(process_at("p12:1"), ProcessId{12});
  EXPECT_FALSE(process_at(""));
  EXPECT_FALSE(process_at("p:1"));
  EXPECT_FALSE(process_at("p12:2"));
  EXPECT_FALSE(process_at("q12:1"));
}

TEST(RoutingTest, whoAMessageIsFor) {
  EXPECT_EQ(party_of(core::Request{}, true), Party::kServer);
  EXPECT_EQ(party_of(core::SplitRecords{}, true), Party::kServer);
  EXPECT_EQ(party_of(core::Overflow{}, true), Party::kCoordinator);
  EXPECT_EQ(party_of(core::Register{}, true), Party::kCoordinator);
  EXPECT_EQ(party_of(core::Reply{}, true), Party::kPath);
  EXPECT_EQ(party_of(core::Hello{}, true), Party::kNobody);
  EXPECT_EQ(party_of(core::BookQuery{}, true), Party::kCoordinator);
  EXPECT_EQ(party_of(core::BookQuery{}, false), Party::kServer);
}

TEST(RoutingTest, anUpdateOfTheMapGoesToWhoAskedOrToAll) {
  core::BookUpdate update;
  EXPECT_EQ(party_of(update, false), Party::kEveryServer);
  update.to.client = 9;
  EXPECT_EQ(party_of(update, false), Party::kPath);
}

TEST(RoutingTest, theBucketThatAMessageIsAbout) {
  core::Request request;
  request.to = 5;
  EXPECT_EQ(bucket_of(request), BucketNo{5});
  core::SplitRecords records;
  records.source = 1;
  records.target = {3, 2};
  EXPECT_EQ(bucket_of(records), BucketNo{3});
  core::SplitRecordsAck ack;
  ack.source = 1;
  EXPECT_EQ(bucket_of(ack), BucketNo{1});
  core::SplitOrder order;
  order.source = {2, 2};
  EXPECT_EQ(bucket_of(order), BucketNo{2});
  EXPECT_FALSE(bucket_of(core::Heartbeat{}));
}

TEST(RoutingTest, theNodeThatAProcessIs) {
  core::AddressBook book;
  book.set_node({NodeId{2}, true, address_of(5)});
  EXPECT_EQ(node_at(book, 5), NodeId{2});
  EXPECT_EQ(node_at(book, 6), NodeId::kNone);
}

TEST(RoutingTest, thePathInsideAMessage) {
  core::Message request = core::Request{};
  ASSERT_NE(path_of(&request), nullptr);
  path_of(&request)->client = 7;
  EXPECT_EQ(std::get<core::Request>(request).from.client, 7u);
  core::Message scan = core::Scan{};
  path_of(&scan)->link = 8;
  EXPECT_EQ(std::get<core::Scan>(scan).client.link, 8u);
  core::Message reply = core::FileReply{};
  path_of(&reply)->entry = NodeId{3};
  EXPECT_EQ(std::get<core::FileReply>(reply).to.entry, NodeId{3});
  core::Message beat = core::Heartbeat{};
  EXPECT_EQ(path_of(&beat), nullptr);
}

}  // namespace
}  // namespace lh::sim
