#include "client/run.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "tests/client/fake_file.h"
#include "tests/client/temp_files.h"

namespace lh::client {
namespace {

using testing::FakeFile;
using testing::Pipe;

constexpr base::Flag kFlags[] = {
    {.name = "coordinator", .kind = base::FlagKind::kHostPort, .default_text = "127.0.0.1:19528"},
    {.name = "trace", .kind = base::FlagKind::kSwitch},
    {.name = "stats", .kind = base::FlagKind::kSwitch},
    {.name = "format", .kind = base::FlagKind::kWord, .default_text = "tsv", .words = "tsv|jsonl"},
};
constexpr base::FlagTable kTable{"client", "", kFlags};

class RunTest : public ::testing::Test {
 protected:
  // Runs the client as from a command line; stdin is what `input` holds.
  int run(std::vector<std::string> args, std::string_view input = {}) {
    args.insert(args.begin(), "--coordinator=" + file_.address());
    const Result<base::FlagValues> values = base::parse_flags(kTable, args);
    EXPECT_TRUE(values.ok()) << values.status().message();
    Pipe pipe;
    pipe.write(input);
    pipe.close_writer();
    const int saved = ::dup(STDIN_FILENO);
    ::dup2(pipe.reader(), STDIN_FILENO);
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    const int status = client::run(values.value());
    out_ = ::testing::internal::GetCapturedStdout();
    errors_ = ::testing::internal::GetCapturedStderr();
    ::dup2(saved, STDIN_FILENO);
    ::close(saved);
    return status;
  }

  FakeFile file_;
  std::string out_;
  std::string errors_;
};

TEST_F(RunTest, oneCommand) {
  EXPECT_EQ(run({"insert", "a key", "the \"value\""}), 0);
  EXPECT_EQ(out_, "OK\n");
  EXPECT_EQ(run({"insert", "a key", "x"}), 1);
  EXPECT_EQ(out_, "ERR key exists\n");
  EXPECT_EQ(run({"read", "a key"}), 0);
  EXPECT_EQ(out_, "the \"value\"\n");
  EXPECT_EQ(run({"read", "b"}), 1);
  EXPECT_EQ(out_, "NOT FOUND\n");
  EXPECT_EQ(errors_, "");
}

TEST_F(RunTest, usage) {
  EXPECT_EQ(run({"bogus"}), 2);
  EXPECT_EQ(out_, "");
  EXPECT_EQ(errors_, "lhnode: unknown command 'bogus': try HELP\n");
  EXPECT_EQ(run({"insert", "k"}), 2);
  EXPECT_EQ(errors_, "lhnode: wrong number of arguments: INSERT key value\n");
}

TEST_F(RunTest, helpNeedsNoFile) {
  file_.kill(0);
  EXPECT_EQ(run({"help"}), 0);
  EXPECT_TRUE(out_.ends_with(" commands\n"));
}

TEST_F(RunTest, bench) {
  EXPECT_EQ(run({"bench", "--records=50", "--ops=50", "--clients=2"}), 0);
  EXPECT_NE(out_.find("load: 50 operations"), std::string::npos) << out_;
  EXPECT_NE(out_.find("workload a: 50 operations"), std::string::npos) << out_;
  EXPECT_EQ(run({"bench", "--help"}), 0);
  EXPECT_NE(out_.find("--workload=a|b|c|d|f"), std::string::npos) << out_;
  EXPECT_EQ(run({}, "bench --help\n"), 0);
  EXPECT_NE(out_.find("--workload=a|b|c|d|f"), std::string::npos) << out_;
  EXPECT_EQ(run({"bench", "--workload=e"}), 2);
  EXPECT_NE(errors_.find("lhnode: --workload=e"), std::string::npos) << errors_;
}

TEST_F(RunTest, noCoordinator) {
  file_.kill(0);
  EXPECT_EQ(run({"count"}), 3);
  EXPECT_EQ(out_, "");
  EXPECT_EQ(errors_, "lhnode: the coordinator at " + file_.address() + " cannot be reached\n");
  EXPECT_EQ(run({}, "count\n"), 3);
}

TEST_F(RunTest, batch) {
  EXPECT_EQ(run({}, "put k v\nread k\n"), 0);
  EXPECT_EQ(out_, "OK\nv\n");
  EXPECT_EQ(run({}, "read l\nread k\n"), 1);
  EXPECT_EQ(out_, "NOT FOUND\nv\n");
}

TEST_F(RunTest, traceAndStats) {
  EXPECT_EQ(run({"--trace", "--stats"}, "put k v\nread k\nfile\n"), 0);
  EXPECT_NE(out_.find(" path=0 forwards=0 image=(0,0)\nOK\n"), std::string::npos) << out_;
  EXPECT_NE(out_.find(" path=0 forwards=0 image=(0,0)\nv\nfile=0 "), std::string::npos) << out_;
  EXPECT_EQ(errors_, "stats ops=2 messages=4 forwards=0 iams=0 image=(0,0)\n");
}

TEST_F(RunTest, loadFromStdinAndDumpToStdout) {
  EXPECT_EQ(run({"load", "-"}, "a\t1\n"), 0);
  EXPECT_EQ(out_, "OK 1 records\n");
  EXPECT_EQ(run({"--format=jsonl", "dump", "-"}), 0);
  EXPECT_EQ(out_, "{\"key\":\"a\",\"value\":\"1\"}\n");
  EXPECT_EQ(errors_, "1 records\n");
  EXPECT_EQ(run({"load", "-"}, "bad\n"), 1);
  EXPECT_EQ(errors_, "line 1: no TAB between key and value\n");
}

}  // namespace
}  // namespace lh::client
