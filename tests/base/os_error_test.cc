#include "base/os_error.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace lh::base {
namespace {

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
}  // namespace lh::base
