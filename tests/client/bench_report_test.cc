#include "client/bench_report.h"

#include <gtest/gtest.h>

namespace lh::client {
namespace {

BenchOptions options() {
  BenchOptions options;
  options.records = 1'000;
  options.operations = 4;
  options.value_size = 32;
  options.clients = 2;
  options.depth = 3;
  return options;
}

base::Histogram& of(BenchPhase* phase, BenchKind kind) {
  return phase->latency[static_cast<size_t>(kind)];
}

// Three reads of 100, 200 and 300 us, and an update of 1 ms; all in two seconds.
BenchPhase phase() {
  BenchPhase phase;
  phase.name = "workload a";
  phase.took = base::seconds(2);
  for (const uint64_t us : {100, 200, 300}) of(&phase, BenchKind::kRead).record(us * 1'000);
  of(&phase, BenchKind::kUpdate).record(1'000'000);
  phase.counters = {.ops = 4, .requests = 4, .forwards = 1, .replies = 4, .iams = 1, .retries = 0};
  return phase;
}

TEST(BenchReportTest, text) {
  EXPECT_EQ(bench_text(options(), {phase()}),
            "workload a, zipfian keys, 1000 records of 32 bytes, 2 clients, depth 3\n"
            "workload a: 4 operations in 2.00 s: 2/s\n"
            "  latency in ms        operations       p50       p99     p99.9       max\n"
            "  all                           4     0.201     1.000     1.000     1.000\n"
            "  read                          3     0.201     0.300     0.300     0.300\n"
            "  update                        1     1.000     1.000     1.000     1.000\n"
            "  2.2500 messages an operation, 1 forwards, 1 IAMs\n");
}

TEST(BenchReportTest, textOfWhatWentWrong) {
  BenchPhase bad = phase();
  bad.not_found = 1;
  bad.failed = 2;
  bad.counters.retries = 3;
  BenchOptions asked = options();
  asked.rate = 500;
  const std::string text = bench_text(asked, {bad});
  EXPECT_NE(text.find("depth 3, 500/s\n"), std::string::npos) << text;
  EXPECT_NE(text.find(", 3 sent again, 1 not found, 2 FAILED\n"), std::string::npos) << text;
}

TEST(BenchReportTest, latestIsTheOrderOfWorkloadD) {
  BenchOptions asked = options();
  asked.workload = Workload::kD;
  asked.keys = KeyOrder::kUniform;
  EXPECT_EQ(bench_text(asked, {}),
            "workload d, latest keys, 1000 records of 32 bytes, 2 clients, depth 3\n");
}

TEST(BenchReportTest, json) {
  const std::string text = bench_json(options(), {phase(), BenchPhase()});
  EXPECT_EQ(text,
            "{\"workload\":\"a\",\"keys\":\"zipfian\",\"records\":1000,\"value_size\":32,"
            "\"clients\":2,\"depth\":3,\"rate\":0,\"phases\":["
            "{\"name\":\"workload a\",\"operations\":4,\"seconds\":2.000000,"
            "\"operations_per_second\":2.0,\"messages\":9,\"messages_per_operation\":2.250000,"
            "\"forwards\":1,\"iams\":1,\"sent_again\":0,\"not_found\":0,\"failed\":0,"
            "\"latency_us\":{"
            "\"all\":{\"count\":4,\"mean\":400.0,\"p50\":200.7,\"p99\":1000.0,\"p99.9\":1000.0,"
            "\"max\":1000.0},"
            "\"read\":{\"count\":3,\"mean\":200.0,\"p50\":200.7,\"p99\":300.0,\"p99.9\":300.0,"
            "\"max\":300.0},"
            "\"update\":{\"count\":1,\"mean\":1000.0,\"p50\":1000.0,\"p99\":1000.0,"
            "\"p99.9\":1000.0,\"max\":1000.0}}},"
            "{\"name\":\"\",\"operations\":0,\"seconds\":0.000000,\"operations_per_second\":0.0,"
            "\"messages\":0,\"messages_per_operation\":0.000000,\"forwards\":0,\"iams\":0,"
            "\"sent_again\":0,\"not_found\":0,\"failed\":0,\"latency_us\":{"
            "\"all\":{\"count\":0,\"mean\":0.0,\"p50\":0.0,\"p99\":0.0,\"p99.9\":0.0,"
            "\"max\":0.0}}}]}\n");
}

}  // namespace
}  // namespace lh::client
