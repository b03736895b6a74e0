#include <gtest/gtest.h>

#include <string>

#include "tests/node/fixture.h"

namespace lh::node {
namespace {

using namespace testing;

constexpr base::Duration kPatience = core::Rebuild::kPatience;

// A coordinator that rebuilds its file, and node 2 of that file, played by the test.
class WorkerFileTest : public Cluster {
 protected:
  WorkerFileTest()
      : node_(start_rebuilding({.workers = 2})), two_(connect_node(node_, NodeId{2}, 1)) {}

  void claim() {
    core::Register m;
    m.id = NodeId{2};
    m.incarnation = 0xa2;
    m.address = "127.0.0.1:4002";
    send_message(two_, m);
    ASSERT_TRUE(within(base::seconds(1), [&] {
      asked_ = take_message_of<core::StandingQuery>(two_);
      return asked_ != nullptr;
    }));
  }
  void say(uint64_t capacity) {
    core::Standing m;
    m.query = std::get<core::StandingQuery>(asked_->message).query;
    m.node = NodeId{2};
    m.options = integer_file(capacity);
    m.options.id = 77;
    m.book = {0, {NodeId{1}, NodeId{2}}, {}};
    m.buckets.push_back({{1, 1}});
    send_message(two_, m);
    settle();
  }

  TestNode& node_;
  Peer& two_;
  std::unique_ptr<Received> asked_;
};

TEST_F(WorkerFileTest, ItServesTheFileThatTheNodesHaveAndAnswersThem) {
  Peer& user = connect(node_);
  claim();
  EXPECT_FALSE(node_.joined());
  say(10);
  ASSERT_TRUE(within(kPatience, [&] { return node_.joined(); }));
  EXPECT_EQ(NodeId{1}, node_.id());
  EXPECT_EQ(77u, node_.file().id);
  EXPECT_EQ(1u, node_.live_buckets());
  std::unique_ptr<Received> registered;
  ASSERT_TRUE(within(base::seconds(1), [&] {
    registered = take_message_of<core::Registered>(two_);
    return registered != nullptr;
  }));
  EXPECT_EQ(NodeId{2}, std::get<core::Registered>(registered->message).id);
  EXPECT_EQ("NOT FOUND\n", ask(user, "READ 2")) << "bucket 0 was lost";
  EXPECT_EQ("OK\n", ask(user, "INSERT 2 two"));
}

TEST_F(WorkerFileTest, ItEndsWhenTheNodesAreOfAnotherKindOfFile) {
  claim();
  say(11);
  ASSERT_TRUE(within(kPatience, [&] { return !node_.rebuild_failure().empty(); }));
  EXPECT_EQ("the nodes are of a file with --capacity=11 --hash=integer", node_.rebuild_failure());
  EXPECT_FALSE(node_.joined());
}

}  // namespace
}  // namespace lh::node
