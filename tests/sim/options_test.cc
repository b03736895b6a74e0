#include "sim/options.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace lh::sim {
namespace {

TEST(OptionsTest, aSeedAlwaysMeansTheSame) {
  EXPECT_EQ(describe(choose_options(7, 0)), describe(choose_options(7, 0)));
  EXPECT_NE(describe(choose_options(7, 0)), describe(choose_options(8, 0)));
}

TEST(OptionsTest, everyFaultIsOnInSomeRunsAndOffInOthers) {
  const auto check = [](const char* what, bool (*is_on)(const Options&)) {
    int on = 0;
    for (uint64_t seed = 1; seed <= 200; ++seed) on += is_on(choose_options(seed, 0)) ? 1 : 0;
    EXPECT_GT(on, 3) << what;
    EXPECT_LT(on, 197) << what;
  };
  check("breaks", [](const Options& o) { return o.breaks.on(); });
  check("partitions", [](const Options& o) { return o.partitions.on(); });
  check("one way", [](const Options& o) { return o.one_way.on(); });
  check("isolations", [](const Options& o) { return o.isolations.on(); });
  check("clogs", [](const Options& o) { return o.clogs.on(); });
  check("freezes", [](const Options& o) { return o.freezes.on(); });
  check("crashes", [](const Options& o) { return o.crashes.on(); });
  check("deaths", [](const Options& o) { return o.deaths.on(); });
  check("coordinator stops", [](const Options& o) { return o.coordinator_stops; });
  check("spikes", [](const Options& o) { return o.spikes_permille > 0; });
  check("snags", [](const Options& o) { return o.snags_permille > 0; });
  check("overtaking", [](const Options& o) { return o.overtaking; });
  check("two workers", [](const Options& o) { return o.workers == 2; });
  check("full nodes", [](const Options& o) { return o.buckets_max > 0; });
  check("integer keys", [](const Options& o) { return o.hash == base::HashMode::kInteger; });
  check("large values", [](const Options& o) { return o.value_max > 100'000; });
  check("floods", [](const Options& o) { return o.floods > 0; });
  check("paranoid", [](const Options& o) { return o.paranoid; });
}

TEST(OptionsTest, someRunsHaveNoFaultAtAll) {
  int quiet = 0;
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    const Options o = choose_options(seed, 0);
    const bool fault = o.breaks.on() || o.partitions.on() || o.one_way.on() || o.isolations.on() ||
                       o.clogs.on() || o.freezes.on() || o.crashes.on() || o.deaths.on();
    quiet += fault || o.is_slow() ? 0 : 1;
  }
  EXPECT_GT(quiet, 3);
}

TEST(OptionsTest, boundsThatTheRunReliesOn) {
  for (uint64_t seed = 1; seed <= 500; ++seed) {
    const Options o = choose_options(seed, 0);
    EXPECT_GE(o.nodes, 1u);
    EXPECT_GE(o.clients, 1u);
    EXPECT_LE(o.fronts, o.nodes);
    EXPECT_LE(o.sleepers, o.clients);
    EXPECT_GE(o.capacity, 1u);
    EXPECT_GE(o.keys, 8u);
    EXPECT_GE(o.depth, 1u);
    EXPECT_GT(o.ops, 0u);
    EXPECT_LE(o.delay_min, o.delay_max);
    EXPECT_GE(o.open_per_key, 1u);
  }
}

TEST(OptionsTest, opsCanBeGiven) { EXPECT_EQ(choose_options(3, 77).ops, 77u); }

TEST(OptionsTest, descriptionHasALineForEach) {
  const std::string text = describe(choose_options(5, 0));
  std::set<std::string> names;
  size_t lines = 0;
  for (size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
    const size_t equals = text.find('=', at);
    ASSERT_NE(equals, std::string::npos);
    names.insert(text.substr(at, equals - at));
    ++lines;
  }
  EXPECT_EQ(names.size(), lines);
  EXPECT_TRUE(text.starts_with("seed=5\n")) << text;
}

}  // namespace
}  // namespace lh::sim
