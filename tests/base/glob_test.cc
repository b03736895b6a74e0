// Glob patterns, declared in base/strings.h.
#include <gtest/gtest.h>

#include <string>

#include "base/prng.h"
#include "base/strings.h"

namespace lh::base {
namespace {

TEST(GlobTest, literals) {
  EXPECT_TRUE(glob_match("", ""));
  EXPECT_TRUE(glob_match("abc", "abc"));
  EXPECT_FALSE(glob_match("abc", "abcd"));
  EXPECT_FALSE(glob_match("abcd", "abc"));
  EXPECT_FALSE(glob_match("", "a"));
  EXPECT_FALSE(glob_match("abc", "ABC"));
}

TEST(GlobTest, stars) {
  EXPECT_TRUE(glob_match("*", ""));
  EXPECT_TRUE(glob_match("*", "anything"));
  EXPECT_TRUE(glob_match("**", ""));
  EXPECT_TRUE(glob_match("h*llo", "heeeello"));
  EXPECT_TRUE(glob_match("h*llo", "hllo"));
  EXPECT_TRUE(glob_match("*a*b*", "xxaxxbxx"));
  EXPECT_FALSE(glob_match("*a*b", "xxbxxa"));
  EXPECT_TRUE(glob_match("a*ab", "aaab"));
  EXPECT_FALSE(glob_match("a*", "b"));
  EXPECT_TRUE(glob_match("user:*:name", "user:1:2:name"));
}

TEST(GlobTest, questionMarkIsOneByte) {
  EXPECT_TRUE(glob_match("h?llo", "hello"));
  EXPECT_FALSE(glob_match("h?llo", "hllo"));
  EXPECT_TRUE(glob_match("??", "\xc3\xa9"));
  EXPECT_FALSE(glob_match("?", ""));
}

TEST(GlobTest, sets) {
  EXPECT_TRUE(glob_match("h[ae]llo", "hallo"));
  EXPECT_FALSE(glob_match("h[ae]llo", "hillo"));
  EXPECT_TRUE(glob_match("h[a-c]llo", "hbllo"));
  EXPECT_TRUE(glob_match("h[c-a]llo", "hbllo"));
  EXPECT_FALSE(glob_match("h[a-c]llo", "hdllo"));
  EXPECT_TRUE(glob_match("h[^e]llo", "hallo"));
  EXPECT_FALSE(glob_match("h[^e]llo", "hello"));
  EXPECT_TRUE(glob_match("[a-zA-Z0-9_]", "Q"));
  EXPECT_TRUE(glob_match("[a-]", "a"));
  EXPECT_TRUE(glob_match("[\x80-\xff]", "\xe9"));
}

TEST(GlobTest, oddSets) {
  EXPECT_FALSE(glob_match("[]", "a"));
  EXPECT_TRUE(glob_match("[^]", "a"));
  EXPECT_TRUE(glob_match("[abc", "b"));
  EXPECT_FALSE(glob_match("[abc", "d"));
  EXPECT_FALSE(glob_match("[", "["));
  EXPECT_TRUE(glob_match("[\\]]", "]"));
  EXPECT_TRUE(glob_match("[\\^a]", "^"));
  EXPECT_TRUE(glob_match("[a\\-z]", "-"));
  EXPECT_FALSE(glob_match("[a\\-z]", "m"));
}

TEST(GlobTest, escapes) {
  EXPECT_TRUE(glob_match("\\*", "*"));
  EXPECT_FALSE(glob_match("\\*", "a"));
  EXPECT_TRUE(glob_match("h\\?llo", "h?llo"));
  EXPECT_TRUE(glob_match("\\[a]", "[a]"));
  EXPECT_TRUE(glob_match("a\\\\b", "a\\b"));
  EXPECT_TRUE(glob_match("a\\", "a\\"));
  EXPECT_TRUE(glob_match("\\a", "a"));
}

TEST(GlobTest, anyBytes) {
  const std::string_view zero("a\0b", 3);
  EXPECT_TRUE(glob_match("a?b", zero));
  EXPECT_TRUE(glob_match(zero, zero));
  EXPECT_FALSE(glob_match(zero, "a"));
}

// The obvious recursive definition, for patterns of * ? and literals.
bool slow_match(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '*') {
    return slow_match(pattern.substr(1), text) ||
           (!text.empty() && slow_match(pattern, text.substr(1)));
  }
  if (text.empty() || (pattern[0] != '?' && pattern[0] != text[0])) return false;
  return slow_match(pattern.substr(1), text.substr(1));
}

TEST(GlobTest, agreesWithTheObviousDefinition) {
  Prng prng(1);
  int matches = 0;
  for (int round = 0; round < 50000; ++round) {
    std::string pattern(prng.below(7), '\0');
    std::string text(prng.below(9), '\0');
    for (char& c : pattern) c = "ab*?"[prng.below(4)];
    for (char& c : text) c = "ab"[prng.below(2)];
    const bool expected = slow_match(pattern, text);
    ASSERT_EQ(glob_match(pattern, text), expected) << pattern << " " << text;
    matches += expected ? 1 : 0;
  }
  EXPECT_GT(matches, 5000);
}

// Backtracking over every star would take longer than the universe has.
TEST(GlobTest, manyStarsDoNotExplode) {
  std::string pattern;
  for (int i = 0; i < 1000; ++i) pattern += "a*";
  pattern += "b";
  EXPECT_FALSE(glob_match(pattern, std::string(100'000, 'a')));
  EXPECT_TRUE(glob_match(pattern, std::string(100'000, 'a') + "b"));
}

TEST(GlobTest, randomPatternsStayWithinTheirBytes) {
  Prng prng(2);
  for (int round = 0; round < 50000; ++round) {
    std::string pattern(prng.below(8), '\0');
    std::string text(prng.below(8), '\0');
    for (char& c : pattern) c = "a[]^-\\*?"[prng.below(8)];
    for (char& c : text) c = "a]^-"[prng.below(4)];
    glob_match(std::string_view(pattern), std::string_view(text));
  }
}

}  // namespace
}  // namespace lh::base
