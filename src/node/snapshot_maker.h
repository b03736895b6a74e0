// SnapshotMaker: has a worker's snapshots made, one at a time: when its log has grown enough it
// begins a SnapshotWalk, sends what that writes to the log thread piece by piece, and has the
// snapshot installed when the log is as far as the walk's end. Owned by a worker, in its thread.
#pragma once

#include <cstdint>
#include <optional>

#include "core/coordinator.h"
#include "core/server.h"
#include "core/snapshot_walk.h"
#include "node/log_thread.h"
#include "storage/log_batch.h"

namespace lh::node {

class SnapshotMaker {
 public:
  SnapshotMaker(LogThread* log, uint32_t worker) : log_(log), worker_(worker) {}

  // The log got so much longer.
  void add_log_bytes(size_t bytes) { log_bytes_ += bytes; }
  // The next one is due whatever the length of the log.
  void want() { wanted_ = true; }

  // Begins one if it is due. logged: the sequence of the latest record.
  void look(const core::Server& server, const core::Coordinator* coordinator, uint64_t logged);
  bool has_work() const { return walk_ && !busy_; }
  // One slice. logged: as above; written: up to where the log is with the system.
  void turn(core::Server* server, uint64_t logged);
  void on_logged(uint64_t written);
  void on_written(bool ok, storage::LogBatch emptied);
  void on_installed(bool ok);

 private:
  static constexpr uint64_t kLogBytesMin = uint64_t{64} << 20;
  static constexpr size_t kPieceBytes = size_t{256} << 10;

  bool is_due(const core::Server& server) const;

  LogThread* log_;
  uint32_t worker_;
  std::optional<core::SnapshotWalk> walk_;
  storage::LogBatch batch_{1};
  storage::LogBatch spare_;
  bool busy_ = false;    // a piece is with the log thread
  bool ending_ = false;  // all is written; the log has to come as far as log_end_
  bool installing_ = false;
  bool wanted_ = false;
  uint64_t log_end_ = 0;
  uint64_t written_ = 0;
  uint64_t log_bytes_ = 0;  // since the latest snapshot began
};

}  // namespace lh::node
