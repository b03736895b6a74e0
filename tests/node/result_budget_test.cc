#include "node/result_budget.h"

#include <gtest/gtest.h>

namespace lh::node {
namespace {

TEST(ResultBudgetTest, sharesAreCountedTogetherAndGivenBack) {
  ResultBudget budget(100);
  ResultShare a(budget);
  EXPECT_TRUE(a.set(60));
  {
    ResultShare b(budget);
    EXPECT_FALSE(b.set(41));
    EXPECT_EQ(b.bytes(), 0u);
    EXPECT_TRUE(b.set(40));
    EXPECT_FALSE(a.set(61));
    EXPECT_EQ(budget.used(), 100u) << "what was refused is not counted";
  }
  EXPECT_EQ(budget.used(), 60u);
  EXPECT_EQ(budget.released(), 40u);
  EXPECT_TRUE(a.set(100));
  EXPECT_TRUE(a.set(1));
  EXPECT_EQ(budget.used(), 1u);
  EXPECT_EQ(budget.released(), 139u);
}

}  // namespace
}  // namespace lh::node
