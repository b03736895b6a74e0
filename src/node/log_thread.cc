#include "node/log_thread.h"

#include <utility>

namespace lh::node {

LogThread::LogThread(storage::DataDir* dir, Fsync fsync, Owner* owner)
    : fsync_(fsync), keeper_(dir, fsync, this, owner) {}

Status LogThread::start(std::vector<LogListener*> listeners) {
  const size_t logs = fsync_ == Fsync::kEverySecond ? listeners.size() : 0;
  keeper_.start(std::move(listeners), clock_.now());
  if (Status status = start_syncs(logs); !status.ok()) return status;
  Status status = thread_.start("log", [this] { loop(); });
  if (!status.ok()) stop_syncs();
  return status;
}

Status LogThread::stop() {
  {
    const base::MutexLock lock(mutex_);
    work_.stopping = true;
    changed_.notify_one();
  }
  thread_.join();
  stop_syncs();
  for (storage::SyncJob& job : take_work().ended) keeper_.end(std::move(job));
  return keeper_.close();
}

void LogThread::push(storage::LogJob job) {
  const base::MutexLock lock(mutex_);
  work_.jobs.push_back(std::move(job));
  changed_.notify_one();
}

// ---------------------------------------------------------------------------- the sync threads

Status LogThread::start_syncs(size_t logs) {
  while (syncs_.size() < logs + 1) {
    auto sync = std::make_unique<SyncThread>(this);
    if (Status status = sync->start(); !status.ok()) {
      stop_syncs();
      return status;
    }
    syncs_.push_back(std::move(sync));
  }
  return {};
}

void LogThread::stop_syncs() {
  for (const auto& sync : syncs_) sync->stop();
  syncs_.clear();
}

void LogThread::begin(storage::SyncJob job) {
  const bool of_log = job.snapshot == nullptr && syncs_.size() > 1;
  syncs_[of_log ? job.worker : syncs_.size() - 1]->begin(std::move(job));
}

void LogThread::on_sync_ended(storage::SyncJob job) {
  const base::MutexLock lock(mutex_);
  work_.ended.push_back(std::move(job));
  changed_.notify_one();
}

// -------------------------------------------------------------------------------- the log thread

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
