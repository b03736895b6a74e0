#include "client/runner.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/check.h"
#include "base/os_error.h"
#include "base/strings.h"
#include "client/bench.h"
#include "client/dump.h"
#include "client/load.h"
#include "client/trace.h"
#include "core/limits.h"
#include "wire/text_answers.h"
#include "wire/text_commands.h"

namespace lh::client {
namespace {

using Kind = core::FileRequest::Kind;

constexpr base::Duration kWait = base::ms(50);
// Of an answer that is printed in portions.
constexpr size_t kPortionBytes = size_t{64} << 10;

}  // namespace

Runner::Runner(Session& session, Output& out, const Setup& setup)
    : session_(session), out_(out), setup_(setup) {
  session_.set_sink(this);
}

Runner::~Runner() { session_.set_sink(nullptr); }

Outcome Runner::refuse(std::string_view why) {
  wire::append_error(out_.text(), why);
  return Outcome::kFailed;
}

Outcome Runner::run(const Command& command) {
  switch (command.own) {
    case Own::kNone:
      return run_text(command.text);
    case Own::kLoad:
      return run_load(command.file);
    case Own::kDump:
      return run_dump(command.file);
    case Own::kImage:
      return run_image();
    case Own::kBench:
      return run_bench(command.bench);
  }
  LH_UNREACHABLE();
}

Outcome Runner::run_text(const wire::TextCommand& command) {
  switch (command.verb) {
    case wire::Verb::kBlank:
    case wire::Verb::kQuit:
      return Outcome::kDone;
    case wire::Verb::kBad:
      out_.append(command.error);
      out_.append("\n");
      return Outcome::kUsage;
    case wire::Verb::kPing:
      return run_ping();
    case wire::Verb::kHelp:
      append_client_help(out_.text());
      return Outcome::kDone;
    default:
      break;
  }
  if (const std::optional<core::Op> op = link::keyed_op(command)) return run_keyed(*op, command);
  return run_call(*link::file_request(command));
}

// ------------------------------------------------------------------------------- keyed requests

Outcome Runner::run_keyed(core::Op op, const wire::TextCommand& command) {
  if (command.key.size() > core::kKeyBytesMax) return refuse("key too long");
  if (command.value.size() > core::kValueBytesMax) return refuse("value too long");
  done_ = false;
  session_.submit(op, command.key, command.value, ++tag_);
  while (!done_) session_.turn(kWait);
  if (op == core::Op::kLocate) {
    if (located_.code == core::Code::kOk && !knows(located_.node)) session_.fetch_book();
    link::append_completion(out_.text(), located_, session_.core().book());
  }
  return outcome_;
}

void Runner::on_done(const core::Completion& done) {
  if (done.tag != tag_) return;
  done_ = true;
  outcome_ = outcome_of(done.code);
  if (setup_.trace) append_trace(out_.text(), done);
  if (done.op == core::Op::kLocate) {
    located_ = done;
    located_.key = located_.value = {};
  } else {
    link::append_completion(out_.text(), done, session_.core().book());
  }
}

// ------------------------------------------------------------------------------ the whole file

core::FileResult Runner::complete(const core::FileRequest& request) {
  done_ = false;
  session_.call(request, ++tag_);
  while (!done_) session_.turn(kWait);
  return std::move(result_);
}

void Runner::on_scan_piece(uint64_t tag, const core::ScanReply& piece) {
  if (tag == tag_ && answer_) answer_->add(piece);
}

void Runner::on_call_done(uint64_t tag, const core::FileResult& result) {
  if (tag != tag_) return;
  done_ = true;
  result_ = result;
  result_.file.to = {};
}

Outcome Runner::run_call(const core::FileRequest& request) {
  if (request.pattern.size() > core::kScanPatternBytesMax) return refuse("pattern too long");
  answer_.emplace(session_.hash());
  const core::FileResult result = complete(request);
  if (request.kind == Kind::kBuckets) learn_nodes(result);
  answer_->finish(result, session_.core().book());
  const bool failed = answer_->failed();
  print(&*answer_);
  answer_.reset();
  return failed ? std::max(outcome_of(result.outcome), Outcome::kFailed) : Outcome::kDone;
}

// The answers of buckets name nodes by number only.
void Runner::learn_nodes(const core::FileResult& result) {
  const bool complete = std::all_of(result.buckets.begin(), result.buckets.end(),
                                    [this](const auto& entry) { return knows(entry.second.node); });
  if (!complete) session_.fetch_book();
}

void Runner::print(link::FileAnswer* answer) {
  while (answer->append_some(out_.text(), kPortionBytes)) out_.flush();
}

Outcome Runner::run_ping() {
  if (!session_.fetch_book()) {
    refuse("the coordinator cannot be reached");
    return Outcome::kUnreachable;
  }
  out_.append("PONG\n");
  return Outcome::kDone;
}

Outcome Runner::run_image() {
  core::FileRequest request;
  request.kind = Kind::kFile;
  const core::FileResult result = complete(request);
  const auto print_state = [this](const char* name, FileState state) {
    const std::string text = core::to_string(state);
    base::append_format(out_.text(), "%s=%s %s_buckets=%llu", name, text.c_str(), name,
                        static_cast<unsigned long long>(bucket_count(state)));
  };
  print_state("image", session_.core().image());
  // The state is known even when a bucket that was to be counted is down.
  const bool known = result.outcome != core::FileResult::Outcome::kNoCoordinator;
  out_.append(known ? " " : " file=unknown");
  if (known) print_state("file", result.file.state);
  out_.append("\n");
  return known ? Outcome::kDone : Outcome::kUnreachable;
}

Outcome Runner::run_bench(const BenchOptions& options) {
  if (options.help) {
    out_.append(bench_help());
    return Outcome::kDone;
  }
  Bench bench(options, setup_.progress_fd);
  return bench.run(session_.coordinator(), out_.text());
}

// --------------------------------------------------------------------------------------- files

Outcome Runner::run_load(std::string_view file) {
  const bool from_stdin = file == "-";
  if (from_stdin && setup_.commands_from_stdin) {
    return refuse("stdin is where the commands come from: name a file");
  }
  const std::string path(file);
  const int fd = from_stdin ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return refuse(base::os_error("cannot read " + path, errno).message());
  Load load(session_, {setup_.format, setup_.progress_fd, setup_.errors});
  const Outcome outcome = load.run(fd, out_.text());
  session_.set_sink(this);
  if (!from_stdin) ::close(fd);
  return outcome;
}

Outcome Runner::run_dump(std::string_view file) {
  const uint64_t expected = setup_.progress_fd < 0 ? 0 : count_for_progress();
  const bool to_stdout = file == "-";
  Dump dump(session_, {setup_.format, setup_.progress_fd, expected}, ++tag_);
  std::string answer;
  const Outcome outcome =
      to_stdout ? dump.to_output(&out_, &answer) : dump.to_file(std::string(file), &answer);
  session_.set_sink(this);
  if (!to_stdout) {
    out_.append(answer);
    return outcome;
  }
  // Among the records an answer would be taken for one of them.
  if (outcome == Outcome::kDone) {
    answer = base::format("%llu records\n", static_cast<unsigned long long>(dump.records()));
  }
  setup_.errors->append(answer);
  setup_.errors->flush();
  return outcome;
}

uint64_t Runner::count_for_progress() {
  core::FileRequest request;
  request.kind = Kind::kCount;
  return complete(request).records;
}

}  // namespace lh::client
