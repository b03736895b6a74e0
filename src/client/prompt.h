// The prompt: reads commands from a terminal with a line editor, history and completion, and runs
// them until QUIT or the end of input. While it waits for keys the session goes on living, so that
// a node that leaves is noticed before the next command.
//
// The terminal is in raw mode only while a line is edited: a command that takes long can be ended
// by ^C like any program.
#pragma once

#include <string>

#include "client/history.h"
#include "client/output.h"
#include "client/runner.h"
#include "client/session.h"

namespace lh::client {

struct PromptSetup {
  int input_fd = 0;  // a terminal
  bool colour = false;
  std::string history_path;  // empty: in memory only
};

// All outlive the call. The outcome is that of the last command.
Outcome run_prompt(Session& session, Runner& runner, Output& out, const PromptSetup& setup);

}  // namespace lh::client
