#include "client/json_text.h"

#include <array>
#include <cstdint>

#include "base/strings.h"
#include "client/utf8.h"

namespace lh::client {
namespace {

constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// What is written as a backslash and a letter, and that letter.
constexpr std::string_view kEscaped = "\"\\\b\f\n\r\t";
constexpr std::string_view kLetters = "\"\\bfnrt";

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// Reads one object. Each method takes its part off rest_, and after an error does nothing.
class ObjectReader {
 public:
  explicit ObjectReader(std::string_view text) : rest_(text) {}

  JsonMembers read() {
    JsonMembers members;
    expect('{', "not a JSON object");
    if (!take('}')) {
      do {
        std::string name = string("a member's name is missing");
        expect(':', "':' is missing");
        members.emplace_back(std::move(name), value());
      } while (take(','));
      expect('}', "'}' is missing");
    }
    skip_blanks();
    if (!rest_.empty()) fail("text behind the object");
    return members;
  }

  std::string_view error() const { return error_; }

 private:
  void fail(std::string_view why) {
    if (error_.empty()) error_ = why;
    rest_ = {};
  }

  void skip_blanks() {
    const size_t size = rest_.find_first_not_of(" \t\r\n");
    rest_.remove_prefix(size == std::string_view::npos ? rest_.size() : size);
  }

  bool take(char c) {
    skip_blanks();
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  void expect(char c, std::string_view why) {
    if (!take(c)) fail(why);
  }

  JsonValue value() {
    skip_blanks();
    const size_t digits = std::min(rest_.find_first_not_of("0123456789"), rest_.size());
    if (digits == 0) return {string("a value is neither a string nor a whole number")};
    JsonValue number{std::string(rest_.substr(0, digits)), true};
    if (digits > 1 && rest_.front() == '0') fail("a number that starts with 0");
    rest_.remove_prefix(std::min(digits, rest_.size()));
    return number;
  }

  std::string string(std::string_view why_not) {
    std::string out;
    expect('"', why_not);
    while (error_.empty() && !rest_.starts_with('"')) character(&out);
    expect_here('"');
    return out;
  }

  void expect_here(char c) {
    if (rest_.starts_with(c)) return rest_.remove_prefix(1);
    fail("a string has no end");
  }

  void character(std::string* out) {
    if (rest_.empty()) return fail("a string has no end");
    if (rest_.front() == '\\') return escape(out);
    const size_t size = next_code_point(rest_).size;
    if (size == 0) return fail("not UTF-8");
    if (static_cast<uint8_t>(rest_.front()) < 0x20) return fail("a control byte in a string");
    out->append(rest_.substr(0, size));
    rest_.remove_prefix(size);
  }

  void escape(std::string* out) {
    const char letter = rest_.size() > 1 ? rest_[1] : '\0';
    if (letter == 'u') return unicode_escape(out);
    const size_t place = kLetters.find(letter);
    if (place == std::string_view::npos && letter != '/') return fail("an unknown escape");
    out->push_back(letter == '/' ? '/' : kEscaped[place]);
    rest_.remove_prefix(2);
  }

  void unicode_escape(std::string* out) {
    char32_t c = take_unit();
    if (c >= 0xd800 && c <= 0xdbff) {
      const char32_t low = rest_.starts_with("\\u") ? take_unit() : 0;
      if (low < 0xdc00 || low > 0xdfff) return fail("half a surrogate pair");
      c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
    } else if (c >= 0xdc00 && c <= 0xdfff) {
      return fail("half a surrogate pair");
    }
    if (error_.empty()) append_utf8(out, c);
  }

  // \uXXXX
  char32_t take_unit() {
    if (rest_.size() < 6) return fail("an unknown escape"), 0;
    char32_t unit = 0;
    for (const char c : rest_.substr(2, 4)) {
      const int digit = hex_digit(c);
      if (digit < 0) return fail("an unknown escape"), 0;
      unit = unit << 4 | static_cast<char32_t>(digit);
    }
    rest_.remove_prefix(6);
    return unit;
  }

  std::string_view rest_;
  std::string_view error_;
};

}  // namespace

void append_json_string(std::string* out, std::string_view text) {
  out->push_back('"');
  for (const char c : text) {
    if (const size_t place = kEscaped.find(c); place != std::string_view::npos) {
      out->push_back('\\');
      out->push_back(kLetters[place]);
    } else if (static_cast<uint8_t>(c) < 0x20) {
      base::append_format(out, "\\u%04x", static_cast<unsigned>(c));
    } else {
      out->push_back(c);
    }
  }
  out->push_back('"');
}

void append_base64(std::string* out, std::string_view bytes) {
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const std::string_view group = bytes.substr(i, 3);
    uint32_t bits = 0;
    for (size_t k = 0; k < 3; ++k) {
      bits = bits << 8 | (k < group.size() ? static_cast<uint8_t>(group[k]) : 0);
    }
    for (size_t k = 0; k < 4; ++k) {
      out->push_back(k <= group.size() ? kBase64[bits >> (18 - 6 * k) & 63] : '=');
    }
  }
}

std::optional<std::string> decode_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  const size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  text.remove_suffix(padding);
  std::string bytes;
  uint32_t bits = 0;
  unsigned held = 0;
  for (const char c : text) {
    const size_t value = kBase64.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    bits = bits << 6 | static_cast<uint32_t>(value);
    held += 6;
    if (held < 8) continue;
    held -= 8;
    bytes.push_back(static_cast<char>(bits >> held));
    bits &= (1u << held) - 1;
  }
  if (bits != 0) return std::nullopt;
  return bytes;
}

JsonMembers parse_json_object(std::string_view text, std::string_view* error) {
  ObjectReader reader(text);
  JsonMembers members = reader.read();
  *error = reader.error();
  return members;
}

}  // namespace lh::client
