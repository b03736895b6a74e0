// SnapshotMaker: has a worker's snapshots made, one at a time: when its log has grown enough it
// begins a SnapshotWalk, gives what that writes to an outlet piece by piece, and has the snapshot
// installed when the log is as far as the walk's end. Owned by a worker, in its thread.
//
// An Outlet has
//   begin(covered)         the state reflects the log up to there
//   add(stream, record)    to the piece at hand, of piece_bytes()
//   write()                the piece goes out; on_written() says that it is there
//   install(log_end)       on_installed() says that it counts
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/coordinator.h"
#include "core/journal.h"
#include "core/limits.h"
#include "core/server.h"
#include "core/snapshot_walk.h"

namespace lh::core {

struct SnapshotPace {
  uint64_t log_bytes_min = uint64_t{64} << 20;  // a log shorter than this is no reason for one
  size_t piece_bytes = size_t{256} << 10;
  size_t slice_bytes = kSliceBytes;  // of records, in a turn
};

template <typename Outlet>
class SnapshotMaker {
 public:
  explicit SnapshotMaker(Outlet outlet, const SnapshotPace& pace = {})
      : outlet_(std::move(outlet)), pace_(pace) {}

  Outlet& outlet() { return outlet_; }

  // The log got so much longer.
  void add_log_bytes(size_t bytes) { log_bytes_ += bytes; }
  // The next one is due whatever the length of the log.
  void want() { wanted_ = true; }

  // Begins one if it is due. logged: the sequence of the latest record.
  void look(const Server& server, const Coordinator* coordinator, uint64_t logged) {
    if (walk_ || ending_ || installing_ || busy_ || !is_due(server)) return;
    wanted_ = false;
    log_bytes_ = 0;
    outlet_.begin(logged);
    walk_.emplace(server, adder());
    if (coordinator == nullptr) return;
    for (const std::string& record : coordinator->snapshot()) outlet_.add(kNodeStream, record);
  }
  bool has_work() const { return walk_ && !busy_; }

  // One slice. logged: as above; written: up to where the log is with the system.
  void turn(Server* server, uint64_t logged) {
    const bool more = walk_->slice(server, pace_.slice_bytes, adder());
    if (more && outlet_.piece_bytes() < pace_.piece_bytes) return;
    if (!more) {
      walk_.reset();
      ending_ = true;
      log_end_ = logged;
    }
    busy_ = true;
    outlet_.write();
  }
  void on_logged(uint64_t written) {
    written_ = written;
    if (!ending_ || busy_ || written_ < log_end_) return;
    ending_ = false;
    installing_ = true;
    outlet_.install(log_end_);
  }
  void on_written(bool ok) {
    busy_ = false;
    if (!ok) {
      // No room, most likely: when the log has grown as much again.
      walk_.reset();
      ending_ = false;
    }
    on_logged(written_);
  }
  void on_installed() { installing_ = false; }

 private:
  // A log that is twice as long as what it is about costs at most twice the time to read back, and
  // each byte that is written costs at most half a byte of snapshots.
  bool is_due(const Server& server) const {
    return wanted_ || log_bytes_ > std::max(pace_.log_bytes_min, 2 * server.stats().bytes);
  }
  auto adder() {
    return [this](uint64_t stream, std::string_view record) { outlet_.add(stream, record); };
  }

  Outlet outlet_;
  SnapshotPace pace_;
  std::optional<SnapshotWalk> walk_;
  bool busy_ = false;    // a piece is on its way
  bool ending_ = false;  // all is written; the log has to come as far as log_end_
  bool installing_ = false;
  bool wanted_ = false;
  uint64_t log_end_ = 0;
  uint64_t written_ = 0;
  uint64_t log_bytes_ = 0;  // since the latest snapshot began
};

}  // namespace lh::core
