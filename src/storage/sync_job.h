// SyncJob: what a LogKeeper has a Syncer do, so that batches go on being written, and answered,
// while a disk takes its time: a log's sync, the end of a snapshot, or the one and then the other.
#pragma once

#include <cstdint>

#include "lh/status.h"
#include "storage/env.h"
#include "storage/snapshot.h"

namespace lh::storage {

struct SyncJob {
  uint32_t worker = 0;
  AppendFile* log = nullptr;           // nothing: all that it has is durable
  SnapshotWriter* snapshot = nullptr;  // to be finished when the log is durable
  uint64_t log_end = 0;                // of the snapshot

  Status log_status = {};  // set by run()
  Status snapshot_status = {};

  void run() {
    if (log != nullptr) log_status = log->sync();
    if (snapshot != nullptr && log_status.ok()) snapshot_status = snapshot->finish(log_end);
  }
};

// Runs jobs in the order in which it gets them and hands each back to LogKeeper::end(), from where
// the rounds are. What the job names stays untouched until then, but for appends to the log.
class Syncer {
 public:
  virtual void begin(SyncJob job) = 0;

 protected:
  ~Syncer() = default;
};

}  // namespace lh::storage
