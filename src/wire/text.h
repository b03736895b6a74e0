// The text protocol, for people with netcat and for scripts: a command a line, answers in lines.
// The grammar is in FORMAT.md, the commands are in text_commands.h, the answers in text_answers.h.
//
// Pure and incremental: next_line() finds lines in bytes that the caller keeps, TextParser makes a
// command of a line. A bad command is answered with its `error` and the connection goes on; a bad
// line ends it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/strings.h"
#include "core/message.h"
#include "wire/text_commands.h"

namespace lh::wire {

// Without the end of line.
inline constexpr size_t kLineBytesMax = size_t{64} << 10;

enum class LineStatus : uint8_t { kNeedMore, kLine, kBad };

struct Line {
  LineStatus status = LineStatus::kNeedMore;
  std::string_view text;   // kLine: a view of the caller's bytes, without LF or CRLF
  size_t size = 0;         // kLine: bytes to consume
  std::string_view error;  // kBad: what to answer before closing, without LF
};

// The line at the start of `unread`. Looks at no more than a line's worth of bytes: when there is
// no end of line among them, the line is too long.
Line next_line(std::string_view unread);

// What a scan looks for, as its pattern says: `key:GLOB`, `value:GLOB`, else a part of the value.
struct ScanPattern {
  core::ScanMatch match = core::ScanMatch::kAll;
  std::string_view pattern;
};
ScanPattern scan_pattern(std::string_view word);

struct TextCommand {
  Verb verb = Verb::kBlank;
  std::string_view key;    // of keyed commands
  std::string_view value;  // INSERT, UPDATE, PUT
  ScanPattern scan;        // SCAN
  BucketNo bucket = 0;     // BUCKET; < kBucketsMax
  std::string_view error;  // kBad: what to answer, without LF; it fits in a line
};

// Parses a line at a time and keeps the unquoted words, so one a connection (or one a worker, as
// nothing is remembered between lines). Used by one thread.
class TextParser {
 public:
  // The views of the command borrow from the line and from the parser, until the next parse().
  const TextCommand& parse(std::string_view line);

 private:
  // Each takes its part off *rest into the command; false when that failed and the error is set.
  bool take_arguments(std::string_view* rest);
  bool take_key(std::string_view* rest);
  bool take_value(std::string_view* rest);
  bool take_pattern(std::string_view* rest);
  bool take_bucket(std::string_view* rest);
  bool take_word(std::string_view* rest, std::string* scratch, std::string_view* word);
  bool check_bare(std::string_view word);
  bool fail_word(base::WordStatus status);
  bool fail_count();
  bool fail(std::string_view why);

  TextCommand command_;
  const CommandSpec* spec_ = nullptr;
  std::string key_scratch_;  // the one word that another can follow
  std::string last_scratch_;
  std::string error_;
};

}  // namespace lh::wire
