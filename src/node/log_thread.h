// LogThread: the thread of a node that writes to the disk: a storage::LogKeeper with a queue in
// front of it and, for what it does not wait for, SyncThreads behind it: one for each log that is
// synced every second, so that logs do not wait for each other, and one for snapshots.
// Workers fill batches of
// records and hand them over; it writes them, makes them durable as --fsync says, and posts back
// how far each log has come. While it waits for the disk, batches gather: the next sync is for all
// of them.
//
//   worker                                log thread
//   write(worker, &batch)            ->   LogWriter::write, sync
//   LogListener::on_logged           <-   written or, with always, durable; the emptied batch
//   LogListener::on_synced           <-   durable now
//   begin/write/install_snapshot     ->   the same for a snapshot, in the order asked
//   LogListener::on_snapshot_written <-   the emptied batch, or that it was given up
//
// Constructed and stopped by the thread that owns the pool; workers call from theirs.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/thread.h"
#include "lh/status.h"
#include "node/sync_thread.h"
#include "storage/data_dir.h"
#include "storage/log_keeper.h"

namespace lh::node {

using storage::Fsync;
using storage::LogListener;

class LogThread final : public storage::LogQueue,
                        private storage::Syncer,
                        public SyncThread::Listener {
 public:
  using Owner = storage::LogKeeper::Owner;

  // Both outlive the thread.
  LogThread(storage::DataDir* dir, Fsync fsync, Owner* owner);
  // Destroyed after stop().
  LogThread(const LogThread&) = delete;
  LogThread& operator=(const LogThread&) = delete;

  // dir was started. listeners: by worker; they outlive the thread.
  Status start(std::vector<LogListener*> listeners);
  // Writes and syncs what was handed over, closes the directory, ends the thread. The status says
  // whether all of it is durable.
  Status stop();

  bool has_room() const override { return has_room_.load(std::memory_order_relaxed); }

 private:
  void loop();
  void push(storage::LogJob job) override;
  void begin(storage::SyncJob job) override;
  void on_sync_ended(storage::SyncJob job) override;
  Status start_syncs(size_t logs);
  void stop_syncs();

  struct Work {
    std::deque<storage::LogJob> jobs;
    std::deque<storage::SyncJob> ended;
    bool stopping = false;
  };
  Work take_work();

  base::SteadyClock clock_;
  base::Mutex mutex_;
  base::CondVar changed_;
  Work work_ LH_GUARDED_BY(mutex_);
  std::atomic<bool> has_room_{true};

  const Fsync fsync_;
  std::vector<std::unique_ptr<SyncThread>> syncs_;  // of each log, if at all, and of the snapshots
  storage::LogKeeper keeper_;                       // the log thread's own
  base::Thread thread_;
};

}  // namespace lh::node
