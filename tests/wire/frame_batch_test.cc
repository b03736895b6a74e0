#include "wire/frame_batch.h"

#include <gtest/gtest.h>

#include <string>
#include <variant>
#include <vector>

#include "tests/wire/test_frames.h"

namespace lh::wire {
namespace {

std::string request(const std::string& key, Routing routing = Routing::kDirect) {
  core::Request request;
  request.key = key;
  return encoded(request, routing);
}

class FrameBatchTest : public ::testing::Test {
 protected:
  FrameStatus parse(const std::string& bytes) {
    bytes_ = bytes;
    return batch_.parse(bytes_);
  }
  std::vector<std::string> keys() {
    std::vector<std::string> keys;
    for (size_t k = 0; k < batch_.size(); ++k) {
      const auto* one = std::get_if<core::Request>(&batch_[k].message);
      keys.emplace_back(one == nullptr ? "-" : one->key);
    }
    return keys;
  }
  using Keys = std::vector<std::string>;

  FrameBatch batch_;
  std::string bytes_;
};

TEST_F(FrameBatchTest, RequestsThatFollowEachOther) {
  EXPECT_EQ(parse(request("a") + request("bb", Routing::kRouted) + request("c")),
            FrameStatus::kFrame);
  EXPECT_EQ(keys(), (Keys{"a", "bb", "c"}));
  EXPECT_EQ(batch_[0].routing, Routing::kDirect);
  EXPECT_EQ(batch_[1].routing, Routing::kRouted);
  EXPECT_EQ(batch_[1].size, request("bb", Routing::kRouted).size());
}

TEST_F(FrameBatchTest, AnotherMessageIsABatchOfItsOwn) {
  const std::string ping = encoded(core::Ping{7});
  EXPECT_EQ(parse(request("a") + ping + request("b")), FrameStatus::kFrame);
  EXPECT_EQ(keys(), Keys{"a"});
  EXPECT_EQ(parse(ping + ping + request("b")), FrameStatus::kFrame);
  EXPECT_EQ(keys(), Keys{"-"});
}

TEST_F(FrameBatchTest, WhatIsNotThereAsAWholeIsLeft) {
  const std::string one = request("a");
  for (size_t cut = 0; cut < one.size(); ++cut) {
    EXPECT_EQ(parse(one.substr(0, cut)), FrameStatus::kNeedMore) << cut;
    EXPECT_EQ(batch_.size(), 0u);
    EXPECT_EQ(parse(one + one.substr(0, cut)), FrameStatus::kFrame) << cut;
    EXPECT_EQ(batch_.size(), 1u);
  }
}

TEST_F(FrameBatchTest, WhatIsBadIsSaidWhenItIsItsTurn) {
  for (const std::string& bad : {std::string("\xff oops"), request("a").replace(6, 1, "\xff")}) {
    EXPECT_EQ(parse(request("a") + bad), FrameStatus::kFrame);
    EXPECT_EQ(keys(), Keys{"a"});
    EXPECT_EQ(parse(bad), FrameStatus::kBad);
    EXPECT_EQ(batch_.size(), 0u);
    EXPECT_NE(batch_.error(), "");
  }
}

TEST_F(FrameBatchTest, ItHasABound) {
  std::string many;
  for (size_t k = 0; k < FrameBatch::kMax + 5; ++k) many += request("a");
  EXPECT_EQ(parse(many), FrameStatus::kFrame);
  EXPECT_EQ(batch_.size(), FrameBatch::kMax);
}

}  // namespace
}  // namespace lh::wire
