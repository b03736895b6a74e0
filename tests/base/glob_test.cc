// Glob patterns, declared in base/strings.h.
#include <gtest/gtest.h>

#include <iterator>
#include <string>
#include <vector>

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
  EXPECT_TRUE(glob_match("***", std::string_view()));
  EXPECT_TRUE(glob_match(std::string_view(), std::string_view()));
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

// An element of a pattern, as it is written and as the bytes that it stands for.
struct Element {
  std::string_view written;
  std::string_view bytes;  // "*" for any number of any bytes
};
constexpr Element kElements[] = {{"*", "*"},     {"a", "a"},     {"b", "b"},   {"?", "abc"},
                                 {"[ab]", "ab"}, {"[^a]", "bc"}, {"\\a", "a"}, {"[a-c]", "abc"}};

// The obvious recursive definition.
bool slow_match(const std::vector<Element>& pattern, size_t first, std::string_view text) {
  if (first == pattern.size()) return text.empty();
  const std::string_view bytes = pattern[first].bytes;
  if (bytes == "*") {
    return slow_match(pattern, first + 1, text) ||
           (!text.empty() && slow_match(pattern, first, text.substr(1)));
  }
  if (text.empty() || bytes.find(text[0]) == std::string_view::npos) return false;
  return slow_match(pattern, first + 1, text.substr(1));
}

TEST(GlobTest, agreesWithTheObviousDefinition) {
  Prng prng(1);
  int matches = 0;
  for (int round = 0; round < 100000; ++round) {
    std::vector<Element> pattern(prng.below(7));
    std::string written;
    for (Element& element : pattern) {
      element = kElements[prng.chance(1, 3) ? 0 : prng.below(std::size(kElements))];
      written += element.written;
    }
    std::string text(prng.below(9), '\0');
    for (char& c : text) c = "abc"[prng.below(3)];
    const bool expected = slow_match(pattern, 0, text);
    ASSERT_EQ(glob_match(written, text), expected) << written << " " << text;
    matches += expected ? 1 : 0;
  }
  EXPECT_GT(matches, 10000);
}

// Backtracking over every star would take longer than the universe has.
TEST(GlobTest, manyStarsDoNotExplode) {
  std::string pattern;
  for (int i = 0; i < 1000; ++i) pattern += "a*";
  pattern += "b";
  EXPECT_FALSE(glob_match(pattern, std::string(100'000, 'a')));
  EXPECT_TRUE(glob_match(pattern, std::string(100'000, 'a') + "b"));
}

// Neither does one long part: the places where it almost matches are not compared one by one.
TEST(GlobTest, longPartsOfOneLetterDoNotExplode) {
  const std::string part(50'000, 'a');
  const std::string text(1'000'000, 'a');
  EXPECT_FALSE(glob_match("*" + part + "b", text));
  EXPECT_FALSE(glob_match("*" + part + "b*", text));
  EXPECT_TRUE(glob_match("*" + part + "*" + part, text));
  EXPECT_FALSE(glob_match("*?" + part, text + "b"));
}

TEST(GlobTest, whatFollowsTheLastStarStandsAtTheEnd) {
  EXPECT_TRUE(glob_match("*ab", "abab"));
  EXPECT_TRUE(glob_match("a*?[bc]\\*", "axxxb*"));
  EXPECT_FALSE(glob_match("ab*ab", "ab"));
  EXPECT_FALSE(glob_match("ab*b", "ab"));
  EXPECT_TRUE(glob_match("*x*", "x"));
  EXPECT_TRUE(glob_match("*[ab]?*d", "zzbyd"));
  EXPECT_FALSE(glob_match("*[ab]?*d", "zzbd"));
}

TEST(GlobTest, randomPatternsStayWithinTheirBytes) {
  Prng prng(2);
  for (int round = 0; round < 50000; ++round) {
    std::string pattern(prng.below(8), '\0');
    std::string text(prng.below(8), '\0');
    for (char& c : pattern) c = "a[]^-\\*?"[prng.below(8)];
    for (char& c : text) c = "a]^-"[prng.below(4)];
    const bool alone = glob_match(std::string_view(pattern), std::string_view(text));
    // What lies behind either of them in memory makes no difference.
    const std::string pattern_and_more = pattern + "]*", text_and_more = text + "]a";
    const std::string_view pattern_part(pattern_and_more.data(), pattern.size());
    const std::string_view text_part(text_and_more.data(), text.size());
    EXPECT_EQ(alone, glob_match(pattern_part, text_part)) << pattern << " on " << text;
  }
}

}  // namespace
}  // namespace lh::base
