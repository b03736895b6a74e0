// LogThread: the one thread of a node that touches the disk. Workers fill batches of records and
// hand them over; it writes them, makes them durable as --fsync says, and posts back how far each
// log has come. While it waits for the disk, batches gather: the next sync is for all of them.
//
//   worker                                log thread
//   write(worker, &batch)            ->   LogWriter::write, sync
//   LogListener::on_logged           <-   durable, and the emptied batch
//   begin/write/install_snapshot     ->   the same for a snapshot, in the order asked
//   LogListener::on_snapshot_written <-   the emptied batch, or that it was given up
//
// No room on the disk: the batch is kept and tried again; has_room() is false until it is written,
// and workers refuse what would need more. A disk that fails ends the node: what it has not said to
// be durable is in doubt, and it must not go on as if it were (on_log_failed).
//
// Constructed and stopped by the thread that owns the pool; workers call from theirs.
#pragma once

#include <pthread.h>

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "lh/status.h"
#include "storage/data_dir.h"
#include "storage/log_batch.h"

namespace lh::node {

enum class Fsync : uint8_t { kAlways, kEverySecond, kNever };

// A worker, as the log thread calls it: in the log thread. It posts to itself.
class LogListener {
 public:
  // Everything up to `written` is with the system, and up to `durable` on the disk.
  virtual void on_logged(uint64_t written, uint64_t durable, storage::LogBatch emptied) = 0;
  virtual void on_snapshot_written(bool ok, storage::LogBatch emptied) = 0;
  virtual void on_snapshot_installed(bool ok) = 0;

 protected:
  ~LogListener() = default;
};

class LogThread {
 public:
  // Called once, in the log thread.
  class Owner {
   public:
    virtual void on_log_failed(const Status& status) = 0;

   protected:
    ~Owner() = default;
  };

  // Both outlive the thread.
  LogThread(storage::DataDir* dir, Fsync fsync, Owner* owner);
  ~LogThread();  // after stop()
  LogThread(const LogThread&) = delete;
  LogThread& operator=(const LogThread&) = delete;

  // dir was started. listeners: by worker; they outlive the thread.
  Status start(std::vector<LogListener*> listeners);
  // Writes and syncs what was handed over, closes the directory, ends the thread. The status says
  // whether all of it is durable.
  Status stop();

  // Takes the records over and leaves the batch empty, in memory that is not the one taken.
  void write(uint32_t worker, storage::LogBatch* batch, storage::LogBatch spare);
  bool has_room() const { return has_room_.load(std::memory_order_relaxed); }

  // The node got its number: for the directory's own records.
  void set_node(NodeId node);

  void begin_snapshot(uint32_t worker, uint64_t covered);
  void write_snapshot(uint32_t worker, storage::LogBatch batch);
  void install_snapshot(uint32_t worker, uint64_t log_end);

 private:
  struct Job {
    enum class Kind : uint8_t { kLog, kSetNode, kBeginSnapshot, kSnapshot, kInstallSnapshot };
    Kind kind = Kind::kLog;
    uint32_t worker = 0;
    uint64_t number = 0;  // covered, log_end, the node's
    storage::LogBatch batch;
  };

  static void* run(void* self);
  void loop();
  void push(Job job);
  std::deque<Job> take_jobs();
  bool write_log(Job* job);
  void finish_logs();
  void sync_all();
  void do_other(Job* job);
  Status do_snapshot(Job* job);
  void fail(const Status& status);

  storage::DataDir* dir_;
  const Fsync fsync_;
  std::vector<LogListener*> listeners_;
  Owner* owner_;
  base::SteadyClock clock_;

  base::Mutex mutex_;
  base::CondVar changed_;
  std::deque<Job> jobs_ LH_GUARDED_BY(mutex_);
  bool stopping_ LH_GUARDED_BY(mutex_) = false;
  std::atomic<bool> has_room_{true};

  // The log thread's own.
  std::deque<Job> waiting_;  // for room on the disk; in order
  std::vector<Job> written_;
  std::vector<std::unique_ptr<storage::SnapshotWriter>> snapshots_;  // by worker
  std::vector<bool> unsynced_;                                       // by worker
  base::Instant synced_at_;
  Status status_;
  pthread_t thread_{};
  bool running_ = false;
};

}  // namespace lh::node
