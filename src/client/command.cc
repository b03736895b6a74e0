#include "client/command.h"

#include <algorithm>
#include <optional>

#include "base/strings.h"
#include "core/limits.h"
#include "wire/text_answers.h"
#include "wire/text_commands.h"

namespace lh::client {
namespace {

struct OwnSpec {
  Own own;
  std::string_view name;
  std::string_view usage;  // its arguments; empty when there are none
  std::string_view help;
};

constexpr OwnSpec kOwn[] = {
    {Own::kLoad, "LOAD", "file", "add or change the records of a file (- is stdin)"},
    {Own::kDump, "DUMP", "file", "write all records to a file, in no order (- is stdout)"},
    {Own::kImage, "IMAGE", "", "show this client's image and the true file state"},
    {Own::kBench, "BENCH", "[flags]", "measure the file with a workload of YCSB (BENCH --help)"},
};

std::string in_case(std::string_view word, int (*convert)(int)) {
  std::string out(word);
  for (char& c : out) c = static_cast<char>(convert(static_cast<unsigned char>(c)));
  return out;
}

int to_lower(int c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; }
int to_upper(int c) { return c >= 'a' && c <= 'z' ? c - 32 : c; }

const OwnSpec* find_own(std::string_view word) {
  const std::string name = in_case(word, to_upper);
  for (const OwnSpec& spec : kOwn) {
    if (spec.name == name) return &spec;
  }
  return nullptr;
}

std::string wrong_count(std::string_view name, std::string_view usage) {
  std::string error("wrong number of arguments: ");
  error.append(name);
  if (!usage.empty()) error.append(" ").append(usage);
  return error;
}

size_t count_of(wire::Arguments arguments) {
  switch (arguments) {
    case wire::Arguments::kNone:
      return 0;
    case wire::Arguments::kKeyAndValue:
      return 2;
    case wire::Arguments::kKey:
    case wire::Arguments::kPattern:
    case wire::Arguments::kBucket:
      return 1;
  }
  return 0;
}

}  // namespace

const Command& CommandParser::fail(std::string_view why) {
  error_.assign("ERR ").append(why);
  command_ = {};
  command_.text.verb = wire::Verb::kBad;
  command_.text.error = error_;
  return command_;
}

const Command& CommandParser::take_bench(std::span<const std::string> args) {
  Result<BenchOptions> options = parse_bench_options(args);
  if (!options.ok()) return fail(options.status().message());
  command_ = {};
  command_.own = Own::kBench;
  command_.bench = options.value();
  return command_;
}

const Command& CommandParser::parse_line(std::string_view line) {
  std::string_view rest = line;
  std::string_view name;
  const OwnSpec* own = nullptr;
  if (base::parse_word(&rest, &scratch_, &name) == base::WordStatus::kOk) own = find_own(name);
  command_ = {};
  if (own == nullptr) {
    command_.text = parser_.parse(line);
    return command_;
  }
  base::WordStatus status = base::WordStatus::kOk;
  if (own->own == Own::kBench) {
    std::vector<std::string> args;
    std::string_view word;
    while ((status = base::parse_word(&rest, &scratch_, &word)) == base::WordStatus::kOk) {
      args.emplace_back(word);
    }
    return status == base::WordStatus::kNone ? take_bench(args) : fail(base::complaint(status));
  }
  command_.own = own->own;
  if (!own->usage.empty()) status = base::parse_word(&rest, &file_scratch_, &command_.file);
  const bool complete = status == base::WordStatus::kOk;
  if (!complete && status != base::WordStatus::kNone) return fail(base::complaint(status));
  const bool over = rest.find_first_not_of(" \t") == std::string_view::npos;
  return complete && over ? command_ : fail(wrong_count(own->name, own->usage));
}

const Command& CommandParser::parse_words(std::span<const std::string> words) {
  command_ = {};
  const size_t count = words.size() - 1;
  const std::string& first = count > 0 ? words[1] : words[0];
  if (const OwnSpec* own = find_own(words[0])) {
    if (own->own == Own::kBench) return take_bench(words.subspan(1));
    if (count != (own->usage.empty() ? 0u : 1u)) return fail(wrong_count(own->name, own->usage));
    command_.own = own->own;
    command_.file = first;
    return command_;
  }
  const wire::CommandSpec* spec = wire::find_command(words[0]);
  if (spec == nullptr) {
    std::string error("unknown command '");
    wire::append_printable(&error, words[0]);
    return fail(error.append("': try HELP"));
  }
  if (count != count_of(spec->arguments)) {
    return fail(wrong_count(spec->name, wire::usage(spec->arguments)));
  }
  command_.text.verb = spec->verb;
  if (count > 0) command_.text.key = first;
  if (count > 1) command_.text.value = words[2];
  if (spec->arguments == wire::Arguments::kPattern) command_.text.scan = wire::scan_pattern(first);
  if (spec->arguments == wire::Arguments::kBucket) {
    const std::optional<uint64_t> number = base::parse_u64(first);
    if (!number || *number >= kBucketsMax) return fail("bucket is not an integer or out of range");
    command_.text.bucket = *number;
  }
  return command_;
}

void append_client_help(std::string* out) {
  wire::append_help(out);
  // The line that ends the protocol's own list gives way to more commands.
  out->erase(out->rfind("END "));
  for (const OwnSpec& spec : kOwn) {
    out->append(spec.name);
    if (!spec.usage.empty()) out->append(" ").append(spec.usage);
    out->append(": ").append(spec.help).push_back('\n');
  }
  base::append_format(out, "END %zu commands\n", wire::commands().size() + std::size(kOwn));
}

std::vector<std::string> command_names() {
  std::vector<std::string> names;
  const auto add = [&names](std::string_view name) {
    if (!name.empty()) names.push_back(in_case(name, to_lower));
  };
  for (const wire::CommandSpec& spec : wire::commands()) {
    add(spec.name);
    for (const std::string_view alias : spec.aliases) add(alias);
  }
  for (const OwnSpec& spec : kOwn) add(spec.name);
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace lh::client
