#include "client/line_input.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/client/temp_files.h"

namespace lh::client {
namespace {

using testing::Pipe;
using testing::TempDir;
using Outcome = LineInput::Outcome;

// All lines, then the outcome that ended them.
std::vector<std::string> lines_of(std::string_view text, size_t line_max, Outcome* end) {
  Pipe pipe;
  pipe.write(text);
  pipe.close_writer();
  LineInput input(pipe.reader(), line_max, [] {});
  std::vector<std::string> lines;
  std::string_view line;
  while ((*end = input.next(&line)) == Outcome::kLine) lines.emplace_back(line);
  return lines;
}

using Lines = std::vector<std::string>;

TEST(LineInputTest, endsOfLines) {
  Outcome end;
  EXPECT_EQ(lines_of("a\nb\r\n\n\r\nc\rd\n", 10, &end), (Lines{"a", "b", "", "", "c\rd"}));
  EXPECT_EQ(end, Outcome::kEnd);
  EXPECT_EQ(lines_of("a\nb", 10, &end), (Lines{"a", "b"}));
  EXPECT_EQ(end, Outcome::kEnd);
  EXPECT_EQ(lines_of("", 10, &end), Lines{});
  EXPECT_EQ(end, Outcome::kEnd);
}

TEST(LineInputTest, longestLine) {
  Outcome end;
  EXPECT_EQ(lines_of("123\n123\r\n123", 3, &end), (Lines{"123", "123", "123"}));
  EXPECT_EQ(end, Outcome::kEnd);
  EXPECT_EQ(lines_of("123\n1234\n1", 3, &end), (Lines{"123"}));
  EXPECT_EQ(end, Outcome::kTooLong);
  EXPECT_EQ(lines_of("1234", 3, &end), Lines{});
  EXPECT_EQ(end, Outcome::kTooLong);
  EXPECT_EQ(lines_of("12345", 3, &end), Lines{});
  EXPECT_EQ(end, Outcome::kTooLong);
}

TEST(LineInputTest, linesLongerThanAChunk) {
  const TempDir dir;
  const std::string longest(3'000'000, 'x');
  const std::string text = "a\n" + longest + "\n" + longest + "\nb\n";
  const int fd = ::open(dir.write("lines", text).c_str(), O_RDONLY);
  LineInput input(fd, longest.size(), [] {});
  std::string_view line;
  for (const std::string& expected : {std::string("a"), longest, longest, std::string("b")}) {
    ASSERT_EQ(input.next(&line), Outcome::kLine);
    EXPECT_EQ(line, expected);
  }
  EXPECT_EQ(input.next(&line), Outcome::kEnd);
  EXPECT_EQ(input.bytes_read(), text.size());
  ::close(fd);
}

TEST(LineInputTest, saysWhenItIsAboutToRead) {
  Pipe pipe;
  pipe.write("a\nb\nc");
  int reads = 0;
  LineInput input(pipe.reader(), 10, [&] {
    if (++reads == 2) pipe.write("d\n");
  });
  std::string_view line;
  EXPECT_EQ(input.next(&line), Outcome::kLine);
  EXPECT_EQ(reads, 1);
  EXPECT_EQ(input.next(&line), Outcome::kLine);
  EXPECT_EQ(reads, 1);
  EXPECT_EQ(input.next(&line), Outcome::kLine);
  EXPECT_EQ(line, "cd");
  EXPECT_EQ(reads, 2);
}

TEST(LineInputTest, whatCannotBeRead) {
  const TempDir dir;
  const int fd = ::open(dir.path("").c_str(), O_RDONLY);
  LineInput input(fd, 10, [] {});
  std::string_view line;
  EXPECT_EQ(input.next(&line), Outcome::kFailed);
  EXPECT_EQ(errno, EISDIR);
  ::close(fd);
}

}  // namespace
}  // namespace lh::client
