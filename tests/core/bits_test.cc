#include "core/bits.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "base/prng.h"

namespace lh::core {
namespace {

constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

BitRange range(int64_t first, int64_t last, bool in_bits = false) { return {in_bits, first, last}; }

TEST(BitsTest, the_first_is_the_highest_of_the_first_byte) {
  std::string value(2, '\0');
  set_bit(&value, 0, true);
  set_bit(&value, 15, true);
  EXPECT_EQ(value, "\x80\x01");
  EXPECT_TRUE(bit_of(value, 0));
  EXPECT_FALSE(bit_of(value, 1));
  EXPECT_FALSE(bit_of(value, 1'000)) << "zeros without end";
  set_bit(&value, 0, false);
  EXPECT_EQ(value, std::string("\x00\x01", 2));
}

// What redis-server 7 says of "foobar".
TEST(BitsTest, are_counted_in_ranges) {
  const std::string value = "foobar";
  EXPECT_EQ(count_bits(value, {}), 26u);
  EXPECT_EQ(count_bits(value, range(0, 0)), 4u);
  EXPECT_EQ(count_bits(value, range(1, 1)), 6u);
  EXPECT_EQ(count_bits(value, range(-2, -1)), 7u);
  EXPECT_EQ(count_bits(value, range(5, 30, true)), 17u);
  EXPECT_EQ(count_bits(value, range(-1, -2)), 0u);
  EXPECT_EQ(count_bits(value, range(0, -100)), 4u) << "both ends are put on the first byte";
  EXPECT_EQ(count_bits(value, range(-100, -101)), 0u);
  EXPECT_EQ(count_bits(value, range(kMin, kMax)), 26u);
  EXPECT_EQ(count_bits("", {}), 0u);
}

TEST(BitsTest, are_counted_as_one_by_one) {
  base::Prng prng(7);
  std::string value(100, '\0');
  for (char& byte : value) byte = static_cast<char>(prng.next());
  for (int k = 0; k < 300; ++k) {
    const auto first = static_cast<int64_t>(prng.below(800));
    const auto last = static_cast<int64_t>(prng.below(800));
    uint64_t count = 0;
    for (int64_t at = first; at <= last; ++at) count += bit_of(value, static_cast<uint64_t>(at));
    ASSERT_EQ(count_bits(value, range(first, last, true)), count) << first << " " << last;
  }
}

TEST(BitsTest, are_found) {
  const auto find = [](std::string_view value, bool bit, BitRange range, bool names_last = true) {
    return find_bit(value, {range, bit, names_last});
  };
  const std::string value("\xff\xf0\x00", 3);
  EXPECT_EQ(find(value, false, {}), 12);
  EXPECT_EQ(find(value, true, range(2, -1)), -1);
  EXPECT_EQ(find(value, true, range(7, 15, true)), 7);
  EXPECT_EQ(find("\xff\xff", false, {}, false), 16) << "behind the end there are zeros";
  EXPECT_EQ(find("\xff\xff", false, {}), -1) << "but not when the end is named";
  EXPECT_EQ(find("\xff\xff", false, range(5, -1), false), -1) << "nor of nothing";
  EXPECT_EQ(find(std::string(1'000, '\0') + "\x01", true, {}), 8'007);
  EXPECT_EQ(find("", true, {}), -1);
}

class FieldTest : public ::testing::Test {
 protected:
  std::optional<int64_t> set(BitField field, int64_t operand) {
    field.work = FieldWork::kSet;
    field.operand = operand;
    return work_on(field, &value_);
  }
  std::optional<int64_t> add(BitField field, int64_t operand) {
    field.work = FieldWork::kAdd;
    field.operand = operand;
    return work_on(field, &value_);
  }
  int64_t get(const BitField& field) { return *read_field(field, value_); }
  static BitField field(bool is_signed, uint8_t bits, uint64_t offset,
                        OnOverflow overflow = OnOverflow::kWrap) {
    return {FieldWork::kRead, overflow, is_signed, bits, offset, 0};
  }

  std::string value_ = std::string(40, '\0');
};

TEST_F(FieldTest, of_all_sizes_at_all_places_come_back) {
  base::Prng prng(3);
  for (uint8_t bits = 1; bits <= 64; ++bits) {
    for (const bool is_signed : {false, true}) {
      if (bits == 64 && !is_signed) continue;
      for (uint64_t offset = 0; offset < 9; ++offset) {
        const BitField f = field(is_signed, bits, offset);
        const int64_t before = get(f);
        EXPECT_EQ(set(f, static_cast<int64_t>(prng.next())), before) << "the old one";
        const int64_t now = get(f);
        EXPECT_EQ(add(f, 0), now);
        EXPECT_EQ(set(f, now), now) << int{bits} << " bits at " << offset;
        EXPECT_EQ(get(f), now);
      }
    }
  }
}

TEST_F(FieldTest, wrap_around) {
  const BitField u8 = field(false, 8, 3);
  EXPECT_EQ(set(u8, 255), 0);
  EXPECT_EQ(add(u8, 10), 9);
  EXPECT_EQ(add(u8, -10), 255);
  const BitField i64 = field(true, 64, 0);
  EXPECT_EQ(set(i64, kMax), 0x1fe0000000000000);
  EXPECT_EQ(add(i64, 1), kMin);
  EXPECT_EQ(add(i64, -1), kMax);
  const BitField i1 = field(true, 1, 100);
  EXPECT_EQ(add(i1, 1), -1);
}

TEST_F(FieldTest, stay_at_the_end) {
  const BitField u4 = field(false, 4, 0, OnOverflow::kSaturate);
  EXPECT_EQ(add(u4, 100), 15);
  EXPECT_EQ(add(u4, -100), 0);
  EXPECT_EQ(set(u4, -1), 0);
  EXPECT_EQ(get(u4), 15) << "what it is set to has no sign";
  const BitField i8 = field(true, 8, 0, OnOverflow::kSaturate);
  EXPECT_EQ(set(i8, 1'000), -16);
  EXPECT_EQ(get(i8), 127);
  EXPECT_EQ(add(i8, kMin), -128);
}

TEST_F(FieldTest, or_refuse) {
  const BitField u2 = field(false, 2, 7, OnOverflow::kFail);
  EXPECT_EQ(add(u2, 3), 3);
  EXPECT_EQ(add(u2, 1), std::nullopt);
  EXPECT_EQ(set(u2, 4), std::nullopt);
  EXPECT_EQ(get(u2), 3);
}

TEST_F(FieldTest, travel) {
  std::string bytes;
  const BitField read = field(false, 63, 17);
  BitField added = field(true, 64, kBitsMax - 1, OnOverflow::kFail);
  added.work = FieldWork::kAdd;
  added.operand = kMin;
  append_field(&bytes, read);
  append_field(&bytes, added);
  FieldReader reader(bytes);
  BitField f;
  ASSERT_TRUE(reader.next(&f));
  EXPECT_EQ(f.work, FieldWork::kRead);
  EXPECT_EQ(f.bits, 63);
  EXPECT_EQ(f.offset, 17u);
  ASSERT_TRUE(reader.next(&f));
  EXPECT_TRUE(f.is_signed);
  EXPECT_EQ(f.bits, 64);
  EXPECT_EQ(f.operand, kMin);
  EXPECT_EQ(f.overflow, OnOverflow::kFail);
  EXPECT_FALSE(reader.next(&f));
  EXPECT_TRUE(reader.ok());
  base::Prng prng(1);
  for (int k = 0; k < 5'000; ++k) {
    std::string other = bytes;
    other[prng.below(other.size())] = static_cast<char>(prng.next());
    other.resize(prng.below(other.size()) + 1);
    FieldReader peer(other);
    while (peer.next(&f)) {
      ASSERT_LE(f.bits, f.is_signed ? 64 : 63);
      ASSERT_LT(f.offset, kBitsMax);
    }
  }
}

TEST_F(FieldTest, arguments_travel) {
  const FindBitArgs args{range(-3, 9, true), true, true};
  FindBitArgs back;
  ASSERT_TRUE(back.read(args.encode()));
  EXPECT_EQ(back.range.first, -3);
  EXPECT_EQ(back.range.last, 9);
  EXPECT_TRUE(back.range.in_bits);
  EXPECT_TRUE(back.bit);
  EXPECT_TRUE(back.names_last);
  EXPECT_FALSE(back.read(args.encode() + "x"));
  EXPECT_FALSE(back.read("\x02" + args.encode().substr(1)));
  std::string answer;
  append_field_answer(&answer, -1);
  append_field_answer(&answer, std::nullopt);
  base::Reader reader(answer);
  std::optional<int64_t> number;
  ASSERT_TRUE(read_field_answer(&reader, &number));
  EXPECT_EQ(number, -1);
  ASSERT_TRUE(read_field_answer(&reader, &number));
  EXPECT_EQ(number, std::nullopt);
  EXPECT_FALSE(read_field_answer(&reader, &number));
}

}  // namespace
}  // namespace lh::core
