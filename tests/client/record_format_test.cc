#include "client/record_format.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/prng.h"

namespace lh::client {
namespace {

std::string line(RecordFormat format, std::string_view key, std::string_view value,
                 core::ExpiryMs expiry = core::kNever) {
  std::string out;
  append_record_line(&out, format, key, value, expiry);
  return out;
}

class Parsed {
 public:
  Parsed(RecordFormat format, std::string_view text) : parser_(format), text_(text) {
    ok_ = parser_.parse(text_);
  }
  std::string key() const { return ok_ ? std::string(parser_.key()) : "bad"; }
  std::string value() const { return ok_ ? std::string(parser_.value()) : "bad"; }
  core::ExpiryMs expiry() const { return parser_.expiry(); }
  std::string error() const { return ok_ ? "" : std::string(parser_.error()); }

 private:
  RecordParser parser_;
  std::string text_;
  bool ok_;
};

TEST(RecordFormatTest, tsv) {
  EXPECT_EQ(line(RecordFormat::kTsv, "k", "a value"), "k\ta value\n");
  EXPECT_EQ(line(RecordFormat::kTsv, "a\tb", "c\nd\re"), "a\\tb\tc\\nd\\re\n");
  EXPECT_EQ(line(RecordFormat::kTsv, "", ""), "\t\n");
}

TEST(RecordFormatTest, tsvBackslashesAreDoubledWhereTheyHaveToBe) {
  EXPECT_EQ(line(RecordFormat::kTsv, "a\\", "\\"), "a\\\t\\\n");
  EXPECT_EQ(line(RecordFormat::kTsv, "k", "Moscow\\ RU"), "k\tMoscow\\ RU\n");
  EXPECT_EQ(line(RecordFormat::kTsv, "k", "\\n"), "k\t\\\\n\n");
  EXPECT_EQ(line(RecordFormat::kTsv, "k", "\\\n"), "k\t\\\\\\n\n");
  EXPECT_EQ(line(RecordFormat::kTsv, "k", "\\\\"), "k\t\\\\\\\n");
}

TEST(RecordFormatTest, tsvOfOtherMakers) {
  const Parsed parsed(RecordFormat::kTsv, "C\\Alcala 29\\31\tone\ttwo\\ three\\");
  EXPECT_EQ(parsed.key(), "C\\Alcala 29\\31");
  EXPECT_EQ(parsed.value(), "one\ttwo\\ three\\");
}

TEST(RecordFormatTest, jsonlTellsWhenARecordExpires) {
  EXPECT_EQ(line(RecordFormat::kTsv, "k", "v", 1'700'000'000'000), "k\tv\n");
  const std::string text = line(RecordFormat::kJsonl, "k", "v", 1'700'000'000'000);
  EXPECT_EQ(text, "{\"key\":\"k\",\"value\":\"v\",\"expires\":1700000000000}\n");
  EXPECT_EQ(Parsed(RecordFormat::kJsonl, text).expiry(), 1'700'000'000'000u);
  EXPECT_EQ(Parsed(RecordFormat::kJsonl, "{\"key\":\"k\",\"value\":\"v\"}").expiry(), 0u);
  for (const char* bad : {"0", "\"1\"", "281474976710656", "99999999999999999999999"}) {
    EXPECT_EQ(Parsed(RecordFormat::kJsonl,
                     std::string("{\"key\":\"k\",\"value\":\"v\",\"expires\":") + bad + "}")
                  .error(),
              "\"expires\" is no Unix time in ms");
  }
  EXPECT_EQ(Parsed(RecordFormat::kJsonl, R"({"key":"k","value":5})").error(),
            "a number that is not \"expires\"");
  EXPECT_EQ(Parsed(RecordFormat::kJsonl, R"({"expires":5,"expires":5})").error(), "a member twice");
}

TEST(RecordFormatTest, tsvMalformed) {
  EXPECT_EQ(Parsed(RecordFormat::kTsv, "no tab").error(), "no TAB between key and value");
  EXPECT_EQ(Parsed(RecordFormat::kTsv, "").error(), "no TAB between key and value");
  EXPECT_EQ(Parsed(RecordFormat::kTsv, std::string(65'536, 'k') + "\tv").error(),
            "the key is too long");
  EXPECT_EQ(Parsed(RecordFormat::kTsv, "k\t" + std::string((8 << 20) + 1, 'v')).error(),
            "the value is too long");
  EXPECT_EQ(Parsed(RecordFormat::kTsv, std::string(65'535, 'k') + "\tv").error(), "");
}

TEST(RecordFormatTest, jsonl) {
  EXPECT_EQ(line(RecordFormat::kJsonl, "k\"", "a\n\u00e9"),
            "{\"key\":\"k\\\"\",\"value\":\"a\\n\u00e9\"}\n");
  EXPECT_EQ(line(RecordFormat::kJsonl, "\xff", "v"), "{\"key_base64\":\"/w==\",\"value\":\"v\"}\n");
  const Parsed parsed(RecordFormat::kJsonl, R"({"value_base64":"/w==","key":"k"})");
  EXPECT_EQ(parsed.key(), "k");
  EXPECT_EQ(parsed.value(), "\xff");
}

TEST(RecordFormatTest, jsonlMalformed) {
  const auto error = [](std::string_view text) {
    return Parsed(RecordFormat::kJsonl, text).error();
  };
  EXPECT_EQ(error("k\tv"), "not a JSON object");
  EXPECT_EQ(error(R"({"key":"k"})"), "no member \"value\"");
  EXPECT_EQ(error(R"({"value":"v"})"), "no member \"key\"");
  EXPECT_EQ(error(R"({"key":"k","value":"v","ttl":"1"})"),
            "a member that is none of \"key\", \"value\", \"expires\"");
  EXPECT_EQ(error(R"({"key":"k","key_base64":"aw==","value":"v"})"), "a member twice");
  EXPECT_EQ(error(R"({"key":"k","value_base64":"?"})"), "a member is not base64");
}

TEST(RecordFormatTest, aParserForgetsTheRecordBefore) {
  RecordParser parser(RecordFormat::kJsonl);
  EXPECT_TRUE(parser.parse(R"({"key":"k","value":"v"})"));
  EXPECT_FALSE(parser.parse(R"({"key":"k"})"));
  EXPECT_FALSE(parser.parse(R"({"value":"v"})"));
}

TEST(RecordFormatTest, anyBytesComeBack) {
  // Of few kinds, so that what matters meets what matters.
  const std::vector<std::string> parts = {
      "\\", "t", "n", "r", "\t", "\n", "\r", "a", "\"", "\xff", "\xc3\xa9", "/", std::string(1, 0)};
  base::Prng random(7);
  for (int round = 0; round < 20'000; ++round) {
    std::string key;
    std::string value;
    for (uint64_t k = random.below(6); k > 0; --k) key += parts[random.below(parts.size())];
    for (uint64_t k = random.below(6); k > 0; --k) value += parts[random.below(parts.size())];
    for (const RecordFormat format : {RecordFormat::kTsv, RecordFormat::kJsonl}) {
      std::string text = line(format, key, value);
      ASSERT_EQ(text.find('\n'), text.size() - 1);
      ASSERT_EQ(text.find('\r'), std::string::npos);
      text.pop_back();
      const Parsed parsed(format, text);
      ASSERT_EQ(parsed.error(), "") << text;
      ASSERT_EQ(parsed.key(), key) << text;
      ASSERT_EQ(parsed.value(), value) << text;
    }
  }
}

}  // namespace
}  // namespace lh::client
