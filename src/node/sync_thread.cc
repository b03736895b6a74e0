#include "node/sync_thread.h"

#include <utility>

#include "base/check.h"

namespace lh::node {

SyncThread::~SyncThread() { LH_CHECK(!running_); }

Status SyncThread::start() {
  LH_CHECK(!running_);
  if (pthread_create(&thread_, nullptr, &SyncThread::run, this) != 0) {
    return {StatusCode::kRefused, "cannot start the sync thread"};
  }
  running_ = true;
  return {};
}

void SyncThread::stop() {
  LH_CHECK(running_);
  {
    const base::MutexLock lock(mutex_);
    stopping_ = true;
    changed_.notify_one();
  }
  pthread_join(thread_, nullptr);
  running_ = false;
}

void SyncThread::begin(storage::SyncJob job) {
  const base::MutexLock lock(mutex_);
  jobs_.push_back(std::move(job));
  changed_.notify_one();
}

// ------------------------------------------------------------------------------- the sync thread

void* SyncThread::run(void* self) {
  pthread_setname_np(pthread_self(), "sync");
  static_cast<SyncThread*>(self)->loop();
  return nullptr;
}

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
