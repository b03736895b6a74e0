#include "storage/log_keeper.h"

#include <algorithm>

#include "base/log.h"

namespace lh::storage {

namespace {

constexpr base::Duration kSyncEvery = base::seconds(1);
constexpr base::Duration kTryAgainAfter = base::ms(100);
constexpr base::Duration kForEver = base::seconds(3'600);

bool is_no_room(const Status& status) { return status.code() == StatusCode::kRefused; }

}  // namespace

void LogKeeper::start(std::vector<LogListener*> listeners, base::Instant now) {
  listeners_ = std::move(listeners);
  snapshots_.resize(listeners_.size());
  unsynced_.resize(listeners_.size());
  synced_at_ = now;
  ballast_tried_at_ = now;
  dir_->take_ballast();
  if (dir_->has_ballast()) return;
  LH_LOG(kError, "disk", "no room: writes are refused until there is");
}

// A round that found the sync not due yet has not put it off, and neither does a full disk.
base::Duration LogKeeper::patience(base::Instant now) const {
  const base::Duration patience = has_room() ? kForEver : kTryAgainAfter;
  const bool owes = std::find(unsynced_.begin(), unsynced_.end(), true) != unsynced_.end();
  if (fsync_ != Fsync::kEverySecond || !owes) return patience;
  return std::clamp(synced_at_ + kSyncEvery - now, base::Duration(), patience);
}

// What could not be written takes nothing from what was: that is synced all the same.
Status LogKeeper::close() {
  if (status_.ok()) status_ = dir_->close();
  if (status_.ok() && !waiting_.empty()) {
    status_ = {StatusCode::kRefused, "the disk is full: the last writes are not on it"};
  }
  return status_;
}

// -------------------------------------------------------------------------------------- the logs

void LogKeeper::write(std::deque<LogJob> jobs) {
  const bool had_room = has_room();
  for (LogJob& job : jobs) {
    (job.kind == LogJob::Kind::kLog ? waiting_ : others_).push_back(std::move(job));
  }
  write_waiting();
  if (!waiting_.empty() && dir_->has_ballast() && status_.ok()) {
    dir_->drop_ballast();
    write_waiting();
  }
  if (fsync_ != Fsync::kAlways) tell_of_written();
  if (!had_room || has_room() || !status_.ok()) return;
  LH_LOG(kError, "disk", "no room: writes are refused until there is");
}

void LogKeeper::write_waiting() {
  while (!waiting_.empty() && status_.ok() && write_log(&waiting_.front())) waiting_.pop_front();
}

// False when there is no room, or worse.
bool LogKeeper::write_log(LogJob* job) {
  const Status status = dir_->log(job->worker)->write(&job->batch);
  if (!status.ok()) {
    if (!is_no_room(status)) fail(status);
    return false;
  }
  unsynced_[job->worker] = true;
  urgent_ |= job->urgent;
  written_.push_back(std::move(*job));
  return true;
}

void LogKeeper::sync(base::Instant now) {
  const bool due = fsync_ == Fsync::kEverySecond && now - synced_at_ >= kSyncEvery;
  const bool urgent = fsync_ == Fsync::kEverySecond && std::exchange(urgent_, false);
  if (fsync_ == Fsync::kAlways || due || urgent) sync_all(now);
  if (!dir_->has_ballast() && waiting_.empty() && now - ballast_tried_at_ >= kTryAgainAfter) {
    ballast_tried_at_ = now;
    dir_->take_ballast();
  }
  tell_of_written();
}

void LogKeeper::tell_of_written() {
  if (!status_.ok()) return;
  for (LogJob& job : std::exchange(written_, {})) {
    const LogWriter& log = *dir_->log(job.worker);
    const uint64_t written = job.batch.next() - 1;
    job.batch.clear();
    listeners_[job.worker]->on_logged(written, log.durable(), std::move(job.batch));
  }
}

void LogKeeper::sync_all(base::Instant now) {
  synced_at_ = now;
  for (uint32_t worker = 0; worker < unsynced_.size() && status_.ok(); ++worker) {
    if (!unsynced_[worker]) continue;
    unsynced_[worker] = false;
    if (const Status status = dir_->log(worker)->sync(); !status.ok()) return fail(status);
    if (fsync_ != Fsync::kAlways) listeners_[worker]->on_synced(dir_->log(worker)->durable());
  }
}

// --------------------------------------------------------------------------------- and the rest

void LogKeeper::settle() {
  for (LogJob& job : std::exchange(others_, {})) {
    if (status_.ok()) do_other(&job);
  }
}

void LogKeeper::do_other(LogJob* job) {
  if (job->kind == LogJob::Kind::kSetNode) {
    const Status status = dir_->set_node(NodeId{static_cast<uint32_t>(job->number)});
    if (!status.ok()) fail(status);
    return;
  }
  const Status status = do_snapshot(job);
  if (status.ok()) return;
  // The log is still whole: the node goes on, and tries again later.
  LH_LOG(kWarn, "disk", "no snapshot").kv("why", status.message());
  snapshots_[job->worker].reset();
}

Status LogKeeper::do_snapshot(LogJob* job) {
  std::unique_ptr<SnapshotWriter>& writer = snapshots_[job->worker];
  LogListener& listener = *listeners_[job->worker];
  if (job->kind == LogJob::Kind::kBeginSnapshot) {
    Result<std::unique_ptr<SnapshotWriter>> begun = dir_->begin_snapshot(job->worker, job->number);
    if (begun.ok()) writer = std::move(begun).value();
    return begun.status();
  }
  Status status;
  if (!writer) status = {StatusCode::kRefused, "the snapshot was given up"};
  if (job->kind == LogJob::Kind::kSnapshot) {
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

void LogKeeper::fail(const Status& status) {
  if (!status_.ok()) return;
  status_ = status;
  LH_LOG(kError, "disk", "the log failed: this node ends").kv("why", status.message());
  owner_->on_log_failed(status);
}

}  // namespace lh::storage
