// SnapshotOutlet: the way of a worker's snapshots to its log, piece by piece: what a
// core::SnapshotMaker writes into. Owned by the worker, in its thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "storage/log_keeper.h"

namespace lh::storage {

class SnapshotOutlet {
 public:
  // The queue outlives the outlet.
  SnapshotOutlet(LogQueue* queue, uint32_t worker) : queue_(queue), worker_(worker) {}

  void begin(uint64_t covered) {
    queue_->begin_snapshot(worker_, covered);
    piece_ = LogBatch(1);
  }
  void add(uint64_t stream, std::string_view record) { piece_.append(stream, record); }
  size_t piece_bytes() const { return piece_.bytes(); }
  // Sends the piece off; what was sent comes back, emptied, through take_back().
  void write() {
    piece_.hand_over(&spare_);
    queue_->write_snapshot(worker_, std::exchange(spare_, LogBatch()));
  }
  void take_back(LogBatch emptied) { spare_ = std::move(emptied); }
  void install(uint64_t log_end) { queue_->install_snapshot(worker_, log_end); }

 private:
  LogQueue* queue_;
  uint32_t worker_;
  LogBatch piece_{1};
  LogBatch spare_;
};

}  // namespace lh::storage
