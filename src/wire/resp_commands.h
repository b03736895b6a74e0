// The RESP commands that a node understands: one table, for finding them, checking the number of
// their arguments and describing them (COMMAND). Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/message.h"

namespace lh::wire {

enum class RespVerb : uint8_t {
  kGet,
  kSet,
  kMget,
  kMset,
  kDel,
  kExists,
  kIncr,
  kDecr,
  kIncrby,
  kDecrby,
  kAppend,
  kStrlen,
  kSetex,
  kPsetex,
  kSetnx,
  kGetset,
  kGetdel,
  kGetex,
  kTtl,
  kPttl,
  kExpiretime,
  kPexpiretime,
  kExpire,
  kPexpire,
  kExpireat,
  kPexpireat,
  kPersist,
  kType,
  kIncrbyfloat,
  kDump,
  kRestore,
  kGetbit,
  kSetbit,
  kBitcount,
  kBitpos,
  kBitfield,
  kBitfieldRo,
  kBitop,
  kRename,
  kRenamenx,
  kCopy,
  kMsetnx,
  kLcs,
  kGetrange,
  kSetrange,
  kWatch,
  kUnwatch,
  kMulti,
  kExec,
  kDiscard,
  kPing,
  kEcho,
  kDbsize,
  kKeys,
  kScan,
  kRandomkey,
  kFlush,
  kSelect,
  kInfo,
  kConfig,
  kCommand,
  kHello,
  kAuth,
  kClient,
  kQuit,
};

struct RespCommand {
  RespVerb verb;
  std::string_view name;  // in small letters
  int arity;              // arguments with the name; negative: at least so many
  // Which arguments are keys, as COMMAND tells it: the first, the last (negative: from the end),
  // and the distance between them; all 0 when none is.
  int first_key;
  int last_key;
  int key_step;
  std::string_view flags;  // separated by blanks
  // The operation on each key; none for what is not keyed.
  std::optional<core::Op> op;
  // With so many arguments it is just that, on one key, with the argument behind it for a value.
  size_t plain_args = 0;
  // It is the operation on each of its keys; otherwise one, of the first.
  bool of_each_key = false;
};

std::span<const RespCommand> resp_commands();

// By name in any case; nullptr when there is none.
const RespCommand* find_resp_command(std::string_view name);

inline bool takes(const RespCommand& command, size_t arguments) {
  const auto count = static_cast<int64_t>(arguments);
  return command.arity >= 0 ? count == command.arity : count >= -command.arity;
}

// Whether two words are the same but for the case of letters.
bool same_word(std::string_view a, std::string_view b);

}  // namespace lh::wire
