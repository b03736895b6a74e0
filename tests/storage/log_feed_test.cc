#include "storage/log_feed.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace lh::storage {
namespace {

class LogFeedTest : public ::testing::Test, public LogQueue {
 protected:
  LogFeedTest() { feed_.begin(11); }

  void push(LogJob job) override { jobs_.push_back(std::move(job)); }
  bool has_room() const override { return true; }
  void hand_over() { feed_.hand_over(this, 3); }
  // The log thread has written, and with `synced` synced, the batch that it has.
  void logged(bool synced) {
    LogBatch batch = std::move(jobs_.back().batch);
    const uint64_t written = batch.next() - 1;
    batch.clear();
    feed_.on_logged(written, synced ? written : feed_.durable(), std::move(batch));
  }

  LogFeed feed_{Fsync::kEverySecond};
  std::vector<LogJob> jobs_;
};

TEST_F(LogFeedTest, aNewOneHasAllThatWasBefore) {
  EXPECT_EQ(feed_.last(), 10u);
  EXPECT_EQ(feed_.written(), 10u);
  EXPECT_EQ(feed_.durable(), 10u);
  EXPECT_FALSE(feed_.is_ready());
}

TEST_F(LogFeedTest, oneBatchIsUnderWayAtATime) {
  EXPECT_EQ(feed_.append(1, "a"), 11u);
  ASSERT_TRUE(feed_.is_ready());
  hand_over();
  EXPECT_TRUE(feed_.empty());
  EXPECT_EQ(jobs_.back().worker, 3u);
  EXPECT_EQ(jobs_.back().batch.count(), 1u);
  feed_.append(1, "b");
  feed_.append(1, "c");
  EXPECT_FALSE(feed_.is_ready());
  logged(true);
  EXPECT_EQ(feed_.durable(), 11u);
  ASSERT_TRUE(feed_.is_ready());
  hand_over();
  EXPECT_EQ(jobs_.back().batch.first(), 12u);
  EXPECT_EQ(jobs_.back().batch.count(), 2u);
}

TEST_F(LogFeedTest, aSyncIsAskedForOnceForWhatWaits) {
  feed_.want_durable(feed_.append(1, "a"));
  hand_over();
  EXPECT_TRUE(jobs_.back().urgent);
  logged(false);
  EXPECT_EQ(feed_.written(), 11u);
  EXPECT_EQ(feed_.durable(), 10u);
  EXPECT_FALSE(feed_.is_ready()) << "it was asked for";
  feed_.append(1, "b");
  hand_over();
  EXPECT_FALSE(jobs_.back().urgent);
  logged(false);
  feed_.want_durable(12);
  ASSERT_TRUE(feed_.is_ready()) << "for the sake of the sync";
  hand_over();
  EXPECT_TRUE(jobs_.back().urgent);
  EXPECT_TRUE(jobs_.back().batch.empty());
  feed_.on_synced(12);
  EXPECT_EQ(feed_.durable(), 12u);
  feed_.on_synced(11);
  EXPECT_EQ(feed_.durable(), 12u) << "an older word";
}

TEST_F(LogFeedTest, withoutSyncsWhatIsWrittenIsAsGoodAsItGets) {
  LogFeed feed(Fsync::kNever);
  feed.begin(1);
  feed.want_durable(feed.append(1, "a"));
  feed.hand_over(this, 0);
  feed.on_logged(1, 0, LogBatch());
  EXPECT_EQ(feed.durable(), 1u);
}

TEST_F(LogFeedTest, theLastBatchWaitsForNobody) {
  feed_.append(1, "a");
  hand_over();
  feed_.append(1, "b");
  feed_.finish(this, 3);
  ASSERT_EQ(jobs_.size(), 2u);
  EXPECT_TRUE(jobs_.back().urgent);
  EXPECT_TRUE(feed_.empty());
  feed_.finish(this, 3);
  EXPECT_EQ(jobs_.size(), 2u);
}

}  // namespace
}  // namespace lh::storage
