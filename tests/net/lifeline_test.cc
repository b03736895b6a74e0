#include "net/lifeline.h"

#include <gtest/gtest.h>

#include <memory>

namespace lh::net {
namespace {

TEST(LifelineTest, a_guard_knows_that_its_object_lives) {
  Lifeline line;
  const LifelineGuard guard(line);
  EXPECT_FALSE(guard.cut());
}

TEST(LifelineTest, all_nested_guards_learn_of_the_death) {
  auto line = std::make_unique<Lifeline>();
  const LifelineGuard outer(*line);
  const LifelineGuard inner(*line);
  line.reset();
  EXPECT_TRUE(outer.cut());
  EXPECT_TRUE(inner.cut());
}

TEST(LifelineTest, a_guard_that_has_ended_is_not_told) {
  auto line = std::make_unique<Lifeline>();
  const LifelineGuard outer(*line);
  { const LifelineGuard inner(*line); }
  line.reset();
  EXPECT_TRUE(outer.cut());
}

}  // namespace
}  // namespace lh::net
