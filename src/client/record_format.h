// The files of load and dump: a record a line, in one of two formats, both of which bring back any
// bytes.
//
//   tsv    key TAB value. TAB, LF and CR in them are written \t \n \r, and a backslash that would
//   be
//          taken for the start of one of these is written \\. When read, a backslash before
//          anything else stands for itself and TABs behind the first are part of the value, so that
//          tables of other makers load as they are.
//   jsonl  {"key":"...","value":"..."}. What is not UTF-8 is base64 in a member key_base64 or
//          value_base64 in its place. A record that expires has "expires":N, a Unix time in ms,
//          which tsv has no place for. Other members are refused rather than lost.
//
// Pure; a parser has one user at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "client/json_text.h"
#include "core/limits.h"
#include "core/operation.h"

namespace lh::client {

enum class RecordFormat : uint8_t { kTsv, kJsonl };

// No record makes a longer line: each byte is written as at most six.
inline constexpr size_t kRecordLineMax = 6 * (core::kKeyBytesMax + core::kValueBytesMax) + 1024;

// Appends the line with its LF.
void append_record_line(std::string* out, RecordFormat format, std::string_view key,
                        std::string_view value, core::ExpiryMs expiry = core::kNever);

class RecordParser {
 public:
  explicit RecordParser(RecordFormat format) : format_(format) {}

  // The line comes without its end. False when it is no record: error() says why, without a line
  // number. The views borrow from the line and the parser until the next call.
  bool parse(std::string_view line);

  std::string_view key() const { return key_; }
  std::string_view value() const { return value_; }
  core::ExpiryMs expiry() const { return expiry_; }
  std::string_view error() const { return error_; }

 private:
  bool parse_tsv(std::string_view line);
  bool parse_json(std::string_view line);
  bool take_member(std::string_view name, JsonValue* value);
  bool take_expiry(const JsonValue& value);
  bool fail(std::string_view why);

  RecordFormat format_;
  std::string key_bytes_;
  std::string value_bytes_;
  bool has_key_ = false;
  bool has_value_ = false;
  std::string_view key_;
  std::string_view value_;
  core::ExpiryMs expiry_ = core::kNever;
  std::string_view error_;
};

}  // namespace lh::client
