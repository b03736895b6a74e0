#include "base/check.h"

#include <gtest/gtest.h>

#include <string>

namespace lh::base {
namespace {

TEST(CheckTest, trueConditionsCostNothingElse) {
  int evaluated = 0;
  const auto context = [&evaluated] {
    ++evaluated;
    return std::string("context");
  };
  LH_CHECK(1 + 1 == 2);
  LH_CHECK(1 + 1 == 2, context());
  EXPECT_EQ(evaluated, 0);
}

TEST(CheckDeathTest, aFalseConditionSaysWhatItKnew) {
  EXPECT_DEATH(LH_CHECK(1 + 1 == 3), "check_test.cc:[0-9]+: check failed: 1 \\+ 1 == 3");
  EXPECT_DEATH(LH_CHECK(false, std::string("bucket 7")), "check failed: false: bucket 7");
}

TEST(CheckDeathTest, unreachable) {
  EXPECT_DEATH(LH_UNREACHABLE("state 9"), "check failed: unreachable: state 9");
}

TEST(CheckTest, implies) {
  EXPECT_TRUE(LH_IMPLIES(false, false));
  EXPECT_TRUE(LH_IMPLIES(true, true));
  EXPECT_FALSE(LH_IMPLIES(true, false));
}

}  // namespace
}  // namespace lh::base
