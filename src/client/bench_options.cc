#include "client/bench_options.h"

#include "base/flags.h"
#include "core/limits.h"

namespace lh::client {
namespace {

using base::Flag;
using base::FlagKind;

constexpr uint64_t kCountMax = 1'000'000'000'000;

constexpr Flag kFlags[] = {
    {.name = "workload",
     .kind = FlagKind::kWord,
     .default_text = "a",
     .help = "a core mix of YCSB: half updates, 5 % updates, reads only, latest, read-modify-write",
     .words = "a|b|c|d|f"},
    {.name = "keys",
     .kind = FlagKind::kWord,
     .default_text = "zipfian",
     .help = "which records are asked for; d always asks for the latest",
     .words = "zipfian|uniform"},
    {.name = "records",
     .kind = FlagKind::kU64,
     .default_text = "100000",
     .value_name = "N",
     .help = "put first, one after the other",
     .least = 1,
     .most = kCountMax},
    {.name = "ops",
     .kind = FlagKind::kU64,
     .default_text = "1000000",
     .value_name = "N",
     .help = "operations of the workload; 0: only load",
     .most = kCountMax},
    {.name = "value-size",
     .kind = FlagKind::kSize,
     .default_text = "100",
     .value_name = "B",
     .help = "bytes of a value",
     .most = core::kValueBytesMax},
    {.name = "clients",
     .kind = FlagKind::kU64,
     .default_text = "8",
     .value_name = "N",
     .help = "connections, each with an image of its own",
     .least = 1,
     .most = 1'000},
    {.name = "depth",
     .kind = FlagKind::kU64,
     .default_text = "16",
     .value_name = "N",
     .help = "requests that a client has under way at most",
     .least = 1,
     .most = core::kClientWindowMax},
    {.name = "rate",
     .kind = FlagKind::kU64,
     .default_text = "0",
     .value_name = "N",
     .help = "operations a second, of all clients; a latency then counts from when the operation "
             "was due. 0: as fast as it goes",
     .most = 1'000'000'000},
    {.name = "json", .kind = FlagKind::kSwitch, .help = "print one JSON object"},
    {.name = "help", .kind = FlagKind::kSwitch, .help = "print this", .stops = true},
};

// What was asked for is said in full where it is asked: no environment.
constexpr base::FlagTable kTable{"bench [flags]", "", kFlags};

}  // namespace

char letter(Workload workload) { return "abcdf"[static_cast<size_t>(workload)]; }

Result<BenchOptions> parse_bench_options(std::span<const std::string> args) {
  const Result<base::FlagValues> parsed = base::parse_flags(kTable, args);
  if (!parsed.ok()) return parsed.status();
  const base::FlagValues& values = parsed.value();
  if (!values.words().empty()) {
    return Status(StatusCode::kInvalid, "'" + values.words()[0] + "' is no flag of bench");
  }
  BenchOptions options;
  options.help = values.on("help");
  if (options.help) return options;
  options.workload = static_cast<Workload>(values.word("workload"));
  options.keys = static_cast<KeyOrder>(values.word("keys"));
  options.records = values.u64("records");
  options.operations = values.u64("ops");
  options.value_size = values.u64("value-size");
  options.clients = values.u64("clients");
  options.depth = values.u64("depth");
  options.rate = values.u64("rate");
  options.json = values.on("json");
  return options;
}

std::string bench_help() { return base::flag_help(kTable); }

}  // namespace lh::client
