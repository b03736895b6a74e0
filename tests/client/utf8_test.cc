#include "client/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace lh::client {
namespace {

using std::string_view_literals::operator""sv;

TEST(Utf8Test, codePointsAtTheEdgesOfEachLength) {
  struct Case {
    char32_t value;
    std::string_view bytes;
  };
  const Case cases[] = {{0, "\0"sv},
                        {0x7f, "\x7f"},
                        {0x80, "\xc2\x80"},
                        {0x7ff, "\xdf\xbf"},
                        {0x800, "\xe0\xa0\x80"},
                        {0xd7ff, "\xed\x9f\xbf"},
                        {0xe000, "\xee\x80\x80"},
                        {0xffff, "\xef\xbf\xbf"},
                        {0x10000, "\xf0\x90\x80\x80"},
                        {0x10ffff, "\xf4\x8f\xbf\xbf"}};
  for (const Case& c : cases) {
    std::string written;
    append_utf8(&written, c.value);
    EXPECT_EQ(written, c.bytes);
    EXPECT_EQ(next_code_point(c.bytes).value, c.value);
    EXPECT_EQ(next_code_point(c.bytes).size, c.bytes.size());
    EXPECT_TRUE(is_utf8(c.bytes));
  }
}

TEST(Utf8Test, whatIsNot) {
  for (const std::string_view bytes :
       {"\x80"sv, "\xbf"sv, "\xc0\x80"sv, "\xc1\xbf"sv, "\xe0\x9f\xbf"sv, "\xed\xa0\x80"sv,
        "\xf0\x8f\xbf\xbf"sv, "\xf4\x90\x80\x80"sv, "\xf5\x80\x80\x80"sv, "\xff"sv, "\xc3"sv,
        "\xc3("sv, "\xe2\x82"sv, "\xe2(\xa1"sv, "\xf0\x9f\x98"sv}) {
    EXPECT_EQ(next_code_point(bytes).size, 0u) << bytes;
    EXPECT_FALSE(is_utf8(bytes));
    EXPECT_FALSE(is_utf8("ok" + std::string(bytes)));
  }
  EXPECT_EQ(next_code_point("").size, 0u);
  EXPECT_TRUE(is_utf8(""));
}

TEST(Utf8Test, beginnings) {
  EXPECT_TRUE(is_incomplete_code_point("\xc3"));
  EXPECT_TRUE(is_incomplete_code_point("\xf0\x9f\x98"));
  EXPECT_FALSE(is_incomplete_code_point("\xf0(\x98"));
  EXPECT_FALSE(is_incomplete_code_point("\xc3\xa9"));
  EXPECT_FALSE(is_incomplete_code_point("\xff"));
  EXPECT_FALSE(is_incomplete_code_point("a"));
  EXPECT_FALSE(is_incomplete_code_point(""));
}

TEST(Utf8Test, columns) {
  EXPECT_EQ(columns_of(U'a'), 1u);
  EXPECT_EQ(columns_of(U'\u00e9'), 1u);
  EXPECT_EQ(columns_of(U'\u0301'), 0u);
  EXPECT_EQ(columns_of(U'\u6f22'), 2u);
  EXPECT_EQ(columns_of(U'\U0001f600'), 2u);
}

}  // namespace
}  // namespace lh::client
