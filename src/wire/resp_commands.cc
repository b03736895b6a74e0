#include "wire/resp_commands.h"

#include <algorithm>
#include <array>
#include <iterator>

namespace lh::wire {
namespace {

using core::Op;
using Verb = RespVerb;

// The most frequent first.
constexpr RespCommand kCommands[] = {
    {Verb::kGet, "get", 2, 1, 1, 1, "readonly fast", Op::kRead, 2},
    {Verb::kSet, "set", -3, 1, 1, 1, "write denyoom", Op::kPut, 3},
    {Verb::kIncr, "incr", 2, 1, 1, 1, "write denyoom fast", Op::kIncrement},
    {Verb::kMget, "mget", -2, 1, -1, 1, "readonly fast", Op::kRead, 0, true},
    {Verb::kMset, "mset", -3, 1, -1, 2, "write denyoom", Op::kPut, 0, true},
    {Verb::kDel, "del", -2, 1, -1, 1, "write", Op::kDelete, 0, true},
    {Verb::kExists, "exists", -2, 1, -1, 1, "readonly fast", Op::kLength, 0, true},
    {Verb::kDel, "unlink", -2, 1, -1, 1, "write fast", Op::kDelete, 0, true},
    {Verb::kExists, "touch", -2, 1, -1, 1, "readonly fast", Op::kLength, 0, true},
    {Verb::kType, "type", 2, 1, 1, 1, "readonly fast", Op::kType, 2},
    {Verb::kGetrange, "getrange", 4, 1, 1, 1, "readonly", Op::kReadRange},
    {Verb::kGetrange, "substr", 4, 1, 1, 1, "readonly", Op::kReadRange},
    {Verb::kSetrange, "setrange", 4, 1, 1, 1, "write denyoom", Op::kWriteRange},
    {Verb::kDecr, "decr", 2, 1, 1, 1, "write denyoom fast", Op::kIncrement},
    {Verb::kIncrby, "incrby", 3, 1, 1, 1, "write denyoom fast", Op::kIncrement, 3},
    {Verb::kDecrby, "decrby", 3, 1, 1, 1, "write denyoom fast", Op::kIncrement},
    {Verb::kAppend, "append", 3, 1, 1, 1, "write denyoom fast", Op::kAppend, 3},
    {Verb::kStrlen, "strlen", 2, 1, 1, 1, "readonly fast", Op::kLength, 2},
    {Verb::kSetex, "setex", 4, 1, 1, 1, "write denyoom", Op::kSet},
    {Verb::kPsetex, "psetex", 4, 1, 1, 1, "write denyoom", Op::kSet},
    {Verb::kSetnx, "setnx", 3, 1, 1, 1, "write denyoom fast", Op::kInsert, 3},
    {Verb::kGetset, "getset", 3, 1, 1, 1, "write denyoom fast", Op::kSwap, 3},
    {Verb::kGetdel, "getdel", 2, 1, 1, 1, "write fast", Op::kTake, 2},
    {Verb::kGetex, "getex", -2, 1, 1, 1, "write fast", Op::kReadExpire},
    {Verb::kTtl, "ttl", 2, 1, 1, 1, "readonly fast", Op::kExpiry},
    {Verb::kPttl, "pttl", 2, 1, 1, 1, "readonly fast", Op::kExpiry},
    {Verb::kExpiretime, "expiretime", 2, 1, 1, 1, "readonly fast", Op::kExpiry},
    {Verb::kPexpiretime, "pexpiretime", 2, 1, 1, 1, "readonly fast", Op::kExpiry},
    {Verb::kExpire, "expire", -3, 1, 1, 1, "write fast", Op::kExpire},
    {Verb::kPexpire, "pexpire", -3, 1, 1, 1, "write fast", Op::kExpire},
    {Verb::kExpireat, "expireat", -3, 1, 1, 1, "write fast", Op::kExpire},
    {Verb::kPexpireat, "pexpireat", -3, 1, 1, 1, "write fast", Op::kExpire},
    {Verb::kPersist, "persist", 2, 1, 1, 1, "write fast", Op::kExpire},
    {Verb::kIncrbyfloat, "incrbyfloat", 3, 1, 1, 1, "write denyoom fast", Op::kIncrementFloat, 3},
    {Verb::kGetbit, "getbit", 3, 1, 1, 1, "readonly fast", Op::kReadBit},
    {Verb::kSetbit, "setbit", 4, 1, 1, 1, "write denyoom", Op::kWriteBit},
    {Verb::kBitcount, "bitcount", -2, 1, 1, 1, "readonly", Op::kCountBits},
    {Verb::kBitpos, "bitpos", -3, 1, 1, 1, "readonly", Op::kFindBit},
    {Verb::kBitfield, "bitfield", -2, 1, 1, 1, "write denyoom", Op::kWriteFields},
    {Verb::kBitfieldRo, "bitfield_ro", -2, 1, 1, 1, "readonly fast", Op::kReadFields},
    {Verb::kBitop, "bitop", -4, 2, -1, 1, "write denyoom", Op::kCombineBits},
    {Verb::kRename, "rename", 3, 1, 2, 1, "write", Op::kRename, 3},
    {Verb::kRenamenx, "renamenx", 3, 1, 2, 1, "write fast", Op::kRenameAbsent, 3},
    {Verb::kCopy, "copy", -3, 1, 2, 1, "write denyoom", Op::kCopyAbsent},
    {Verb::kMsetnx, "msetnx", -3, 1, -1, 2, "write denyoom", Op::kInsertAll},
    {Verb::kLcs, "lcs", -3, 1, 2, 1, "readonly", Op::kCommon},
    {Verb::kDump, "dump", 2, 1, 1, 1, "readonly", Op::kDump, 2},
    {Verb::kRestore, "restore", -4, 1, 1, 1, "write denyoom", Op::kRestore},
    {Verb::kWatch, "watch", -2, 1, -1, 1, "loading stale fast", Op::kWatch, 0, true},
    {Verb::kUnwatch, "unwatch", 1, 0, 0, 0, "loading stale fast", {}},
    {Verb::kMulti, "multi", 1, 0, 0, 0, "loading stale fast", {}},
    {Verb::kExec, "exec", 1, 0, 0, 0, "loading stale", {}},
    {Verb::kDiscard, "discard", 1, 0, 0, 0, "loading stale fast", {}},
    {Verb::kPing, "ping", -1, 0, 0, 0, "fast", {}},
    {Verb::kEcho, "echo", 2, 0, 0, 0, "fast", {}},
    {Verb::kKeys, "keys", 2, 0, 0, 0, "readonly sort_for_script", {}},
    {Verb::kScan, "scan", -2, 0, 0, 0, "readonly random", {}},
    {Verb::kRandomkey, "randomkey", 1, 0, 0, 0, "readonly random", {}},
    {Verb::kDbsize, "dbsize", 1, 0, 0, 0, "readonly", {}},
    {Verb::kFlush, "flushall", -1, 0, 0, 0, "write", {}},
    {Verb::kFlush, "flushdb", -1, 0, 0, 0, "write", {}},
    {Verb::kSelect, "select", 2, 0, 0, 0, "loading stale fast", {}},
    {Verb::kInfo, "info", -1, 0, 0, 0, "loading stale", {}},
    {Verb::kConfig, "config", -2, 0, 0, 0, "admin loading stale", {}},
    {Verb::kCommand, "command", -1, 0, 0, 0, "loading stale", {}},
    {Verb::kHello, "hello", -1, 0, 0, 0, "loading stale fast no_auth", {}},
    {Verb::kAuth, "auth", -2, 0, 0, 0, "loading stale fast no_auth", {}},
    {Verb::kClient, "client", -2, 0, 0, 0, "loading stale", {}},
    {Verb::kQuit, "quit", -1, 0, 0, 0, "loading stale fast no_auth", {}},
};

constexpr size_t kShortNameMax = 8;
constexpr size_t kNameBytesMax = 11;

constexpr uint64_t byte_of(const char* p) { return static_cast<unsigned char>(*p); }
constexpr uint64_t four_of(const char* p) {
  return byte_of(p) | byte_of(p + 1) << 8 | byte_of(p + 2) << 16 | byte_of(p + 3) << 24;
}

// A word of 1 to 8 bytes as a number, letters in small: of words of one size no two have the same.
// A byte that is no letter never becomes one: setting this bit turns just the capitals into small
// letters. The two halves of a word overlap, so that it is read without a loop.
constexpr uint64_t packed(std::string_view word) {
  const char* const p = word.data();
  const size_t size = word.size();
  const uint64_t bytes =
      size >= 4 ? four_of(p) | four_of(p + size - 4) << 32
                : byte_of(p) | byte_of(p + size / 2) << 8 | byte_of(p + size - 1) << 16;
  return bytes | 0x2020202020202020;
}

constexpr auto kPacked = [] {
  std::array<uint64_t, std::size(kCommands)> all{};
  for (size_t k = 0; k < all.size(); ++k) all[k] = packed(kCommands[k].name);
  return all;
}();

static_assert(std::all_of(std::begin(kCommands), std::end(kCommands), [](const RespCommand& c) {
  return c.name.size() <= kNameBytesMax && std::all_of(c.name.begin(), c.name.end(), [&](char x) {
           return (x >= 'a' && x <= 'z') || (x == '_' && c.name.size() > kShortNameMax);
         });
}));

constexpr char small(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

}  // namespace

std::span<const RespCommand> resp_commands() { return kCommands; }

[[gnu::noinline]] static const RespCommand* find_long_command(std::string_view name) {
  if (name.size() > kNameBytesMax) return nullptr;
  const auto found = std::find_if(std::begin(kCommands), std::end(kCommands),
                                  [=](const RespCommand& c) { return same_word(c.name, name); });
  return found == std::end(kCommands) ? nullptr : found;
}

const RespCommand* find_resp_command(std::string_view name) {
  if (name.size() > kShortNameMax) return find_long_command(name);
  if (name.empty()) return nullptr;
  const uint64_t wanted = packed(name);
  for (size_t k = 0; k < kPacked.size(); ++k) {
    if (kPacked[k] == wanted && kCommands[k].name.size() == name.size()) return &kCommands[k];
  }
  return nullptr;
}

bool same_word(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return small(x) == small(y); });
}

}  // namespace lh::wire
