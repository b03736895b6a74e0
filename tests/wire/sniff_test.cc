#include "wire/sniff.h"

#include <gtest/gtest.h>

#include <string>

#include "wire/text.h"

namespace lh::wire {
namespace {

using std::string_view_literals::operator""sv;

Protocol protocol(std::string_view bytes) { return sniff(bytes).protocol; }

TEST(SniffTest, firstByteOfTheBinaryProtocolsDecides) {
  EXPECT_EQ(protocol("\0"sv), Protocol::kBinary);
  EXPECT_EQ(protocol("*"), Protocol::kResp);
  EXPECT_EQ(protocol("*1\r\n$4\r\nPING\r\n"), Protocol::kResp);
  EXPECT_EQ(protocol("\x16"), Protocol::kUndecided);
  EXPECT_EQ(protocol("\x16\x03\x01\x02"), Protocol::kTls);
}

TEST(SniffTest, firstLineTellsHttpFromText) {
  EXPECT_EQ(protocol("GET / HTTP/1.1\r\n"), Protocol::kHttp);
  EXPECT_EQ(protocol("GET / HTTP/1.0\n"), Protocol::kHttp);
  EXPECT_EQ(protocol("GET key\r\n"), Protocol::kText);
  EXPECT_EQ(protocol("GET / HTTP/2.0\r\n"), Protocol::kText);
  EXPECT_EQ(protocol("GET HTTP/1.1 \r\n"), Protocol::kText);
  EXPECT_EQ(protocol("GET HTTP/1.1x\n HTTP/1.1\n"), Protocol::kText);
}

TEST(SniffTest, everythingElseIsText) {
  EXPECT_EQ(protocol("+PING\r\n"), Protocol::kText);
  EXPECT_EQ(protocol("$4\r\n"), Protocol::kText);
  EXPECT_EQ(protocol("\xff\xfd\x06\n"), Protocol::kText);
  EXPECT_EQ(protocol(" *1\r\n"), Protocol::kText) << "a blank is not a blank line";
}

TEST(SniffTest, undecidedUntilTheLineEnds) {
  const std::string_view line = "GET / HTTP/1.1\r\n";
  for (size_t size = 0; size < line.size(); ++size) {
    EXPECT_EQ(protocol(line.substr(0, size)), Protocol::kUndecided) << size;
  }
}

TEST(SniffTest, blankLinesDecideNothing) {
  EXPECT_EQ(protocol(""), Protocol::kUndecided);
  EXPECT_EQ(protocol("\r\n\n \t\r\n"), Protocol::kUndecided);
  EXPECT_EQ(sniff("\r\n\n \t\r\n").blank, 7u);
  EXPECT_EQ(sniff("\r\n\n  \t").blank, 3u) << "the last line may go on";
  EXPECT_EQ(protocol("\n\r\n*"), Protocol::kResp);
  EXPECT_EQ(protocol("\n\0"sv), Protocol::kBinary);
  EXPECT_EQ(sniff("\n\0"sv).blank, 1u);
  EXPECT_EQ(protocol("\nGET / HTTP/1.1\r\n"), Protocol::kHttp);
}

TEST(SniffTest, neverUndecidedBeyondALine) {
  EXPECT_EQ(protocol(std::string(kLineBytesMax + 2, 'x')), Protocol::kText);
  EXPECT_EQ(protocol(std::string(kLineBytesMax + 2, ' ')), Protocol::kText);
}

TEST(SniffTest, refusalsAreInTheSyntaxOfTheirProtocol) {
  EXPECT_EQ(refusal(Protocol::kTls), "");

  const std::string http(refusal(Protocol::kHttp));
  EXPECT_TRUE(http.starts_with("HTTP/1.1 501 "));
  const size_t head = http.find("\r\n\r\n");
  ASSERT_NE(head, std::string::npos);
  const std::string length = "Content-Length: " + std::to_string(http.size() - head - 4) + "\r\n";
  EXPECT_NE(http.find(length), std::string::npos) << "should be " << length;
}

}  // namespace
}  // namespace lh::wire
