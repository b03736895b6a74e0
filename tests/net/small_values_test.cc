// The small tools of the layer that have no source file of their own: task.h, lifeline.h,
// os_error.h.
#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <memory>
#include <utility>

#include "net/lifeline.h"
#include "net/os_error.h"
#include "net/task.h"

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

TEST(OsErrorTest, has_the_systems_words) {
  const Status status = os_error("cannot listen on 127.0.0.1:80", EACCES);
  EXPECT_EQ(StatusCode::kIo, status.code());
  EXPECT_EQ("cannot listen on 127.0.0.1:80: Permission denied", status.message());
}

TEST(OsErrorTest, an_unknown_number_is_named) {
  const Status status = os_error("cannot", 99'999, StatusCode::kUnavailable);
  EXPECT_EQ(StatusCode::kUnavailable, status.code());
  EXPECT_EQ("cannot: unknown error 99999", status.message());
}

}  // namespace
}  // namespace lh::net
