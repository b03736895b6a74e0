#include "base/flag_text.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "base/check.h"

namespace lh::base {
namespace {

constexpr uint64_t kNoMost = std::numeric_limits<uint64_t>::max();
constexpr double kNoMostReal = std::numeric_limits<double>::max();
constexpr size_t kTypingErrorsMax = 2;

// The help's second column starts here, and its lines end here.
constexpr size_t kHelpColumn = 28;
constexpr size_t kHelpWidth = 80;

std::vector<std::string_view> split_words(std::string_view words) {
  std::vector<std::string_view> parts;
  while (!words.empty()) {
    const std::string_view part = words.substr(0, words.find('|'));
    parts.push_back(part);
    words.remove_prefix(std::min(words.size(), part.size() + 1));
  }
  return parts;
}

// "a, b or c"
std::string join_alternatives(const std::vector<std::string_view>& parts) {
  std::string out;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) out.append(i + 1 == parts.size() ? " or " : ", ");
    out.append(parts[i]);
  }
  return out;
}

// The words that are not for later.
std::vector<std::string_view> current_words(const Flag& row) {
  std::vector<std::string_view> words = split_words(row.words);
  std::erase_if(words, [&row](std::string_view word) { return is_for_later(row, word); });
  return words;
}

// "1 to 5", "at least 1", or nothing when the bounds are those of the type.
std::string between(const std::string& least, bool has_least, const std::string& most,
                    bool has_most) {
  if (has_most) return least + " to " + most;
  return has_least ? "at least " + least : std::string();
}

// How many insertions, deletions and replacements lead from a to b.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

// "DIR", or what the kind is called when the row has no name for its value.
std::string_view value_name(const Flag& row) {
  if (!row.value_name.empty()) return row.value_name;
  switch (row.kind) {
    case FlagKind::kU64:
      return "N";
    case FlagKind::kSize:
      return "SIZE";
    case FlagKind::kDouble:
      return "F";
    case FlagKind::kHostPort:
      return "HOST:PORT";
    default:
      return "TEXT";
  }
}

// "--fsync=always|everysec|never"
std::string help_head(const Flag& row) {
  std::string head = "  --" + std::string(row.name);
  if (row.kind == FlagKind::kSwitch) return head;
  head.append("=");
  if (row.kind != FlagKind::kWord) return head.append(value_name(row));
  std::string separator;
  for (const std::string_view word : current_words(row)) {
    head.append(separator).append(word);
    separator = "|";
  }
  return head;
}

// "coordinator, bucket; default always"; empty when there is nothing to say.
std::string help_notes(const FlagTable& table, const Flag& row) {
  std::string notes;
  if (row.roles != kAllRoles) notes = role_list(table, row.roles);
  const auto add = [&notes](std::string_view note) {
    if (!notes.empty()) notes.append("; ");
    notes.append(note);
  };
  if (row.required) add("required");
  if (!row.default_text.empty()) add("default " + std::string(row.default_text));
  return notes;
}

// Appends text, broken between words, with each line starting in kHelpColumn.
void append_wrapped(std::string* out, std::string_view text) {
  size_t column = kHelpColumn;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    if (column > kHelpColumn && column + 1 + word.size() > kHelpWidth) {
      out->append("\n").append(kHelpColumn, ' ');
      column = kHelpColumn;
    } else if (column > kHelpColumn) {
      out->append(" ");
      ++column;
    }
    out->append(word);
    column += word.size();
  }
  out->append("\n");
}

}  // namespace

std::string_view to_string(FlagSource source) {
  switch (source) {
    case FlagSource::kDefault:
      return "default";
    case FlagSource::kFile:
      return "config file";
    case FlagSource::kEnvironment:
      return "environment";
    case FlagSource::kFlag:
      return "flag";
  }
  LH_UNREACHABLE();
}

std::string environment_name(std::string_view prefix, std::string_view flag_name) {
  std::string name(prefix);
  for (const char c : flag_name) {
    name.push_back(c == '-' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c);
  }
  return name;
}

bool is_for_later(const Flag& row, std::string_view text) {
  if (row.later.empty()) return false;
  return row.later_words.empty() || place_of_word(row.later_words, text).has_value();
}

std::optional<size_t> place_of_word(std::string_view words, std::string_view word) {
  const std::vector<std::string_view> parts = split_words(words);
  const auto found = std::find(parts.begin(), parts.end(), word);
  if (found == parts.end()) return std::nullopt;
  return static_cast<size_t>(found - parts.begin());
}

std::string range_text(const Flag& row) {
  if (row.kind == FlagKind::kDouble) {
    return between(format("%g", row.least_real), row.least_real != 0, format("%g", row.most_real),
                   row.most_real != kNoMostReal);
  }
  if (row.kind == FlagKind::kHostPort) {
    return row.least == 0 ? "" : "a port of at least " + std::to_string(row.least);
  }
  const bool has_most = row.most != kNoMost;
  return between(std::to_string(row.least), row.least != 0, std::to_string(row.most), has_most);
}

std::string expectation(const Flag& row) {
  const std::string range = range_text(row);
  const std::string suffix = range.empty() ? "" : ", " + range;
  switch (row.kind) {
    case FlagKind::kString:
      return std::string(value_name(row));
    case FlagKind::kU64:
      return "a whole number" + suffix;
    case FlagKind::kSize:
      return "a size such as 512M (K, M and G are powers of 1024)" + suffix;
    case FlagKind::kDouble:
      return "a number" + suffix;
    case FlagKind::kWord:
      return join_alternatives(current_words(row));
    case FlagKind::kHostPort:
      return "HOST:PORT";
    case FlagKind::kSwitch:
      return "true or false";
  }
  LH_UNREACHABLE();
}

FlagRoles roles_of_name(const FlagTable& table, std::string_view name) {
  FlagRoles roles = 0;
  for (const Flag& flag : table.flags) {
    if (flag.name == name) roles |= flag.roles;
  }
  return roles;
}

std::string role_list(const FlagTable& table, FlagRoles roles) {
  std::vector<std::string_view> named;
  for (const Flag& flag : table.flags) {
    if (flag.name == "role") named = split_words(flag.words);
  }
  std::string list;
  bool all = true;
  for (size_t i = 0; i < named.size(); ++i) {
    const bool listed = (roles >> i & 1) != 0;
    all = all && listed;
    if (listed) list.append(list.empty() ? "" : ", ").append(named[i]);
  }
  return all ? "all" : list;
}

std::string_view closest_flag(const FlagTable& table, std::string_view name) {
  std::string_view closest;
  size_t least = kTypingErrorsMax + 1;
  for (const Flag& flag : table.flags) {
    const size_t distance = edit_distance(name, flag.name);
    if (distance >= least || distance >= flag.name.size()) continue;
    least = distance;
    closest = flag.name;
  }
  return closest;
}

std::string flag_help(const FlagTable& table) {
  std::string help(table.usage);
  help.append("\n\n");
  for (const Flag& flag : table.flags) {
    if (!flag.later.empty() && flag.later_words.empty()) continue;
    std::string head = help_head(flag);
    if (head.size() + 2 > kHelpColumn) {
      help.append(head).append("\n").append(kHelpColumn, ' ');
    } else {
      head.resize(kHelpColumn, ' ');
      help.append(head);
    }
    const std::string notes = help_notes(table, flag);
    std::string text(flag.help);
    if (!notes.empty()) text.append(" (").append(notes).append(")");
    append_wrapped(&help, text);
  }
  return help;
}

}  // namespace lh::base
