// Flags: the command line as a table of rows, from which parsing, checking, config file,
// environment and help all follow, so that they cannot disagree.
//
// `--name=value` or `--name value`; a switch is `--name`. The first argument that is no flag, or
// what follows `--`, starts the words: the command of a client, verbatim. A value comes from the
// flag, else the environment (LHNODE_DATA_DIR for --data-dir), else the config file that --config
// names, else the default of the row, and remembers which. Nothing that was said is ignored: every
// value given is checked, even one that another source overrides. Exceptions, as an environment is
// shared by all programs below it: a variable that is empty or belongs to another role counts as
// not set.
//
// Failures are kInvalid (exit status 2) with one sentence that names the flag, the value and what
// it may be. Everything here runs once at the start, on the main thread.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/strings.h"
#include "lh/status.h"

namespace lh::base {

enum class FlagKind : uint8_t {
  kString,
  kU64,       // in [least, most]
  kSize,      // in [least, most] bytes, with K, M or G
  kDouble,    // in [least_real, most_real]
  kWord,      // one of `words`
  kHostPort,  // the port is at least `least`
  kSwitch,    // given or not; in a config file or the environment: true or false
};

enum class FlagSource : uint8_t { kDefault, kFile, kEnvironment, kFlag };
std::string_view to_string(FlagSource source);

// Bit i stands for the i-th of the words of the flag "role".
using FlagRoles = uint32_t;
inline constexpr FlagRoles kAllRoles = ~FlagRoles{0};

// One row. A name may have several rows with disjoint roles, for a default of each.
struct Flag {
  std::string_view name;  // without dashes
  FlagKind kind = FlagKind::kString;
  FlagRoles roles = kAllRoles;
  std::string_view default_text = {};  // empty: no value unless one is given
  std::string_view value_name = {};    // for the help: "N", "DIR"; words and switches need none
  std::string_view help = {};
  std::string_view words = {};  // "always|everysec|never"
  uint64_t least = 0;
  uint64_t most = std::numeric_limits<uint64_t>::max();
  double least_real = 0;
  double most_real = std::numeric_limits<double>::max();
  bool required = false;
  // --help, --version: when given, nothing else is checked or missed.
  bool stops = false;
  // Not empty: the flag (or only its words later_words, with | between them) is known, belongs to a
  // later version and is refused with this sentence.
  std::string_view later = {};
  std::string_view later_words = {};
};

// The rows of a program. Two names have a meaning here: "role" (kWord) decides which rows are
// valid, and "config" (kString) names the config file; a table need not have either.
struct FlagTable {
  std::string_view usage;       // the first line of the help, and what a usage error points at
  std::string_view env_prefix;  // "LHNODE_"; empty: the environment is not asked
  std::span<const Flag> flags;
};

// The values after parsing. A getter of a name or kind that the table does not have for this role
// is a bug and stops the process; so is asking for a value that has() denies.
class FlagValues {
 public:
  // A value was given or has a default.
  bool has(std::string_view name) const;
  FlagSource source(std::string_view name) const;

  const std::string& text(std::string_view name) const;  // any kind, as it was written
  uint64_t u64(std::string_view name) const;             // kU64, kSize
  double real(std::string_view name) const;              // kDouble
  size_t word(std::string_view name) const;              // kWord: its place in `words`
  const HostPort& host_port(std::string_view name) const;
  bool on(std::string_view name) const;  // kSwitch

  // What followed the flags.
  const std::vector<std::string>& words() const { return words_; }

  // "name=value (source)" of each value, in the order of the table; for the log at the start.
  std::vector<std::string> describe() const;

 private:
  friend class FlagParser;

  struct Value {
    const Flag* row;
    FlagSource source = FlagSource::kDefault;
    bool present = false;
    std::string text = {};
    uint64_t number = 0;  // also the word's place, and 1 for a switch that is on
    double real = 0;
    HostPort address = {};
  };

  const Value& value(std::string_view name) const;
  const Value& present(std::string_view name, FlagKind kind) const;

  std::vector<Value> values_;
  std::vector<std::string> words_;
};

// The world as the parser sees it; a test hands in another.
struct FlagWorld {
  std::function<std::optional<std::string>(const std::string& name)> environment;
  std::function<Result<std::string>(const std::string& path)> read_file;

  // getenv and the file system.
  static FlagWorld real();
};

// args: without the program's name.
Result<FlagValues> parse_flags(const FlagTable& table, std::span<const std::string> args,
                               const FlagWorld& world = FlagWorld::real());

// The usage line, then each flag with its values, meaning, roles and default.
std::string flag_help(const FlagTable& table);

}  // namespace lh::base
