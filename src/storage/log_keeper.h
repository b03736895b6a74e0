// LogKeeper: what a node's log thread does, without the thread. It takes jobs from the workers,
// writes their batches, makes them durable as --fsync says, and tells the workers how far each log
// has come. One round is
//
//   end(job)      of syncs that were done elsewhere, if any have ended; the workers are told
//   write(jobs)   the records are with the system now, or wait for room on the disk; unless they
//                 are to be on the disk before anybody hears of them, the workers are told
//   sync(now)     ... and on the disk, if that is due; the workers are told of that
//   settle()      snapshots, and the directory's own records
//
// Between the parts of a round time may pass; the simulator lets nodes die there.
//
// With Fsync::kAlways nobody hears of anything before its sync, so that is done on the spot. Syncs
// that nobody waits for, those of every second and the ends of snapshots, are left to a Syncer: a
// disk that takes its time over them costs no request any. But what may be lost is a second's worth
// and what a sync takes: when one has been under way for a second, or the three that end a segment
// have, nobody is told of more until that is over.
//
// No room on the disk: the directory's ballast is given up for what has been taken in already, and
// what does not fit even so is kept and tried again in the next rounds. has_room() is false until
// all of it is written and the ballast is there again: until then no more should be handed over
// than has to be. A disk that fails ends the node: what was not said to be durable is in
// doubt, and it must not go on as if it were (on_log_failed). One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "lh/status.h"
#include "storage/data_dir.h"
#include "storage/log_batch.h"
#include "storage/sync_job.h"

namespace lh::storage {

enum class Fsync : uint8_t { kAlways, kEverySecond, kNever };

// A worker, as its log calls it: within write(), sync() and settle().
class LogListener {
 public:
  // Everything up to `written` is with the system, and up to `durable` on the disk.
  virtual void on_logged(uint64_t written, uint64_t durable, LogBatch emptied) = 0;
  // The same after a sync that came later.
  virtual void on_synced(uint64_t durable) = 0;
  virtual void on_snapshot_written(bool ok, LogBatch emptied) = 0;
  virtual void on_snapshot_installed(bool ok) = 0;

 protected:
  ~LogListener() = default;
};

struct LogJob {
  enum class Kind : uint8_t { kLog, kSetNode, kBeginSnapshot, kSnapshot, kInstallSnapshot };
  Kind kind = Kind::kLog;
  uint32_t worker = 0;
  uint64_t number = 0;  // covered, log_end, the node's
  LogBatch batch;
  bool urgent = false;  // kLog: something waits for this to be durable, whatever Fsync says
};

// The way of jobs from the workers to their LogKeeper. In order.
class LogQueue {
 public:
  // Takes the records over and leaves the batch empty, in memory that is not the one taken. An
  // empty batch that is urgent asks for a sync.
  void write(uint32_t worker, LogBatch* batch, LogBatch spare, bool urgent) {
    batch->hand_over(&spare);
    push({LogJob::Kind::kLog, worker, 0, std::move(spare), urgent});
  }
  // The node got its number: for the directory's own records.
  void set_node(NodeId node) {
    push({LogJob::Kind::kSetNode, 0, static_cast<uint32_t>(node), LogBatch(), false});
  }
  void begin_snapshot(uint32_t worker, uint64_t covered) {
    push({LogJob::Kind::kBeginSnapshot, worker, covered, LogBatch(), false});
  }
  void write_snapshot(uint32_t worker, LogBatch batch) {
    push({LogJob::Kind::kSnapshot, worker, 0, std::move(batch), false});
  }
  void install_snapshot(uint32_t worker, uint64_t log_end) {
    push({LogJob::Kind::kInstallSnapshot, worker, log_end, LogBatch(), false});
  }
  // False while what was handed over last waits for room on the disk.
  virtual bool has_room() const = 0;

 protected:
  ~LogQueue() = default;
  virtual void push(LogJob job) = 0;
};

class LogKeeper {
 public:
  class Owner {
   public:
    // Called once, within write(), sync() or settle().
    virtual void on_log_failed(const Status& status) = 0;

   protected:
    ~Owner() = default;
  };

  // All outlive the keeper.
  LogKeeper(DataDir* dir, Fsync fsync, Syncer* syncer, Owner* owner)
      : dir_(dir), fsync_(fsync), syncer_(syncer), owner_(owner) {}

  // dir was started. listeners: by worker; they outlive the keeper.
  void start(std::vector<LogListener*> listeners, base::Instant now);

  void end(SyncJob job);
  void write(std::deque<LogJob> jobs, base::Instant now);
  void sync(base::Instant now);
  void settle(base::Instant now);

  // When the next round is due although nobody has a job.
  base::Duration patience(base::Instant now) const;
  bool has_room() const { return waiting_.empty() && dir_->has_ballast(); }

  // After the last round, when the syncer has nothing left to do. The status says whether all of it
  // is durable; the directory is closed.
  Status close();

 private:
  void write_waiting();
  bool write_log(LogJob* job);
  void sync_all();
  void begin_syncs(base::Instant now);
  bool is_behind(base::Instant now) const;
  void tell_of_written();
  void do_other(LogJob* job);
  void end_snapshot(uint32_t worker, Status status);
  void give_up_snapshot(uint32_t worker, const Status& status);
  void fail(const Status& status);

  // A worker's, and its snapshot.
  struct Log {
    bool owed = false;                         // a sync of what is LogWriter::has_unsynced()
    bool ending = false;                       // syncs that end a segment are under way
    base::Instant begun_at;                    // the sync, or the first of those
    std::unique_ptr<SnapshotWriter> snapshot;  // under way
    std::optional<uint64_t> log_end;           // of the snapshot: to be finished
  };

  DataDir* dir_;
  const Fsync fsync_;
  Syncer* syncer_;
  Owner* owner_;
  std::vector<LogListener*> listeners_;
  std::deque<LogJob> waiting_;  // for room on the disk; in order
  std::vector<LogJob> written_;
  std::deque<LogJob> others_;
  std::vector<Log> logs_;  // by worker
  bool urgent_ = false;    // something that is written waits for a sync
  base::Instant synced_at_;
  base::Instant ballast_tried_at_;
  Status status_;
};

}  // namespace lh::storage
