#include "client/runner.h"

#include <gtest/gtest.h>

#include <string>

#include "base/strings.h"
#include "tests/client/fake_file.h"
#include "tests/client/temp_files.h"

namespace lh::client {
namespace {

using testing::exists;
using testing::FakeFile;
using testing::FakeSetup;
using testing::read_file;
using testing::TempDir;

class RunnerTest : public ::testing::Test {
 protected:
  explicit RunnerTest(FakeSetup setup = integer_setup()) : file_(setup) { connect(false); }

  // Keys are numbers and c = key, so that it can be seen where they go.
  static FakeSetup integer_setup() {
    FakeSetup setup;
    setup.options.hash = base::HashMode::kInteger;
    return setup;
  }

  // A new client, whose image is as small as at the start.
  void connect(bool trace) {
    runner_.reset();
    session_ = std::move(Session::open({file_.address()})).value();
    setup_.trace = trace;
    setup_.errors = &errors_;
    setup_.commands_from_stdin = true;
    runner_.emplace(*session_, out_, setup_);
  }

  // The answer to a line.
  std::string run(std::string_view line) {
    outcome_ = runner_->run(parser_.parse_line(line));
    return std::exchange(*out_.text(), {});
  }

  std::string errors() { return std::exchange(*errors_.text(), {}); }

  void fill(int keys) {
    for (int k = 1; k <= keys; ++k) {
      ASSERT_EQ(run(base::format("insert %d v%d", k, k)), "OK\n");
    }
    ASSERT_EQ(run("settle"), "OK\n");
  }

