#include "node/input_queue.h"

#include <gtest/gtest.h>

#include <string>

namespace lh::node {
namespace {

class InputQueueTest : public ::testing::Test {
 protected:
  void count() { ++delivered_; }

  core::Server server_;
  Front front_{7, &server_};
  InputQueue queue_;
  int delivered_ = 0;
  net::DeferredMember<InputQueueTest, &InputQueueTest::count> one_{*this};
  net::DeferredMember<InputQueueTest, &InputQueueTest::count> other_{*this};
};

TEST_F(InputQueueTest, DeliversWhatIsHereOnce) {
  queue_.connections()->push_back(one_);
  queue_.connections()->push_back(other_);
  queue_.deliver(&front_);
  EXPECT_EQ(2, delivered_);
  queue_.deliver(&front_);
  EXPECT_EQ(2, delivered_);
}

TEST_F(InputQueueTest, LooksAheadForAnyNumberOfKeys) {
  core::FileOptions options;
  core::Effects effects;
  server_.configure(NodeId{1}, options);
  front_.configure(NodeId{1}, 99);
  front_.client().configure(options, {0, {NodeId{1}}, {}});
  server_.create_bucket({0, 0}, &effects);
  for (const int keys : {1, 2, 64, 65, 1'000}) {
    for (int k = 0; k < keys; ++k) {
      const std::string key = "key" + std::to_string(k);
      const HashValue c = *base::hash_key(options.hash, key);
      if (k % 3 == 0) server_.execute({}, front_.find(c), {core::Op::kPut, c, key, "v"}, &effects);
      queue_.announce(c);
    }
    queue_.connections()->push_back(one_);
    queue_.deliver(&front_);
  }
  EXPECT_EQ(5, delivered_);
}

}  // namespace
}  // namespace lh::node
