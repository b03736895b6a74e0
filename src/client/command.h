// Command: what a user asks of the client: a command of the text protocol, or one of those that
// only the client has. It comes as a line in the grammar of the protocol, or as words of a command
// line, which are taken as they are.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "client/bench_options.h"
#include "wire/text.h"

namespace lh::client {

enum class Own : uint8_t {
  kNone,  // a command of the text protocol
  kLoad,
  kDump,
  kImage,
  kBench,
};

struct Command {
  Own own = Own::kNone;
  wire::TextCommand text;  // kNone
  std::string_view file;   // kLoad, kDump
  BenchOptions bench;      // kBench

  bool is_quit() const { return own == Own::kNone && text.verb == wire::Verb::kQuit; }
  // Not understood: text.error is the answer.
  bool is_bad() const { return own == Own::kNone && text.verb == wire::Verb::kBad; }
};

class CommandParser {
 public:
  // The views of a command borrow from what was parsed and from the parser, until the next call.
  const Command& parse_line(std::string_view line);
  // words: not empty. Keys and values need no quotes here, and have no bound yet.
  const Command& parse_words(std::span<const std::string> words);

 private:
  const Command& fail(std::string_view why);
  const Command& take_bench(std::span<const std::string> args);

  wire::TextParser parser_;
  Command command_;
  std::string scratch_;
  std::string file_scratch_;
  std::string error_;
};

// Lines like those of HELP, for all commands, and the line that ends them.
void append_client_help(std::string* out);

// The names of all commands, in lower case, sorted.
std::vector<std::string> command_names();

}  // namespace lh::client
