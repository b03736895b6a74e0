// Strings: formatting, strict number parsing, the words of the text protocol, glob patterns.
//
// Pure functions, safe on any thread. Parsers take views of bytes that a stranger sent: they accept
// exactly what is described and report the rest; no locale, no errno.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lh::base {

// printf into a std::string.
[[gnu::format(printf, 1, 2)]] std::string format(const char* fmt, ...);

// The same, appended to *out.
[[gnu::format(printf, 2, 3)]] void append_format(std::string* out, const char* fmt, ...);

// Digits only (no sign, blank or empty string), at most 2^64 - 1. Leading zeros are fine.
std::optional<uint64_t> parse_u64(std::string_view text);

// The one spelling of a signed 64-bit integer: digits without leading zeros, at most one minus.
std::optional<int64_t> parse_i64(std::string_view text);

// A finite decimal number such as 0.85 or 1e3, nothing around it.
std::optional<double> parse_double(std::string_view text);

// parse_u64 with an optional K, M or G (either case): powers of 1024.
std::optional<uint64_t> parse_size(std::string_view text);

// Where a node listens or is reached. host is a name, an IPv4 address or an IPv6 address without
// its brackets; it is not resolved here.
struct HostPort {
  std::string host;
  uint16_t port = 0;
  friend bool operator==(const HostPort&, const HostPort&) = default;
};

// HOST:PORT; an IPv6 address stands in brackets: [::1]:19528. Neither part may be missing.
std::optional<HostPort> parse_host_port(std::string_view text);
std::string to_string(const HostPort& address);

// ---------------------------------------------------------------------------------------------
// Words and values of a text line. Words are separated by blanks (spaces and tabs). A word is bare,
// or in double quotes with the escapes \" \\ \n \r \t \xHH. Legible means printable ASCII, and
// every valid UTF-8 sequence but control characters and those that reorder or break a line on a
// screen; so human text in any script stays as it is, and stray bytes show as \xHH.

// True when append_word would quote: the word is empty, or has a blank, a quote, a backslash or
// something that is not legible.
bool needs_quotes(std::string_view word);

// Appends the word as parse_word reads it back: bare when possible, else quoted.
void append_word(std::string* out, std::string_view word);

// Appends the value as parse_value reads it back. Bare when it is not empty, is all legible or
// spaces within, and neither starts with a quote nor starts or ends with a space.
void append_value(std::string* out, std::string_view value);

// Appends the bytes in quotes in any case.
void append_quoted(std::string* out, std::string_view bytes);

enum class WordStatus : uint8_t {
  kOk,
  kNone,       // nothing but blanks was left
  kBad,        // a quote inside a bare word, an unclosed quote, or text right after a closing quote
  kBadEscape,  // in quotes, a backslash with something behind it that is no escape
};
// What is wrong, for people. Bound: kBad or kBadEscape.
std::string_view complaint(WordStatus status);

// Takes the next word off *rest. *word is a view of the line or, when there were escapes, of
// *scratch, which it overwrites: one scratch for each word that is kept. After kBad *rest and *word
// are unspecified.
WordStatus parse_word(std::string_view* rest, std::string* scratch, std::string_view* word);

// Takes the value off *rest: after blanks, all that is left as it is, trailing blanks included; or,
// when that starts with a quote, one quoted word with only blanks behind it.
WordStatus parse_value(std::string_view* rest, std::string* scratch, std::string_view* value);

// ---------------------------------------------------------------------------------------------

// Whether the whole text matches the pattern, by Redis's rules, byte by byte: * any bytes, ? any
// one byte, [abc], [a-c], [^x] one byte of (or not of) a set, \ takes the next byte literally. A
// set that is not closed ends with the pattern. Takes no memory and time linear in the text,
// however many stars there are; only a part between two stars that has ?, sets or escapes may take
// as many steps a byte of text as that part is long, so whoever takes patterns from strangers
// bounds their size.
bool glob_match(std::string_view pattern, std::string_view text);

}  // namespace lh::base
