#include "node/resp_keys.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/limits.h"

namespace lh::node {
namespace {

using Kind = core::FileRequest::Kind;

RespKeys read(const std::vector<std::string>& words) {
  std::string bytes;
  std::vector<wire::RespArgs::Place> places;
  for (const std::string& word : words) {
    places.push_back({static_cast<uint32_t>(bytes.size()), static_cast<uint32_t>(word.size())});
    bytes += word;
  }
  const wire::RespCommand* command = wire::find_resp_command(words[0]);
  return read_keys(*command, wire::RespArgs(bytes.data(), places.data(), places.size()), 77);
}
std::string why(const std::vector<std::string>& words) { return read(words).error; }

TEST(RespKeysTest, keys_asks_for_all_that_match) {
  const RespKeys keys = read({"keys", "a*"});
  EXPECT_EQ(keys.file.kind, Kind::kKeys);
  EXPECT_EQ(keys.file.match, core::ScanMatch::kKeyGlob);
  EXPECT_EQ(keys.file.pattern, "a*");
  EXPECT_EQ(read({"keys", "*"}).file.match, core::ScanMatch::kAll);
  EXPECT_EQ(why({"keys", std::string(core::kScanPatternBytesMax + 1, 'x')}),
            "ERR pattern too long");
}

TEST(RespKeysTest, scan_takes_its_options_in_any_order) {
  const RespKeys usual = read({"scan", "0"});
  EXPECT_EQ(usual.file.kind, Kind::kSome);
  EXPECT_EQ(usual.file.from, 0u);
  EXPECT_EQ(usual.file.records_max, 10u);
  EXPECT_EQ(usual.file.match, core::ScanMatch::kAll);
  const RespKeys all =
      read({"scan", "18446744073709551615", "COUNT", "5", "type", "STRING", "Match", "x?"});
  EXPECT_EQ(all.file.from, ~ReversedHash{0});
  EXPECT_EQ(all.file.records_max, 5u);
  EXPECT_EQ(all.file.pattern, "x?");
  EXPECT_EQ(read({"scan", "0", "type", "list"}).file.pattern, "[]") << "no key is like that";
}

TEST(RespKeysTest, what_scan_refuses) {
  EXPECT_EQ(why({"scan", "x"}), "ERR invalid cursor");
  EXPECT_EQ(why({"scan", "-1"}), "ERR invalid cursor");
  EXPECT_EQ(why({"scan", "0", "count"}), "ERR syntax error");
  EXPECT_EQ(why({"scan", "0", "count", "0"}), "ERR syntax error");
  EXPECT_EQ(why({"scan", "0", "count", "x"}), "ERR value is not an integer or out of range");
  EXPECT_EQ(why({"scan", "0", "wrong", "x"}), "ERR syntax error");
}

TEST(RespKeysTest, randomkey_begins_anywhere) {
  const RespKeys keys = read({"randomkey"});
  EXPECT_TRUE(keys.wants_one);
  EXPECT_EQ(keys.file.from, 77u);
  EXPECT_EQ(keys.file.records_max, 1u);
}

}  // namespace
}  // namespace lh::node