  FakeFile file_;
  std::unique_ptr<Session> session_;
  Output out_{-1};
  Output errors_{-1};
  Runner::Setup setup_;
  std::optional<Runner> runner_;
  CommandParser parser_;
  Outcome outcome_ = Outcome::kDone;
};

TEST_F(RunnerTest, keyedCommands) {
  EXPECT_EQ(run("insert 1 the value"), "OK\n");
  EXPECT_EQ(outcome_, Outcome::kDone);
  EXPECT_EQ(run("insert 1 x"), "ERR key exists\n");
  EXPECT_EQ(outcome_, Outcome::kFailed);
  EXPECT_EQ(run("read 1"), "the value\n");
  EXPECT_EQ(run("get 2"), "NOT FOUND\n");
  EXPECT_EQ(outcome_, Outcome::kFailed);
  EXPECT_EQ(run("update 1 \"a\\nb\""), "OK\n");
  EXPECT_EQ(run("query 1"), "\"a\\nb\"\n");
  EXPECT_EQ(run("update 2 x"), "ERR no such key\n");
  EXPECT_EQ(run("put 2 x"), "OK\n");
  EXPECT_EQ(run("count"), "2\n");
  EXPECT_EQ(run("delete 2"), "OK\n");
  EXPECT_EQ(run("delete 2"), "NOT FOUND\n");
  EXPECT_EQ(run("read x"), "ERR key is not an integer\n");
  EXPECT_EQ(outcome_, Outcome::kFailed);
}

TEST_F(RunnerTest, otherCommands) {
  EXPECT_EQ(run(""), "");
  EXPECT_EQ(outcome_, Outcome::kDone);
  EXPECT_EQ(run("ping"), "PONG\n");
  EXPECT_EQ(run("bogus"), "ERR unknown command 'bogus': try HELP\n");
  EXPECT_EQ(outcome_, Outcome::kUsage);
  EXPECT_TRUE(run("help").ends_with(" commands\n"));
  EXPECT_EQ(outcome_, Outcome::kDone);
  EXPECT_EQ(run("quit"), "");
}

TEST_F(RunnerTest, sizesOfWords) {
  const auto run_words = [this](const std::vector<std::string>& words) {
    outcome_ = runner_->run(parser_.parse_words(words));
    return std::exchange(*out_.text(), {});
  };
  EXPECT_EQ(run_words({"read", std::string(65'536, '1')}), "ERR key too long\n");
  EXPECT_EQ(outcome_, Outcome::kFailed);
  EXPECT_EQ(run_words({"put", "1", std::string((8 << 20) + 1, 'v')}), "ERR value too long\n");
  EXPECT_EQ(run_words({"scan", std::string(65'537, 'p')}), "ERR pattern too long\n");
}

TEST_F(RunnerTest, listingsAreSorted) {
  fill(12);
  EXPECT_EQ(run("scan v1").substr(0, 39), "1 v1\n10 v10\n11 v11\n12 v12\nEND 4 records");
  EXPECT_EQ(run("scan key:?").substr(0, 22), "1 v1\n2 v2\n3 v3\n4 v4\n5 ");
  EXPECT_TRUE(run("bucket 1").starts_with("1 v1\n"));
  EXPECT_EQ(run("bucket 1000"), "ERR no such bucket\n");
  EXPECT_EQ(outcome_, Outcome::kFailed);
}

TEST_F(RunnerTest, aFreshClientNamesTheNodesOfAllBuckets) {
  fill(30);
  connect(false);
  const std::string buckets = run("buckets");
  EXPECT_EQ(buckets.find("unknown"), std::string::npos);
  for (size_t node = 0; node < 3; ++node) {
    EXPECT_NE(buckets.find("node=" + file_.address(node) + "\n"), std::string::npos);
  }
  EXPECT_TRUE(run("file").starts_with("file=0 i="));
  EXPECT_TRUE(run("nodes").ends_with("END 3 nodes\n"));
}

// The file of the papers' example: b = 4, keys are their own hash.
TEST_F(RunnerTest, traceOfTheImageThatLearns) {
  fill(30);
  const std::string file = run("file");
  ASSERT_NE(file.find("i=3 n="), std::string::npos) << file;
  connect(true);
  EXPECT_EQ(run("image").substr(0, 27), "image=(0,0) image_buckets=1");

  // Bucket 0 of level 4 knows the way to 8 + 4: A2 takes the smaller of the two addresses first.
  const std::string first = run("read 12");
  EXPECT_TRUE(first.starts_with("trace c=12 path=0>")) << first;
  EXPECT_TRUE(first.ends_with("\nv12\n")) << first;
  EXPECT_NE(first.find(" iam=(a="), std::string::npos);

  // The same again needs no forward: the image has been adjusted.
  const std::string second = run("read 12");
  EXPECT_NE(second.find(" forwards=0 image=("), std::string::npos) << second;
  EXPECT_EQ(second.find("iam"), std::string::npos);

  EXPECT_EQ(run("read x"), "ERR key is not an integer\n") << "nothing was sent";
  EXPECT_TRUE(run("locate 12").starts_with("trace c=12 path="));
}

TEST_F(RunnerTest, imageBesideTheFile) {
  EXPECT_EQ(run("image"), "image=(0,0) image_buckets=1 file=(0,0) file_buckets=1\n");
  fill(30);
  const std::string image = run("image");
  EXPECT_NE(image.find("file=(3,"), std::string::npos) << image;
  file_.kill(0);
  const std::string alone = run("image");
  EXPECT_TRUE(alone.ends_with(" file=unknown\n")) << alone;
  EXPECT_EQ(outcome_, Outcome::kUnreachable);
}

TEST_F(RunnerTest, whatCannotBeReached) {
  fill(30);
  file_.kill(1);
  file_.kill(2);
  std::string answer;
  for (int k = 1; k <= 30 && !answer.starts_with("ERR"); ++k)
    answer = run("read " + std::to_string(k));
  EXPECT_TRUE(answer.starts_with("ERR bucket ")) << answer;
  EXPECT_TRUE(answer.ends_with(" is down\n")) << answer;
  EXPECT_EQ(outcome_, Outcome::kUnreachable);
  EXPECT_TRUE(run("count").ends_with(" is down\n"));
  EXPECT_EQ(outcome_, Outcome::kUnreachable);
  file_.kill(0);
  EXPECT_EQ(run("ping"), "ERR the coordinator cannot be reached\n");
  EXPECT_EQ(outcome_, Outcome::kUnreachable);
  EXPECT_EQ(run("file"), "ERR the coordinator cannot be reached\n");
  EXPECT_EQ(outcome_, Outcome::kUnreachable);
}

TEST_F(RunnerTest, loadAndDump) {
  const TempDir dir;
  EXPECT_EQ(run("load " + dir.write("in", "3\tc\n1\ta\n2\tb\n")), "OK 3 records\n");
  EXPECT_EQ(run("scan \"\""), "1 a\n2 b\n3 c\nEND 3 records from 1 buckets\n");
  EXPECT_EQ(run("dump " + dir.path("out")), "OK 3 records\n");
  EXPECT_EQ(read_file(dir.path("out")).size(), 12u);
  EXPECT_EQ(run("count"), "3\n") << "commands go on after both";
  EXPECT_TRUE(run("load " + dir.path("none")).ends_with(": No such file or directory\n"));
  EXPECT_EQ(outcome_, Outcome::kFailed);
  EXPECT_EQ(run("load -"), "ERR stdin is where the commands come from: name a file\n");
}

TEST_F(RunnerTest, dumpToTheAnswers) {
  run("put 1 a");
  const testing::Pipe pipe;
  Output out(pipe.writer());
  const testing::Pipe error_pipe;
  Output errors(error_pipe.writer());
  setup_.errors = &errors;
  Runner runner(*session_, out, setup_);
  EXPECT_EQ(runner.run(parser_.parse_line("dump -")), Outcome::kDone);
  char bytes[100];
  EXPECT_EQ(std::string(bytes, static_cast<size_t>(::read(pipe.reader(), bytes, 100))), "1\ta\n");
  EXPECT_EQ(std::string(bytes, static_cast<size_t>(::read(error_pipe.reader(), bytes, 100))),
            "1 records\n")
      << "the count is not among the records";
}

}  // namespace
}  // namespace lh::client
