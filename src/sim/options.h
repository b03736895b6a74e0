// Options: everything that a run of the simulator chose, all of it drawn from the seed. Each run is
// another small world: other sizes, other speeds, other faults, and some of the faults not at all
// ("swarm testing": what never happens makes room for what hides behind it). A value.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/hash.h"
#include "storage/log_keeper.h"

namespace lh::sim {

// A kind of fault: how long between two of them on average (zero: never), how long one lasts.
struct FaultRate {
  base::Duration every;
  base::Duration lasts_max;
  bool on() const { return every > base::Duration(); }
};

struct Options {
  uint64_t seed = 0;
  uint64_t ops = 0;
  // Checks the whole file after every step. Small files only.
  bool paranoid = false;

  // The file and its nodes.
  base::HashMode hash = base::HashMode::kMixed;
  uint64_t capacity = 10;
  uint64_t nodes = 3;        // from the start, the coordinator's own included
  uint64_t late_nodes = 0;   // that join while the clients are at work
  uint64_t workers = 1;      // of each node
  uint64_t buckets_max = 0;  // of each node but the coordinator's; 0: no limit

  // The clients.
  uint64_t clients = 4;
  uint64_t fronts = 0;     // nodes whose front has text clients
  uint64_t listeners = 0;  // of 4 clients, how many have a listener
  uint64_t sleepers = 0;   // clients that are idle most of the time: their images lag
  bool front_executes_locally = true;
  uint64_t depth = 4;  // requests of one client under way
  base::Duration think;

  // What they do.
  uint64_t keys = 100;
  uint64_t key_stride = 1;       // integer keys: multiples of it
  uint64_t open_per_key = 4;     // requests for one key under way at a time
  uint64_t value_max = 16;       // bytes
  uint64_t weights[6] = {};      // by core::Op
  uint64_t calls_permille = 0;   // scans, counts, settles, ... of all that is asked
  uint64_t clears_of_100 = 0;    // of the calls, how many erase everything
  uint64_t expiring_of_100 = 0;  // of the puts, how many write what expires
  uint64_t floods = 0;           // bursts of the largest values, into a split that cannot go on

  // The network.
  base::Duration delay_min;
  base::Duration delay_max;
  uint64_t spikes_permille = 0;  // messages that take up to spike_max
  base::Duration spike_max;
  int64_t ns_per_kib = 0;
  // After a reconnection, what was sent on the connection before may come in late, behind what was
  // sent on the new one. A shell should not let it happen; the protocol does not mind.
  bool overtaking = false;
  uint64_t snags_permille = 0;  // messages after which a connection ends and that come in late

  FaultRate breaks;                // a connection is reset
  FaultRate partitions;            // two processes cannot reach each other
  FaultRate one_way;               // ... in one direction
  FaultRate isolations;            // one node cannot reach anybody
  FaultRate clogs;                 // one direction is slow
  FaultRate freezes;               // a node stands still: its connections stay
  FaultRate crashes;               // a node is down; with disks it is killed and started again
  FaultRate deaths;                // a client goes for good
  bool coordinator_stops = false;  // freezes and crashes hit the coordinator's node, too

  // The disks; without them a node that crashes keeps its memory.
  bool disks = false;
  storage::Fsync fsync = storage::Fsync::kAlways;  // kNever: power cuts are kills
  base::Duration sync_min;
  base::Duration sync_max;
  uint64_t segment_bytes = 0;
  uint64_t reserve_bytes = 0;       // of a segment, ahead of what is written
  uint64_t snapshot_log_bytes = 0;  // of log, after which a snapshot is made
  uint64_t flips_permille = 0;      // crashes after which a bit on the disk is another one
  FaultRate sync_failures;          // a sync fails: the node ends
  FaultRate lost_coordinators;      // its disk is gone: the file is rebuilt from the other nodes
  FaultRate full_disks;
  FaultRate slow_disks;

  // Messages may take so long, without any fault, that somebody loses patience.
  bool is_slow() const {
    return snags_permille > 0 || (spikes_permille > 0 && spike_max >= base::ms(100));
  }
};

// ops: 0 for what the seed says.
Options choose_options(uint64_t seed, uint64_t ops);

// A line `name=value` for each.
std::string describe(const Options& options);

}  // namespace lh::sim
