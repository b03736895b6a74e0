// Runner: runs commands, one at a time and in order, and prints their answers, which are those of a
// node's text protocol. Used by the one command of a command line, by a batch and by the prompt.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "client/command.h"
#include "client/outcome.h"
#include "client/output.h"
#include "client/record_format.h"
#include "client/session.h"
#include "link/answers.h"

namespace lh::client {

class Runner final : private core::ClientSink {
 public:
  struct Setup {
    bool trace = false;
    RecordFormat format = RecordFormat::kTsv;
    int progress_fd = -1;              // of a terminal, for LOAD and DUMP
    bool commands_from_stdin = false;  // so LOAD - has nothing to read
    Output* errors = nullptr;
  };

  // All outlive the runner, and the session's sink is the runner's.
  Runner(Session& session, Output& out, const Setup& setup);
  ~Runner() override;

  // Answers go to the output, which is not flushed. QUIT does nothing here.
  Outcome run(const Command& command);

 private:
  Outcome run_text(const wire::TextCommand& command);
  Outcome run_keyed(core::Op op, const wire::TextCommand& command);
  Outcome run_call(const core::FileRequest& request);
  Outcome run_image();
  Outcome run_bench(const BenchOptions& options);
  Outcome run_ping();
  Outcome run_load(std::string_view file);
  Outcome run_dump(std::string_view file);
  Outcome refuse(std::string_view why);
  // Runs a call to its end; its pieces go to answer_ when there is one.
  core::FileResult complete(const core::FileRequest& request);
  void learn_nodes(const core::FileResult& result);
  bool knows(NodeId node) const { return session_.core().book().node(node) != nullptr; }
  void print(link::FileAnswer* answer);
  uint64_t count_for_progress();

  void on_done(const core::Completion& done) override;
  void on_scan_piece(uint64_t tag, const core::ScanReply& piece) override;
  void on_call_done(uint64_t tag, const core::FileResult& result) override;

  Session& session_;
  Output& out_;
  Setup setup_;
  uint64_t tag_ = 0;  // of the request under way
  bool done_ = false;
  Outcome outcome_ = Outcome::kDone;
  core::Completion located_;  // of LOCATE; its views are empty
  core::FileResult result_;
  std::optional<link::FileAnswer> answer_;
};

}  // namespace lh::client
