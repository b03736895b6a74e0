#include "client/run.h"

#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "base/strings.h"
#include "base/version.h"
#include "client/batch.h"
#include "client/command.h"
#include "client/prompt.h"
#include "client/runner.h"
#include "client/session.h"
#include "client/trace.h"

namespace lh::client {
namespace {

int exit_status(Outcome outcome) { return static_cast<int>(outcome); }

void complain(Output* errors, std::string_view what) {
  errors->append("lhnode: ");
  errors->append(what);
  errors->append("\n");
  errors->flush();
}

bool has_value(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

bool can_prompt() {
  const char* term = std::getenv("TERM");
  const bool dumb = term == nullptr || std::string_view(term) == "dumb";
  return !dumb && ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1;
}

// What can be said without a file: bad usage, help. False when the command has to be run.
bool answer_offline(const Command& command, Output* out, Output* errors, Outcome* outcome) {
  if (command.is_bad()) {
    complain(errors, command.text.error.substr(std::string_view("ERR ").size()));
    *outcome = Outcome::kUsage;
    return true;
  }
  if (command.own == Own::kBench && command.bench.help) {
    out->append(bench_help());
  } else if (command.own == Own::kNone && command.text.verb == wire::Verb::kHelp) {
    append_client_help(out->text());
  } else {
    return false;
  }
  out->flush();
  *outcome = Outcome::kDone;
  return true;
}

Outcome run_prompt_here(Session& session, Runner& runner, Output& out) {
  base::append_format(out.text(), "lhnode %s at %s: HELP lists the commands\n",
                      base::kVersion.data(), session.coordinator().c_str());
  return run_prompt(session, runner, out, {STDIN_FILENO, !has_value("NO_COLOR"), history_path()});
}

}  // namespace

int run(const base::FlagValues& values) {
  Output out(STDOUT_FILENO);
  Output errors(STDERR_FILENO);
  CommandParser parser;
  const bool single = !values.words().empty();
  Command command;
  Outcome outcome = Outcome::kDone;
  if (single) {
    command = parser.parse_words(values.words());
    if (answer_offline(command, &out, &errors, &outcome)) return exit_status(outcome);
  }

  Result<std::unique_ptr<Session>> opened = Session::open({values.text("coordinator")});
  if (!opened.ok()) {
    complain(&errors, opened.status().message());
    return exit_status(Outcome::kUnreachable);
  }
  Session& session = *opened.value();
  const bool prompt = !single && can_prompt();
  Runner::Setup setup;
  setup.trace = values.on("trace");
  setup.format = values.text("format") == "jsonl" ? RecordFormat::kJsonl : RecordFormat::kTsv;
  setup.progress_fd = ::isatty(STDERR_FILENO) == 1 ? STDERR_FILENO : -1;
  setup.commands_from_stdin = !single;
  setup.errors = &errors;
  Runner runner(session, out, setup);
  if (single) {
    outcome = runner.run(command);
  } else if (prompt) {
    outcome = run_prompt_here(session, runner, out);
  } else {
    outcome = run_batch(session, runner, out, STDIN_FILENO);
  }
  out.flush();
  if (values.on("stats")) {
    append_stats(errors.text(), session.core().counters(), session.core().image());
    errors.flush();
  }
  if (out.status().ok()) return exit_status(outcome);
  complain(&errors, out.status().message());
  return exit_status(worse(outcome, Outcome::kFailed));
}

}  // namespace lh::client
