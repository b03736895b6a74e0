#include "node/log_thread.h"

#include <utility>

#include "base/check.h"
#include "base/log.h"

namespace lh::node {

namespace {

constexpr base::Duration kSyncEvery = base::seconds(1);
constexpr base::Duration kTryAgainAfter = base::ms(100);
constexpr base::Duration kForEver = base::seconds(3'600);

bool is_no_room(const Status& status) { return status.code() == StatusCode::kRefused; }

}  // namespace

LogThread::LogThread(storage::DataDir* dir, Fsync fsync, Owner* owner)
    : dir_(dir), fsync_(fsync), owner_(owner) {}

LogThread::~LogThread() { LH_CHECK(!running_); }

Status LogThread::start(std::vector<LogListener*> listeners) {
  LH_CHECK(!running_);
  listeners_ = std::move(listeners);
  snapshots_.resize(listeners_.size());
  unsynced_.resize(listeners_.size());
  synced_at_ = clock_.now();
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
  if (status_.ok() && !waiting_.empty()) {
    status_ = {StatusCode::kRefused, "the disk is full: the last writes are not on it"};
  }
  if (status_.ok()) status_ = dir_->close();
  return status_;
}

// ----------------------------------------------------------------------------- called by workers

void LogThread::push(Job job) {
  const base::MutexLock lock(mutex_);
  jobs_.push_back(std::move(job));
  changed_.notify_one();
}

void LogThread::write(uint32_t worker, storage::LogBatch* batch, storage::LogBatch spare) {
  batch->hand_over(&spare);
  push({Job::Kind::kLog, worker, 0, std::move(spare)});
}

void LogThread::set_node(NodeId node) {
  push({Job::Kind::kSetNode, 0, static_cast<uint32_t>(node), storage::LogBatch()});
}

void LogThread::begin_snapshot(uint32_t worker, uint64_t covered) {
  push({Job::Kind::kBeginSnapshot, worker, covered, storage::LogBatch()});
}

void LogThread::write_snapshot(uint32_t worker, storage::LogBatch batch) {
  push({Job::Kind::kSnapshot, worker, 0, std::move(batch)});
}

void LogThread::install_snapshot(uint32_t worker, uint64_t log_end) {
  push({Job::Kind::kInstallSnapshot, worker, log_end, storage::LogBatch()});
}

// -------------------------------------------------------------------------------- the log thread

void* LogThread::run(void* self) {
  pthread_setname_np(pthread_self(), "log");
  static_cast<LogThread*>(self)->loop();
  return nullptr;
}

std::deque<LogThread::Job> LogThread::take_jobs() {
  const base::MutexLock lock(mutex_);
  while (jobs_.empty() && !stopping_) {
    base::Duration patience = kForEver;
    if (fsync_ == Fsync::kEverySecond) patience = kSyncEvery;
    if (!waiting_.empty()) patience = kTryAgainAfter;
    if (!changed_.wait_for(mutex_, patience)) break;
  }
  return std::exchange(jobs_, {});
}

void LogThread::loop() {
  for (bool stopping = false; !stopping;) {
    {
      const base::MutexLock lock(mutex_);
      stopping = stopping_;
    }
    std::deque<Job> jobs = take_jobs();
    std::deque<Job> logs = std::exchange(waiting_, {});
    std::deque<Job> others;
    for (Job& job : jobs) {
      (job.kind == Job::Kind::kLog ? logs : others).push_back(std::move(job));
    }
    while (!logs.empty() && status_.ok() && write_log(&logs.front())) logs.pop_front();
    waiting_ = std::move(logs);
    has_room_.store(waiting_.empty(), std::memory_order_relaxed);
    finish_logs();
    for (Job& job : others) {
      if (status_.ok()) do_other(&job);
    }
  }
}

// False when there is no room, or worse.
bool LogThread::write_log(Job* job) {
  const Status status = dir_->log(job->worker)->write(&job->batch);
  if (!status.ok()) {
    if (!is_no_room(status)) {
      fail(status);
    } else if (has_room_.load(std::memory_order_relaxed)) {
      LH_LOG(kError, "disk", "no room: writes are refused until there is")
          .kv("why", status.message());
    }
    return false;
  }
  unsynced_[job->worker] = true;
  written_.push_back(std::move(*job));
  return true;
}

void LogThread::finish_logs() {
  const base::Instant now = clock_.now();
  const bool due = fsync_ == Fsync::kEverySecond && now - synced_at_ >= kSyncEvery;
  if (fsync_ == Fsync::kAlways || due) sync_all();
  if (!status_.ok()) return;
  for (Job& job : std::exchange(written_, {})) {
    const storage::LogWriter& log = *dir_->log(job.worker);
    const uint64_t written = job.batch.next() - 1;
    job.batch.clear();
    listeners_[job.worker]->on_logged(written, log.durable(), std::move(job.batch));
  }
}

void LogThread::sync_all() {
  synced_at_ = clock_.now();
  for (uint32_t worker = 0; worker < unsynced_.size() && status_.ok(); ++worker) {
    if (!unsynced_[worker]) continue;
    unsynced_[worker] = false;
    if (const Status status = dir_->log(worker)->sync(); !status.ok()) fail(status);
  }
}

void LogThread::do_other(Job* job) {
  if (job->kind == Job::Kind::kSetNode) {
    const Status status = dir_->set_node(NodeId{static_cast<uint32_t>(job->number)});
    if (!status.ok()) fail(status);
    return;
  }
  const Status status = do_snapshot(job);
  if (status.ok()) return;
  // The log is still whole: the node goes on, and tries again later.
  LH_LOG_LIMITED(kWarn, "disk", "no snapshot", clock_.now()).kv("why", status.message());
  snapshots_[job->worker].reset();
}

Status LogThread::do_snapshot(Job* job) {
  std::unique_ptr<storage::SnapshotWriter>& writer = snapshots_[job->worker];
  LogListener& listener = *listeners_[job->worker];
  if (job->kind == Job::Kind::kBeginSnapshot) {
    Result<std::unique_ptr<storage::SnapshotWriter>> begun =
        dir_->begin_snapshot(job->worker, job->number);
    if (begun.ok()) writer = std::move(begun).value();
    return begun.status();
  }
  Status status;
  if (!writer) status = {StatusCode::kRefused, "the snapshot was given up"};
  if (job->kind == Job::Kind::kSnapshot) {
    if (status.ok()) status = writer->write(&job->batch);
    job->batch.clear();
    listener.on_snapshot_written(status.ok(), std::move(job->batch));
    return status;
  }
  // What it shows must not be ahead of the log.
  if (const Status synced = dir_->log(job->worker)->sync(); !synced.ok()) {
    fail(synced);
    return {};
  }
  if (status.ok()) status = dir_->install_snapshot(job->worker, writer.get(), job->number);
  writer.reset();
  listener.on_snapshot_installed(status.ok());
  return status;
}

void LogThread::fail(const Status& status) {
  if (!status_.ok()) return;
  status_ = status;
  LH_LOG(kError, "disk", "the log failed: this node ends").kv("why", status.message());
  owner_->on_log_failed(status);
}

}  // namespace lh::node
