#include "client/history.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <string>
#include <vector>

#include "tests/client/temp_files.h"

namespace lh::client {
namespace {

using testing::read_file;
using testing::TempDir;

std::vector<std::string> all(const History& history) {
  std::vector<std::string> lines;
  for (size_t k = 0; k < history.size(); ++k) lines.push_back(history.line(k));
  return lines;
}

using Lines = std::vector<std::string>;

TEST(HistoryTest, passesOverEmptyLinesAndRepetitions) {
  History history;
  for (const char* line : {"a", "", "a", "b", "b", "a"}) history.add(line);
  EXPECT_EQ(all(history), (Lines{"a", "b", "a"}));
}

TEST(HistoryTest, isKeptInAFileForItsOwnerOnly) {
  const TempDir dir;
  const std::string path = dir.path("history");
  {
    History history(path);
    EXPECT_EQ(history.size(), 0u);
    history.add("a");
    history.add("b");
  }
  EXPECT_EQ(read_file(path), "a\nb\n");
  struct stat info {};
  ASSERT_EQ(0, ::stat(path.c_str(), &info));
  EXPECT_EQ(info.st_mode & 0777u, 0600u);
  History again(path);
  EXPECT_EQ(all(again), (Lines{"a", "b"}));
}

TEST(HistoryTest, twoPromptsShareAFile) {
  const TempDir dir;
  History one(dir.path("history"));
  History two(dir.path("history"));
  one.add("a");
  two.add("b");
  one.add("c");
  EXPECT_EQ(read_file(dir.path("history")), "a\nb\nc\n");
}

TEST(HistoryTest, isBounded) {
  const TempDir dir;
  std::string text;
  for (size_t k = 0; k < 2 * History::kLinesMax + 1; ++k) text += std::to_string(k) + "\n";
  const std::string path = dir.write("history", text);
  History history(path);
  EXPECT_EQ(history.size(), History::kLinesMax);
  EXPECT_EQ(history.line(0), "1001");
  EXPECT_TRUE(read_file(path).starts_with("1001\n1002\n"));
  history.add("new");
  EXPECT_EQ(history.size(), History::kLinesMax);
  EXPECT_EQ(history.line(0), "1002");
  EXPECT_EQ(history.line(History::kLinesMax - 1), "new");
}

TEST(HistoryTest, aFileThatCannotBeWrittenIsNoError) {
  const TempDir dir;
  History history(dir.path("no/such/folder"));
  history.add("a");
  EXPECT_EQ(all(history), (Lines{"a"}));
}

TEST(HistoryTest, livesInTheHomeFolder) {
  const TempDir dir;
  ASSERT_EQ(0, ::setenv("HOME", dir.path("me").c_str(), 1));
  EXPECT_EQ(history_path(), dir.path("me/.lhnode_history"));
  ASSERT_EQ(0, ::unsetenv("HOME"));
  EXPECT_EQ(history_path(), "");
}

}  // namespace
}  // namespace lh::client
