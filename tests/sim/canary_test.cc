#include "sim/canary.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "sim/simulation.h"

namespace lh::sim {
namespace {

constexpr uint64_t kSeedsMax = 100;

// A seed that is known to catch it: tried first, as it saves the others.
uint64_t likely_seed(std::string_view canary) {
  static const std::map<std::string, uint64_t, std::less<>> seeds = {
      {"answers-left-behind", 4}, {"changes-forgotten", 8},
      {"late-again", 10},         {"step-two-skipped", 26},
      {"eager-iam", 2},           {"piece-too-small", 2},
      {"scan-not-passed-on", 10}, {"rash", 3},
      {"sync-put-off", 33}};
  const auto it = seeds.find(canary);
  return it == seeds.end() ? 1 : it->second;
}

bool catches(uint64_t seed, std::string_view canary) {
  return !run_simulation(choose_options(seed, 0), canary).ok();
}

class CanaryTest : public ::testing::TestWithParam<CanaryKind> {};

TEST_P(CanaryTest, isCaught) {
  const std::string_view name = GetParam().name;
  uint64_t seed = likely_seed(name);
  if (!catches(seed, name)) {
    seed = 1;
    while (seed <= kSeedsMax && !catches(seed, name)) ++seed;
  }
  ASSERT_LE(seed, kSeedsMax) << "nobody notices: " << GetParam().bug;
  EXPECT_EQ(run_simulation(choose_options(seed, 0)).violation, "") << "without it all is well";
}

INSTANTIATE_TEST_SUITE_P(All, CanaryTest, ::testing::ValuesIn(canary_kinds()), [](const auto& p) {
  std::string name(p.param.name);
  for (char& c : name) c = c == '-' ? '_' : c;
  return name;
});

TEST(CanaryKindsTest, eachHasANameOfItsOwnAndIsMadeByIt) {
  std::set<std::string_view> names;
  for (const CanaryKind& kind : canary_kinds()) {
    EXPECT_TRUE(names.insert(kind.name).second) << kind.name;
    EXPECT_NE(make_canary(kind.name), nullptr) << kind.name;
    EXPECT_FALSE(kind.bug.empty());
  }
  EXPECT_EQ(make_canary("canary"), nullptr);
  EXPECT_EQ(make_canary(""), nullptr);
}

}  // namespace
}  // namespace lh::sim
