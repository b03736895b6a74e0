// The words and values of text lines, declared in base/strings.h.
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "base/prng.h"
#include "base/strings.h"

namespace lh::base {
namespace {

std::string word_of(std::string_view bytes) {
  std::string out;
  append_word(&out, bytes);
  return out;
}

std::string value_of(std::string_view bytes) {
  std::string out;
  append_value(&out, bytes);
  return out;
}

// All words of a line, or "BAD" as the last.
std::vector<std::string> words_in(std::string_view line) {
  std::vector<std::string> words;
  std::string scratch;
  std::string_view word;
  while (true) {
    const WordStatus status = parse_word(&line, &scratch, &word);
    if (status == WordStatus::kNone) return words;
    words.emplace_back(status == WordStatus::kOk ? word : "BAD");
    if (status != WordStatus::kOk) return words;
  }
}

using Words = std::vector<std::string>;

struct Parsed {
  WordStatus status;
  std::string value;
};

Parsed parse_value_of(std::string_view line) {
  std::string scratch;
  std::string_view value;
  const WordStatus status = parse_value(&line, &scratch, &value);
  return {status, status == WordStatus::kOk ? std::string(value) : std::string()};
}

TEST(AppendWordTest, plainWordsStayBare) {
  for (const std::string_view word : {"a", "user:1000", "{tag}x", "it's", "a=b", "#", "~"}) {
    EXPECT_EQ(word_of(word), word);
    EXPECT_FALSE(needs_quotes(word));
  }
}

TEST(AppendWordTest, quotesWhatWouldNotBeOneWord) {
  EXPECT_EQ(word_of(""), "\"\"");
  EXPECT_EQ(word_of("a b"), "\"a b\"");
  EXPECT_EQ(word_of("a\tb"), "\"a\\tb\"");
  EXPECT_EQ(word_of("say \"hi\""), "\"say \\\"hi\\\"\"");
  EXPECT_EQ(word_of("C:\\dir"), "\"C:\\\\dir\"");
  EXPECT_EQ(word_of("a\r\nb"), "\"a\\r\\nb\"");
  EXPECT_EQ(word_of(std::string_view("\0\x1b\x7f", 3)), "\"\\x00\\x1b\\x7f\"");
}

TEST(AppendWordTest, textInAnyScriptStaysLegible) {
  for (const std::string_view word : {"Grüße", "日本語", "Ελλάδα", "😀", "naïve"}) {
    EXPECT_EQ(word_of(word), word);
  }
  EXPECT_EQ(word_of("schöne Grüße"), "\"schöne Grüße\"");
}

TEST(AppendWordTest, malformedUtf8IsEscapedByteByByte) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"\x80", "\"\\x80\""},                    // a continuation alone
      {"\xc3", "\"\\xc3\""},                    // cut
      {"\xc0\xaf", "\"\\xc0\\xaf\""},           // overlong in two
      {"\xe0\x80\xaf", "\"\\xe0\\x80\\xaf\""},  // overlong in three
      {"\xf0\x80\x80\xaf", "\"\\xf0\\x80\\x80\\xaf\""},
      {"\xed\xa0\x80", "\"\\xed\\xa0\\x80\""},           // a surrogate
      {"\xf4\x90\x80\x80", "\"\\xf4\\x90\\x80\\x80\""},  // beyond U+10FFFF
      {"\xff\xfe", "\"\\xff\\xfe\""},
      {"\xc3\xa9\xe9", "\"\xc3\xa9\\xe9\""},  // é in UTF-8, then in Latin-1
      {"\xe2\x82", "\"\\xe2\\x82\""},
  };
  for (const auto& [bytes, written] : cases) EXPECT_EQ(word_of(bytes), written);
}

// A value from a stranger must not steer the terminal or the line of whoever lists it.
TEST(AppendWordTest, charactersThatDisruptAScreenAreEscaped) {
  EXPECT_EQ(word_of("\xc2\x9b"), "\"\\xc2\\x9b\"");           // C1 CSI
  EXPECT_EQ(word_of("\xe2\x80\xa8"), "\"\\xe2\\x80\\xa8\"");  // line separator
  EXPECT_EQ(word_of("\xe2\x80\xae"), "\"\\xe2\\x80\\xae\"");  // right-to-left override
  EXPECT_EQ(word_of("\xe2\x81\xa6"), "\"\\xe2\\x81\\xa6\"");  // isolate
  EXPECT_EQ(word_of("\xc2\xa0"), "\xc2\xa0");                 // no-break space is harmless
}

TEST(ParseWordTest, blanksSeparate) {
  EXPECT_EQ(words_in("PUT k v"), (Words{"PUT", "k", "v"}));
  EXPECT_EQ(words_in("  a \t b\t"), (Words{"a", "b"}));
  EXPECT_EQ(words_in(""), Words{});
  EXPECT_EQ(words_in(" \t "), Words{});
}

TEST(ParseWordTest, quotedWords) {
  EXPECT_EQ(words_in(R"("a b" "" "c")"), (Words{"a b", "", "c"}));
  EXPECT_EQ(words_in(R"("\"\\\n\r\t\x41\xfF")"), (Words{"\"\\\n\r\tA\xff"}));
  EXPECT_EQ(words_in(R"("\x00")"), (Words{std::string(1, '\0')}));
}

