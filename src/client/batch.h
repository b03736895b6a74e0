// The batch: commands from a descriptor, a line each, run in order, one at a time: each sees what
// those before it did, and the messages that --stats counts are those of a client that waits.
#pragma once

#include "client/outcome.h"
#include "client/output.h"
#include "client/runner.h"
#include "client/session.h"

namespace lh::client {

// Until QUIT, the end of input or a line that is too long. Answers are printed at the latest before
// it waits for more commands. The outcome is the worst of all. All outlive the call.
Outcome run_batch(Session& session, Runner& runner, Output& out, int input_fd);

}  // namespace lh::client
