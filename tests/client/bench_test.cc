#include "client/bench.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/client/fake_file.h"
#include "tests/client/temp_files.h"

namespace lh::client {
namespace {

using testing::FakeFile;

TEST(BenchDueTest, operationsAreDueAtEqualDistances) {
  const base::Instant start = base::Instant::from_ns(5);
  EXPECT_EQ(due_at(start, 0, 1'000), start);
  EXPECT_EQ(due_at(start, 1, 1'000), start + base::ms(1));
  EXPECT_EQ(due_at(start, 2'500, 1'000), start + base::ms(2'500));
  EXPECT_EQ(due_at(start, 1, 3), start + base::ns(333'333'333));
  EXPECT_EQ(due_at(start, 3, 3), start + base::seconds(1));
  EXPECT_EQ(due_at(start, 1'000'000'000'000, 1'000'000), start + base::seconds(1'000'000));
}

class BenchTest : public ::testing::Test {
 protected:
  static BenchOptions small() {
    BenchOptions options;
    options.records = 200;
    options.operations = 1'000;
    options.value_size = 10;
    options.clients = 3;
    options.depth = 4;
    options.json = true;
    return options;
  }

  std::string run(const BenchOptions& options) {
    Bench bench(options, -1);
    std::string out;
    outcome_ = bench.run(file_.address(), &out);
    return out;
  }

  static void expect_part(const std::string& text, const std::string& part) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " is not in " << text;
  }

  FakeFile file_;
  Outcome outcome_ = Outcome::kFailed;
};

TEST_F(BenchTest, loadsAndMeasures) {
  const std::string report = run(small());
  EXPECT_EQ(outcome_, Outcome::kDone);
  expect_part(report, "{\"name\":\"load\",\"operations\":200,");
  expect_part(report, "\"insert\":{\"count\":200,");
  expect_part(report, "{\"name\":\"workload a\",\"operations\":1000,");
  expect_part(report, "\"sent_again\":0,\"not_found\":0,\"failed\":0,");
  EXPECT_GT(file_.splits(), 20u);
}

TEST_F(BenchTest, everyWorkload) {
  for (const Workload workload : {Workload::kB, Workload::kC, Workload::kD, Workload::kF}) {
    BenchOptions options = small();
    options.workload = workload;
    const std::string report = run(options);
    EXPECT_EQ(outcome_, Outcome::kDone);
    const size_t phase = report.find(std::string("\"workload ") + letter(workload));
    ASSERT_NE(phase, std::string::npos) << report;
    expect_part(report.substr(phase), "\"operations\":1000,");
    expect_part(report.substr(phase), "\"not_found\":0,\"failed\":0,");
  }
}

TEST_F(BenchTest, loadAlone) {
  BenchOptions options = small();
  options.operations = 0;
  const std::string report = run(options);
  expect_part(report, "\"load\"");
  EXPECT_EQ(report.find("workload a"), std::string::npos) << report;
}

// At 2,000 a second the last of 200 records is due after 99.5 ms, and not before.
TEST_F(BenchTest, aRateIsKept) {
  BenchOptions options = small();
  options.operations = 0;
  options.rate = 2'000;
  const base::Instant start = session_clock().now();
  run(options);
  EXPECT_GE(session_clock().now() - start, base::us(99'500));
}

TEST_F(BenchTest, aFileThatCannotBeReached) {
  file_.kill(0);
  const std::string report = run(small());
  EXPECT_EQ(outcome_, Outcome::kUnreachable);
  EXPECT_TRUE(report.starts_with("ERR the coordinator at ")) << report;
}

TEST_F(BenchTest, progressIsShownOnATerminal) {
  testing::Pipe pipe;
  BenchOptions options = small();
  options.rate = 1'000;  // so that it takes longer than the first drawing waits
  options.operations = 0;
  {
    Bench bench(options, pipe.writer());
    std::string out;
    bench.run(file_.address(), &out);
  }
  const std::string shown = pipe.read_all();
  expect_part(shown, " operations  ");
  EXPECT_TRUE(shown.ends_with("\r")) << "and taken away";
}

}  // namespace
}  // namespace lh::client
