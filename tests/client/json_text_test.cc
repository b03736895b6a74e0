#include "client/json_text.h"

#include <gtest/gtest.h>

#include <string>

#include "base/prng.h"

namespace lh::client {
namespace {

using std::string_view_literals::operator""sv;

std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(&out, text);
  return out;
}

std::string base64(std::string_view bytes) {
  std::string out;
  append_base64(&out, bytes);
  return out;
}

JsonMembers parse(std::string_view text) {
  std::string_view error;
  JsonMembers members = parse_json_object(text, &error);
  EXPECT_EQ(error, "") << text;
  return members;
}

std::string error_of(std::string_view text) {
  std::string_view error;
  parse_json_object(text, &error);
  return std::string(error);
}

TEST(JsonTextTest, strings) {
  EXPECT_EQ(quoted(""), "\"\"");
  EXPECT_EQ(quoted("a\"b\\c/d"), R"("a\"b\\c/d")");
  EXPECT_EQ(quoted("\b\f\n\r\t\x01\x1f\x7f"), "\"\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\"");
  EXPECT_EQ(quoted("\0"sv), R"("\u0000")");
  EXPECT_EQ(quoted("\u00e9\u6f22"), "\"\u00e9\u6f22\"");
}

TEST(JsonTextTest, objects) {
  EXPECT_EQ(parse("{}"), JsonMembers{});
  EXPECT_EQ(parse(R"({"a":0,"b": 12 })"), (JsonMembers{{"a", {"0", true}}, {"b", {"12", true}}}));
  EXPECT_EQ(parse(" { \"a\" : \"1\" , \"b\":\"2\" }\r"), (JsonMembers{{"a", {"1"}}, {"b", {"2"}}}));
  EXPECT_EQ(parse(R"({"a":"\"\\\/\b\f\n\r\t"})"), (JsonMembers{{"a", {"\"\\/\b\f\n\r\t"}}}));
  EXPECT_EQ(parse(R"({"a":"\u00e9\u6F22\uD83D\uDE00\u0000"})"),
            (JsonMembers{{"a", {std::string("\u00e9\u6f22\U0001f600\0"sv)}}}));
  EXPECT_EQ(parse(R"({"a":"1","a":"2"})"), (JsonMembers{{"a", {"1"}}, {"a", {"2"}}}));
}

TEST(JsonTextTest, whatIsNoObjectOfStrings) {
  EXPECT_EQ(error_of(""), "not a JSON object");
  EXPECT_EQ(error_of("[]"), "not a JSON object");
  EXPECT_EQ(error_of("{"), "a member's name is missing");
  EXPECT_EQ(error_of("{,}"), "a member's name is missing");
  EXPECT_EQ(error_of(R"({"a")"), "':' is missing");
  for (const char* value : {"-1", "null", "{\"b\":\"c\"}", "", "[]"}) {
    EXPECT_EQ(error_of(std::string("{\"a\":") + value + "}"),
              "a value is neither a string nor a whole number");
  }
  EXPECT_EQ(error_of(R"({"a":01})"), "a number that starts with 0");
  EXPECT_EQ(error_of(R"({"a":1.5})"), "'}' is missing");
  EXPECT_EQ(error_of(R"({"a":1e3})"), "'}' is missing");
  EXPECT_EQ(error_of(R"({"a":"1" "b":"2"})"), "'}' is missing");
  EXPECT_EQ(error_of(R"({"a":"1",})"), "a member's name is missing");
  EXPECT_EQ(error_of(R"({"a":"1"} x)"), "text behind the object");
  EXPECT_EQ(error_of(R"({"a":"1)"), "a string has no end");
  EXPECT_EQ(error_of("{\"a\":\"\n\"}"), "a control byte in a string");
  EXPECT_EQ(error_of("{\"a\":\"\xff\"}"), "not UTF-8");
  EXPECT_EQ(error_of(R"({"a":"\x41"})"), "an unknown escape");
  EXPECT_EQ(error_of(R"({"a":"\u12g4"})"), "an unknown escape");
  EXPECT_EQ(error_of(R"({"a":"\u12)"), "an unknown escape");
  EXPECT_EQ(error_of("{\"a\":\"\\"), "an unknown escape");
  EXPECT_EQ(error_of(R"({"a":"\uD83D"})"), "half a surrogate pair");
  EXPECT_EQ(error_of(R"({"a":"\uD83Dx"})"), "half a surrogate pair");
  EXPECT_EQ(error_of(R"({"a":"\uD83D\u0041"})"), "half a surrogate pair");
  EXPECT_EQ(error_of(R"({"a":"\uDE00"})"), "half a surrogate pair");
}

TEST(JsonTextTest, everyBeginningOfAnObjectIsRefused) {
  const std::string whole = "{\"key\":\"a\\u00e9\\n\u6f22\",\"value\":\"x\"}";
  EXPECT_EQ(error_of(whole), "");
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_NE(error_of(whole.substr(0, size)), "") << size;
  }
}

TEST(JsonTextTest, base64OfTheRfc) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64("\xff\xfe\xfd\xfb\xf0"), "//79+/A=");
}

TEST(JsonTextTest, base64RoundTrip) {
  base::Prng random(1);
  for (size_t size = 0; size < 100; ++size) {
    std::string bytes;
    for (size_t k = 0; k < size; ++k) bytes.push_back(static_cast<char>(random.below(256)));
    EXPECT_EQ(decode_base64(base64(bytes)), bytes);
  }
}

TEST(JsonTextTest, base64IsStrict) {
  for (const std::string_view text : {"Z", "Zg", "Zg=", "Zg===", "Z===", "====", "Zg==Zg==", "Zh==",
                                      "Zm9=", "Zm 9", "Zm-v", "=Zm9"}) {
    EXPECT_EQ(decode_base64(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace lh::client
