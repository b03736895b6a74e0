#include "base/strings.h"

#include <gtest/gtest.h>

namespace lh::base {
namespace {

TEST(ParseI64Test, hasOneSpellingOfEachNumber) {
  EXPECT_EQ(parse_i64("0"), 0);
  EXPECT_EQ(parse_i64("-1"), -1);
  EXPECT_EQ(parse_i64("9223372036854775807"), INT64_MAX);
  EXPECT_EQ(parse_i64("-9223372036854775808"), INT64_MIN);
  for (const char* text : {"", "-", "-0", "00", "01", "-01", "+1", " 1", "1 ", "1.0", "0x1", "--1",
                           "9223372036854775808", "-9223372036854775809", "x"}) {
    EXPECT_FALSE(parse_i64(text)) << text;
  }
}

TEST(FormatTest, shortAndLong) {
  EXPECT_EQ(format("%s=%d", "a", 3), "a=3");
  EXPECT_EQ(format("%s", ""), "");
  // Around the size of the buffer on the stack.
  for (const size_t size : {254, 255, 256, 257, 10000}) {
    const std::string text(size, 'x');
    EXPECT_EQ(format("%s!", text.c_str()), text + "!");
  }
}

TEST(FormatTest, appendKeepsWhatIsThere) {
  std::string out = "head ";
  append_format(&out, "%05.1f", 2.25);
  append_format(&out, " %s", std::string(300, 'y').c_str());
  EXPECT_EQ(out, "head 002.2 " + std::string(300, 'y'));
}

TEST(ParseU64Test, digitsUpToTheLimit) {
  EXPECT_EQ(parse_u64("0"), 0u);
  EXPECT_EQ(parse_u64("0042"), 42u);
  EXPECT_EQ(parse_u64("18446744073709551615"), ~uint64_t{0});
}

TEST(ParseU64Test, refusesEverythingElse) {
  for (const std::string_view text : {"", "-1", "+1", " 1", "1 ", "1x", "x", "0x1", "1.5", "1e3",
                                      "18446744073709551616", "99999999999999999999999"}) {
    EXPECT_EQ(parse_u64(text), std::nullopt) << text;
  }
  EXPECT_EQ(parse_u64(std::string_view("1\0", 2)), std::nullopt);
  EXPECT_EQ(parse_u64(std::string_view()), std::nullopt);
}

TEST(ParseDoubleTest, finiteDecimals) {
  EXPECT_EQ(parse_double("0.85"), 0.85);
  EXPECT_EQ(parse_double("1"), 1.0);
  EXPECT_EQ(parse_double("-2.5e3"), -2500.0);
  for (const std::string_view text :
       {"", " 1", "1 ", "+1", "nan", "inf", "1e999", "0.8x", "0,85"}) {
    EXPECT_EQ(parse_double(text), std::nullopt) << text;
  }
}

TEST(ParseSizeTest, powersOf1024) {
  EXPECT_EQ(parse_size("0"), 0u);
  EXPECT_EQ(parse_size("512"), 512u);
  EXPECT_EQ(parse_size("1K"), 1024u);
  EXPECT_EQ(parse_size("3m"), 3u << 20);
  EXPECT_EQ(parse_size("2G"), uint64_t{2} << 30);
  EXPECT_EQ(parse_size("17179869183G"), uint64_t{17179869183} << 30);
}

TEST(ParseSizeTest, refusesOverflowAndOtherUnits) {
  for (const std::string_view text : {"", "K", "1KB", "1T", "1 K", "-1K", "1.5G", "17179869184G",
                                      "18014398509481984K", "18446744073709551616"}) {
    EXPECT_EQ(parse_size(text), std::nullopt) << text;
  }
}

TEST(HostPortTest, namesAddressesAndBrackets) {
  EXPECT_EQ(parse_host_port("127.0.0.1:19528"), (HostPort{"127.0.0.1", 19528}));
  EXPECT_EQ(parse_host_port("node-1.example_x.org:0"), (HostPort{"node-1.example_x.org", 0}));
  EXPECT_EQ(parse_host_port("[::1]:65535"), (HostPort{"::1", 65535}));
  EXPECT_EQ(parse_host_port("[fe80::1%eth0]:1"), (HostPort{"fe80::1%eth0", 1}));
}

TEST(HostPortTest, refusesHalvesAndJunk) {
  for (const std::string_view text :
       {"", ":", "host", "host:", ":80", "host:65536", "host:-1", "host:8o", "::1:80", "[]:80",
        "[::1]", "[::1", "a b:80", "a/b:80", "http://a:80", "host:80 ", "[a b]:80"}) {
    EXPECT_EQ(parse_host_port(text), std::nullopt) << text;
  }
}

TEST(HostPortTest, roundTrip) {
  for (const std::string_view text : {"127.0.0.1:19528", "[::1]:80", "localhost:0"}) {
    const std::optional<HostPort> address = parse_host_port(text);
    ASSERT_TRUE(address.has_value()) << text;
    EXPECT_EQ(to_string(*address), text);
  }
}

}  // namespace
}  // namespace lh::base
