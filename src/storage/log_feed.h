// LogFeed: a worker's end of its log. Records gather in a batch here; when the log thread has
// handed back the one before, the next is handed over, and what it says about the log is kept.
//
//   append()     ...                records of a turn
//   hand_over()  -> LogQueue        one batch at a time, with the wish for a sync
//   on_logged()  <- LogListener     it is written; the emptied batch comes back for the next one
//   on_synced()  <- LogListener     and durable, when that is told later
//
// When to hand over is the owner's business. Belongs to a worker; pure.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "storage/log_batch.h"
#include "storage/log_keeper.h"

namespace lh::storage {

class LogFeed {
 public:
  explicit LogFeed(Fsync fsync) : fsync_(fsync) {}

  // Before the first record: the log goes on with this one, all before it are durable.
  void begin(uint64_t next_record) {
    batch_ = LogBatch(next_record);
    written_ = durable_ = next_record - 1;
  }

  // Returns the record's place.
  uint64_t append(uint64_t stream, std::string_view record) {
    return batch_.append(stream, record);
  }
  // The place of the latest one.
  uint64_t last() const { return batch_.next() - 1; }
  // What was not handed over.
  bool empty() const { return batch_.empty(); }
  size_t bytes() const { return batch_.bytes(); }
  // With what was handed over and is not written yet (with --fsync=always: not durable).
  size_t unwritten_bytes() const { return batch_.bytes() + handed_over_bytes_; }

  // Something waits for the log to be durable up to this place, whatever --fsync says.
  void want_durable(uint64_t place) { wanted_ = std::max(wanted_, place); }

  // Whether there is something to hand over, and nobody who has the batch before.
  bool is_ready() const { return !busy_ && (!batch_.empty() || is_urgent()); }
  // Bound: is_ready().
  void hand_over(LogQueue* log, uint32_t worker) {
    LH_CHECK(is_ready());
    const bool urgent = is_urgent();
    if (urgent) asked_ = last();
    busy_ = true;
    handed_over_bytes_ = batch_.bytes();
    log->write(worker, &batch_, std::exchange(spare_, LogBatch()), urgent);
  }
  // The last batch, whoever has the one before.
  void finish(LogQueue* log, uint32_t worker) {
    if (!batch_.empty()) log->write(worker, &batch_, LogBatch(), true);
  }

  // What is told of the log may come in another order than it happened.
  void on_logged(uint64_t written, uint64_t durable, LogBatch emptied) {
    busy_ = false;
    handed_over_bytes_ = 0;
    spare_ = std::move(emptied);
    written_ = std::max(written_, written);
    // With --fsync=never what the system has is as good as it gets.
    on_synced(fsync_ == Fsync::kNever ? written : durable);
  }
  void on_synced(uint64_t durable) { durable_ = std::max(durable_, durable); }

  uint64_t written() const { return written_; }
  uint64_t durable() const { return durable_; }

 private:
  bool is_urgent() const { return wanted_ > std::max(durable_, asked_); }

  Fsync fsync_;
  LogBatch batch_;
  LogBatch spare_;
  bool busy_ = false;  // a batch is with the log thread
  size_t handed_over_bytes_ = 0;
  uint64_t wanted_ = 0;  // something waits for the log to be durable up to here
  uint64_t asked_ = 0;   // and the log thread was asked to make it so up to here
  uint64_t written_ = 0;
  uint64_t durable_ = 0;
};

}  // namespace lh::storage
