// lhdump: what is in a data directory, or in one file of it, as lines.
//
//   lhdump DIR                 the manifest, each file, each frame, and whether all of it is whole
//   lhdump --records FILE      the records too, payloads quoted as in the text protocol
//   lhdump --verify DIR        the verdict alone
//
// It changes nothing and takes no lock. Exit status: 0 all is well (a torn tail is, and is shown),
// 1 it cannot be read, 2 usage, 4 damaged: file and offset on stderr.
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "base/flags.h"
#include "storage/dump.h"
#include "storage/posix_env.h"

namespace {

using lh::base::Flag;
using lh::base::FlagKind;

constexpr Flag kFlags[] = {
    {.name = "records", .kind = FlagKind::kSwitch, .help = "print the records too"},
    {.name = "verify", .kind = FlagKind::kSwitch, .help = "print the verdict alone"},
    {.name = "help", .kind = FlagKind::kSwitch, .help = "print this text", .stops = true},
};
constexpr lh::base::FlagTable kTable = {
    .usage = "lhdump [--records] [--verify] PATH...",
    .env_prefix = {},
    .flags = kFlags,
};

int usage(std::string_view why) {
  std::fprintf(stderr, "lhdump: %.*s\nusage: %.*s\n", static_cast<int>(why.size()), why.data(),
               static_cast<int>(kTable.usage.size()), kTable.usage.data());
  return 2;
}

void print_line(std::string_view line) {
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fputc('\n', stdout);
}

// 0, 1 or 4.
int dump(const std::string& path, lh::storage::DumpOptions options) {
  lh::storage::Env* env = lh::storage::posix_env();
  const bool is_directory = env->list(path).ok();
  const lh::Status status = is_directory
                                ? lh::storage::dump_directory(env, path, options, print_line)
                                : lh::storage::dump_file(env, path, options, print_line);
  if (status.ok()) return 0;
  const std::string_view why = status.message();
  std::fflush(stdout);
  std::fprintf(stderr, "lhdump: %.*s\n", static_cast<int>(why.size()), why.data());
  return status.code() == lh::StatusCode::kDamaged ? 4 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> args(argv + 1, argv + argc);
  const lh::Result<lh::base::FlagValues> parsed = lh::base::parse_flags(kTable, args);
  if (!parsed.ok()) return usage(parsed.status().message());
  const lh::base::FlagValues& flags = parsed.value();
  if (flags.on("help")) {
    const std::string help = lh::base::flag_help(kTable);
    std::fwrite(help.data(), 1, help.size(), stdout);
    return 0;
  }
  if (flags.words().empty()) return usage("which directory or file?");
  if (flags.on("records") && flags.on("verify")) return usage("--records or --verify, not both");
  int worst = 0;
  for (const std::string& path : flags.words()) {
    const int code = dump(path, {.frames = !flags.on("verify"), .records = flags.on("records")});
    if (code > worst) worst = code;
  }
  return worst;
}
