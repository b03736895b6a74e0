#include "node/rebuild_log.h"

#include <gtest/gtest.h>

#include "tests/base/recording_sink.h"

namespace lh::node {
namespace {

TEST(RebuildLogTest, ItTellsOnceWhoHasAnsweredAndAgainAndAgainWhoIsMissing) {
  base::testing::RecordingSink sink;
  RebuildLog log;
  const base::Instant now = base::Instant::from_ns(1'000'000'000);
  core::Rebuild::Progress progress;
  log.look(now, progress);
  EXPECT_EQ(sink.only_line(), "info coordinator rebuilding: waiting for the nodes of the file");
  sink.take();
  progress.answered = {NodeId{2}};
  progress.missing = {NodeId{3}, NodeId{4}};
  log.look(now, progress);
  log.look(now, progress);
  EXPECT_EQ(sink.only_line(), "info coordinator rebuilding: node has answered node=2");
  sink.take();
  log.look(now + RebuildLog::kRemindEvery, progress);
  EXPECT_EQ(sink.only_line(), "warn coordinator rebuilding answered=2 asked=none missing=3,4");
}

}  // namespace
}  // namespace lh::node
