// Node: a coordinator or bucket process: its workers, its one port, its signals, from start to end.
#pragma once

#include "base/flags.h"
#include "node/node_config.h"

namespace lh::node {

// Runs a node until a signal ends it. Returns the exit status of interface section 1: 0 after
// SIGTERM or SIGINT, 2 when the configuration cannot work (the port is taken, say), 3 when the
// coordinator cannot be reached at the start. Called once, by main(), before any other thread.
int run(const base::FlagValues& values);

}  // namespace lh::node
