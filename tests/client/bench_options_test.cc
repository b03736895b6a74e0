#include "client/bench_options.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace lh::client {
namespace {

Result<BenchOptions> parse(const std::vector<std::string>& args) {
  return parse_bench_options(args);
}
std::string error_of(const std::vector<std::string>& args) {
  return std::string(parse(args).status().message());
}

TEST(BenchOptionsTest, defaults) {
  const BenchOptions options = parse({}).value();
  EXPECT_EQ(options.workload, Workload::kA);
  EXPECT_EQ(options.keys, KeyOrder::kZipfian);
  EXPECT_EQ(options.records, 100'000u);
  EXPECT_EQ(options.operations, 1'000'000u);
  EXPECT_EQ(options.value_size, 100u);
  EXPECT_EQ(options.clients, 8u);
  EXPECT_EQ(options.depth, 16u);
  EXPECT_EQ(options.rate, 0u);
  EXPECT_FALSE(options.json);
  EXPECT_FALSE(options.help);
}

TEST(BenchOptionsTest, all) {
  const BenchOptions options =
      parse({"--workload=f", "--keys=uniform", "--records=5", "--ops=0", "--value-size=1K",
             "--clients", "3", "--depth=2", "--rate=7", "--json"})
          .value();
  EXPECT_EQ(options.workload, Workload::kF);
  EXPECT_EQ(options.keys, KeyOrder::kUniform);
  EXPECT_EQ(options.records, 5u);
  EXPECT_EQ(options.operations, 0u);
  EXPECT_EQ(options.value_size, 1'024u);
  EXPECT_EQ(options.clients, 3u);
  EXPECT_EQ(options.depth, 2u);
  EXPECT_EQ(options.rate, 7u);
  EXPECT_TRUE(options.json);
}

TEST(BenchOptionsTest, letters) {
  for (const char name : std::string("abcdf")) {
    const BenchOptions options = parse({std::string("--workload=") + name}).value();
    EXPECT_EQ(letter(options.workload), name);
  }
}

TEST(BenchOptionsTest, errorsNameTheFlag) {
  EXPECT_NE(error_of({"--workload=e"}).find("--workload=e"), std::string::npos);
  EXPECT_NE(error_of({"--records=0"}).find("--records=0"), std::string::npos);
  EXPECT_NE(error_of({"--clients=0"}).find("--clients=0"), std::string::npos);
  EXPECT_NE(error_of({"--value-size=9M"}).find("--value-size=9M"), std::string::npos);
  EXPECT_NE(error_of({"--bogus=1"}).find("--bogus"), std::string::npos);
  EXPECT_EQ(error_of({"now"}), "'now' is no flag of bench");
}

TEST(BenchOptionsTest, helpHasALineForEach) {
  EXPECT_TRUE(parse({"--help"}).value().help);
  for (const char* flag :
       {"--workload=a|b|c|d|f", "--keys=zipfian|uniform", "--records=N", "--ops=N",
        "--value-size=B", "--clients=N", "--depth=N", "--rate=N", "--json"}) {
    EXPECT_NE(bench_help().find(flag), std::string::npos) << flag;
  }
}

}  // namespace
}  // namespace lh::client
