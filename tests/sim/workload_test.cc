#include "sim/workload.h"

#include <gtest/gtest.h>

#include <string>

namespace lh::sim {
namespace {

using core::Code;
using core::Op;

// A port that the test answers for.
class FakePort final : public ClientPort {
 public:
  void set_sink(PortSink* to) override { sink = to; }
  bool is_ready() const override { return true; }
  bool has_room() const override { return true; }
  void submit(const core::Operation& operation, uint64_t tag) override {
    asked = operation.op;
    written = operation.value;
    last_tag = tag;
  }
  void call(const core::FileRequest& request, uint64_t tag) override {
    called = request;
    last_tag = tag;
  }
  void answer(Code code, std::string_view value = {}, uint8_t hops = 0) {
    core::Completion done;
    done.tag = last_tag;
    done.op = asked;
    done.code = code;
    done.value = value;
    done.hops = hops;
    sink->on_done(done);
  }

  PortSink* sink = nullptr;
  Op asked = Op::kRead;
  core::FileRequest called;
  std::string written;
  uint64_t last_tag = 0;
};

class WorkloadTest : public ::testing::Test {
 protected:
  static Options options() {
    Options o;
    o.keys = 16;
    o.open_per_key = 2;
    o.ops = 3;
    return o;
  }
  const std::string& failure() const { return world_.failure; }

  World world_{options()};
  FileChecker checker_{&world_};
  Workload workload_{&world_, &checker_};
  FakePort port_;
  Driver* driver_ = workload_.add(&port_, false);
};

TEST_F(WorkloadTest, keysFitTheFile) {
  Options o;
  o.keys = 3;
  o.key_stride = 5;
  EXPECT_EQ(make_keys(o)[2], "key:2");
  o.hash = base::HashMode::kInteger;
  EXPECT_EQ(make_keys(o)[2], "10");
}

TEST_F(WorkloadTest, whatIsAskedIsRememberedUntilItIsAnswered) {
  driver_->submit(Op::kPut, 0, 20);
  EXPECT_EQ(driver_->outstanding(), 1u);
  EXPECT_FALSE(workload_.is_idle());
  EXPECT_EQ(read_value(port_.written), port_.last_tag) << "the value names its writer";
  port_.answer(Code::kOk);
  EXPECT_TRUE(workload_.is_idle());
  driver_->submit(Op::kRead, 0, 0);
  port_.answer(Code::kOk, port_.written.empty() ? make_value(1, 20) : port_.written);
  EXPECT_EQ(failure(), "");
  EXPECT_EQ(workload_.history().find_violation(), std::nullopt);
}

TEST_F(WorkloadTest, aKeyThatIsAddedToIsOnlyAddedTo) {
  const size_t counter = 6;
  ASSERT_EQ(use_of_key(counter), KeyUse::kCounter);
  driver_->submit(Op::kPut, counter, 20);
  EXPECT_EQ(port_.asked, Op::kIncrement);
  const size_t text = 7;
  ASSERT_EQ(use_of_key(text), KeyUse::kText);
  driver_->submit(Op::kInsert, text, 20);
  EXPECT_EQ(port_.asked, Op::kAppend);
  driver_->submit(Op::kLocate, text, 0);
  EXPECT_EQ(port_.asked, Op::kLength);
}

TEST_F(WorkloadTest, aKeyWithEnoughUnderWayIsLeftAlone) {
  driver_->submit(Op::kPut, 0, 20);
  EXPECT_TRUE(workload_.is_free(0));
  driver_->submit(Op::kPut, 0, 20);
  EXPECT_FALSE(workload_.is_free(0));
  port_.answer(Code::kOk);
  EXPECT_TRUE(workload_.is_free(0));
}

TEST_F(WorkloadTest, itEndsWhenEverythingWasAskedFor) {
  EXPECT_TRUE(workload_.take_one());
  EXPECT_TRUE(workload_.take_one());
  EXPECT_TRUE(workload_.take_one());
  EXPECT_FALSE(workload_.take_one());
  EXPECT_TRUE(workload_.asked_all());
}

TEST_F(WorkloadTest, anAnswerThatNobodyAskedForIsAViolation) {
  driver_->submit(Op::kPut, 0, 20);
  port_.answer(Code::kOk);
  port_.answer(Code::kOk);
  EXPECT_NE(failure(), "");
}

TEST_F(WorkloadTest, anAnswerThatTheOperationCannotHaveIsAViolation) {
  driver_->submit(Op::kRead, 0, 0);
  port_.answer(Code::kExists);
  EXPECT_NE(failure(), "");
}

TEST_F(WorkloadTest, moreThanTwoForwardsAreAViolation) {
  driver_->submit(Op::kRead, 0, 0);
  port_.answer(Code::kNotFound, {}, 3);
  EXPECT_EQ(failure(), "client 1: more than two forwards");
}

TEST_F(WorkloadTest, aBucketIsCalledDownOnlyInTrouble) {
  world_.trouble(base::seconds(1));
  driver_->submit(Op::kRead, 0, 0);
  port_.answer(Code::kDown);
  EXPECT_EQ(failure(), "");
  world_.trouble_until = {};
  driver_->submit(Op::kRead, 0, 0);
  port_.answer(Code::kDown);
  EXPECT_NE(failure(), "");
}

TEST_F(WorkloadTest, aCallThatFailsWithoutTroubleIsAViolation) {
  core::FileRequest request;
  request.kind = core::FileRequest::Kind::kCount;
  driver_->call(request);
  EXPECT_EQ(driver_->outstanding(), 1u);
  core::FileResult result;
  result.request = port_.called;
  result.outcome = core::FileResult::Outcome::kBucketDown;
  port_.sink->on_call_done(port_.last_tag, result);
  EXPECT_NE(failure(), "");
  EXPECT_EQ(driver_->outstanding(), 0u);
}

TEST_F(WorkloadTest, ofALostConnectionNothingIsExpectedAnyMore) {
  driver_->submit(Op::kPut, 0, 20);
  driver_->call(core::FileRequest());
  port_.sink->on_port_lost();
  EXPECT_TRUE(workload_.is_idle());
  EXPECT_EQ(world_.counters[Count::kUnknown], 1u);
  driver_->submit(Op::kRead, 0, 0);
  port_.answer(Code::kOk, make_value(1, 20));
  EXPECT_EQ(workload_.history().find_violation(), std::nullopt) << "it may have happened";
}

TEST_F(WorkloadTest, anAbandonedClientIsNotWaitedFor) {
  driver_->submit(Op::kPut, 0, 20);
  driver_->abandon();
  EXPECT_TRUE(workload_.is_idle());
  port_.answer(Code::kOk);
  EXPECT_EQ(failure(), "");
}

}  // namespace
}  // namespace lh::sim
