#include "wire/resp_operation.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "wire/resp_dump.h"

namespace lh::wire {
namespace {

constexpr core::ExpiryMs kNow = 1'700'000'000'000;

std::string to_string(const RespOperation& asked) {
  if (!asked.error.empty()) return asked.error;
  std::string out = core::to_string(asked.op);
  if (!asked.value().empty()) out.append(" ").append(asked.value());
  const auto time = [&out](core::ExpiryMs expiry) {
    if (expiry == core::kNever) return;
    const auto ahead = static_cast<int64_t>(expiry) - static_cast<int64_t>(kNow);
    out += expiry == 1 ? " long ago" : " +" + std::to_string(ahead);
  };
  core::SetArgs set;
  core::ExpireArgs expire;
  core::ExpiryForm form;
  if (asked.op == core::Op::kSet || asked.op == core::Op::kSwap || asked.op == core::Op::kRestore) {
    EXPECT_TRUE(set.read(asked.args));
    if (set.only_if == core::Presence::kAbsent) out += " if absent";
    if (set.only_if == core::Presence::kPresent) out += " if present";
    if (set.keeps_expiry) out += " keep";
    time(set.expiry);
  } else if (asked.op == core::Op::kExpire || asked.op == core::Op::kReadExpire) {
    EXPECT_TRUE(expire.read(asked.args));
    if (expire.conditions != 0) out += " if " + std::to_string(expire.conditions);
    time(expire.expiry);
  } else if (asked.op == core::Op::kExpiry) {
    EXPECT_TRUE(core::read(asked.args, &form));
    out += " " + std::to_string(static_cast<int>(form));
  } else {
    EXPECT_EQ(asked.args, "");
  }
  return out;
}

std::string read(const std::vector<std::string>& words) {
  std::string bytes;
  std::vector<RespArgs::Place> places;
  for (const std::string& word : words) {
    places.push_back({static_cast<uint32_t>(bytes.size()), static_cast<uint32_t>(word.size())});
    bytes += word;
  }
  const RespArgs args(bytes.data(), places.data(), places.size());
  const RespCommand* command = find_resp_command(words[0]);
  if (command == nullptr || !takes(*command, words.size())) return "no command";
  return to_string(read_operation(*command, args, kNow));
}

TEST(RespOperationTest, setTakesItsOptionsInAnyOrder) {
  EXPECT_EQ(read({"set", "k", "v", "nx"}), "Set v if absent");
  EXPECT_EQ(read({"set", "k", "v", "XX"}), "Set v if present");
  EXPECT_EQ(read({"set", "k", "v", "KeepTtl"}), "Set v keep");
  EXPECT_EQ(read({"set", "k", "v", "EX", "10"}), "Set v +10000");
  EXPECT_EQ(read({"set", "k", "v", "px", "10"}), "Set v +10");
  EXPECT_EQ(read({"set", "k", "v", "exat", "1700000001"}), "Set v +1000");
  EXPECT_EQ(read({"set", "k", "v", "pxat", "1700000000001"}), "Set v +1");
  EXPECT_EQ(read({"set", "k", "v", "pxat", "1"}), "Set v long ago");
  EXPECT_EQ(read({"set", "k", "v", "get"}), "Swap v");
  EXPECT_EQ(read({"set", "k", "v", "get", "ex", "1", "nx"}), "Swap v if absent +1000");
  EXPECT_EQ(read({"set", "k", "v", "xx", "keepttl", "get"}), "Swap v if present keep");
}

TEST(RespOperationTest, setRefusesWhatMakesNoSense) {
  for (const std::vector<std::string>& options :
       std::vector<std::vector<std::string>>{{"nx", "xx"},
                                             {"nx", "nx"},
                                             {"ex"},
                                             {"ex", "1", "px", "1"},
                                             {"ex", "1", "keepttl"},
                                             {"keepttl", "ex", "1"},
                                             {"persist"},
                                             {""}}) {
    std::vector<std::string> words = {"set", "k", "v"};
    words.insert(words.end(), options.begin(), options.end());
    EXPECT_EQ(read(words), "ERR syntax error");
  }
  const std::string invalid = "ERR invalid expire time in 'set' command";
  EXPECT_EQ(read({"set", "k", "v", "ex", "0"}), invalid);
  EXPECT_EQ(read({"set", "k", "v", "px", "-5"}), invalid);
  EXPECT_EQ(read({"set", "k", "v", "exat", "0"}), invalid);
  EXPECT_EQ(read({"set", "k", "v", "ex", "9223372036854775807"}), invalid);
  EXPECT_EQ(read({"set", "k", "v", "px", "9223372036854775807"}), invalid);
  EXPECT_EQ(read({"set", "k", "v", "pxat", "281474976710656"}), invalid) << "in 10889";
  EXPECT_EQ(read({"set", "k", "v", "pxat", "281474976710655"}),
            "Set v +" + std::to_string(core::kExpiryMax - kNow));
  EXPECT_EQ(read({"set", "k", "v", "ex", "1.5"}), "ERR value is not an integer or out of range");
}

TEST(RespOperationTest, theOlderWaysToSayIt) {
  EXPECT_EQ(read({"setex", "k", "10", "v"}), "Set v +10000");
  EXPECT_EQ(read({"psetex", "k", "10", "v"}), "Set v +10");
  EXPECT_EQ(read({"setex", "k", "0", "v"}), "ERR invalid expire time in 'setex' command");
  EXPECT_EQ(read({"psetex", "k", "x", "v"}), "ERR value is not an integer or out of range");
  EXPECT_EQ(read({"setnx", "k", "v"}), "Insert v");
  EXPECT_EQ(read({"getset", "k", "v"}), "Swap v");
  EXPECT_EQ(read({"getdel", "k"}), "Take");
}

TEST(RespOperationTest, getexReadsAndGivesAnExpiry) {
  EXPECT_EQ(read({"getex", "k"}), "Read");
  EXPECT_EQ(read({"getex", "k", "persist"}), "ReadExpire");
  EXPECT_EQ(read({"getex", "k", "ex", "2"}), "ReadExpire +2000");
  EXPECT_EQ(read({"getex", "k", "PXAT", "1700000000007"}), "ReadExpire +7");
  EXPECT_EQ(read({"getex", "k", "ex"}), "ERR syntax error");
  EXPECT_EQ(read({"getex", "k", "persist", "ex", "1"}), "ERR syntax error");
  EXPECT_EQ(read({"getex", "k", "keepttl"}), "ERR syntax error");
  EXPECT_EQ(read({"getex", "k", "ex", "-1"}), "ERR invalid expire time in 'getex' command");
}

TEST(RespOperationTest, expireTakesConditions) {
  EXPECT_EQ(read({"expire", "k", "2"}), "Expire +2000");
  EXPECT_EQ(read({"pexpire", "k", "2"}), "Expire +2");
  EXPECT_EQ(read({"expireat", "k", "1700000002"}), "Expire +2000");
  EXPECT_EQ(read({"pexpireat", "k", "1700000000002"}), "Expire +2");
  EXPECT_EQ(read({"expire", "k", "2", "nx"}), "Expire if 1 +2000");
  EXPECT_EQ(read({"expire", "k", "2", "XX", "gt"}), "Expire if 6 +2000");
  EXPECT_EQ(read({"expire", "k", "2", "lt"}), "Expire if 8 +2000");
  EXPECT_EQ(read({"expire", "k", "-1"}), "Expire +-1000") << "it goes at once";
  EXPECT_EQ(read({"expireat", "k", "-1"}), "Expire long ago");
  EXPECT_EQ(read({"pexpireat", "k", "0"}), "Expire long ago");
  EXPECT_EQ(read({"persist", "k"}), "Expire if 2");
  EXPECT_EQ(read({"expire", "k", "2", "nx", "lt"}),
            "ERR NX and XX, GT or LT options at the same time are not compatible");
  EXPECT_EQ(read({"expire", "k", "2", "lt", "gt"}),
            "ERR GT and LT options at the same time are not compatible");
  EXPECT_EQ(read({"expire", "k", "2", "zz"}), "ERR Unsupported option zz");
  EXPECT_EQ(read({"expire", "k", "x"}), "ERR value is not an integer or out of range");
  EXPECT_EQ(read({"expire", "k", "9223372036854775807"}),
            "ERR invalid expire time in 'expire' command");
}

TEST(RespOperationTest, fourWaysToAskForAnExpiry) {
  EXPECT_EQ(read({"pttl", "k"}), "Expiry 0");
  EXPECT_EQ(read({"ttl", "k"}), "Expiry 1");
  EXPECT_EQ(read({"pexpiretime", "k"}), "Expiry 2");
  EXPECT_EQ(read({"expiretime", "k"}), "Expiry 3");
}

TEST(RespOperationTest, numbersAreAddedAndTakenAway) {
  EXPECT_EQ(read({"incr", "k"}), "Increment 1");
  EXPECT_EQ(read({"decr", "k"}), "Increment -1");
  EXPECT_EQ(read({"incrby", "k", "5"}), "Increment 5");
  EXPECT_EQ(read({"decrby", "k", "5"}), "Increment -5");
  EXPECT_EQ(read({"decrby", "k", "-9223372036854775808"}), "ERR decrement would overflow");
  EXPECT_EQ(read({"decrby", "k", "five"}), "ERR value is not an integer or out of range");
}

// Only those that are refused, or whose operation has nothing in it that is not text.
TEST(RespOperationTest, keysAreMovedAndCopied) {
  EXPECT_EQ(read({"rename", "a", "b"}), "Rename b");
  EXPECT_EQ(read({"renamenx", "a", "b"}), "RenameAbsent b");
  EXPECT_EQ(read({"copy", "a", "b"}), "CopyAbsent b");
  EXPECT_EQ(read({"copy", "a", "b", "DB", "0", "replace"}), "Copy b");
  EXPECT_EQ(read({"copy", "a", "b", "db", "1"}), "ERR DB index is out of range");
  EXPECT_EQ(read({"copy", "a", "b", "db"}), "ERR syntax error");
  EXPECT_EQ(read({"copy", "a", "a"}), "ERR source and destination objects are the same");
}

TEST(RespOperationTest, bitsAreNamed) {
  constexpr const char* kOffset = "ERR bit offset is not an integer or out of range";
  for (const char* offset : {"-1", "x", "67108864", "", "#1"}) {
    EXPECT_EQ(read({"getbit", "k", offset}), kOffset) << offset;
    EXPECT_EQ(read({"setbit", "k", offset, "1"}), kOffset) << offset;
  }
  for (const char* bit : {"2", "-1", "x", ""}) {
    EXPECT_EQ(read({"setbit", "k", "0", bit}), "ERR bit is not an integer or out of range") << bit;
  }
  EXPECT_EQ(read({"bitcount", "k", "1"}), "ERR syntax error");
  EXPECT_EQ(read({"bitcount", "k", "1", "2", "nibble"}), "ERR syntax error");
  EXPECT_EQ(read({"bitcount", "k", "1", "x"}), "ERR value is not an integer or out of range");
  EXPECT_EQ(read({"bitpos", "k", "2"}), "ERR The bit argument must be 1 or 0.");
  EXPECT_EQ(read({"bitpos", "k", "1", "0", "1", "nibble"}), "ERR syntax error");
  EXPECT_EQ(read({"bitop", "not", "d", "a", "b"}),
            "ERR BITOP NOT must be called with a single source key.");
  EXPECT_EQ(read({"bitop", "nand", "d", "a", "b"}), "ERR syntax error");
}

TEST(RespOperationTest, fieldsThatAreNone) {
  constexpr const char* kType =
      "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but "
      "i64 is.";
  for (const char* type : {"u64", "i65", "u0", "i", "", "x8", "8"}) {
    EXPECT_EQ(read({"bitfield", "k", "get", type, "0"}), kType) << type;
  }
  EXPECT_EQ(read({"bitfield", "k", "get", "u8"}), "ERR syntax error");
  EXPECT_EQ(read({"bitfield", "k", "set", "u8", "0"}), "ERR syntax error");
  EXPECT_EQ(read({"bitfield", "k", "overflow", "no"}), "ERR Invalid OVERFLOW type specified");
  EXPECT_EQ(read({"bitfield", "k", "get", "u8", "#-1"}),
            "ERR bit offset is not an integer or out of range");
  EXPECT_EQ(read({"bitfield", "k", "get", "i64", "#9223372036854775807"}),
            "ERR bit offset is not an integer or out of range");
  EXPECT_EQ(read({"bitfield_ro", "k", "set", "u8", "0", "1"}),
            "ERR BITFIELD_RO only supports the GET subcommand");
  EXPECT_EQ(read({"bitfield", "k"}), "ReadFields");
}

TEST(RespOperationTest, whatTwoValuesHaveInCommon) {
  EXPECT_EQ(read({"lcs", "a", "b", "len", "idx"}),
            "ERR If you want both the length and indexes, please just use IDX.");
  EXPECT_EQ(read({"lcs", "a", "b", "minmatchlen"}), "ERR syntax error");
  EXPECT_EQ(read({"lcs", "a", "b", "minmatchlen", "x"}),
            "ERR value is not an integer or out of range");
  EXPECT_EQ(read({"msetnx", "a", "1", "b"}), "ERR wrong number of arguments for 'msetnx' command");
}

TEST(RespOperationTest, whatIsRestored) {
  const std::string dump = encode_dump("value");
  EXPECT_EQ(read({"restore", "k", "0", dump}), "Restore value if absent");
  EXPECT_EQ(read({"restore", "k", "5000", dump, "replace"}), "Restore value +5000");
  EXPECT_EQ(read({"restore", "k", "1700000000001", dump, "ABSTTL", "idletime", "3", "freq", "9"}),
            "Restore value if absent +1");
  EXPECT_EQ(read({"restore", "k", "-1", dump}), "ERR Invalid TTL value, must be >= 0");
  EXPECT_EQ(read({"restore", "k", "0", dump, "idletime", "-1"}),
            "ERR Invalid IDLETIME value, must be >= 0");
  EXPECT_EQ(read({"restore", "k", "0", dump, "freq", "256"}),
            "ERR Invalid FREQ value, must be >= 0 and <= 255");
  EXPECT_EQ(read({"restore", "k", "0", dump, "freq"}), "ERR syntax error");
  EXPECT_EQ(read({"restore", "k", "0", dump + "x"}),
            "ERR DUMP payload version or checksum are wrong");
}

}  // namespace
}  // namespace lh::wire
