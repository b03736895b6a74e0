#include <gtest/gtest.h>

#include <string>

#include "base/coding.h"
#include "core/several.h"
#include "tests/core/bucket_fixture.h"

namespace lh::core {
namespace {

using testing::BucketTest;

// Keys are numbers: even ones belong to bucket 0 of level 1.
class BucketSeveralTest : public BucketTest {
 protected:
  BucketSeveralTest() { host_.options.capacity = 100; }

  std::string ask(Op op, uint64_t c, std::string_view value, std::string_view args = {}) {
    const Bucket::Answer answer =
        bucket_.execute({op, c, std::to_string(c), value, args}, &effects_);
    return to_string(answer.code) + (answer.value.empty() ? "" : " " + std::string(answer.value));
  }
  std::string put(uint64_t c, std::string_view value) { return ask(Op::kPut, c, value); }
  std::string read(uint64_t c) { return ask(Op::kRead, c, {}); }
  static std::string list(const std::vector<std::string>& words) {
    std::string bytes;
    for (const std::string& word : words) base::Writer<>(&bytes).prefixed(word);
    return bytes;
  }

  Bucket bucket_{host_, BucketMark{0, 1}};
};

TEST_F(BucketSeveralTest, a_record_gets_another_key) {
  EXPECT_EQ(ask(Op::kRename, 2, "4"), "NotFound");
  put(2, "two");
  EXPECT_EQ(ask(Op::kRename, 2, "4"), "Ok");
  EXPECT_EQ(read(2), "NotFound");
  EXPECT_EQ(read(4), "Ok two");
  put(6, "six");
  EXPECT_EQ(ask(Op::kRenameAbsent, 4, "6"), "Exists");
  EXPECT_EQ(ask(Op::kRename, 4, "6"), "Ok");
  EXPECT_EQ(read(6), "Ok two");
  EXPECT_EQ(ask(Op::kRename, 6, "6"), "Ok");
  EXPECT_EQ(ask(Op::kRenameAbsent, 6, "6"), "Exists");
  EXPECT_EQ(ask(Op::kRename, 6, "7"), "Cross");
  EXPECT_EQ(ask(Op::kRename, 6, "word"), "Cross") << "that is no key of this file";
  EXPECT_EQ(read(6), "Ok two");
  EXPECT_EQ(bucket_.records(), 1u);
}

TEST_F(BucketSeveralTest, a_record_is_copied_with_its_expiry) {
  SetArgs set;
  set.expiry = host_.unix_ms() + 5'000;
  EXPECT_EQ(ask(Op::kSet, 2, "two", set.encode()), "Ok");
  EXPECT_EQ(ask(Op::kCopyAbsent, 2, "4"), "Ok");
  EXPECT_EQ(ask(Op::kCopyAbsent, 2, "4"), "Exists");
  put(8, "eight");
  EXPECT_EQ(ask(Op::kCopy, 2, "8"), "Ok");
  for (const uint64_t c : {2, 4, 8}) {
    EXPECT_EQ(read(c), "Ok two");
    EXPECT_EQ(ask(Op::kExpiry, c, {}, encode(ExpiryForm::kMsLeft)), "Ok 5000");
  }
  EXPECT_EQ(ask(Op::kCopy, 10, "2"), "NotFound");
  EXPECT_EQ(read(2), "Ok two");
}

TEST_F(BucketSeveralTest, what_has_expired_is_not_in_the_way) {
  host_.now = now_;
  SetArgs set;
  set.expiry = host_.unix_ms() + 5;
  ask(Op::kSet, 2, "two", set.encode());
  ask(Op::kSet, 4, "four", set.encode());
  put(6, "six");
  host_.now = now_ + base::ms(10);
  EXPECT_EQ(ask(Op::kRename, 2, "8"), "NotFound");
  EXPECT_EQ(ask(Op::kRenameAbsent, 6, "4"), "Ok");
  EXPECT_EQ(ask(Op::kExpiry, 4, {}, encode(ExpiryForm::kMsLeft)), "Ok -1");
}

TEST_F(BucketSeveralTest, all_are_inserted_or_none) {
  EXPECT_EQ(ask(Op::kInsertAll, 2, list({"2", "a", "4", "b", "2", "c"})), "Ok");
  EXPECT_EQ(read(2), "Ok c") << "the last one counts";
  EXPECT_EQ(read(4), "Ok b");
  EXPECT_EQ(ask(Op::kInsertAll, 6, list({"6", "x", "4", "y"})), "Exists");
  EXPECT_EQ(ask(Op::kInsertAll, 6, list({"6", "x", "5", "y"})), "Cross");
  EXPECT_EQ(read(6), "NotFound");
  EXPECT_EQ(ask(Op::kInsertAll, 6, list({"6", "x", "8"})), "Malformed");
  EXPECT_EQ(ask(Op::kInsertAll, 6, "\x05x"), "Malformed");
}

TEST_F(BucketSeveralTest, values_are_combined) {
  put(2, "abc");
  put(4, "\xff");
  const auto combine = [&](BitLogic logic, const std::vector<std::string>& keys) {
    return ask(Op::kCombineBits, 10, list(keys), encode(logic));
  };
  EXPECT_EQ(combine(BitLogic::kOr, {"2", "4", "6"}), "Ok 3");
  EXPECT_EQ(read(10),
            "Ok \xff"
            "bc");
  EXPECT_EQ(combine(BitLogic::kAnd, {"2", "4"}), "Ok 3");
  EXPECT_EQ(read(10), std::string("Ok a\0\0", 6));
  EXPECT_EQ(combine(BitLogic::kXor, {"2", "2"}), "Ok 3");
  EXPECT_EQ(read(10), std::string("Ok \0\0\0", 6));
  EXPECT_EQ(combine(BitLogic::kNot, {"4"}), "Ok 1");
  EXPECT_EQ(read(10), std::string("Ok \0", 4));
  EXPECT_EQ(combine(BitLogic::kOr, {"6"}), "Ok 0") << "of nothing nothing comes";
  EXPECT_EQ(read(10), "NotFound");
  EXPECT_EQ(combine(BitLogic::kNot, {"2", "4"}), "Malformed");
  EXPECT_EQ(combine(BitLogic::kOr, {}), "Malformed");
  EXPECT_EQ(combine(BitLogic::kOr, {"2", "3"}), "Cross");
  EXPECT_EQ(ask(Op::kCombineBits, 10, list({"2"}), "\x04"), "Malformed");
}

TEST_F(BucketSeveralTest, what_two_values_have_in_common) {
  put(2, "ohmytext");
  put(4, "mynewtext");
  const auto common = [&](CommonForm form, uint64_t c = 2, const std::string& other = "4") {
    return ask(Op::kCommon, c, other, CommonArgs{form, 0}.encode()).substr(3);
  };
  EXPECT_EQ(common(CommonForm::kText).substr(1), "mytext");
  EXPECT_EQ(common(CommonForm::kText, 2, "6"), std::string(1, '\0')) << "with nothing";
  CommonAnswer answer;
  const std::string length = common(CommonForm::kLength);
  ASSERT_TRUE(answer.read(length));
  EXPECT_EQ(answer.length, 6u);
  EXPECT_EQ(ask(Op::kCommon, 2, "3", CommonArgs{}.encode()), "Cross");
  EXPECT_EQ(ask(Op::kCommon, 2, "4", "\x09"), "Malformed");
  put(8, std::string(5'000, 'x'));
  EXPECT_EQ(ask(Op::kCommon, 8, "8", CommonArgs{}.encode()), "TooLarge");
}

}  // namespace
}  // namespace lh::core
