// UTF-8 by the code point, for the formats of load and dump and for the line editor. Strict:
// overlong forms, surrogates and values beyond U+10FFFF are not UTF-8. Pure, safe on any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace lh::client {

struct CodePoint {
  char32_t value = 0;
  size_t size = 0;  // bytes; 0: not UTF-8, or cut short
};

// The code point at the start of `bytes`; size 0 when there is none.
CodePoint next_code_point(std::string_view bytes);

// Whether `bytes` is the beginning of a code point of which the rest may follow.
bool is_incomplete_code_point(std::string_view bytes);

bool is_utf8(std::string_view bytes);

// Bound: c is a Unicode scalar value.
void append_utf8(std::string* out, char32_t c);

// Columns on a terminal: 0 for marks that combine with the character before, 2 for the wide ones of
// East Asian scripts and emoji, else 1. From the large blocks, not from a table of every character.
size_t columns_of(char32_t c);

}  // namespace lh::client
