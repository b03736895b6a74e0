// The words, values and patterns of a text line (declared in base/strings.h).
#include <array>

#include "base/strings.h"

namespace lh::base {
namespace {

constexpr char kHexDigits[] = "0123456789abcdef";

constexpr uint8_t byte_at(std::string_view s, size_t i) { return static_cast<uint8_t>(s[i]); }

constexpr bool is_blank(char c) { return c == ' ' || c == '\t'; }

void skip_blanks(std::string_view* s) {
  while (!s->empty() && is_blank(s->front())) s->remove_prefix(1);
}

// Control characters beyond ASCII (C1), and those that end a line or change its direction.
bool is_disruptive(uint32_t code) {
  return code < 0xa0 || (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

// The size of the UTF-8 sequence that starts at s[i] >= 0x80, or 0 when it is malformed, overlong,
// a surrogate, beyond U+10FFFF, or disruptive.
size_t utf8_size(std::string_view s, size_t i) {
  const uint8_t lead = byte_at(s, i);
  const size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || s.size() - i < size) return 0;
  uint32_t code = lead & (0x7fu >> size);
  for (size_t k = 1; k < size; ++k) {
    if ((byte_at(s, i + k) & 0xc0) != 0x80) return 0;
    code = code << 6 | (byte_at(s, i + k) & 0x3fu);
  }
  constexpr std::array<uint32_t, 5> kLeast = {0, 0, 0x80, 0x800, 0x10000};
  if (code < kLeast[size] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return 0;
  return is_disruptive(code) ? 0 : size;
}

// The size of the legible character at s[i], 0 when there is none. A space is legible here.
size_t legible_size(std::string_view s, size_t i) {
  const uint8_t byte = byte_at(s, i);
  if (byte >= 0x80) return utf8_size(s, i);
  return byte >= 0x20 && byte < 0x7f ? 1 : 0;
}

bool is_legible(std::string_view s) {
  for (size_t i = 0; i < s.size();) {
    const size_t size = legible_size(s, i);
    if (size == 0) return false;
    i += size;
  }
  return true;
}

void append_escape(std::string* out, uint8_t byte) {
  out->push_back('\\');
  switch (byte) {
    case '\n':
      out->push_back('n');
      break;
    case '\r':
      out->push_back('r');
      break;
    case '\t':
      out->push_back('t');
      break;
    default:
      out->push_back('x');
      out->push_back(kHexDigits[byte >> 4]);
      out->push_back(kHexDigits[byte & 15]);
  }
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Takes an escape, without its backslash, off *rest, which is not empty. False: there is no such
// escape.
bool take_escape(std::string_view* rest, std::string* out) {
  const char c = rest->front();
  rest->remove_prefix(1);
  switch (c) {
    case '"':
    case '\\':
      out->push_back(c);
      return true;
    case 'n':
      out->push_back('\n');
      return true;
    case 'r':
      out->push_back('\r');
      return true;
    case 't':
      out->push_back('\t');
      return true;
    case 'x':
      break;
    default:
      return false;
  }
  if (rest->size() < 2) return false;
  const int high = hex_digit((*rest)[0]);
  const int low = hex_digit((*rest)[1]);
  if (high < 0 || low < 0) return false;
  rest->remove_prefix(2);
  out->push_back(static_cast<char>(high << 4 | low));
  return true;
}

// The part of a quoted word from its first escape on, copied to *out; takes the closing quote too.
WordStatus take_escaped(std::string_view* rest, std::string* out) {
  while (true) {
    const size_t plain = rest->find_first_of("\"\\");
    if (plain == std::string_view::npos) return WordStatus::kBad;
    out->append(rest->substr(0, plain));
    const bool closing = (*rest)[plain] == '"';
    rest->remove_prefix(plain + 1);
    if (closing) return WordStatus::kOk;
    if (rest->empty()) return WordStatus::kBad;
    if (!take_escape(rest, out)) return WordStatus::kBadEscape;
  }
}

// *rest starts behind the opening quote.
WordStatus parse_quoted(std::string_view* rest, std::string* scratch, std::string_view* word) {
  const size_t plain = rest->find_first_of("\"\\");
  if (plain == std::string_view::npos) return WordStatus::kBad;
  *word = rest->substr(0, plain);
  if ((*rest)[plain] == '"') {
    rest->remove_prefix(plain + 1);
  } else {
    scratch->assign(*word);
    rest->remove_prefix(plain);
    const WordStatus status = take_escaped(rest, scratch);
    if (status != WordStatus::kOk) return status;
    *word = *scratch;
  }
  return rest->empty() || is_blank(rest->front()) ? WordStatus::kOk : WordStatus::kBad;
}

}  // namespace

bool needs_quotes(std::string_view word) {
  return word.empty() || word.find_first_of(" \"\\") != std::string_view::npos || !is_legible(word);
}

void append_quoted(std::string* out, std::string_view bytes) {
  out->push_back('"');
  for (size_t i = 0; i < bytes.size();) {
    const size_t size = legible_size(bytes, i);
    if (size == 0) {
      append_escape(out, byte_at(bytes, i++));
      continue;
    }
    if (bytes[i] == '"' || bytes[i] == '\\') out->push_back('\\');
    out->append(bytes, i, size);
    i += size;
  }
  out->push_back('"');
}

void append_word(std::string* out, std::string_view word) {
  if (needs_quotes(word)) {
    append_quoted(out, word);
  } else {
    out->append(word);
  }
}

void append_value(std::string* out, std::string_view value) {
  const bool bare = !value.empty() && value.front() != '"' && value.front() != ' ' &&
                    value.back() != ' ' && is_legible(value);
  if (bare) {
    out->append(value);
  } else {
    append_quoted(out, value);
  }
}

std::string_view complaint(WordStatus status) {
  return status == WordStatus::kBadEscape ? "bad escape" : "unbalanced quote";
}

WordStatus parse_word(std::string_view* rest, std::string* scratch, std::string_view* word) {
  skip_blanks(rest);
  if (rest->empty()) return WordStatus::kNone;
  if (rest->front() == '"') {
    rest->remove_prefix(1);
    return parse_quoted(rest, scratch, word);
  }
  *word = rest->substr(0, rest->find_first_of(" \t"));
  rest->remove_prefix(word->size());
  return word->find('"') == std::string_view::npos ? WordStatus::kOk : WordStatus::kBad;
}

WordStatus parse_value(std::string_view* rest, std::string* scratch, std::string_view* value) {
  skip_blanks(rest);
  if (rest->empty()) return WordStatus::kNone;
  if (rest->front() == '"') {
    rest->remove_prefix(1);
    const WordStatus status = parse_quoted(rest, scratch, value);
    skip_blanks(rest);
    return status != WordStatus::kOk || rest->empty() ? status : WordStatus::kBad;
  }
  *value = *rest;
  *rest = {};
  return WordStatus::kOk;
}

}  // namespace lh::base
