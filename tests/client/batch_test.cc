#include "client/batch.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "tests/client/fake_file.h"
#include "tests/client/temp_files.h"

namespace lh::client {
namespace {

using testing::FakeFile;
using testing::Pipe;

class BatchTest : public ::testing::Test {
 protected:
  BatchTest() : session_(std::move(Session::open({file_.address()})).value()) {}

  // All answers to these lines.
  std::string run(std::string_view lines) {
    Pipe input;
    input.write(lines);
    input.close_writer();
    Pipe output;
    Output out(output.writer());
    Runner runner(*session_, out, {false, RecordFormat::kTsv, -1, true, &errors_});
    outcome_ = run_batch(*session_, runner, out, input.reader());
    return output.read_all();
  }

  FakeFile file_;
  std::unique_ptr<Session> session_;
  Output errors_{-1};
  Outcome outcome_ = Outcome::kDone;
};

TEST_F(BatchTest, answersInOrder) {
  EXPECT_EQ(run("insert k v\nread k\r\n\n  \ncount\n"), "OK\nv\n1\n");
  EXPECT_EQ(outcome_, Outcome::kDone);
}

TEST_F(BatchTest, theLastLineNeedsNoEnd) { EXPECT_EQ(run("count"), "0\n"); }

TEST_F(BatchTest, nothing) {
  EXPECT_EQ(run(""), "");
  EXPECT_EQ(outcome_, Outcome::kDone);
}

TEST_F(BatchTest, theWorstOutcomeCounts) {
  EXPECT_EQ(run("read k\ncount\n"), "NOT FOUND\n0\n");
  EXPECT_EQ(outcome_, Outcome::kFailed);
  EXPECT_EQ(run("bogus\ncount\n"), "ERR unknown command 'bogus': try HELP\n0\n");
  EXPECT_EQ(outcome_, Outcome::kFailed);
  file_.kill(0);
  EXPECT_EQ(run("file\nread \"x\n"),
            "ERR the coordinator cannot be reached\nERR unbalanced quote\n");
  EXPECT_EQ(outcome_, Outcome::kUnreachable);
}

TEST_F(BatchTest, quitEndsIt) { EXPECT_EQ(run("count\nquit\ncount\n"), "0\n"); }

TEST_F(BatchTest, aLineThatIsTooLongEndsIt) {
  const std::string longest = "read " + std::string(65'536 - 5, 'k');
  EXPECT_EQ(run(longest.substr(0, 60'000) + "\n"), "NOT FOUND\n");
  Pipe input;
  std::thread writer([&] {
    input.write(longest + "x\ncount\n");
    input.close_writer();
  });
  Pipe output;
  Output out(output.writer());
  Runner runner(*session_, out, {false, RecordFormat::kTsv, -1, true, &errors_});
  EXPECT_EQ(run_batch(*session_, runner, out, input.reader()), Outcome::kFailed);
  writer.join();
  EXPECT_EQ(output.read_all(), "ERR line too long\n");
}

TEST_F(BatchTest, answersAreThereBeforeMoreCommandsAre) {
  Pipe input;
  Pipe output;
  Output out(output.writer());
  std::string answers;
  std::thread user([&] {
    char byte = 0;
    for (const char* line : {"put k v\n", "read k\n"}) {
      input.write(line);
      do {
        ASSERT_EQ(1, ::read(output.reader(), &byte, 1));
        answers.push_back(byte);
      } while (byte != '\n');
    }
    input.close_writer();
  });
  Runner runner(*session_, out, {false, RecordFormat::kTsv, -1, true, &errors_});
  EXPECT_EQ(run_batch(*session_, runner, out, input.reader()), Outcome::kDone);
  user.join();
  EXPECT_EQ(answers, "OK\nv\n");
}

}  // namespace
}  // namespace lh::client
