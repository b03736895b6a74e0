#include "client/output.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <string>
#include <thread>

#include "tests/client/temp_files.h"

namespace lh::client {
namespace {

using testing::Pipe;

TEST(OutputTest, gathersUntilItIsFlushed) {
  Pipe pipe;
  Output out(pipe.writer());
  out.append("a");
  out.append("b");
  *out.text() += 'c';
  out.flush_if_full();
  EXPECT_EQ(*out.text(), "abc");
  out.flush();
  EXPECT_EQ(*out.text(), "");
  EXPECT_TRUE(out.status().ok());
  EXPECT_EQ(pipe.read_all(), "abc");
}

TEST(OutputTest, writesMoreThanAPipeTakesAtOnce) {
  Pipe pipe;
  const std::string bytes(1'000'000, 'x');
  std::string read;
  std::thread reader([&] {
    char block[1000];
    while (read.size() < bytes.size()) {
      const ssize_t got = ::read(pipe.reader(), block, sizeof block);
      if (got <= 0) return;
      read.append(block, static_cast<size_t>(got));
    }
  });
  // Also when another program left the descriptor non-blocking.
  ASSERT_EQ(0, ::fcntl(pipe.writer(), F_SETFL, O_NONBLOCK));
  Output out(pipe.writer());
  out.append(bytes);
  out.flush_if_full();
  EXPECT_TRUE(out.status().ok());
  reader.join();
  EXPECT_EQ(read, bytes);
}

TEST(OutputTest, keepsTheFirstErrorAndDropsTheRest) {
  ::signal(SIGPIPE, SIG_IGN);
  Pipe pipe;
  pipe.close_reader();
  Output out(pipe.writer());
  out.append("a");
  out.flush();
  EXPECT_EQ(out.status().code(), StatusCode::kIo);
  EXPECT_EQ(out.status().message(), "cannot write: Broken pipe");
  out.append("b");
  out.flush();
  EXPECT_EQ(*out.text(), "");
}

}  // namespace
}  // namespace lh::client
