#include "base/log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>
#include <vector>

#include "base/strings.h"
#include "tests/base/recording_sink.h"

namespace lh::base {
namespace {

using testing::RecordingSink;

// Points stderr elsewhere while it lives.
class StderrTo {
 public:
  explicit StderrTo(int fd) : saved_(dup(STDERR_FILENO)) { dup2(fd, STDERR_FILENO); }
  ~StderrTo() {
    dup2(saved_, STDERR_FILENO);
    close(saved_);
  }

 private:
  int saved_;
};

std::string read_file(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// A new file of its own, deleted at the end with its rotated twin.
class TempFile {
 public:
  TempFile() : path_(::testing::TempDir() + "lhnode_log_XXXXXX"), fd_(mkstemp(path_.data())) {}
  ~TempFile() {
    close(fd_);
    std::filesystem::remove(path_);
    std::filesystem::remove(rotated());
  }
  const std::string& path() const { return path_; }
  std::string rotated() const { return path_ + ".1"; }
  int fd() const { return fd_; }

 private:
  std::string path_;
  int fd_;
};

TEST(LogTest, componentEventAndPairs) {
  RecordingSink sink;
  LH_LOG(kInfo, "split", "done").kv("bucket", 3).kv("node", "127.0.0.1:40123");
  EXPECT_EQ(sink.only_line(), "info split done bucket=3 node=127.0.0.1:40123");
}

TEST(LogTest, valuesOfAllKinds) {
  RecordingSink sink;
  const std::string text = "x";
  LH_LOG(kWarn, "c", "e")
      .kv("signed", int8_t{-5})
      .kv("unsigned", ~uint64_t{0})
      .kv("bool", true)
      .kv("double", 0.85)
      .kv("string", text)
      .kv("duration", ms(1500));
  EXPECT_EQ(sink.only_line(),
            "warn c e signed=-5 unsigned=18446744073709551615 bool=true double=0.85 string=x "
            "duration=1.5");
}

TEST(LogTest, valuesAreQuotedWhenTheyMustBe) {
  RecordingSink sink;
  LH_LOG(kError, "c", "e")
      .kv("blank", "a b")
      .kv("empty", "")
      .kv("equals", "a=b")
      .kv("quote", "\"")
      .kv("newline", "a\ninfo fake line")
      .kv("ansi", "\x1b[31mred");
  EXPECT_EQ(sink.only_line(),
            "error c e blank=\"a b\" empty=\"\" equals=\"a=b\" quote=\"\\\"\" "
            "newline=\"a\\ninfo fake line\" ansi=\"\\x1b[31mred\"");
}

TEST(LogTest, levelsBelowAreNotEvenEvaluated) {
  RecordingSink sink;
  int evaluated = 0;
  const auto costly = [&evaluated] { return ++evaluated; };
  LH_LOG(kDebug, "c", "hidden").kv("n", costly());
  EXPECT_EQ(evaluated, 0);
  EXPECT_TRUE(sink.lines().empty());

  set_log_level(LogLevel::kDebug);
  LH_LOG(kDebug, "c", "shown").kv("n", costly());
  EXPECT_EQ(sink.only_line(), "debug c shown n=1");

  set_log_level(LogLevel::kError);
  LH_LOG(kWarn, "c", "hidden");
  EXPECT_EQ(sink.lines().size(), 1u);
}

TEST(LogTest, isOneStatementInAnIf) {
  RecordingSink sink;
  const auto log_or_not = [](bool wanted) {
    if (wanted)
      LH_LOG(kInfo, "c", "then");
    else
      LH_LOG(kInfo, "c", "else");
  };
  log_or_not(false);
  EXPECT_EQ(sink.only_line(), "info c else");
}

TEST(LogTest, levelNames) {
  for (const auto level : {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarn, LogLevel::kError}) {
    EXPECT_EQ(parse_log_level(to_string(level)), level);
  }
  EXPECT_EQ(parse_log_level("INFO"), std::nullopt);
  EXPECT_EQ(parse_log_level(""), std::nullopt);
}

TEST(LogTest, wholeLine) {
  EXPECT_EQ(format_log_line(1'795'321'780'123, LogLevel::kInfo, "split done bucket=3"),
            "2026-11-22T04:29:40.123Z info  split done bucket=3\n");
  EXPECT_EQ(format_log_line(0, LogLevel::kError, "c e"), "1970-01-01T00:00:00.000Z error c e\n");
}

TEST(LogTest, longLinesAreCutBetweenCharacters) {
  RecordingSink sink;
  std::string value;
  while (value.size() < 3 * kLogLineMax) value += "é";
  for (const std::string_view key : {"k", "ke"}) LH_LOG(kInfo, "c", "e").kv(key, value);
  ASSERT_EQ(sink.lines().size(), 2u);
  for (const std::string& line : sink.lines()) {
    const std::string body = line.substr(5);
    EXPECT_LE(format_log_line(0, LogLevel::kInfo, body).size(), kLogLineMax);
    EXPECT_GE(format_log_line(0, LogLevel::kInfo, body).size(), kLogLineMax - 2);
    EXPECT_TRUE(body.ends_with("é...")) << body.substr(body.size() - 8);
  }
}

TEST(LogTest, aLineIsOneWriteToStderr) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  {
    const StderrTo redirected(ends[1]);
    LH_LOG(kInfo, "c", "first").kv("n", 1);
    LH_LOG(kWarn, "c", "second");
  }
  close(ends[1]);
  char buffer[1024];
  const ssize_t size = read(ends[0], buffer, sizeof buffer);
  close(ends[0]);
  ASSERT_GT(size, 0);
  const std::string time = "2[0-9][0-9][0-9]-[01][0-9]-[0-3][0-9]T[0-9][0-9]:*.[0-9][0-9][0-9]Z";
  const std::string text(buffer, static_cast<size_t>(size));
  EXPECT_TRUE(glob_match(time + " info  c first n=1\n" + time + " warn  c second\n", text)) << text;
}

TEST(LogTest, linesOfSeveralThreadsDoNotMix) {
  const TempFile file;
  {
    const StderrTo redirected(file.fd());
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([t] {
        for (int i = 0; i < 200; ++i) LH_LOG(kInfo, "thread", "line").kv("t", t).kv("i", i);
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  std::istringstream lines(read_file(file.path()));
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    ASSERT_TRUE(glob_match("2*-*-*T*:*:*.*Z info  thread line t=? i=*", line)) << line;
    ASSERT_LE(line.size(),
              std::string_view("2026-11-22T04:29:40.123Z info  thread line t=0 i=199").size());
  }
  EXPECT_EQ(count, 800);
}

TEST(LogTest, reopenFollowsRotation) {
  const TempFile file;
  {
    const StderrTo redirected(file.fd());
    remember_log_file();
    LH_LOG(kInfo, "c", "before");
    std::filesystem::rename(file.path(), file.rotated());
    LH_LOG(kInfo, "c", "between");
    ASSERT_TRUE(reopen_log());
    LH_LOG(kInfo, "c", "after");
  }
  remember_log_file();
  EXPECT_NE(read_file(file.rotated()).find("between"), std::string::npos);
  EXPECT_EQ(read_file(file.rotated()).find("after"), std::string::npos);
  EXPECT_NE(read_file(file.path()).find("after"), std::string::npos);
}

TEST(LogTest, reopenThatFailsKeepsTheOldFile) {
  const std::string directory = ::testing::TempDir() + "lhnode_log_dir_" + std::to_string(getpid());
  const std::string moved = directory + ".moved";
  std::filesystem::create_directory(directory);
  const int fd = open((directory + "/log").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  ASSERT_GE(fd, 0);
  {
    const StderrTo redirected(fd);
    remember_log_file();
    std::filesystem::rename(directory, moved);
    EXPECT_FALSE(reopen_log());
    LH_LOG(kInfo, "c", "still here");
  }
  close(fd);
  remember_log_file();
  EXPECT_NE(read_file(moved + "/log").find("still here"), std::string::npos);
  std::filesystem::remove_all(moved);
}

TEST(LogTest, reopenDoesNothingForAPipe) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  {
    const StderrTo redirected(ends[1]);
    remember_log_file();
    EXPECT_TRUE(reopen_log());
    LH_LOG(kInfo, "c", "through the pipe");
  }
  remember_log_file();
  close(ends[1]);
  char byte = 0;
  EXPECT_EQ(read(ends[0], &byte, 1), 1);
  close(ends[0]);
}

TEST(RateLimitTest, oneASecond) {
  RateLimit limit;
  const Instant start = Instant::from_ns(-5);
  EXPECT_TRUE(limit.allow(start));
  EXPECT_FALSE(limit.allow(start));
  EXPECT_FALSE(limit.allow(start + ms(999)));
  EXPECT_EQ(limit.take_suppressed(), 2u);
  EXPECT_EQ(limit.take_suppressed(), 0u);
  EXPECT_TRUE(limit.allow(start + seconds(1)));
  EXPECT_FALSE(limit.allow(start + ms(1500)));
  EXPECT_TRUE(limit.allow(start + ms(2000)));
}

TEST(RateLimitTest, oneOfManyThreadsWins) {
  RateLimit limit;
  std::atomic<int> allowed{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) allowed += limit.allow(Instant::from_ns(0)) ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(allowed, 1);
  EXPECT_EQ(limit.take_suppressed(), 3999u);
}

TEST(RateLimitTest, limitedLinesSayHowManyWereSuppressed) {
  RecordingSink sink;
  const auto complain = [](Instant now) { LH_LOG_LIMITED(kWarn, "c", "bad", now).kv("k", 1); };
  const Instant start;
  for (int i = 0; i < 5; ++i) complain(start);
  complain(start + seconds(2));
  complain(start + seconds(4));
  EXPECT_EQ(sink.lines(), (std::vector<std::string>{"warn c bad k=1", "warn c bad suppressed=4 k=1",
                                                    "warn c bad k=1"}));
}

}  // namespace
}  // namespace lh::base
