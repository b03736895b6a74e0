#include "wire/text.h"

#include <algorithm>

#include "base/check.h"
#include "base/strings.h"
#include "core/limits.h"
#include "wire/text_answers.h"

namespace lh::wire {
namespace {

using base::WordStatus;

// How much of a word that is no command is said back.
constexpr size_t kEchoBytesMax = 64;

bool is_blank(char c) { return c == ' ' || c == '\t'; }

// Tabs are blanks, so they never get into a bare word, and in a bare value they are data.
bool is_control(char c) {
  const auto byte = static_cast<uint8_t>(c);
  return (byte < 0x20 && c != '\t') || byte == 0x7f;
}

void skip_blanks(std::string_view* rest) {
  while (!rest->empty() && is_blank(rest->front())) rest->remove_prefix(1);
}

bool starts_quoted(std::string_view rest) { return !rest.empty() && rest.front() == '"'; }

}  // namespace

Line next_line(std::string_view unread) {
  Line line;
  // LF behind the longest line and its CR is the last one worth looking for.
  const size_t end = unread.substr(0, kLineBytesMax + 2).find('\n');
  if (end == std::string_view::npos) {
    if (unread.size() < kLineBytesMax + 2) return line;
  } else {
    line.text = unread.substr(0, end);
    if (line.text.ends_with('\r')) line.text.remove_suffix(1);
    line.size = end + 1;
  }
  const bool fits = end != std::string_view::npos && line.text.size() <= kLineBytesMax;
  line.status = fits ? LineStatus::kLine : LineStatus::kBad;
  if (!fits) line.error = "ERR line too long";
  return line;
}

ScanPattern scan_pattern(std::string_view word) {
  constexpr std::string_view kKey = "key:";
  constexpr std::string_view kValue = "value:";
  if (word.empty()) return {core::ScanMatch::kAll, word};
  if (word.starts_with(kKey)) return {core::ScanMatch::kKeyGlob, word.substr(kKey.size())};
  if (word.starts_with(kValue)) return {core::ScanMatch::kValueGlob, word.substr(kValue.size())};
  return {core::ScanMatch::kValueContains, word};
}

const TextCommand& TextParser::parse(std::string_view line) {
  command_ = {};
  std::string_view rest = line;
  std::string_view name;
  const WordStatus status = base::parse_word(&rest, &last_scratch_, &name);
  if (status == WordStatus::kNone) return command_;
  if (status != WordStatus::kOk) {
    fail(base::complaint(status));
    return command_;
  }
  spec_ = find_command(name);
  if (const LaterCommand* later = find_later_command(name)) {
    fail(std::string(later->name).append(" is not in this version: ").append(later->why));
    return command_;
  }
  if (spec_ == nullptr) {
    std::string printable;
    append_printable(&printable, name.substr(0, kEchoBytesMax));
    fail("unknown command '" + printable + "': try HELP");
    return command_;
  }
  command_.verb = spec_->verb;
  take_arguments(&rest);
  return command_;
}

bool TextParser::take_arguments(std::string_view* rest) {
  switch (spec_->arguments) {
    case Arguments::kNone:
      break;
    case Arguments::kKey:
      if (!take_key(rest)) return false;
      break;
    case Arguments::kKeyAndValue:
      if (!take_key(rest) || !take_value(rest)) return false;
      break;
    case Arguments::kPattern:
      if (!take_pattern(rest)) return false;
      break;
    case Arguments::kBucket:
      if (!take_bucket(rest)) return false;
      break;
  }
  skip_blanks(rest);
  return rest->empty() || fail_count();
}

bool TextParser::take_key(std::string_view* rest) {
  if (!take_word(rest, &key_scratch_, &command_.key)) return false;
  return command_.key.size() <= core::kKeyBytesMax || fail("key too long");
}

bool TextParser::take_value(std::string_view* rest) {
  skip_blanks(rest);
  const bool quoted = starts_quoted(*rest);
  const WordStatus status = base::parse_value(rest, &last_scratch_, &command_.value);
  if (status != WordStatus::kOk) return fail_word(status);
  if (!quoted && !check_bare(command_.value)) return false;
  return command_.value.size() <= core::kValueBytesMax || fail("value too long");
}

bool TextParser::take_pattern(std::string_view* rest) {
  std::string_view word;
  if (!take_word(rest, &last_scratch_, &word)) return false;
  if (word.size() > core::kScanPatternBytesMax) return fail("pattern too long");
  command_.scan = scan_pattern(word);
  return true;
}

bool TextParser::take_bucket(std::string_view* rest) {
  std::string_view word;
  if (!take_word(rest, &last_scratch_, &word)) return false;
  const std::optional<uint64_t> number = base::parse_u64(word);
  if (!number || *number >= kBucketsMax) return fail("bucket is not an integer or out of range");
  command_.bucket = *number;
  return true;
}

bool TextParser::take_word(std::string_view* rest, std::string* scratch, std::string_view* word) {
  skip_blanks(rest);
  const bool quoted = starts_quoted(*rest);
  const WordStatus status = base::parse_word(rest, scratch, word);
  if (status != WordStatus::kOk) return fail_word(status);
  return quoted || check_bare(*word);
}

// A control byte that was not written as an escape is an accident (a backspace, binary data on the
// wrong port), not a key.
bool TextParser::check_bare(std::string_view word) {
  return std::none_of(word.begin(), word.end(), is_control) ||
         fail("unprintable byte: write it as \\xHH in quotes");
}

bool TextParser::fail_word(WordStatus status) {
  return status == WordStatus::kNone ? fail_count() : fail(base::complaint(status));
}

bool TextParser::fail_count() {
  std::string error = "wrong number of arguments: ";
  error.append(spec_->name);
  if (spec_->arguments != Arguments::kNone) error.append(" ").append(usage(spec_->arguments));
  return fail(error);
}

bool TextParser::fail(std::string_view why) {
  error_.assign("ERR ").append(why);
  command_ = {};
  command_.verb = Verb::kBad;
  command_.error = error_;
  return false;
}

}  // namespace lh::wire
