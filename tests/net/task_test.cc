#include "net/task.h"

#include <gtest/gtest.h>

#include <memory>
#include <utility>

namespace lh::net {
namespace {

TEST(TaskTest, calls_what_it_holds_and_owns_what_cannot_be_copied) {
  int result = 0;
  Task task = [&result, owned = std::make_unique<int>(7)] { result = *owned; };
  EXPECT_TRUE(static_cast<bool>(task));
  Task moved = std::move(task);
  EXPECT_FALSE(static_cast<bool>(task));
  moved();
  EXPECT_EQ(7, result);
}

TEST(TaskTest, destroys_what_it_holds_without_a_call) {
  auto shared = std::make_shared<int>(1);
  {
    const Task task = [shared] {};
    EXPECT_EQ(2, shared.use_count());
  }
  EXPECT_EQ(1, shared.use_count());
}

TEST(TaskTest, can_be_made_from_an_lvalue) {
  int calls = 0;
  auto count = [&calls] { ++calls; };
  Task a = count;
  Task b = count;
  a();
  b();
  EXPECT_EQ(2, calls);
}

}  // namespace
}  // namespace lh::net
