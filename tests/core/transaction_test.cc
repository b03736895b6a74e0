#include "core/transaction.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/prng.h"

namespace lh::core {
namespace {

constexpr Version kVersion{NodeId{3}, 7, 12, 99};

std::string example() {
  std::string bytes;
  TransactionWriter writer(&bytes, 1);
  writer.watch({"k", kVersion});
  writer.add({Op::kPut, 0, "a", "1"});
  writer.add({Op::kSet, 0, "b", std::string(1'000, 'v'), SetArgs{}.encode()});
  writer.add({Op::kRead, 0, ""});
  return bytes;
}

TEST(TransactionTest, comes_back_as_it_was_written) {
  const std::string bytes = example();
  TransactionReader reader(bytes);
  Watched watched;
  ASSERT_TRUE(reader.next(&watched));
  EXPECT_EQ(watched.key, "k");
  EXPECT_EQ(watched.version, kVersion);
  EXPECT_FALSE(reader.next(&watched));
  Operation part;
  ASSERT_TRUE(reader.next(&part));
  EXPECT_EQ(part.op, Op::kPut);
  EXPECT_EQ(part.key, "a");
  EXPECT_EQ(part.value, "1");
  ASSERT_TRUE(reader.next(&part));
  EXPECT_EQ(part.value.size(), 1'000u);
  EXPECT_EQ(part.args, SetArgs{}.encode());
  ASSERT_TRUE(reader.next(&part));
  EXPECT_EQ(part.op, Op::kRead);
  EXPECT_EQ(part.key, "");
  EXPECT_FALSE(reader.next(&part));
  EXPECT_TRUE(reader.ok());
}

bool makes_sense(std::string_view bytes) {
  TransactionReader reader(bytes);
  for (Watched watched; reader.next(&watched);) {
  }
  for (Operation part; reader.next(&part);) EXPECT_TRUE(may_be_part(part.op));
  return reader.ok();
}

TEST(TransactionTest, nothing_is_believed) {
  const std::string bytes = example();
  EXPECT_TRUE(makes_sense(bytes));
  EXPECT_FALSE(makes_sense("")) << "not even how many watches there are";
  base::Prng prng(1);
  for (int k = 0; k < 10'000; ++k) {
    std::string other = bytes;
    for (uint64_t n = prng.between(1, 3); n > 0; --n) {
      other[prng.below(other.size())] = static_cast<char>(prng.next());
    }
    other.resize(prng.between(0, other.size()));
    makes_sense(other);
  }
  for (const Op op : {Op::kLocate, Op::kWatch, Op::kTransact}) {
    std::string none;
    TransactionWriter(&none, 0).add({op, 0, "a"});
    EXPECT_FALSE(makes_sense(none));
  }
}

TEST(TransactionTest, an_answer_is_its_parts) {
  std::string answer;
  append_part(&answer, Code::kOk, "value");
  append_part(&answer, Code::kNotFound, "");
  base::Reader reader(answer);
  Code code = Code::kDown;
  std::string_view value;
  ASSERT_TRUE(read_part(&reader, &code, &value));
  EXPECT_EQ(code, Code::kOk);
  EXPECT_EQ(value, "value");
  ASSERT_TRUE(read_part(&reader, &code, &value));
  EXPECT_EQ(code, Code::kNotFound);
  EXPECT_FALSE(read_part(&reader, &code, &value));
  base::Reader bad("\xff");
  EXPECT_FALSE(read_part(&bad, &code, &value));
}

}  // namespace
}  // namespace lh::core
