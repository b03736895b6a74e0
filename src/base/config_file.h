// Config files: one `name = value` a line. Blank lines and lines that start with # say nothing; a #
// after a blank starts a comment; a value with such a # or with blanks at its ends stands in double
// quotes, as a word of the text protocol. A BOM and CRLF are tolerated, as editors add them
// unasked.
//
// Pure: text in, lines out. What the names mean is the business of base/flags.h.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lh/status.h"

namespace lh::base {

// A config file of more bytes is something else by mistake.
inline constexpr size_t kConfigFileSizeMax = 1 << 20;

struct ConfigLine {
  std::string name;
  std::string value;
  int line = 0;  // from 1
};

// The lines in order. kInvalid, with "path:line: ", for a line of another form and for a name that
// came before.
Result<std::vector<ConfigLine>> parse_config(std::string_view path, std::string_view text);

// The bytes of a file of at most kConfigFileSizeMax. kInvalid when it cannot be read or is larger.
Result<std::string> read_config_file(const std::string& path);

}  // namespace lh::base
