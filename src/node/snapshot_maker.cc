#include "node/snapshot_maker.h"

#include <algorithm>
#include <utility>

#include "core/limits.h"

namespace lh::node {

// A log that is twice as long as what it is about costs at most twice the time to read back, and
// each byte that is written costs at most half a byte of snapshots.
bool SnapshotMaker::is_due(const core::Server& server) const {
  return wanted_ || log_bytes_ > std::max(kLogBytesMin, 2 * server.stats().bytes);
}

void SnapshotMaker::look(const core::Server& server, const core::Coordinator* coordinator,
                         uint64_t logged) {
  if (walk_ || ending_ || installing_ || busy_ || !is_due(server)) return;
  wanted_ = false;
  log_bytes_ = 0;
  log_->begin_snapshot(worker_, logged);
  batch_ = storage::LogBatch(1);
  const auto append = [this](uint64_t stream, std::string_view record) {
    batch_.append(stream, record);
  };
  walk_.emplace(server, append);
  if (coordinator == nullptr) return;
  for (const std::string& record : coordinator->snapshot()) append(core::kNodeStream, record);
}

void SnapshotMaker::turn(core::Server* server, uint64_t logged) {
  const bool more = walk_->slice(
      server, core::kSliceBytes,
      [this](uint64_t stream, std::string_view record) { batch_.append(stream, record); });
  if (more && batch_.bytes() < kPieceBytes) return;
  if (!more) {
    walk_.reset();
    ending_ = true;
    log_end_ = logged;
  }
  busy_ = true;
  batch_.hand_over(&spare_);
  log_->write_snapshot(worker_, std::exchange(spare_, storage::LogBatch()));
}

void SnapshotMaker::on_written(bool ok, storage::LogBatch emptied) {
  busy_ = false;
  spare_ = std::move(emptied);
  if (!ok) {
    // No room, most likely: when the log has grown as much again.
    walk_.reset();
    ending_ = false;
  }
  on_logged(written_);
}

void SnapshotMaker::on_logged(uint64_t written) {
  written_ = written;
  if (!ending_ || busy_ || written_ < log_end_) return;
  ending_ = false;
  installing_ = true;
  log_->install_snapshot(worker_, log_end_);
}

void SnapshotMaker::on_installed(bool) { installing_ = false; }

}  // namespace lh::node
