// What a flag table says in words: the parts of error sentences and the help. Internal to
// base/flags.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/flags.h"

namespace lh::base {

// LHNODE_DATA_DIR for "LHNODE_" and "data-dir".
std::string environment_name(std::string_view prefix, std::string_view flag_name);

// The place of a word in "always|everysec|never".
std::optional<size_t> place_of_word(std::string_view words, std::string_view word);

// Whether the flag, or this text for it, belongs to a later version.
bool is_for_later(const Flag& row, std::string_view text);

// What the value of this row may be: "a whole number from 1 to 1024", "always, everysec or never".
std::string expectation(const Flag& row);

// "1 to 1024", "at least 1", "a port of at least 1"; empty when any value of the kind will do.
std::string range_text(const Flag& row);

// The roles of all rows of this name together.
FlagRoles roles_of_name(const FlagTable& table, std::string_view name);

// "coordinator, bucket"; "all" when every role of the table is in it or the table has no roles.
std::string role_list(const FlagTable& table, FlagRoles roles);

// The name of the table that is at most two typing errors away; empty when there is none.
std::string_view closest_flag(const FlagTable& table, std::string_view name);

}  // namespace lh::base
