#include "wire/resp_answers.h"

#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <string>

#include "wire/resp.h"

namespace lh::wire {
namespace {

using core::Code;

std::string written(RespVersion version, const std::function<void(RespWriter*)>& write) {
  std::string out;
  RespWriter writer(&out, version);
  write(&writer);
  return out;
}
std::string written(const std::function<void(RespWriter*)>& write) {
  return written(RespVersion::k2, write);
}

std::string unknown(const std::string& request) {
  RespParser parser;
  EXPECT_EQ(parser.next(request), RespStatus::kRequest);
  return written([&](RespWriter* w) { w->unknown_command(parser.args()); });
}

TEST(RespAnswersTest, typesOfBothVersions) {
  EXPECT_EQ(written([](RespWriter* w) { w->simple("OK"); }), "+OK\r\n");
  EXPECT_EQ(written([](RespWriter* w) { w->integer(std::numeric_limits<int64_t>::min()); }),
            ":-9223372036854775808\r\n");
  EXPECT_EQ(written([](RespWriter* w) { w->bulk("a\r\nb"); }), "$4\r\na\r\nb\r\n");
  EXPECT_EQ(written([](RespWriter* w) { w->bulk(""); }), "$0\r\n\r\n");
  EXPECT_EQ(written([](RespWriter* w) { w->array(3); }), "*3\r\n");
}

TEST(RespAnswersTest, typesThatDiffer) {
  const auto null = [](RespWriter* w) { w->null(); };
  EXPECT_EQ(written(RespVersion::k2, null), "$-1\r\n");
  EXPECT_EQ(written(RespVersion::k3, null), "_\r\n");
  const auto null_array = [](RespWriter* w) { w->null_array(); };
  EXPECT_EQ(written(RespVersion::k2, null_array), "*-1\r\n");
  EXPECT_EQ(written(RespVersion::k3, null_array), "_\r\n");
  const auto map = [](RespWriter* w) { w->map(3); };
  EXPECT_EQ(written(RespVersion::k2, map), "*6\r\n");
  EXPECT_EQ(written(RespVersion::k3, map), "%3\r\n");
  const auto text = [](RespWriter* w) { w->verbatim("ab"); };
  EXPECT_EQ(written(RespVersion::k2, text), "$2\r\nab\r\n");
  EXPECT_EQ(written(RespVersion::k3, text), "=6\r\ntxt:ab\r\n");
}

TEST(RespAnswersTest, anErrorIsOneLine) {
  EXPECT_EQ(written([](RespWriter* w) { w->error("ERR a\r\nb"); }), "-ERR a  b\r\n");
}

TEST(RespAnswersTest, bulksAreWrittenInPlace) {
  for (const size_t size : {0, 1, 9, 10, 99, 100, 123'456}) {
    const std::string value(size, 'v');
    std::string out(bulk_room(size), '?');
    out.resize(static_cast<size_t>(put_bulk(out.data(), value) - out.data()));
    EXPECT_EQ(out, written([&](RespWriter* w) { w->bulk(value); }));
  }
}

TEST(RespAnswersTest, unknownCommandsAreRepeatedInPart) {
  EXPECT_EQ(unknown("foo\r\n"), "-ERR unknown command 'foo', with args beginning with: \r\n");
  EXPECT_EQ(unknown("foo a b\r\n"),
            "-ERR unknown command 'foo', with args beginning with: 'a' 'b' \r\n");
  EXPECT_LT(unknown(std::string(60'000, 'x') + "\r\n").size(), 200u);
  EXPECT_LT(unknown("x " + std::string(60'000, 'x') + "\r\n").size(), 200u);
  EXPECT_EQ(unknown("\"a\\r\\nb\"\r\n"),
            "-ERR unknown command 'a  b', with args beginning with: \r\n");
}

TEST(RespAnswersTest, everyFailureHasItsWords) {
  const auto failure = [](Code code) {
    return written([code](RespWriter* w) { w->failure(code, 3); });
  };
  EXPECT_EQ(failure(Code::kBadKey), "-ERR key is not an integer\r\n");
  EXPECT_EQ(failure(Code::kNotInteger), "-ERR value is not an integer or out of range\r\n");
  EXPECT_EQ(failure(Code::kOverflow), "-ERR increment or decrement would overflow\r\n");
  EXPECT_EQ(failure(Code::kTooLong),
            "-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n");
  EXPECT_EQ(failure(Code::kFull), "-OOM command not allowed when used memory > 'maxmemory'.\r\n");
  EXPECT_EQ(failure(Code::kNoSpace), "-ERR the disk is full: nothing was written\r\n");
  EXPECT_EQ(failure(Code::kDown), "-ERR bucket 3 is down\r\n");
  for (const Code code : {Code::kBusy, Code::kRetry, Code::kNoBucket}) {
    EXPECT_EQ(failure(code), "-TRYAGAIN bucket 3 is busy\r\n");
  }
}

TEST(RespAnswersTest, aDescriptionIsAsClientsReadIt) {
  EXPECT_EQ(written([](RespWriter* w) { w->description(*find_resp_command("mset")); }),
            "*10\r\n$4\r\nmset\r\n:-3\r\n*2\r\n+write\r\n+denyoom\r\n:1\r\n:-1\r\n:2\r\n"
            "*0\r\n*0\r\n*0\r\n*0\r\n");
}

}  // namespace
}  // namespace lh::wire
