#include "node/sync_thread.h"

#include <utility>

namespace lh::node {

Status SyncThread::start() {
  return thread_.start("sync", [this] { loop(); });
}

void SyncThread::stop() {
  {
    const base::MutexLock lock(mutex_);
    stopping_ = true;
    changed_.notify_one();
  }
  thread_.join();
}

void SyncThread::begin(storage::SyncJob job) {
  const base::MutexLock lock(mutex_);
  jobs_.push_back(std::move(job));
  changed_.notify_one();
}

// ------------------------------------------------------------------------------- the sync thread

void SyncThread::loop() {
  for (;;) {
    storage::SyncJob job;
    {
      const base::MutexLock lock(mutex_);
      while (jobs_.empty() && !stopping_) changed_.wait(mutex_);
      if (jobs_.empty()) return;
      job = std::move(jobs_.front());
      jobs_.pop_front();
    }
    job.run();
    listener_->on_sync_ended(std::move(job));
  }
}

}  // namespace lh::node