TEST(ParseWordTest, bareBytesAreTakenAsTheyAre) {
  EXPECT_EQ(words_in("C:\\dir"), (Words{"C:\\dir"}));
  EXPECT_EQ(words_in("it's \x01\xff"), (Words{"it's", "\x01\xff"}));
}

TEST(ParseWordTest, badQuotes) {
  for (const std::string_view line :
       {R"(")", R"("abc)", R"("abc\")", R"("abc\)", R"("a"b)", R"("a""b")", R"(a"b)", R"(ab")",
        R"("\q")", R"("\x4")", R"("\x4g")", R"("\x)", R"("\X41")", R"("\0")"}) {
    EXPECT_EQ(words_in(line), Words{"BAD"}) << line;
  }
  EXPECT_EQ(words_in(R"(ok "bad)"), (Words{"ok", "BAD"}));
}

TEST(ParseWordTest, withoutEscapesAWordIsAViewOfTheLine) {
  const std::string line = R"(bare "in quotes")";
  std::string_view rest = line;
  std::string scratch = "untouched";
  std::string_view word;
  ASSERT_EQ(parse_word(&rest, &scratch, &word), WordStatus::kOk);
  EXPECT_EQ(word.data(), line.data());
  ASSERT_EQ(parse_word(&rest, &scratch, &word), WordStatus::kOk);
  EXPECT_EQ(word.data(), line.data() + 6);
  EXPECT_EQ(scratch, "untouched");
}

TEST(AppendValueTest, textStaysBareWithItsInnerBlanks) {
  for (const std::string_view value :
       {"v", "In the beginning God created", "say \"hi\"", "C:\\dir", "a  b", "schöne Grüße"}) {
    EXPECT_EQ(value_of(value), value);
  }
}

TEST(AppendValueTest, quotesWhatTheRestOfTheLineCannotCarry) {
  EXPECT_EQ(value_of(""), "\"\"");
  EXPECT_EQ(value_of(" a"), "\" a\"");
  EXPECT_EQ(value_of("a "), "\"a \"");
  EXPECT_EQ(value_of("\"a"), "\"\\\"a\"");
  EXPECT_EQ(value_of("a\nb"), "\"a\\nb\"");
  EXPECT_EQ(value_of("a\tb"), "\"a\\tb\"");
  EXPECT_EQ(value_of("a\r"), "\"a\\r\"");
  EXPECT_EQ(value_of("\xff"), "\"\\xff\"");
}

TEST(ParseValueTest, restOfTheLine) {
  EXPECT_EQ(parse_value_of("  a b  c ").value, "a b  c ");
  EXPECT_EQ(parse_value_of("a \"b\"").value, "a \"b\"");
  EXPECT_EQ(parse_value_of("").status, WordStatus::kNone);
  EXPECT_EQ(parse_value_of(" \t").status, WordStatus::kNone);
}

TEST(ParseValueTest, quoted) {
  EXPECT_EQ(parse_value_of("\"a\\nb\"  ").value, "a\nb");
  EXPECT_EQ(parse_value_of("\"\"").status, WordStatus::kOk);
  EXPECT_EQ(parse_value_of("\"a\" b").status, WordStatus::kBad);
  EXPECT_EQ(parse_value_of("\"a").status, WordStatus::kBad);
  EXPECT_EQ(parse_value_of("\"a\"b").status, WordStatus::kBad);
  EXPECT_EQ(parse_value_of("\"\\q\"").status, WordStatus::kBadEscape);
  EXPECT_EQ(parse_value_of("\"a\\").status, WordStatus::kBad);
  EXPECT_EQ(complaint(WordStatus::kBadEscape), "bad escape");
}

std::string random_bytes(Prng* prng) {
  // Mostly the bytes that the rules are about.
  static constexpr std::string_view kAwkward =
      " \t\"\\\n\r\x7fnx4#\xc3\xa9\xe2\x80\xa8\xf0\x9f\x98";
  std::string bytes(prng->below(12), '\0');
  for (char& c : bytes) {
    c = prng->chance(3, 4) ? kAwkward[prng->below(kAwkward.size())]
                           : static_cast<char>(prng->next());
  }
  return bytes;
}

bool is_one_clean_line(std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    if (byte < 0x20 || byte == 0x7f) return false;
  }
  return true;
}

TEST(WordsTest, whatIsWrittenIsReadBack) {
  Prng prng(1);
  for (int round = 0; round < 50000; ++round) {
    const std::string key = random_bytes(&prng);
    const std::string value = random_bytes(&prng);
    const std::string line = word_of(key) + " " + value_of(value);
    ASSERT_TRUE(is_one_clean_line(line)) << line;

    std::string_view rest = line;
    std::string key_scratch;
    std::string value_scratch;
    std::string_view key_read;
    std::string_view value_read;
    ASSERT_EQ(parse_word(&rest, &key_scratch, &key_read), WordStatus::kOk) << line;
    ASSERT_EQ(parse_value(&rest, &value_scratch, &value_read), WordStatus::kOk) << line;
    ASSERT_EQ(key_read, key);
    ASSERT_EQ(value_read, value);
  }
}

TEST(WordsTest, anyBytesAreParsedWithoutHarm) {
  Prng prng(2);
  for (int round = 0; round < 50000; ++round) {
    const std::string line = random_bytes(&prng);
    for (const std::string& word : words_in(line)) {
      ASSERT_LE(word.size(), std::max<size_t>(line.size(), 3));
    }
  }
}

}  // namespace
}  // namespace lh::base
