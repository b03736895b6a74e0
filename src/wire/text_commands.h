// The commands of the text protocol as one table: the parser, HELP and completion read it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/message.h"

namespace lh::wire {

enum class Verb : uint8_t {
  kBlank,  // a line of blanks: nothing to answer
  kBad,    // no command: an error to answer
  kInsert,
  kUpdate,
  kPut,
  kRead,
  kDelete,
  kScan,
  kCount,
  kLocate,
  kFile,
  kBuckets,
  kBucket,
  kNodes,
  kSettle,
  kPing,
  kHelp,
  kQuit,
};

enum class Arguments : uint8_t { kNone, kKey, kKeyAndValue, kPattern, kBucket };

struct CommandSpec {
  Verb verb;
  std::string_view name;
  std::array<std::string_view, 2> aliases;  // empty where there are fewer
  Arguments arguments;
  std::string_view help;       // a phrase, for people
  std::optional<core::Op> op;  // of the commands that are one keyed request
};

// In the order in which HELP lists them.
std::span<const CommandSpec> commands();

// The command of this name or alias, in any case; nullptr when there is none.
const CommandSpec* find_command(std::string_view word);

// Commands of versions to come: whoever tries one is told what holds in this one.
struct LaterCommand {
  std::string_view name;
  std::string_view why;
};
const LaterCommand* find_later_command(std::string_view word);

// The arguments in words: "key value"; empty when there are none.
std::string_view usage(Arguments arguments);

}  // namespace lh::wire
