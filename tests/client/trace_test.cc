#include "client/trace.h"

#include <gtest/gtest.h>

#include <string>

namespace lh::client {
namespace {

std::string trace(const core::Completion& done) {
  std::string out;
  append_trace(&out, done);
  return out;
}

core::Completion answered_by(BucketMark bucket) {
  core::Completion done;
  done.c = 9;
  done.bucket = bucket;
  done.first = bucket.a;
  done.image = {3, 2};
  return done;
}

TEST(TraceTest, straightToTheRightBucket) {
  EXPECT_EQ(trace(answered_by({9, 4})), "trace c=9 path=9 forwards=0 image=(3,2)\n");
}

TEST(TraceTest, oneForward) {
  core::Completion done = answered_by({9, 4});
  done.first = 1;
  done.hops = 1;
  done.iam = {1, 4};
  EXPECT_EQ(trace(done), "trace c=9 path=1>9 forwards=1 iam=(a=1,j=4) image=(3,2)\n");
}

TEST(TraceTest, twoForwards) {
  core::Completion done = answered_by({9, 4});
  done.first = 0;
  done.hops = 2;
  done.iam = {1, 4};
  EXPECT_EQ(trace(done), "trace c=9 path=0>1>9 forwards=2 iam=(a=1,j=4) image=(3,2)\n");
}

TEST(TraceTest, keyThatTheFileDoesNotAdmitLeavesNoTrace) {
  core::Completion done;
  done.code = core::Code::kBadKey;
  EXPECT_EQ(trace(done), "");
}

TEST(StatsTest, messagesAreRequestsForwardsAndReplies) {
  core::ClientCore::Counters counters;
  counters.ops = 100;
  counters.requests = 100;
  counters.forwards = 3;
  counters.replies = 100;
  counters.iams = 2;
  std::string out;
  append_stats(&out, counters, {3, 2});
  EXPECT_EQ(out, "stats ops=100 messages=203 forwards=3 iams=2 image=(3,2)\n");
}

}  // namespace
}  // namespace lh::client
