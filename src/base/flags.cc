#include "base/flags.h"

#include <algorithm>
#include <cstdlib>

#include "base/check.h"
#include "base/config_file.h"
#include "base/flag_text.h"

namespace lh::base {

// One value that somebody gave, before anyone knows whether it is good.
struct GivenFlag {
  std::string name;
  std::string text;
  FlagSource source = FlagSource::kFlag;
  std::string where;  // "lhnode.conf:3" or "LHNODE_WORKERS"; empty for a flag
};

// The steps of parse_flags; a member that fails leaves its sentence in error_.
class FlagParser {
 public:
  FlagParser(const FlagTable& table, const FlagWorld& world) : table_(table), world_(world) {}

  Result<FlagValues> parse(std::span<const std::string> args) {
    const bool good = scan(args) && (stopped_ ? store_stops() : gather_and_store());
    if (!good) return Status(StatusCode::kInvalid, error_);
    return std::move(result_);
  }

 private:
  using Value = FlagValues::Value;

  bool fail(std::string sentence) {
    error_ = std::move(sentence);
    return false;
  }

  // "--workers=0", with where it came from.
  std::string spelled(const GivenFlag& given) const {
    std::string shown = "--" + given.name + "=" + given.text;
    if (given.source == FlagSource::kFile) return given.where + ": " + shown;
    if (given.source == FlagSource::kEnvironment) return shown + " (from " + given.where + ")";
    return shown;
  }

  const Flag* any_row(std::string_view name) const {
    const auto row = std::find_if(table_.flags.begin(), table_.flags.end(),
                                  [name](const Flag& flag) { return flag.name == name; });
    return row == table_.flags.end() ? nullptr : &*row;
  }

  const Flag* row_of_role(std::string_view name) const {
    const auto row = std::find_if(table_.flags.begin(), table_.flags.end(), [&](const Flag& flag) {
      return flag.name == name && (flag.roles & role_) != 0;
    });
    return row == table_.flags.end() ? nullptr : &*row;
  }

  bool fail_unknown(const std::string& where, std::string_view name) {
    std::string sentence = where + "unknown flag --" + std::string(name);
    const std::string_view close = closest_flag(table_, name);
    if (!close.empty()) {
      sentence.append("; did you mean --").append(close).append("?");
    } else if (any_row("help") != nullptr) {
      sentence.append("; see --help");
    }
    return fail(std::move(sentence));
  }

  const GivenFlag* find_given(std::string_view name, FlagSource source) const {
    const auto found = std::find_if(given_.begin(), given_.end(), [&](const GivenFlag& given) {
      return given.name == name && given.source == source;
    });
    return found == given_.end() ? nullptr : &*found;
  }

  // What the most important source says, before any checking.
  const GivenFlag* find_given(std::string_view name) const {
    for (const auto source : {FlagSource::kFlag, FlagSource::kEnvironment, FlagSource::kFile}) {
      if (const GivenFlag* given = find_given(name, source)) return given;
    }
    return nullptr;
  }

  // The command line: flags up to the first word.
  bool scan(std::span<const std::string> args) {
    size_t next = 0;
    while (next < args.size() && args[next].size() > 1 && args[next].starts_with('-')) {
      if (args[next] == "--") {
        ++next;
        break;
      }
      if (!scan_flag(args, &next)) return false;
    }
    result_.words_.assign(args.begin() + static_cast<ptrdiff_t>(next), args.end());
    return true;
  }

  // The flag at args[*next], and its value when that is the argument behind it.
  bool scan_flag(std::span<const std::string> args, size_t* next) {
    const std::string& arg = args[(*next)++];
    if (!arg.starts_with("--")) {
      return fail("unknown flag " + arg + "; flags start with two dashes");
    }
    const size_t equals = arg.find('=');
    const std::string name = arg.substr(2, equals == std::string::npos ? equals : equals - 2);
    const Flag* row = any_row(name);
    if (row == nullptr) return fail_unknown("", name);
    if (find_given(name, FlagSource::kFlag) != nullptr) {
      return fail("--" + name + " is given twice");
    }
    std::string text;
    if (equals != std::string::npos) {
      text = arg.substr(equals + 1);
    } else if (row->kind == FlagKind::kSwitch) {
      text = "true";
    } else if (*next < args.size() && !args[*next].starts_with("--")) {
      text = args[(*next)++];
    }
    if (text.empty()) return fail("--" + name + " needs a value: " + expectation(*row));
    stopped_ = stopped_ || row->stops;
    given_.push_back({name, std::move(text), FlagSource::kFlag, {}});
    return true;
  }

