#include "core/operation.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

namespace lh::core {
namespace {

TEST(OperationTest, ranges_are_of_what_is_there) {
  const auto part = [](int64_t first, int64_t last) {
    RangeArgs args;
    EXPECT_TRUE(args.read(RangeArgs{first, last}.encode()));
    return std::string(args.part_of("hello"));
  };
  EXPECT_EQ(part(0, -1), "hello");
  EXPECT_EQ(part(1, 3), "ell");
  EXPECT_EQ(part(-3, -2), "ll");
  EXPECT_EQ(part(3, 1), "");
  EXPECT_EQ(part(-1, -3), "");
  EXPECT_EQ(part(2, 100), "llo");
  EXPECT_EQ(part(-100, 0), "h");
  EXPECT_EQ(part(-100, -100), "h") << "as Redis has it";
  EXPECT_EQ(part(5, 9), "");
  constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  EXPECT_EQ(part(kMin, kMax), "hello");
  EXPECT_EQ(part(kMax, kMin), "");
  EXPECT_EQ(RangeArgs{}.part_of(""), "");
  RangeArgs args;
  EXPECT_FALSE(args.read(""));
  EXPECT_FALSE(args.read(std::string(17, 'x')));
  uint64_t offset = 0;
  EXPECT_TRUE(read_offset(encode_offset(70), &offset));
  EXPECT_EQ(offset, 70u);
  EXPECT_FALSE(read_offset("7", &offset));
}

TEST(OperationTest, set_args_come_back) {
  for (const Presence only_if : {Presence::kAny, Presence::kAbsent, Presence::kPresent}) {
    for (const ExpiryMs expiry : {kNever, ExpiryMs{1}, ExpiryMs{1'700'000'000'123}, kExpiryMax}) {
      SetArgs args;
      args.only_if = only_if;
      args.expiry = expiry;
      args.keeps_expiry = expiry == kNever;
      SetArgs read;
      ASSERT_TRUE(read.read(args.encode()));
      EXPECT_EQ(read.only_if, args.only_if);
      EXPECT_EQ(read.expiry, args.expiry);
      EXPECT_EQ(read.keeps_expiry, args.keeps_expiry);
    }
  }
  SetArgs defaults;
  defaults.only_if = Presence::kAbsent;
  ASSERT_TRUE(defaults.read(""));
  EXPECT_EQ(defaults.only_if, Presence::kAny);
}

TEST(OperationTest, expire_args_come_back) {
  for (uint8_t conditions = 0; conditions < 16; ++conditions) {
    ExpireArgs args;
    args.conditions = conditions;
    args.expiry = 1'000'000 * ExpiryMs{conditions};
    ExpireArgs read;
    ASSERT_TRUE(read.read(args.encode()));
    EXPECT_EQ(read.conditions, conditions);
    EXPECT_EQ(read.expiry, args.expiry);
  }
}

TEST(OperationTest, what_a_peer_makes_up_is_refused) {
  SetArgs late;
  late.expiry = kExpiryMax + 1;
  SetArgs torn;
  torn.keeps_expiry = true;
  torn.expiry = 5;
  SetArgs set;
  for (const std::string& bytes :
       {std::string("\x03\x00", 2), std::string("\x08\x00", 2), std::string("\x00", 1),
        std::string("\x00\x00\x00", 3), std::string("\x00\xff", 2), late.encode(), torn.encode()}) {
    EXPECT_FALSE(set.read(bytes)) << bytes.size();
  }
  ExpireArgs expire;
  for (const std::string& bytes :
       {std::string(), std::string("\x10\x00", 2), std::string("\x00", 1), late.encode()}) {
    EXPECT_FALSE(expire.read(bytes)) << bytes.size();
  }
  ExpiryForm form;
  for (const std::string& bytes : {std::string(), std::string("\x04", 1), std::string("\xff", 1),
                                   std::string("\x00\x00", 2)}) {
    EXPECT_FALSE(read(bytes, &form)) << bytes.size();
  }
}

TEST(OperationTest, conditions_take_for_ever_as_the_latest) {
  const auto holds = [](uint8_t conditions, ExpiryMs next, ExpiryMs current) {
    ExpireArgs args;
    args.conditions = conditions;
    args.expiry = next;
    return args.holds(current);
  };
  EXPECT_TRUE(holds(0, 5, kNever));
  EXPECT_TRUE(holds(0, kNever, 5));
  EXPECT_TRUE(holds(ExpireArgs::kHasNone, 5, kNever));
  EXPECT_FALSE(holds(ExpireArgs::kHasNone, 5, 4));
  EXPECT_FALSE(holds(ExpireArgs::kHasOne, 5, kNever));
  EXPECT_TRUE(holds(ExpireArgs::kHasOne, 5, 4));
  EXPECT_TRUE(holds(ExpireArgs::kLater, 5, 4));
  EXPECT_FALSE(holds(ExpireArgs::kLater, 5, 5));
  EXPECT_FALSE(holds(ExpireArgs::kLater, 5, 6));
  EXPECT_FALSE(holds(ExpireArgs::kLater, 5, kNever));
  EXPECT_FALSE(holds(ExpireArgs::kSooner, 5, 4));
  EXPECT_FALSE(holds(ExpireArgs::kSooner, 5, 5));
  EXPECT_TRUE(holds(ExpireArgs::kSooner, 5, 6));
  EXPECT_TRUE(holds(ExpireArgs::kSooner, 5, kNever));
  EXPECT_FALSE(holds(ExpireArgs::kHasOne | ExpireArgs::kSooner, 5, kNever));
}

TEST(OperationTest, an_expiry_is_told_in_four_forms) {
  constexpr ExpiryMs kExpiry = 1'700'000'001'499;
  constexpr ExpiryMs kNow = 1'700'000'000'000;
  EXPECT_EQ(in_form(ExpiryForm::kMsLeft, kExpiry, kNow), 1'499);
  EXPECT_EQ(in_form(ExpiryForm::kSecondsLeft, kExpiry, kNow), 1);
  EXPECT_EQ(in_form(ExpiryForm::kSecondsLeft, kExpiry + 1, kNow), 2) << "rounded";
  EXPECT_EQ(in_form(ExpiryForm::kUnixMs, kExpiry, kNow), 1'700'000'001'499);
  EXPECT_EQ(in_form(ExpiryForm::kUnixSeconds, kExpiry, kNow), 1'700'000'001);
  EXPECT_EQ(in_form(ExpiryForm::kMsLeft, kNow, kExpiry), 0);
  for (const ExpiryForm form : {ExpiryForm::kMsLeft, ExpiryForm::kSecondsLeft, ExpiryForm::kUnixMs,
                                ExpiryForm::kUnixSeconds}) {
    ExpiryForm back;
    ASSERT_TRUE(read(encode(form), &back));
    EXPECT_EQ(back, form);
  }
}

}  // namespace
}  // namespace lh::core
