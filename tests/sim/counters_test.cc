#include "sim/counters.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace lh::sim {
namespace {

TEST(CountersTest, everyCountHasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (size_t k = 0; k < kCounts; ++k) {
    const std::string_view name = name_of(static_cast<Count>(k));
    EXPECT_FALSE(name.empty());
    EXPECT_TRUE(names.insert(name).second) << name;
  }
  EXPECT_EQ(name_of(Count::kOps), "ops");
  EXPECT_EQ(name_of(Count::kNodesJoined), "nodes-joined");
  EXPECT_EQ(name_of(Count::kDamageFound), "damage-found");
}

TEST(CountersTest, addsUp) {
  Counters a;
  Counters b;
  a.add(Count::kSplits);
  b.add(Count::kSplits, 4);
  b.add(Count::kHeld, 2);
  a.add(b);
  EXPECT_EQ(a[Count::kSplits], 5u);
  EXPECT_EQ(a[Count::kHeld], 2u);
  EXPECT_EQ(a[Count::kOps], 0u);
}

TEST(CountersTest, textThereAndBack) {
  Counters a;
  a.add(Count::kOps, 17);
  a.add(Count::kNodesJoined, 3);
  Counters b;
  ASSERT_TRUE(b.parse(a.to_string()));
  EXPECT_EQ(b.to_string(), a.to_string());
  EXPECT_FALSE(b.parse(""));
  EXPECT_FALSE(b.parse(a.to_string() + " more=1"));
  EXPECT_FALSE(b.parse(a.to_string().substr(4)));
}

}  // namespace
}  // namespace lh::sim
