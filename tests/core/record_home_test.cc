#include "core/record_home.h"

#include <gtest/gtest.h>

#include <string>

namespace lh::core {
namespace {

TEST(RecordHomeTest, withAsManyWorkersEverythingStaysWhereItWas) {
  std::string boot;
  append_boot(&boot, 3);
  const RecordSource source{2, true};
  EXPECT_EQ(home_of_bucket(5, source, 4), 2u);
  EXPECT_EQ(home_of_node_record(boot, source, 4), (RecordHome{2, 2}));
}

TEST(RecordHomeTest, withAnotherNumberBucketsAreDealtOutAndAllHearOfTheNode) {
  std::string boot;
  append_boot(&boot, 3);
  const RecordSource source{2, false};
  EXPECT_EQ(home_of_bucket(5, source, 4), 1u);
  EXPECT_EQ(home_of_bucket(5, source, 3), 2u);
  EXPECT_EQ(home_of_node_record(boot, source, 3), (RecordHome{0, 2}));
}

TEST(RecordHomeTest, eventsAreTheCoordinatorsWhoeverWroteThem) {
  const std::string event(1, static_cast<char>(RecordKind::kCoordinator));
  EXPECT_EQ(home_of_node_record(event, {1, true}, 4), (RecordHome{0, 0}));
  EXPECT_EQ(home_of_node_record(event, {1, false}, 4), (RecordHome{0, 0}));
}

}  // namespace
}  // namespace lh::core
