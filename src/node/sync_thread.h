// SyncThread: does syncs that the log thread does not wait for (storage::SyncJob), one after the
// other. Started and stopped by one thread; begin() may be called from any.
#pragma once

#include <deque>

#include "base/mutex.h"
#include "base/thread.h"
#include "lh/status.h"
#include "storage/sync_job.h"

namespace lh::node {

class SyncThread final {
 public:
  class Listener {
   public:
    // In the sync thread.
    virtual void on_sync_ended(storage::SyncJob job) = 0;

   protected:
    ~Listener() = default;
  };

  // The listener outlives the thread.
  explicit SyncThread(Listener* listener) : listener_(listener) {}
  // Destroyed after stop(), if it was started.
  SyncThread(const SyncThread&) = delete;
  SyncThread& operator=(const SyncThread&) = delete;

  Status start();
  // Does what it was given, and ends.
  void stop();

  void begin(storage::SyncJob job);

 private:
  void loop();

  Listener* listener_;
  base::Mutex mutex_;
  base::CondVar changed_;
  std::deque<storage::SyncJob> jobs_ LH_GUARDED_BY(mutex_);
  bool stopping_ LH_GUARDED_BY(mutex_) = false;
  base::Thread thread_;
};

}  // namespace lh::node
