#include <gtest/gtest.h>

#include <string>

#include "core/bits.h"
#include "tests/core/bucket_fixture.h"

namespace lh::core {
namespace {

using testing::BucketTest;

class BucketBitsTest : public BucketTest {
 protected:
  BucketBitsTest() { host_.options.capacity = 100; }

  std::string ask(Op op, uint64_t c, std::string_view args, std::string_view value = {}) {
    const Bucket::Answer answer =
        bucket_.execute({op, c, std::to_string(c), value, args}, &effects_);
    return to_string(answer.code) + (answer.value.empty() ? "" : " " + std::string(answer.value));
  }
  std::string set(uint64_t c, uint64_t offset, bool bit) {
    return ask(Op::kWriteBit, c, encode_offset(offset), bit ? "1" : "0");
  }
  std::string get(uint64_t c, uint64_t offset) {
    return ask(Op::kReadBit, c, encode_offset(offset));
  }
  // "5 nil", or the outcome.
  std::string fields(Op op, uint64_t c, const std::vector<BitField>& all) {
    std::string bytes;
    for (const BitField& field : all) append_field(&bytes, field);
    const Bucket::Answer answer = bucket_.execute({op, c, std::to_string(c), bytes}, &effects_);
    if (answer.code != Code::kOk) return to_string(answer.code);
    std::string out;
    base::Reader reader(answer.value);
    for (std::optional<int64_t> number; read_field_answer(&reader, &number);) {
      out += (out.empty() ? "" : " ") + (number ? std::to_string(*number) : "nil");
    }
    return out;
  }
  std::string add(uint64_t c, std::string_view value) {
    return execute(&bucket_, Op::kIncrementFloat, c, value);
  }

  Bucket bucket_{host_, BucketMark{0, 0}};
};

TEST_F(BucketBitsTest, a_bit_is_written_and_read) {
  EXPECT_EQ(get(1, 7), "Ok 0");
  EXPECT_EQ(bucket_.records(), 0u) << "a look makes nothing";
  EXPECT_EQ(set(1, 7, true), "Ok 0");
  EXPECT_EQ(set(1, 7, true), "Ok 1");
  EXPECT_EQ(execute(&bucket_, Op::kRead, 1), "Ok \x01");
  EXPECT_EQ(set(1, 23, false), "Ok 0");
  EXPECT_EQ(execute(&bucket_, Op::kLength, 1), "Ok 3") << "zeros make it longer, too";
  EXPECT_EQ(set(1, kBitsMax - 1, true), "Ok 0");
  EXPECT_EQ(execute(&bucket_, Op::kLength, 1), "Ok 8388608");
  EXPECT_EQ(set(1, kBitsMax, true), "Malformed");
  EXPECT_EQ(ask(Op::kWriteBit, 1, encode_offset(0), "2"), "Malformed");
  EXPECT_EQ(ask(Op::kReadBit, 1, "x"), "Malformed");
}

TEST_F(BucketBitsTest, bits_are_counted_and_found) {
  execute(&bucket_, Op::kPut, 1, "foobar");
  EXPECT_EQ(ask(Op::kCountBits, 1, BitRange{}.encode()), "Ok 26");
  EXPECT_EQ(ask(Op::kCountBits, 2, BitRange{}.encode()), "Ok 0");
  EXPECT_EQ(ask(Op::kFindBit, 1, FindBitArgs{{}, true, false}.encode()), "Ok 1");
  EXPECT_EQ(ask(Op::kFindBit, 2, FindBitArgs{{}, true, false}.encode()), "Ok -1");
  EXPECT_EQ(ask(Op::kFindBit, 2, FindBitArgs{{}, false, false}.encode()), "Ok 0");
  EXPECT_EQ(ask(Op::kCountBits, 1, BitRange{}.encode() + "x"), "Malformed");
  EXPECT_EQ(ask(Op::kFindBit, 1, ""), "Malformed");
}

TEST_F(BucketBitsTest, fields_are_worked_on_one_after_the_other) {
  const BitField read{FieldWork::kRead, OnOverflow::kWrap, false, 8, 0, 0};
  const BitField add{FieldWork::kAdd, OnOverflow::kFail, false, 8, 0, 200};
  EXPECT_EQ(fields(Op::kReadFields, 1, {read}), "0");
  EXPECT_EQ(bucket_.records(), 0u);
  EXPECT_EQ(fields(Op::kWriteFields, 1, {read, add, add, read}), "0 200 nil 200");
  EXPECT_EQ(fields(Op::kReadFields, 1, {add}), "Malformed") << "that writes";
  EXPECT_EQ(fields(Op::kReadFields, 1, {}), "");
  BitField far = add;
  far.bits = 63;
  far.offset = kBitsMax - 1;
  EXPECT_EQ(fields(Op::kWriteFields, 1, {far}), "TooLong");
  EXPECT_EQ(execute(&bucket_, Op::kWriteFields, 1, "xyz"), "Malformed");
  EXPECT_EQ(execute(&bucket_, Op::kRead, 1), "Ok \xc8");
}

// The texts are those of redis-server 7.
TEST_F(BucketBitsTest, numbers_with_a_point_are_added) {
  EXPECT_EQ(add(1, "10.5"), "Ok 10.5");
  EXPECT_EQ(add(1, "0.1"), "Ok 10.6");
  EXPECT_EQ(add(1, "-5.6e0"), "Ok 5");
  EXPECT_EQ(add(1, "2.0e2"), "Ok 205");
  EXPECT_EQ(add(1, "-205"), "Ok 0");
  EXPECT_EQ(add(1, "0.00000000000000001"), "Ok 0.00000000000000001");
  EXPECT_EQ(add(1, "3e18"), "Ok 3000000000000000000");
  for (const char* none : {"", " 1", "1 ", "1x", "nan", "1e5000", "."}) {
    EXPECT_EQ(add(1, none), "NotInteger") << none;
  }
  EXPECT_EQ(add(1, "inf"), "Overflow");
  EXPECT_EQ(add(1, std::string(kFloatBytesMax + 1, '1')), "NotInteger");
  execute(&bucket_, Op::kPut, 2, "word");
  EXPECT_EQ(add(2, "1"), "NotInteger");
  execute(&bucket_, Op::kPut, 3, "1e4930");
  EXPECT_GT(add(3, "1e4932").size(), 4'930u);
  EXPECT_EQ(add(3, "1.1e4932"), "Overflow");
}

}  // namespace
}  // namespace lh::core
