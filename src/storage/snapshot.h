// Snapshots: the state of a worker's streams in one file, so that the log before it can go.
//
// A snapshot is fuzzy: it is written in slices while the state goes on changing. It starts when the
// state reflects the log up to sequence `covered`, and the last slice is taken when the log has
// reached `log_end`; any record may show the state of any moment in between. Loading it and then
// the log from covered + 1 on gives the state of the log's end, because log records are idempotent.
// It is valid only if the log is durable up to log_end: what it shows must not be ahead of the log.
//
// It is written as a .tmp, synced and renamed, and counts from when the manifest names it. Records
// travel in LogBatches that start at number 1, as into a log. Belongs to one
// thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "storage/env.h"
#include "storage/file_format.h"
#include "storage/log_batch.h"

namespace lh::storage {

class SnapshotWriter {
 public:
  static Result<std::unique_ptr<SnapshotWriter>> begin(Env* env, const std::string& folder,
                                                       const FileOwner& owner, uint64_t covered);
  // Abandons what is not finished.
  ~SnapshotWriter();
  SnapshotWriter(const SnapshotWriter&) = delete;
  SnapshotWriter& operator=(const SnapshotWriter&) = delete;

  // After an error, no room included, the snapshot is of no use: destroy it and begin anew later.
  Status write(LogBatch* batch);
  // The last slice was taken when the log had reached log_end, up to which it is durable by now.
  // Takes as long as the disk needs.
  Status finish(uint64_t log_end);

  bool is_finished() const { return file_ == nullptr; }
  uint64_t covered() const { return covered_; }
  uint64_t record_count() const { return next_ - 1; }

 private:
  SnapshotWriter(Env* env, std::string path, uint64_t covered)
      : env_(env), path_(std::move(path)), covered_(covered) {}

  Status put(std::string_view frame);

  Env* env_;
  std::string path_;
  uint64_t covered_;
  std::unique_ptr<AppendFile> file_;  // none once it is finished
  Status status_;
  uint32_t salt_ = 0;
  uint32_t headers_crc_ = 0;
  uint64_t next_ = 1;
};

struct SnapshotSummary {
  uint64_t records = 0;
  uint64_t log_end = 0;
};

// Visits all records. A snapshot is whole or it is damage: it is renamed only when it is complete.
Status read_snapshot(Env* env, const std::string& folder, const FileOwner& owner, uint64_t covered,
                     const RecordVisitor& visitor, SnapshotSummary* summary);

}  // namespace lh::storage
