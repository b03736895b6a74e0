#include "wire/text_commands.h"

#include <algorithm>
#include <iterator>

#include "base/check.h"

namespace lh::wire {
namespace {

using core::Op;

constexpr CommandSpec kCommands[] = {
    {Verb::kInsert, "INSERT", {}, Arguments::kKeyAndValue, "add a record", Op::kInsert},
    {Verb::kUpdate, "UPDATE", {}, Arguments::kKeyAndValue, "change a record", Op::kUpdate},
    {Verb::kPut, "PUT", {}, Arguments::kKeyAndValue, "add or change a record", Op::kPut},
    {Verb::kRead, "READ", {"GET", "QUERY"}, Arguments::kKey, "show a value", Op::kRead},
    {Verb::kDelete, "DELETE", {}, Arguments::kKey, "remove a record", Op::kDelete},
    {Verb::kScan,
     "SCAN",
     {},
     Arguments::kPattern,
     "list records with this in the value, or by key:GLOB or value:GLOB",
     {}},
    {Verb::kCount, "COUNT", {}, Arguments::kNone, "count the records of the file", {}},
    {Verb::kLocate,
     "LOCATE",
     {},
     Arguments::kKey,
     "show the hash, bucket and node of a key",
     Op::kLocate},
    {Verb::kFile, "FILE", {}, Arguments::kNone, "show level, split pointer, load", {}},
    {Verb::kBuckets, "BUCKETS", {}, Arguments::kNone, "list the buckets", {}},
    {Verb::kBucket, "BUCKET", {}, Arguments::kBucket, "list the records of a bucket", {}},
    {Verb::kNodes, "NODES", {}, Arguments::kNone, "list the nodes", {}},
    {Verb::kSettle, "SETTLE", {}, Arguments::kNone, "wait until no split is owed", {}},
    {Verb::kPing, "PING", {}, Arguments::kNone, "get PONG", {}},
    {Verb::kHelp, "HELP", {}, Arguments::kNone, "list the commands", {}},
    {Verb::kQuit, "QUIT", {}, Arguments::kNone, "close the connection", {}},
};

constexpr std::string_view kOneFile = "there is one file, number 0";
constexpr LaterCommand kLater[] = {
    {"FILES", kOneFile},
    {"CREATE", kOneFile},
    {"DROP", kOneFile},
    {"USE", kOneFile},
    {"AUTH", "nobody is authenticated, and only loopback is served"},
};

constexpr char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }

// `name` is in capitals.
bool is_name(std::string_view word, std::string_view name) {
  return word.size() == name.size() &&
         std::equal(word.begin(), word.end(), name.begin(),
                    [](char c, char capital) { return upper(c) == capital; });
}

bool answers_to(const CommandSpec& spec, std::string_view word) {
  return is_name(word, spec.name) || is_name(word, spec.aliases[0]) ||
         is_name(word, spec.aliases[1]);
}

}  // namespace

std::span<const CommandSpec> commands() { return kCommands; }

const CommandSpec* find_command(std::string_view word) {
  if (word.empty()) return nullptr;
  for (const CommandSpec& spec : kCommands) {
    if (answers_to(spec, word)) return &spec;
  }
  return nullptr;
}

const LaterCommand* find_later_command(std::string_view word) {
  const auto* found = std::find_if(std::begin(kLater), std::end(kLater),
                                   [word](const auto& later) { return is_name(word, later.name); });
  return found == std::end(kLater) ? nullptr : found;
}

std::string_view usage(Arguments arguments) {
  switch (arguments) {
    case Arguments::kNone:
      return "";
    case Arguments::kKey:
      return "key";
    case Arguments::kKeyAndValue:
      return "key value";
    case Arguments::kPattern:
      return "pattern";
    case Arguments::kBucket:
      return "n";
  }
  LH_UNREACHABLE("arguments");
}

}  // namespace lh::wire
