// The client role of lhnode: one command from the command line, a batch from stdin, or a prompt.
#pragma once

#include "base/flags.h"

namespace lh::client {

// Takes the flags coordinator, trace, stats and format, and the words: a command, or none for
// stdin. Returns the exit status: 0 done, 1 a command failed, 2 not understood, 3 the coordinator
// or a node cannot be reached.
int run(const base::FlagValues& values);

}  // namespace lh::client
