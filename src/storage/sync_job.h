// SyncJob: what a LogKeeper has a Syncer do, so that batches go on being written, and answered,
// while a disk takes its time: a log's sync, or the end of a snapshot.
#pragma once

#include <cstdint>

#include "lh/status.h"
#include "storage/log_writer.h"
#include "storage/snapshot.h"

namespace lh::storage {

struct SyncJob {
  uint32_t worker = 0;
  LogSync log = {};  // is to be run, if it has a file
  SnapshotWriter* snapshot =
      nullptr;  // or this is to be finished; its log is durable up to log_end
  uint64_t log_end = 0;

  Status status = {};  // set by run()

  void run() { status = snapshot == nullptr ? log.run() : snapshot->finish(log_end); }
};

// Runs jobs and hands each back to LogKeeper::end(), from where the rounds are. Logs do not wait
// for each other, nor for snapshots: of each there is one job at a time. What the job names stays
// untouched until then, but for appends to the log.
class Syncer {
 public:
  virtual void begin(SyncJob job) = 0;

 protected:
  ~Syncer() = default;
};

}  // namespace lh::storage
