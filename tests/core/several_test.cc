#include "core/several.h"

#include <gtest/gtest.h>

#include "base/coding.h"
#include "base/prng.h"

namespace lh::core {
namespace {

std::string matches_of(std::string_view a, std::string_view b, uint64_t bytes_min = 0) {
  std::string bytes;
  append_answer(&bytes, common_of(a, b), {CommonForm::kMatches, bytes_min});
  CommonAnswer answer;
  EXPECT_TRUE(answer.read(bytes));
  std::string out = std::to_string(answer.length);
  for (const CommonMatch& m : answer.matches) {
    out += " " + std::to_string(m.first_a) + "/" + std::to_string(m.first_b) + "+" +
           std::to_string(m.bytes);
  }
  return out;
}

// The example of Redis's documentation.
TEST(SeveralTest, the_longest_common_subsequence) {
  EXPECT_EQ(common_of("ohmytext", "mynewtext").text, "mytext");
  EXPECT_EQ(matches_of("ohmytext", "mynewtext"), "6 4/5+4 2/0+2");
  EXPECT_EQ(matches_of("ohmytext", "mynewtext", 4), "6 4/5+4");
  EXPECT_EQ(matches_of("", "abc"), "0");
  EXPECT_EQ(matches_of("abc", "abc"), "3 0/0+3");
  EXPECT_EQ(matches_of("abc", "xyz"), "0");
}

TEST(SeveralTest, it_is_a_subsequence_of_both) {
  base::Prng prng(5);
  for (int k = 0; k < 500; ++k) {
    std::string a(prng.below(20), ' ');
    std::string b(prng.below(20), ' ');
    for (std::string* text : {&a, &b}) {
      for (char& c : *text) c = static_cast<char>('a' + prng.below(3));
    }
    const Common common = common_of(a, b);
    for (const std::string* text : {&a, &b}) {
      size_t at = 0;
      for (const char c : *text) at += at < common.text.size() && common.text[at] == c ? 1 : 0;
      ASSERT_EQ(at, common.text.size()) << a << " " << b;
    }
    size_t bytes = 0;
    for (const CommonMatch& m : common.matches) {
      ASSERT_EQ(a.substr(m.first_a, m.bytes), b.substr(m.first_b, m.bytes));
      bytes += m.bytes;
    }
    ASSERT_EQ(bytes, common.text.size());
  }
}

TEST(SeveralTest, other_keys_are_read) {
  std::vector<std::string_view> keys;
  EXPECT_TRUE(read_other_keys({Op::kRename, 0, "a", "b"}, &keys));
  EXPECT_TRUE(read_other_keys({Op::kPut, 0, "a", "c"}, &keys));
  std::string list;
  for (const char* word : {"k1", "v1", "k2", "v2"}) base::Writer<>(&list).prefixed(word);
  EXPECT_TRUE(read_other_keys({Op::kInsertAll, 0, "k1", list}, &keys));
  EXPECT_EQ(keys, (std::vector<std::string_view>{"b", "k1", "k2"}));
  keys.clear();
  EXPECT_TRUE(read_other_keys({Op::kCombineBits, 0, "a", list}, &keys));
  EXPECT_EQ(keys.size(), 4u);
  base::Prng prng(1);
  for (int k = 0; k < 5'000; ++k) {
    std::string other = list;
    other[prng.below(other.size())] = static_cast<char>(prng.next());
    other.resize(prng.below(other.size() + 1));
    keys.clear();
    read_other_keys({Op::kInsertAll, 0, "a", other}, &keys);
    CommonAnswer answer;
    answer.read(other);
  }
}

}  // namespace
}  // namespace lh::core