  // --help or --version: these switches alone have a value.
  bool store_stops() {
    for (const Flag& flag : table_.flags) {
      if (!flag.stops) continue;
      Value value{.row = &flag};
      const GivenFlag* given = find_given(flag.name);
      if (given != nullptr && !convert(*given, &value)) return false;
      result_.values_.push_back(std::move(value));
    }
    return true;
  }

  bool gather_and_store() {
    return read_environment() && read_file() && find_role() && store_all() && find_missing();
  }

  bool read_environment() {
    if (table_.env_prefix.empty()) return true;
    for (const Flag& flag : table_.flags) {
      const std::string variable = environment_name(table_.env_prefix, flag.name);
      if (flag.stops || find_given(flag.name, FlagSource::kEnvironment) != nullptr) continue;
      const std::optional<std::string> text = world_.environment(variable);
      if (!text || text->empty()) continue;
      given_.push_back({std::string(flag.name), *text, FlagSource::kEnvironment, variable});
    }
    return true;
  }

  bool read_file() {
    const GivenFlag* config = any_row("config") == nullptr ? nullptr : find_given("config");
    if (config == nullptr) return true;
    const std::string path = config->text;
    const Result<std::string> text = world_.read_file(path);
    if (!text.ok()) return fail(std::string(text.status().message()));
    const Result<std::vector<ConfigLine>> lines = parse_config(path, text.value());
    if (!lines.ok()) return fail(std::string(lines.status().message()));
    for (const ConfigLine& line : lines.value()) {
      if (!take_line(path, line)) return false;
    }
    return true;
  }

  bool take_line(const std::string& path, const ConfigLine& line) {
    const std::string where = path + ":" + std::to_string(line.line);
    const Flag* row = any_row(line.name);
    if (row == nullptr) return fail_unknown(where + ": ", line.name);
    if (row->stops || line.name == "config") {
      return fail(where + ": --" + line.name +
                  " belongs on the command line, not in a config file");
    }
    if (line.value.empty()) {
      return fail(where + ": --" + line.name + " needs a value: " + expectation(*row));
    }
    given_.push_back({line.name, line.value, FlagSource::kFile, where});
    return true;
  }

  bool find_role() {
    const Flag* row = any_row("role");
    if (row == nullptr) return true;
    const GivenFlag* given = find_given("role");
    if (given == nullptr) return fail("--role is missing: " + expectation(*row));
    const std::optional<size_t> place = place_of_word(row->words, given->text);
    if (!place) return fail(spelled(*given) + " is not " + expectation(*row));
    role_ = FlagRoles{1} << *place;
    role_name_ = given->text;
    return true;
  }

  // Every given value is checked; the most important source is stored last and stays.
  bool store_all() {
    for (const Flag& flag : table_.flags) {
      if ((flag.roles & role_) == 0) continue;
      Value value{.row = &flag};
      if (!flag.default_text.empty()) {
        const GivenFlag fallback{
            std::string(flag.name), std::string(flag.default_text), FlagSource::kDefault, {}};
        LH_CHECK(convert(fallback, &value), error_);
      }
      result_.values_.push_back(std::move(value));
    }
    for (const auto source : {FlagSource::kFile, FlagSource::kEnvironment, FlagSource::kFlag}) {
      for (const GivenFlag& given : given_) {
        if (given.source == source && !store(given)) return false;
      }
    }
    return true;
  }

  bool store(const GivenFlag& given) {
    const Flag* row = row_of_role(given.name);
    if (row == nullptr) {
      if (given.source == FlagSource::kEnvironment) return true;
      return fail(spelled(given) + " is not for role " + role_name_ + ", only for " +
                  role_list(table_, roles_of_name(table_, given.name)));
    }
    const auto value = std::find_if(result_.values_.begin(), result_.values_.end(),
                                    [row](const Value& v) { return v.row == row; });
    return convert(given, &*value);
  }

  // Parses the text by the kind of the row and stores it.
  bool convert(const GivenFlag& given, Value* value) {
    const Flag& row = *value->row;
    if (is_for_later(row, given.text)) return fail(spelled(given) + ": " + std::string(row.later));
    if (!parse_text(row, given.text, value)) {
      return fail(spelled(given) + " is not " + expectation(row));
    }
    if (!in_range(row, *value)) {
      return fail(spelled(given) + " is out of range: " + range_text(row));
    }
    value->text = given.text;
    value->source = given.source;
    value->present = true;
    return true;
  }

