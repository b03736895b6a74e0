#include "base/thread.h"

#include <gtest/gtest.h>

#include <string>

namespace lh::base {
namespace {

TEST(ThreadTest, runs_under_its_name_until_it_is_joined) {
  Thread thread;
  std::string name(16, '\0');
  EXPECT_FALSE(thread.is_running());
  ASSERT_TRUE(thread
                  .start("fifteen-letters",
                         [&] { pthread_getname_np(pthread_self(), name.data(), name.size()); })
                  .ok());
  EXPECT_TRUE(thread.is_running());
  thread.join();
  EXPECT_FALSE(thread.is_running());
  EXPECT_STREQ(name.c_str(), "fifteen-letters");
}

TEST(ThreadTest, can_be_started_again) {
  Thread thread;
  int runs = 0;
  for (int k = 0; k < 3; ++k) {
    ASSERT_TRUE(thread.start("again", [&] { ++runs; }).ok());
    thread.join();
  }
  EXPECT_EQ(runs, 3);
}

}  // namespace
}  // namespace lh::base
