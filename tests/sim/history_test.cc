#include "sim/history.h"

#include <gtest/gtest.h>

#include <string>

namespace lh::sim {
namespace {

using core::Code;
using core::Op;

// One key, asked for by two clients.
class RunHistoryTest : public ::testing::Test {
 protected:
  static constexpr size_t kKey = 0;

  // An operation from moment `from` to `to`, and how it ended.
  uint64_t did(Op op, Moment from, Moment to, Code code, const std::string& value = {}) {
    const uint64_t id = history_.begin(1, op, kKey, from, {}, 1);
    history_.end(id, code, value, to);
    return id;
  }
  bool is_possible() const { return !history_.find_violation().has_value(); }

  History history_{{"k"}};
};

TEST(HistoryValueTest, aValueNamesItsWriter) {
  for (const size_t size : {0u, 1u, 20u, 500u}) {
    const std::string value = make_value(7, size);
    EXPECT_GE(value.size(), size);
    EXPECT_EQ(read_value(value), 7u);
    EXPECT_NE(value, make_value(8, size));
  }
}

TEST(HistoryValueTest, aValueWithAWrongByteNamesNobody) {
  std::string value = make_value(7, 50);
  value.back() ^= 1;
  EXPECT_EQ(read_value(value), std::nullopt);
}

TEST_F(RunHistoryTest, keysAreFoundByName) {
  EXPECT_EQ(history_.find_key("k"), 0u);
  EXPECT_EQ(history_.find_key("l"), std::nullopt);
}

TEST_F(RunHistoryTest, whatWasWrittenIsRead) {
  const uint64_t id = did(Op::kPut, 1, 2, Code::kOk);
  did(Op::kRead, 3, 4, Code::kOk, make_value(id, 10));
  EXPECT_TRUE(is_possible());
}

TEST_F(RunHistoryTest, aLostWriteIsNoticed) {
  did(Op::kPut, 1, 2, Code::kOk);
  did(Op::kRead, 3, 4, Code::kNotFound);
  EXPECT_FALSE(is_possible());
}

TEST_F(RunHistoryTest, anOldValueIsNoticed) {
  const uint64_t first = did(Op::kPut, 1, 2, Code::kOk);
  did(Op::kPut, 3, 4, Code::kOk);
  did(Op::kRead, 5, 6, Code::kOk, make_value(first, 10));
  EXPECT_FALSE(is_possible());
}

TEST_F(RunHistoryTest, whatIsUnderWayMayHaveHappenedOrNot) {
  const uint64_t id = history_.begin(1, Op::kPut, kKey, 1, {}, 1);
  did(Op::kRead, 2, 3, Code::kNotFound);
  EXPECT_TRUE(is_possible());
  did(Op::kRead, 4, 5, Code::kOk, make_value(id, 10));
  EXPECT_TRUE(is_possible());
  did(Op::kRead, 6, 7, Code::kNotFound);
  EXPECT_FALSE(is_possible()) << "seen, and gone again";
}

TEST_F(RunHistoryTest, aValueThatNobodyWroteIsNoticed) {
  did(Op::kPut, 1, 2, Code::kOk);
  did(Op::kRead, 3, 4, Code::kOk, "garbage");
  EXPECT_FALSE(is_possible());
}

TEST_F(RunHistoryTest, twoInsertsDoNotBothSucceed) {
  did(Op::kInsert, 1, 2, Code::kOk);
  did(Op::kInsert, 3, 4, Code::kExists);
  EXPECT_TRUE(is_possible());
  did(Op::kInsert, 5, 6, Code::kOk);
  EXPECT_FALSE(is_possible());
}

class ClearHistoryTest : public RunHistoryTest {
 protected:
  // A clear of everything from moment `from` to `to`; kNever: it was never answered.
  void cleared(Moment from, Moment to,
               core::FileResult::Outcome outcome = core::FileResult::Outcome::kOk) {
    core::FileRequest request;
    request.kind = core::FileRequest::Kind::kClear;
    const size_t call = history_.begin_call(1, request, from);
    if (to == kNever) return;
    core::FileResult result;
    result.request = request;
    result.outcome = outcome;
    history_.end_call(call, result, to, [](size_t) { return true; });
  }
};

TEST_F(ClearHistoryTest, whatWasClearedIsGone) {
  const uint64_t id = did(Op::kPut, 1, 2, Code::kOk);
  cleared(3, 4);
  did(Op::kRead, 5, 6, Code::kNotFound);
  EXPECT_TRUE(is_possible());
  did(Op::kRead, 7, 8, Code::kOk, make_value(id, 10));
  EXPECT_FALSE(is_possible());
}

TEST_F(ClearHistoryTest, itErasesOnceAndNothingThatCameLater) {
  cleared(1, 2);
  did(Op::kPut, 3, 4, Code::kOk);
  did(Op::kRead, 5, 6, Code::kNotFound);
  EXPECT_FALSE(is_possible());
}

TEST_F(ClearHistoryTest, oneThatFailedMayHaveGotAnywhere) {
  const uint64_t id = did(Op::kPut, 1, 2, Code::kOk);
  cleared(3, 4, core::FileResult::Outcome::kBucketDown);
  did(Op::kRead, 5, 6, Code::kOk, make_value(id, 10));
  did(Op::kRead, 7, 8, Code::kNotFound);
  EXPECT_TRUE(is_possible());
  did(Op::kRead, 9, 10, Code::kOk, make_value(id, 10));
  EXPECT_FALSE(is_possible()) << "gone, and there again";
}

TEST_F(ClearHistoryTest, oneThatWasNeverAnsweredMayStillHappen) {
  did(Op::kPut, 1, 2, Code::kOk);
  cleared(3, kNever);
  did(Op::kRead, 100, 101, Code::kNotFound);
  EXPECT_TRUE(is_possible());
}

TEST_F(RunHistoryTest, aLossOfPowerExcusesWhatWasAnsweredWithinTheBound) {
  const uint64_t first = did(Op::kPut, 1, 2, Code::kOk);
  did(Op::kPut, 5, 6, Code::kOk);
  did(Op::kRead, 9, 10, Code::kOk, make_value(first, 10));
  EXPECT_FALSE(is_possible());
  history_.add_power_cut(4, 8, [](size_t) { return false; });
  EXPECT_FALSE(is_possible()) << "of a node that did not have the key";
  history_.add_power_cut(4, 8, [](size_t) { return true; });
  EXPECT_TRUE(is_possible());
}

TEST_F(RunHistoryTest, aLossOfPowerDoesNotExcuseWhatIsOlder) {
  const uint64_t first = did(Op::kPut, 1, 2, Code::kOk);
  did(Op::kPut, 5, 6, Code::kOk);
  did(Op::kRead, 9, 10, Code::kOk, make_value(first, 10));
  history_.add_power_cut(6, 8, [](size_t) { return true; });
  EXPECT_FALSE(is_possible());
}

TEST_F(RunHistoryTest, whatWasBackAfterALossOfPowerIsNotLostInTheNext) {
  did(Op::kPut, 5, 6, Code::kOk);
  did(Op::kRead, 9, 10, Code::kNotFound);
  history_.add_power_cut(1, 3, [](size_t) { return true; });
  history_.add_power_cut(2, 8, [](size_t) { return true; });
  EXPECT_TRUE(is_possible());
  const uint64_t again = did(Op::kPut, 11, 12, Code::kOk);
  did(Op::kRead, 21, 22, Code::kOk, make_value(again, 10));
  history_.add_power_cut(10, 20, [](size_t) { return true; });
  EXPECT_TRUE(is_possible());
  did(Op::kRead, 25, 26, Code::kNotFound);
  history_.add_power_cut(10, 24, [](size_t) { return true; });
  EXPECT_FALSE(is_possible());
}

TEST_F(RunHistoryTest, aCountAllowsForWhatALossOfPowerTookBack) {
  const auto counted = [this](uint64_t records) {
    core::FileRequest request;
    request.kind = core::FileRequest::Kind::kCount;
    core::FileResult result;
    result.request = request;
    result.records = records;
    history_.end_call(history_.begin_call(1, request, 9), result, 10, [](size_t) { return true; });
  };
  did(Op::kPut, 5, 6, Code::kOk);
  counted(1);
  EXPECT_TRUE(is_possible());
  counted(0);
  EXPECT_FALSE(is_possible());
  history_.add_power_cut(4, 8, [](size_t) { return true; });
  EXPECT_TRUE(is_possible());
}

TEST_F(RunHistoryTest, whatWasLostWithItsBucketIsGone) {
  const uint64_t id = did(Op::kPut, 1, 2, Code::kOk);
  did(Op::kRead, 3, 4, Code::kOk, make_value(id, 10));
  did(Op::kRead, 21, 22, Code::kNotFound);
  EXPECT_FALSE(is_possible());
  history_.add_wipe(10, 20, [](size_t) { return true; });
  EXPECT_TRUE(is_possible());
  did(Op::kRead, 25, 26, Code::kOk, make_value(id, 10));
  EXPECT_FALSE(is_possible()) << "it does not come back";
}

TEST_F(RunHistoryTest, aRequestThatWasSentTwiceMayBeExecutedAgainWhenItsBucketWasLost) {
  const uint64_t id = history_.begin(1, Op::kPut, kKey, 1, {}, 1);
  history_.end(id, Code::kOk, {}, 2, true);
  did(Op::kRead, 21, 22, Code::kNotFound);
  did(Op::kRead, 25, 26, Code::kOk, make_value(id, 10));
  EXPECT_FALSE(is_possible());
  history_.add_wipe(10, 20, [](size_t) { return true; });
  EXPECT_TRUE(is_possible());
}

}  // namespace
}  // namespace lh::sim
