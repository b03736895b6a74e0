#include "client/outcome.h"

#include <gtest/gtest.h>

namespace lh::client {
namespace {

TEST(OutcomeTest, theWorstOfSeveralCounts) {
  EXPECT_EQ(worse(Outcome::kDone, Outcome::kDone), Outcome::kDone);
  EXPECT_EQ(worse(Outcome::kDone, Outcome::kFailed), Outcome::kFailed);
  EXPECT_EQ(worse(Outcome::kUnreachable, Outcome::kFailed), Outcome::kUnreachable);
  EXPECT_EQ(worse(Outcome::kDone, Outcome::kUsage), Outcome::kFailed)
      << "a bad line among others is a command that failed";
}

TEST(OutcomeTest, ofAnswers) {
  EXPECT_EQ(outcome_of(core::Code::kOk), Outcome::kDone);
  EXPECT_EQ(outcome_of(core::Code::kNotFound), Outcome::kFailed);
  EXPECT_EQ(outcome_of(core::Code::kExists), Outcome::kFailed);
  EXPECT_EQ(outcome_of(core::Code::kDown), Outcome::kUnreachable);
  using Result = core::FileResult::Outcome;
  EXPECT_EQ(outcome_of(Result::kOk), Outcome::kDone);
  EXPECT_EQ(outcome_of(Result::kNoSuchBucket), Outcome::kFailed);
  EXPECT_EQ(outcome_of(Result::kBucketDown), Outcome::kUnreachable);
  EXPECT_EQ(outcome_of(Result::kNoCoordinator), Outcome::kUnreachable);
}

}  // namespace
}  // namespace lh::client
