#include "wire/resp.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/prng.h"
#include "base/strings.h"
#include "core/limits.h"
#include "wire/text.h"

namespace lh::wire {
namespace {

using std::string_literals::operator""s;

std::string text(RespParser* parser, RespStatus status) {
  switch (status) {
    case RespStatus::kNeedMore:
      return "...";
    case RespStatus::kBlank:
      return "blank";
    case RespStatus::kBad:
      return parser->error();
    case RespStatus::kRequest:
      break;
  }
  std::string out;
  for (size_t k = 0; k < parser->args().size(); ++k) {
    if (k > 0) out += " ";
    base::append_word(&out, parser->args()[k]);
  }
  return out;
}

// What the first request of `bytes` is.
std::string parse(std::string_view bytes) {
  RespParser parser;
  return text(&parser, parser.next(bytes));
}

// All of them, when the bytes come in pieces of this size and the unread ones move each time.
std::vector<std::string> parse_pieces(std::string_view bytes, size_t piece) {
  std::vector<std::string> all;
  RespParser parser;
  std::string unread;
  for (size_t at = 0; at < bytes.size(); at += piece) {
    unread = std::string(unread).append(bytes.substr(at, piece));
    while (!unread.empty()) {
      const RespStatus status = parser.next(unread);
      if (status == RespStatus::kNeedMore) break;
      all.push_back(text(&parser, status));
      if (status == RespStatus::kBad) return all;
      unread.erase(0, parser.size());
    }
  }
  return all;
}

std::string bulk(std::string_view bytes) {
  return "$" + std::to_string(bytes.size()) + "\r\n" + std::string(bytes) + "\r\n";
}

const std::string kBad = "ERR Protocol error: ";

TEST(RespTest, anArrayOfBulksIsARequest) {
  EXPECT_EQ(parse("*1\r\n$4\r\nPING\r\n"), "PING");
  EXPECT_EQ(parse("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$4\r\n\r\n\0x\r\nmore"s),
            "SET k \"\\r\\n\\x00x\"");
  EXPECT_EQ(parse("*2\r\n$3\r\nGET\r\n$0\r\n\r\n"), "GET \"\"");
}

TEST(RespTest, anEmptyArrayIsNone) {
  for (const char* bytes : {"*0\r\n", "*-1\r\n", "*-10\r\n", "\r\n", "\n", "  \t\r\n"}) {
    EXPECT_EQ(parse(bytes), "blank") << bytes;
  }
}

TEST(RespTest, wordsOnALineAreARequest) {
  EXPECT_EQ(parse("PING\r\n"), "PING");
  EXPECT_EQ(parse("  set  k   v \n"), "set k v");
  EXPECT_EQ(parse("set \"a b\\n\\x41\\q\" 'it\\'s \\n'\r\n"), "set \"a b\\nAq\" \"it's \\\\n\"");
  EXPECT_EQ(parse("set k \"\"\r\n"), "set k \"\"");
  EXPECT_EQ(parse("+PING\r\n"), "+PING");
  EXPECT_EQ(parse("%1\r\n"), "%1");
}

TEST(RespTest, howeverTheBytesComeTheRequestsAreTheSame) {
  const std::string bytes = "*1\r\n$4\r\nPING\r\nset k v\r\n*0\r\n\r\n*3\r\n" + bulk("SET") +
                            bulk("key") + bulk(std::string(300, 'v')) + "'a b'\n*1\r\n" +
                            bulk("QUIT");
  const std::vector<std::string> whole = parse_pieces(bytes, bytes.size());
  ASSERT_EQ(whole.size(), 7u);
  for (size_t piece = 1; piece < bytes.size(); ++piece) {
    EXPECT_EQ(parse_pieces(bytes, piece), whole) << piece;
  }
}

TEST(RespTest, noPartOfARequestIsMoreThanAPart) {
  const std::string request = "*3\r\n" + bulk("SET") + bulk("k") + bulk("value");
  for (size_t size = 0; size < request.size(); ++size) {
    EXPECT_EQ(parse(request.substr(0, size)), "...") << size;
  }
}

TEST(RespTest, countsThatAreNoneAreRefused) {
  for (const char* count : {"3000000000",
                            "9223372036854775807",
                            "9223372036854775808",
                            "99999999999999999999",
                            "abc",
                            "+3",
                            "0001",
                            "00",
                            "-0",
                            "-01",
                            " 1",
                            "1 ",
                            "1x",
                            "",
                            "-",
                            "--1",
                            "0x1",
                            "1.0",
                            "1e3",
                            "2147483647",
                            "1048577",
                            "\x01"}) {
    EXPECT_EQ(parse("*" + std::string(count) + "\r\n"), kBad + "invalid multibulk length") << count;
  }
  EXPECT_EQ(parse("*1\n$4\nPING\n"), kBad + "invalid multibulk length") << "line feeds alone";
  EXPECT_EQ(parse("*1\rx"), kBad + "invalid multibulk length");
  EXPECT_EQ(parse("*1\0"s), kBad + "invalid multibulk length");
  EXPECT_EQ(parse("*" + std::string(70'000, '1')), kBad + "too big mbulk count string");
  EXPECT_EQ(parse("*1048576\r\n"), "...") << "the most there may be";
}

TEST(RespTest, lengthsThatAreNoneAreRefused) {
  for (const char* length :
       {"-1", "-10", "2000000000", "18446744073709551615", "9223372036854775807", "blabla", "",
        "+4", "04", " 4", "4 ", "0x4", "8388609", "4\n"}) {
    EXPECT_EQ(parse("*1\r\n$" + std::string(length) + "\r\nPING\r\n"), kBad + "invalid bulk length")
        << length;
  }
  EXPECT_EQ(parse("*1\r\n$" + std::string(70'000, '1')), kBad + "too big bulk count string");
  EXPECT_EQ(parse("*1\r\n$8388608\r\n"), "...") << "the longest there may be";
}

TEST(RespTest, whatIsNoBulkIsRefused) {
  EXPECT_EQ(parse("*1\r\nfoo\r\n"), kBad + "expected '$', got 'f'");
  EXPECT_EQ(parse("*2\r\n$3\r\nGET\r\n:1\r\n"), kBad + "expected '$', got ':'");
  EXPECT_EQ(parse("*1\r\n*1\r\n$4\r\nPING\r\n"), kBad + "expected '$', got '*'");
  EXPECT_EQ(parse("*1\r\n\r\n"), kBad + "expected '$', got ' '") << "no line end within an error";
}

TEST(RespTest, aBulkEndsWhereItSays) {
  const std::string wanted = kBad + "expected an end of line behind a bulk string of its length";
  EXPECT_EQ(parse("*1\r\n$4\r\nPINGxx"), wanted);
  EXPECT_EQ(parse("*1\r\n$3\r\nPING\r\n"), wanted) << "longer than it says";
  EXPECT_EQ(parse("*2\r\n$5\r\nECHO\r\n$2\r\nhi\r\n"), wanted) << "shorter than it says";
  EXPECT_EQ(parse("*1\r\n$4\r\nPING\n\n"), wanted);
  EXPECT_EQ(parse("*1\r\n$4\r\nPING\r\r"), wanted);
}

TEST(RespTest, linesThatCannotBeSplitAreRefused) {
  for (const char* line : {"set \"k", "set 'k", "set \"k\"v", "set 'k'v", "set \"k\\", "\""}) {
    EXPECT_EQ(parse(std::string(line) + "\r\n"), kBad + "unbalanced quotes in request") << line;
  }
  EXPECT_EQ(parse(std::string(kLineBytesMax + 1, 'x')), kBad + "too big inline request");
  EXPECT_EQ(parse(std::string(kLineBytesMax + 1, 'x') + "\n"), kBad + "too big inline request");
  EXPECT_EQ(parse(std::string(kLineBytesMax, 'x') + "\n"), std::string(kLineBytesMax, 'x'));
}

TEST(RespTest, aRequestHasABound) {
  const std::string argument = bulk(std::string(core::kValueBytesMax, 'v'));
  std::string request = "*5\r\n";
  for (int k = 0; k < 4; ++k) request += argument;
  EXPECT_EQ(parse(request), kBad + "too big request") << "four of 8 MiB and what is around them";
  request = "*3\r\n" + argument + argument + argument;
  EXPECT_EQ(parse(request).size(), 3 * core::kValueBytesMax + 2);
}

TEST(RespTest, manyArgumentsAreRead) {
  std::string request = "*20002\r\n" + bulk("MSET");
  for (int k = 0; k < 20'001; ++k) request += bulk(std::to_string(k));
  RespParser parser;
  ASSERT_EQ(parser.next(request), RespStatus::kRequest);
  EXPECT_EQ(parser.args().size(), 20'002u);
  EXPECT_EQ(parser.args()[20'001], "20000");
  EXPECT_EQ(parser.size(), request.size());
}

TEST(RespTest, whatWasBegunCanBeForgotten) {
  RespParser parser;
  ASSERT_EQ(parser.next("*2\r\n$4\r\nECHO\r\n"), RespStatus::kNeedMore);
  parser.forget();
  ASSERT_EQ(parser.next("*1\r\n$4\r\nPING\r\n"), RespStatus::kRequest);
  EXPECT_EQ(text(&parser, RespStatus::kRequest), "PING");
}

TEST(RespTest, anyBytesAreReadWithoutHarm) {
  base::Prng prng(21);
  const std::string good = "*3\r\n" + bulk("SET") + bulk("key") + bulk("value") + "get \"a\"\r\n";
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = good + good;
    for (uint64_t k = prng.below(4) + 1; k > 0; --k) {
      bytes[prng.below(bytes.size())] = static_cast<char>(prng.next());
    }
    const std::vector<std::string> whole = parse_pieces(bytes, bytes.size());
    EXPECT_EQ(parse_pieces(bytes, 1 + prng.below(9)), whole) << round;
  }
}

}  // namespace
}  // namespace lh::wire
