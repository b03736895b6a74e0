#include "node/log_thread.h"

#include <utility>

#include "base/check.h"

namespace lh::node {

LogThread::LogThread(storage::DataDir* dir, Fsync fsync, Owner* owner)
    : keeper_(dir, fsync, owner) {}

LogThread::~LogThread() { LH_CHECK(!running_); }

Status LogThread::start(std::vector<LogListener*> listeners) {
  LH_CHECK(!running_);
  keeper_.start(std::move(listeners), clock_.now());
  if (pthread_create(&thread_, nullptr, &LogThread::run, this) != 0) {
    return {StatusCode::kRefused, "cannot start the log thread"};
  }
  running_ = true;
  return {};
}

Status LogThread::stop() {
  LH_CHECK(running_);
  {
    const base::MutexLock lock(mutex_);
    stopping_ = true;
    changed_.notify_one();
  }
  pthread_join(thread_, nullptr);
  running_ = false;
  return keeper_.close();
}

void LogThread::push(storage::LogJob job) {
  const base::MutexLock lock(mutex_);
  jobs_.push_back(std::move(job));
  changed_.notify_one();
}

// -------------------------------------------------------------------------------- the log thread

void* LogThread::run(void* self) {
  pthread_setname_np(pthread_self(), "log");
  static_cast<LogThread*>(self)->loop();
  return nullptr;
}

std::deque<storage::LogJob> LogThread::take_jobs(bool* stopping) {
  const base::Duration patience = keeper_.patience(clock_.now());
  const base::MutexLock lock(mutex_);
  while (jobs_.empty() && !stopping_) {
    if (!changed_.wait_for(mutex_, patience)) break;
  }
  *stopping = stopping_;
  return std::exchange(jobs_, {});
}

void LogThread::loop() {
  for (bool stopping = false; !stopping;) {
    keeper_.write(take_jobs(&stopping));
    has_room_.store(keeper_.has_room(), std::memory_order_relaxed);
    keeper_.sync(clock_.now());
    has_room_.store(keeper_.has_room(), std::memory_order_relaxed);
    keeper_.settle();
  }
}

}  // namespace lh::node
