#include "client/record_format.h"

#include <optional>
#include <utility>

#include "base/strings.h"
#include "client/utf8.h"

namespace lh::client {
namespace {

constexpr std::string_view kEscaped = "\\\t\n\r";
constexpr std::string_view kLetters = "\\tnr";

// A backslash is doubled only where what follows would make an escape of it.
bool stands_for_itself(std::string_view bytes) {
  return bytes[0] == '\\' && (bytes.size() == 1 || (kLetters.find(bytes[1]) == kLetters.npos &&
                                                    kEscaped.find(bytes[1]) == kEscaped.npos));
}

void append_tsv_field(std::string* out, std::string_view bytes) {
  while (true) {
    const size_t plain = bytes.find_first_of(kEscaped);
    out->append(bytes.substr(0, plain));
    if (plain == std::string_view::npos) return;
    bytes.remove_prefix(plain);
    out->push_back('\\');
    if (!stands_for_itself(bytes)) out->push_back(kLetters[kEscaped.find(bytes[0])]);
    bytes.remove_prefix(1);
  }
}

// A view of the field, or of *scratch when there was something to replace.
std::string_view read_tsv_field(std::string_view field, std::string* scratch) {
  if (field.find('\\') == std::string_view::npos) return field;
  scratch->clear();
  for (size_t i = 0; i < field.size(); ++i) {
    const size_t place =
        field[i] == '\\' && i + 1 < field.size() ? kLetters.find(field[i + 1]) : kLetters.npos;
    if (place == kLetters.npos) {
      scratch->push_back(field[i]);
    } else {
      scratch->push_back(kEscaped[place]);
      ++i;
    }
  }
  return *scratch;
}

void append_json_member(std::string* out, std::string_view name, std::string_view bytes) {
  out->push_back('"');
  out->append(name);
  if (is_utf8(bytes)) {
    out->append("\":");
    return append_json_string(out, bytes);
  }
  out->append("_base64\":\"");
  append_base64(out, bytes);
  out->push_back('"');
}

}  // namespace

void append_record_line(std::string* out, RecordFormat format, std::string_view key,
                        std::string_view value, core::ExpiryMs expiry) {
  if (format == RecordFormat::kTsv) {
    append_tsv_field(out, key);
    out->push_back('\t');
    append_tsv_field(out, value);
  } else {
    out->push_back('{');
    append_json_member(out, "key", key);
    out->push_back(',');
    append_json_member(out, "value", value);
    if (expiry != core::kNever) {
      base::append_format(out, ",\"expires\":%llu", static_cast<unsigned long long>(expiry));
    }
    out->push_back('}');
  }
  out->push_back('\n');
}

bool RecordParser::parse(std::string_view line) {
  expiry_ = core::kNever;
  if (!(format_ == RecordFormat::kTsv ? parse_tsv(line) : parse_json(line))) return false;
  if (key_.size() > core::kKeyBytesMax) return fail("the key is too long");
  if (value_.size() > core::kValueBytesMax) return fail("the value is too long");
  return true;
}

bool RecordParser::parse_tsv(std::string_view line) {
  const size_t tab = line.find('\t');
  if (tab == std::string_view::npos) return fail("no TAB between key and value");
  key_ = read_tsv_field(line.substr(0, tab), &key_bytes_);
  value_ = read_tsv_field(line.substr(tab + 1), &value_bytes_);
  return true;
}

bool RecordParser::parse_json(std::string_view line) {
  std::string_view why;
  JsonMembers members = parse_json_object(line, &why);
  if (!why.empty()) return fail(why);
  has_key_ = has_value_ = false;
  for (auto& [name, value] : members) {
    if (!take_member(name, &value)) return false;
  }
  if (!has_key_) return fail("no member \"key\"");
  if (!has_value_) return fail("no member \"value\"");
  key_ = key_bytes_;
  value_ = value_bytes_;
  return true;
}

bool RecordParser::take_member(std::string_view name, JsonValue* value) {
  if (name == "expires") return take_expiry(*value);
  if (value->is_number) return fail("a number that is not \"expires\"");
  std::string* text = &value->text;
  const bool encoded = name.ends_with("_base64");
  if (encoded) {
    name.remove_suffix(std::string_view("_base64").size());
    std::optional<std::string> bytes = decode_base64(*text);
    if (!bytes) return fail("a member is not base64");
    *text = std::move(*bytes);
  }
  if (name != "key" && name != "value") {
    return fail("a member that is none of \"key\", \"value\", \"expires\"");
  }
  bool& has = name == "key" ? has_key_ : has_value_;
  if (has) return fail("a member twice");
  has = true;
  (name == "key" ? key_bytes_ : value_bytes_) = std::move(*text);
  return true;
}

bool RecordParser::take_expiry(const JsonValue& value) {
  const std::optional<uint64_t> ms = value.is_number ? base::parse_u64(value.text) : std::nullopt;
  if (!ms || *ms == core::kNever || *ms > core::kExpiryMax) {
    return fail("\"expires\" is no Unix time in ms");
  }
  if (expiry_ != core::kNever) return fail("a member twice");
  expiry_ = *ms;
  return true;
}

bool RecordParser::fail(std::string_view why) {
  error_ = why;
  return false;
}

}  // namespace lh::client
