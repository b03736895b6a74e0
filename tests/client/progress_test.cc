#include "client/progress.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>

#include "tests/client/temp_files.h"

namespace lh::client {
namespace {

using base::Instant;
using base::ms;
using base::seconds;
using testing::Pipe;

TEST(ProgressTest, lineWithAKnownEnd) {
  EXPECT_EQ(progress_line(seconds(10), 5'000, "records", 25, 100),
            "[#####...............]  25%  5000 records  500/s  0:30 left");
  EXPECT_EQ(progress_line(seconds(100), 1'000, "records", 1, 100),
            "[....................]   1%  1000 records  10/s  165:00 left");
  EXPECT_EQ(progress_line(seconds(1), 10, "records", 100, 100),
            "[####################] 100%  10 records  10/s  0:00 left");
  EXPECT_EQ(progress_line(seconds(1), 10, "records", 120, 100),
            "[####################] 100%  10 records  10/s  0:00 left");
}

TEST(ProgressTest, lineWithoutAKnownEnd) {
  EXPECT_EQ(progress_line(seconds(2), 5'000, "records", 25, 0), "5000 records  2500/s");
  EXPECT_EQ(progress_line(base::Duration(), 0, "records", 0, 0), "0 records  0/s");
}

TEST(ProgressTest, lineOfSomethingElse) {
  EXPECT_EQ(progress_line(seconds(2), 50, "operations", 0, 0), "50 operations  25/s");
}

TEST(ProgressTest, isDrawnOverItselfAndTakenAway) {
  Pipe pipe;
  const Instant start = Instant::from_ns(0);
  {
    Progress progress(pipe.writer(), start);
    progress.update(start + ms(50), 1, 1, 0);  // too soon
    progress.update(start + seconds(1), 1'000, 1, 0);
    progress.update(start + seconds(1) + ms(50), 2'000, 1, 0);  // too soon again
    progress.update(start + seconds(100), 1, 1, 0);
  }
  EXPECT_EQ(pipe.read_all(),
            "\r1000 records  1000/s\r1 records  0/s      \r" + std::string(14, ' ') + "\r");
}

TEST(ProgressTest, withoutATerminalNothingIsShown) {
  Progress progress(-1, Instant::from_ns(0));
  errno = 0;
  progress.update(Instant::from_ns(0) + seconds(9), 1, 1, 1);
  progress.clear();
  EXPECT_EQ(0, errno) << "it tried to write";
}

}  // namespace
}  // namespace lh::client
