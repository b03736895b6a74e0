#include "client/bench_client.h"

#include <gtest/gtest.h>

#include "tests/client/fake_file.h"

namespace lh::client {
namespace {

using testing::FakeFile;

class BenchClientTest : public ::testing::Test {
 protected:
  explicit BenchClientTest(size_t depth = 2)
      : session_(std::move(Session::open({file_.address()})).value()),
        view_(session_.get()),
        client_(std::move(session_), depth, records_) {
    client_.join(&run_);
  }

  // Until so many operations are finished.
  void turn_until(uint64_t finished) {
    while (run_.finished < finished) {
      client_.go_on();
      view_->turn(base::ms(50));
    }
  }

  uint64_t count(BenchKind kind) const { return phase_.latency[static_cast<size_t>(kind)].count(); }
  base::Instant now() const { return session_clock().now(); }

  FakeFile file_;
  BenchRecords records_{base::HashMode::kMixed, 10};
  BenchMix mix_ = BenchMix::load();
  BenchPhase phase_;
  BenchRun run_{&mix_, &phase_};
  std::unique_ptr<Session> session_;
  Session* view_;
  BenchClient client_;
};

TEST_F(BenchClientTest, everyKind) {
  client_.start(mix_.next(), now());
  turn_until(1);
  EXPECT_EQ(count(BenchKind::kInsert), 1u);
  EXPECT_EQ(mix_.stored(), 1u);
  client_.start({BenchKind::kRead, 0}, now());
  client_.start({BenchKind::kUpdate, 0}, now());
  turn_until(3);
  client_.start({BenchKind::kReadModifyWrite, 0}, now());
  turn_until(4);
  EXPECT_EQ(count(BenchKind::kRead), 1u);
  EXPECT_EQ(count(BenchKind::kUpdate), 1u);
  EXPECT_EQ(count(BenchKind::kReadModifyWrite), 1u);
  EXPECT_EQ(client_.counters().ops, 5u) << "the last were two requests";
  EXPECT_EQ(phase_.not_found + phase_.failed, 0u);
  EXPECT_EQ(run_.worst, Outcome::kDone);
}

TEST_F(BenchClientTest, noMoreThanTheDepthIsUnderWay) {
  EXPECT_TRUE(client_.has_room());
  client_.start({BenchKind::kRead, 0}, now());
  EXPECT_TRUE(client_.has_room());
  client_.start({BenchKind::kReadModifyWrite, 0}, now());
  EXPECT_FALSE(client_.has_room());
  turn_until(2);
  EXPECT_TRUE(client_.has_room());
  EXPECT_EQ(phase_.not_found, 2u) << "and there is nothing to write back";
}

TEST_F(BenchClientTest, aLatencyCountsFromWhenItWasDue) {
  client_.start({BenchKind::kRead, 0}, now() - base::seconds(3));
  turn_until(1);
  EXPECT_GE(phase_.all().max_ns(), 3'000'000'000u);
}

TEST_F(BenchClientTest, whatCannotBeReachedFailed) {
  file_.kill(0);
  client_.start({BenchKind::kRead, 0}, now());
  turn_until(1);
  EXPECT_EQ(phase_.failed, 1u);
  EXPECT_EQ(phase_.answered(), 0u);
  EXPECT_EQ(run_.worst, Outcome::kUnreachable);
}

TEST_F(BenchClientTest, settles) {
  for (int k = 0; k < 100; ++k) {
    client_.start(mix_.next(), now());
    turn_until(run_.finished + 1);
  }
  client_.settle();
  const uint64_t splits = file_.splits();
  EXPECT_GT(splits, 10u);
  for (int k = 0; k < 20; ++k) view_->turn(base::ms(1));
  EXPECT_EQ(file_.splits(), splits);
}

}  // namespace
}  // namespace lh::client
