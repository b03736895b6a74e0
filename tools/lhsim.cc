// lhsim: runs the protocol core in a simulated world, by seed.
//
//   lhsim --seed=7            one run: its options, its verdict, its counters; --trace prints all
//                             that happens in it
//   lhsim --seeds=1..200      many runs, stops at the first that fails and says how to repeat it
//   lhsim --canaries          plants one bug after the other: each has to be caught
//
// Runs are in processes of their own, --jobs at a time, so that a failed check inside the core is a
// failed run and not the end of all. Exit status: 0 all is well, 1 a violation (or a canary that
// was not caught), 2 usage.
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/flags.h"
#include "base/log.h"
#include "base/strings.h"
#include "sim/canary.h"
#include "sim/simulation.h"

namespace {

using lh::base::Flag;
using lh::base::FlagKind;
using lh::base::format;

constexpr Flag kFlags[] = {
    {.name = "seed", .kind = FlagKind::kU64, .value_name = "N", .help = "run this seed alone"},
    {.name = "seeds", .value_name = "A..B", .help = "run these seeds, both included"},
    {.name = "canaries",
     .kind = FlagKind::kSwitch,
     .help = "plant each canary in turn and see that it is caught"},
    {.name = "canary", .value_name = "NAME", .help = "plant this bug; --canary=list names them"},
    {.name = "ops",
     .kind = FlagKind::kU64,
     .default_text = "0",
     .value_name = "N",
     .help = "operations in a run; 0: what the seed says"},
    {.name = "trace", .kind = FlagKind::kSwitch, .help = "with --seed: print the transcript"},
    {.name = "jobs",
     .kind = FlagKind::kU64,
     .default_text = "0",
     .value_name = "N",
     .help = "runs at a time; 0: one a core",
     .most = 256},
    {.name = "help", .kind = FlagKind::kSwitch, .help = "print this text", .stops = true},
};
constexpr lh::base::FlagTable kTable = {
    .usage = "lhsim --seed=N [--trace] | --seeds=A..B [--jobs=N] | --canaries  [--ops=N]",
    .env_prefix = {},
    .flags = kFlags,
};

// How many seeds a canary may survive.
constexpr uint64_t kCanarySeedsMax = 400;

void print(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

struct Seeds {
  uint64_t first = 0;
  uint64_t last = 0;
};

std::optional<Seeds> parse_seeds(std::string_view text) {
  const size_t dots = text.find("..");
  if (dots == std::string_view::npos) return std::nullopt;
  const auto first = lh::base::parse_u64(text.substr(0, dots));
  const auto last = lh::base::parse_u64(text.substr(dots + 2));
  if (!first || !last || *first > *last) return std::nullopt;
  return Seeds{*first, *last};
}

std::string describe(const lh::sim::Counters& counters) {
  std::string text = counters.to_string() + "\n";
  for (char& c : text) {
    if (c == ' ') c = '\n';
  }
  return text;
}

// ---------------------------------------------------------------------------------- one seed

int run_one(uint64_t seed, uint64_t ops, const std::string& canary, bool trace) {
  const lh::sim::Options options = lh::sim::choose_options(seed, ops);
  print(lh::sim::describe(options));
  std::fflush(stdout);
  lh::sim::Transcript::Listener listener;
  if (trace) listener = [](std::string_view line) { print(line); };
  const lh::sim::RunResult result = lh::sim::run_simulation(options, canary, listener);
  print(describe(result.counters));
  print(format("transcript=%016" PRIx64 "\nverdict=%s\n", result.transcript_hash,
               result.ok() ? "ok" : "violation"));
  if (!result.ok()) print(result.violation + "\n");
  return result.ok() ? 0 : 1;
}

// ------------------------------------------------------------------------------- many seeds

// A process that runs seeds first, first + step, ... and tells of each in lines:
//   start SEED
//   ok SEED COUNTERS           or
//   bad SEED VIOLATION         the first line of it; the process ends
struct Job {
  pid_t pid = 0;
  int pipe = -1;
  std::string unread;
  uint64_t seed = 0;  // under way
  bool done = false;
};

void write_line(int fd, const std::string& line) {
  size_t written = 0;
  while (written < line.size()) {
    const ssize_t n = write(fd, line.data() + written, line.size() - written);
    if (n <= 0) _exit(1);
    written += static_cast<size_t>(n);
  }
}

[[noreturn]] void work(int fd, Seeds seeds, uint64_t step, uint64_t ops,
                       const std::string& canary) {
  for (uint64_t seed = seeds.first; seed <= seeds.last; seed += step) {
    write_line(fd, format("start %" PRIu64 "\n", seed));
    const auto result = lh::sim::run_simulation(lh::sim::choose_options(seed, ops), canary);
    if (!result.ok()) {
      const std::string line = result.violation.substr(0, result.violation.find('\n'));
      write_line(fd, format("bad %" PRIu64 " ", seed) + line + "\n");
      _exit(1);
    }
    write_line(fd, format("ok %" PRIu64 " ", seed) + result.counters.to_string() + "\n");
  }
  _exit(0);
}

class Crew {
 public:
  Crew(Seeds seeds, uint64_t jobs, uint64_t ops, std::string canary, bool progress)
      : seeds_(seeds),
        job_count_(std::min(jobs, seeds.last - seeds.first + 1)),
        ops_(ops),
        canary_(std::move(canary)),
        progress_(progress) {}

  // False after a violation; failure() tells.
  bool run() {
    std::fflush(stdout);
    for (uint64_t k = 0; k < job_count_; ++k) start(k);
    while (!failed_ && running_ > 0) wait();
    for (Job& job : jobs_) stop(&job);
    if (progress_) std::fputs("\r\033[K", stderr);
    return !failed_;
  }

  uint64_t failed_seed() const { return failed_seed_; }
  const std::string& failure() const { return failure_; }
  uint64_t done() const { return done_; }
  const lh::sim::Counters& counters() const { return counters_; }

 private:
  void start(uint64_t number) {
    int ends[2];
    if (pipe(ends) != 0) std::abort();
    const pid_t pid = fork();
    if (pid < 0) std::abort();
    if (pid == 0) {
      close(ends[0]);
      work(ends[1], {seeds_.first + number, seeds_.last}, job_count_, ops_, canary_);
    }
    close(ends[1]);
    jobs_.push_back({pid, ends[0], {}, 0, false});
    ++running_;
  }

  void wait() {
    std::vector<pollfd> polled;
    for (const Job& job : jobs_) polled.push_back({job.done ? -1 : job.pipe, POLLIN, 0});
    if (poll(polled.data(), polled.size(), -1) < 0) return;
    for (size_t k = 0; k < jobs_.size(); ++k) {
      if (polled[k].revents != 0) read_from(&jobs_[k]);
    }
  }

  void read_from(Job* job) {
    char bytes[4096];
    const ssize_t n = read(job->pipe, bytes, sizeof bytes);
    if (n > 0) {
      job->unread.append(bytes, static_cast<size_t>(n));
      size_t end = 0;
      while ((end = job->unread.find('\n')) != std::string::npos) {
        take_line(job, job->unread.substr(0, end));
        job->unread.erase(0, end + 1);
      }
      return;
    }
    job->done = true;
    --running_;
    int status = 0;
    waitpid(job->pid, &status, 0);
    job->pid = 0;
    if (!(WIFEXITED(status) && WEXITSTATUS(status) == 0)) {
      fail(job->seed, "the run ended with a crash or a failed check");
    }
  }

  void take_line(Job* job, const std::string& line) {
    const size_t blank = line.find(' ', line.find(' ') + 1);
    const std::string rest = blank == std::string::npos ? "" : line.substr(blank + 1);
    if (line.starts_with("start ")) {
      job->seed = lh::base::parse_u64(line.substr(6)).value_or(0);
    } else if (line.starts_with("bad ")) {
      fail(job->seed, rest);
    } else if (line.starts_with("ok ")) {
      lh::sim::Counters counters;
      if (!counters.parse(rest)) return fail(job->seed, "cannot read the result");
      counters_.add(counters);
      ++done_;
      if (progress_) {
        std::fprintf(stderr, "\r%" PRIu64 " of %" PRIu64 " seeds", done_,
                     seeds_.last - seeds_.first + 1);
        std::fflush(stderr);
      }
    }
  }

  void fail(uint64_t seed, const std::string& why) {
    if (failed_ && failed_seed_ <= seed) return;
    failed_ = true;
    failed_seed_ = seed;
    failure_ = why;
  }

  static void stop(Job* job) {
    if (job->pid != 0) {
      kill(job->pid, SIGKILL);
      waitpid(job->pid, nullptr, 0);
    }
    close(job->pipe);
  }

  Seeds seeds_;
  uint64_t job_count_;
  uint64_t ops_;
  std::string canary_;
  bool progress_;
  std::vector<Job> jobs_;
  size_t running_ = 0;
  uint64_t done_ = 0;
  lh::sim::Counters counters_;
  bool failed_ = false;
  uint64_t failed_seed_ = 0;
  std::string failure_;
};

int run_many(Seeds seeds, uint64_t jobs, uint64_t ops, const std::string& canary) {
  Crew crew(seeds, jobs, ops, canary, isatty(STDERR_FILENO) != 0);
  if (!crew.run()) {
    print(format("seed %" PRIu64 " failed: ", crew.failed_seed()) + crew.failure() + "\n");
    std::string replay = format("repeat it with: lhsim --seed=%" PRIu64, crew.failed_seed());
    if (ops > 0) replay += format(" --ops=%" PRIu64, ops);
    if (!canary.empty()) replay += " --canary=" + canary;
    print(replay + " --trace\n");
    return 1;
  }
  print(describe(crew.counters()));
  print(format("%" PRIu64 " seeds passed\n", crew.done()));
  return 0;
}

int run_canaries(uint64_t jobs) {
  int status = 0;
  for (const lh::sim::CanaryKind& kind : lh::sim::canary_kinds()) {
    Crew crew({1, kCanarySeedsMax}, jobs, 0, std::string(kind.name), false);
    std::string line = format("canary %-20s ", std::string(kind.name).c_str());
    if (crew.run()) {
      status = 1;
      line += format("NOT CAUGHT in %" PRIu64 " seeds", crew.done());
    } else {
      line += format("caught by seed %" PRIu64 ": ", crew.failed_seed()) + crew.failure();
    }
    print(line + "\n");
    std::fflush(stdout);
  }
  return status;
}

int list_canaries() {
  for (const lh::sim::CanaryKind& kind : lh::sim::canary_kinds()) {
    print(std::string(kind.name) + ": " + std::string(kind.bug) + "\n");
  }
  return 0;
}

int usage(std::string_view why) {
  std::fprintf(stderr, "lhsim: %.*s\nusage: %s\n", static_cast<int>(why.size()), why.data(),
               std::string(kTable.usage).c_str());
  return 2;
}

// What storage logs of broken disks is what is meant to happen.
class Silence final : public lh::base::LogSink {
 public:
  void write(lh::base::LogLevel, std::string_view) override {}
};

}  // namespace

int main(int argc, char** argv) {
  static Silence silence;
  lh::base::set_log_sink(&silence);
  const std::vector<std::string> args(argv + 1, argv + argc);
  const lh::Result<lh::base::FlagValues> parsed = lh::base::parse_flags(kTable, args);
  if (!parsed.ok()) return usage(parsed.status().message());
  const lh::base::FlagValues& flags = parsed.value();
  if (flags.on("help")) {
    print(lh::base::flag_help(kTable));
    return 0;
  }
  const std::string canary = flags.has("canary") ? flags.text("canary") : std::string();
  if (canary == "list") return list_canaries();
  if (!canary.empty() && lh::sim::make_canary(canary) == nullptr) {
    return usage("there is no canary '" + canary + "'");
  }
  const uint64_t ops = flags.u64("ops");
  uint64_t jobs = flags.u64("jobs");
  if (jobs == 0) jobs = static_cast<uint64_t>(std::max(1L, sysconf(_SC_NPROCESSORS_ONLN)));
  if (flags.on("canaries")) return run_canaries(jobs);
  if (flags.has("seed")) return run_one(flags.u64("seed"), ops, canary, flags.on("trace"));
  if (!flags.has("seeds")) return usage("--seed, --seeds or --canaries is needed");
  const std::optional<Seeds> seeds = parse_seeds(flags.text("seeds"));
  if (!seeds) return usage("--seeds wants A..B with A <= B");
  return run_many(*seeds, jobs, ops, canary);
}
