// The JSON that records are written in, no more: strings, and objects whose members are strings or
// whole numbers; and base64 for bytes that no JSON string can hold. Strict as RFC 8259 is: no
// comments, no control bytes in a string, no lone surrogates, UTF-8 only. Pure, safe on any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lh::client {

// Appends the text as a JSON string with its quotes. Bound: it is UTF-8.
void append_json_string(std::string* out, std::string_view text);

// RFC 4648 with padding.
void append_base64(std::string* out, std::string_view bytes);
// Nothing when the text is not base64, or is not what append_base64() writes for those bytes.
std::optional<std::string> decode_base64(std::string_view text);

struct JsonValue {
  std::string text;  // of a number its digits
  bool is_number = false;
  friend bool operator==(const JsonValue&, const JsonValue&) = default;
};
using JsonMembers = std::vector<std::pair<std::string, JsonValue>>;

// The members of the object that the whole text is, in their order. Empty *error means success;
// else it says what is wrong, in a few words.
JsonMembers parse_json_object(std::string_view text, std::string_view* error);

}  // namespace lh::client
