#include "node/log_thread.h"

#include <utility>

#include "base/check.h"

namespace lh::node {

LogThread::LogThread(storage::DataDir* dir, Fsync fsync, Owner* owner)
    : sync_(this), keeper_(dir, fsync, &sync_, owner) {}

LogThread::~LogThread() { LH_CHECK(!running_); }

Status LogThread::start(std::vector<LogListener*> listeners) {
  LH_CHECK(!running_);
  keeper_.start(std::move(listeners), clock_.now());
  if (Status status = sync_.start(); !status.ok()) return status;
  if (pthread_create(&thread_, nullptr, &LogThread::run, this) != 0) {
    sync_.stop();
    return {StatusCode::kRefused, "cannot start the log thread"};
  }
  running_ = true;
  return {};
}

Status LogThread::stop() {
  LH_CHECK(running_);
  {
    const base::MutexLock lock(mutex_);
    work_.stopping = true;
    changed_.notify_one();
  }
  pthread_join(thread_, nullptr);
  running_ = false;
  sync_.stop();
  for (storage::SyncJob& job : take_work().ended) keeper_.end(std::move(job));
  return keeper_.close();
}

void LogThread::push(storage::LogJob job) {
  const base::MutexLock lock(mutex_);
  work_.jobs.push_back(std::move(job));
  changed_.notify_one();
}

void LogThread::on_sync_ended(storage::SyncJob job) {
  const base::MutexLock lock(mutex_);
  work_.ended.push_back(std::move(job));
  changed_.notify_one();
}

// -------------------------------------------------------------------------------- the log thread

void* LogThread::run(void* self) {
  pthread_setname_np(pthread_self(), "log");
  static_cast<LogThread*>(self)->loop();
  return nullptr;
}

LogThread::Work LogThread::take_work() {
  const base::Duration patience = keeper_.patience(clock_.now());
  const base::MutexLock lock(mutex_);
  while (work_.jobs.empty() && work_.ended.empty() && !work_.stopping) {
    if (!changed_.wait_for(mutex_, patience)) break;
  }
  Work work{{}, {}, work_.stopping};
  std::swap(work.jobs, work_.jobs);
  std::swap(work.ended, work_.ended);
  return work;
}

void LogThread::loop() {
  for (bool stopping = false; !stopping;) {
    Work work = take_work();
    stopping = work.stopping;
    for (storage::SyncJob& job : work.ended) keeper_.end(std::move(job));
    keeper_.write(std::move(work.jobs), clock_.now());
    has_room_.store(keeper_.has_room(), std::memory_order_relaxed);
    keeper_.sync(clock_.now());
    has_room_.store(keeper_.has_room(), std::memory_order_relaxed);
    keeper_.settle(clock_.now());
  }
}

}  // namespace lh::node