  template <typename From, typename To>
  static bool assign(const std::optional<From>& parsed, To* to) {
    if (parsed) *to = *parsed;
    return parsed.has_value();
  }

  static bool parse_text(const Flag& row, const std::string& text, Value* value) {
    switch (row.kind) {
      case FlagKind::kString:
        return true;
      case FlagKind::kU64:
        return assign(parse_u64(text), &value->number);
      case FlagKind::kSize:
        return assign(parse_size(text), &value->number);
      case FlagKind::kDouble:
        return assign(parse_double(text), &value->real);
      case FlagKind::kWord:
        return assign(place_of_word(row.words, text), &value->number);
      case FlagKind::kHostPort:
        return assign(parse_host_port(text), &value->address);
      case FlagKind::kSwitch:
        return assign(place_of_word("false|true", text), &value->number);
    }
    LH_UNREACHABLE();
  }

  static bool in_range(const Flag& row, const Value& value) {
    switch (row.kind) {
      case FlagKind::kU64:
      case FlagKind::kSize:
        return value.number >= row.least && value.number <= row.most;
      case FlagKind::kDouble:
        return value.real >= row.least_real && value.real <= row.most_real;
      case FlagKind::kHostPort:
        return value.address.port >= row.least;
      default:
        return true;
    }
  }

  bool find_missing() {
    for (const Value& value : result_.values_) {
      if (value.row->required && !value.present) {
        const std::string who = role_name_.empty() ? "" : " for role " + role_name_;
        return fail("--" + std::string(value.row->name) + " is missing" + who + ": " +
                    expectation(*value.row));
      }
    }
    return true;
  }

  const FlagTable& table_;
  const FlagWorld& world_;
  std::vector<GivenFlag> given_;
  FlagRoles role_ = kAllRoles;
  std::string role_name_;
  bool stopped_ = false;
  FlagValues result_;
  std::string error_;
};

const FlagValues::Value& FlagValues::value(std::string_view name) const {
  const auto found = std::find_if(values_.begin(), values_.end(),
                                  [name](const Value& v) { return v.row->name == name; });
  LH_CHECK(found != values_.end(), name);
  return *found;
}

const FlagValues::Value& FlagValues::present(std::string_view name, FlagKind kind) const {
  const Value& found = value(name);
  LH_CHECK(found.row->kind == kind, name);
  LH_CHECK(found.present, name);
  return found;
}

bool FlagValues::has(std::string_view name) const { return value(name).present; }

FlagSource FlagValues::source(std::string_view name) const { return value(name).source; }

const std::string& FlagValues::text(std::string_view name) const {
  LH_CHECK(has(name), name);
  return value(name).text;
}

uint64_t FlagValues::u64(std::string_view name) const {
  const bool is_size = value(name).row->kind == FlagKind::kSize;
  return present(name, is_size ? FlagKind::kSize : FlagKind::kU64).number;
}

double FlagValues::real(std::string_view name) const {
  return present(name, FlagKind::kDouble).real;
}

size_t FlagValues::word(std::string_view name) const {
  return present(name, FlagKind::kWord).number;
}

const HostPort& FlagValues::host_port(std::string_view name) const {
  return present(name, FlagKind::kHostPort).address;
}

bool FlagValues::on(std::string_view name) const {
  const Value& found = value(name);
  LH_CHECK(found.row->kind == FlagKind::kSwitch, name);
  return found.number == 1;
}

std::vector<std::string> FlagValues::describe() const {
  std::vector<std::string> lines;
  for (const Value& v : values_) {
    if (!v.present) continue;
    std::string line(v.row->name);
    line.append("=").append(v.text).append(" (").append(to_string(v.source)).append(")");
    lines.push_back(std::move(line));
  }
  return lines;
}

FlagWorld FlagWorld::real() {
  return {[](const std::string& name) -> std::optional<std::string> {
            const char* text = std::getenv(name.c_str());
            return text == nullptr ? std::nullopt : std::optional<std::string>(text);
          },
          &read_config_file};
}

Result<FlagValues> parse_flags(const FlagTable& table, std::span<const std::string> args,
                               const FlagWorld& world) {
  return FlagParser(table, world).parse(args);
}

}  // namespace lh::base
