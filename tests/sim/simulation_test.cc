#include "sim/simulation.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "base/strings.h"

namespace lh::sim {
namespace {

RunResult run(uint64_t seed, std::string* text = nullptr) {
  Transcript::Listener listener;
  if (text != nullptr) listener = [text](std::string_view line) { text->append(line); };
  return run_simulation(choose_options(seed, 0), {}, listener);
}

TEST(SimulationTest, equalSeedsGiveEqualTranscriptsByteForByte) {
  for (const uint64_t seed : {2, 5}) {
    std::string once;
    std::string again;
    const RunResult first = run(seed, &once);
    const RunResult second = run(seed, &again);
    ASSERT_GT(once.size(), 10'000u);
    EXPECT_TRUE(once == again) << "seed " << seed;
    EXPECT_EQ(first.transcript_hash, second.transcript_hash);
    EXPECT_EQ(first.counters.to_string(), second.counters.to_string());
  }
}

TEST(SimulationTest, whoListensChangesNothing) {
  std::string text;
  EXPECT_EQ(run(5, &text).transcript_hash, run(5).transcript_hash);
}

TEST(SimulationTest, anotherSeedIsAnotherRun) {
  EXPECT_NE(run(2).transcript_hash, run(5).transcript_hash);
}

TEST(SimulationTest, everyFaultHappensAndNothingIsEverWrong) {
  constexpr uint64_t kSeeds = 30;
  Counters sum;
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const RunResult result = run(seed);
    ASSERT_EQ(result.violation, "") << "seed " << seed;
    sum.add(result.counters);
  }
  for (auto k = static_cast<size_t>(Count::kBroken); k < kCounts; ++k) {
    const auto what = static_cast<Count>(k);
    EXPECT_GT(sum[what], 0u) << name_of(what) << " never happened";
  }
  for (const Count what :
       {Count::kHops2, Count::kResent, Count::kDuplicates, Count::kSplits, Count::kBatchesResent,
        Count::kReassigned, Count::kHeld, Count::kScans, Count::kScansFailed, Count::kSettled}) {
    EXPECT_GT(sum[what], 0u) << name_of(what) << " never happened";
  }
}

std::vector<uint64_t> regression_seeds() {
  std::vector<uint64_t> seeds;
  std::ifstream file("tests/sim/regression_seeds.txt");
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.front() == '#') continue;
    const std::optional<uint64_t> seed = base::parse_u64(line.substr(0, line.find(' ')));
    EXPECT_TRUE(seed.has_value()) << line;
    EXPECT_NE(line.find_first_not_of(' ', line.find(' ')), line.npos) << "why " << line << "?";
    seeds.push_back(seed.value_or(0));
  }
  return seeds;
}

TEST(SimulationTest, regressionSeedsPass) {
  const std::vector<uint64_t> seeds = regression_seeds();
  ASSERT_FALSE(seeds.empty()) << "tests run in the top folder";
  for (const uint64_t seed : seeds) EXPECT_EQ(run(seed).violation, "") << "seed " << seed;
}

}  // namespace
}  // namespace lh::sim
