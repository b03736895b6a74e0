#include "storage/log_keeper.h"

#include <algorithm>

#include "base/check.h"
#include "base/log.h"

namespace lh::storage {

namespace {

constexpr base::Duration kSyncEvery = base::seconds(1);
constexpr base::Duration kBehindAfter = base::seconds(1);
constexpr base::Duration kTryAgainAfter = base::ms(100);
constexpr base::Duration kForEver = base::seconds(3'600);

bool is_no_room(const Status& status) { return status.code() == StatusCode::kRefused; }

}  // namespace

void LogKeeper::start(std::vector<LogListener*> listeners, base::Instant now) {
  listeners_ = std::move(listeners);
  logs_.resize(listeners_.size());
  synced_at_ = now;
  ballast_tried_at_ = now;
  dir_->take_ballast();
  if (dir_->has_ballast()) return;
  LH_LOG(kError, "disk", "no room: writes are refused until there is");
}

// A round that found the sync not due yet has not put it off, and neither does a full disk.
base::Duration LogKeeper::patience(base::Instant now) const {
  const base::Duration patience = has_room() ? kForEver : kTryAgainAfter;
  bool owes = false;
  for (uint32_t worker = 0; worker < logs_.size(); ++worker) {
    owes |= !logs_[worker].owed && dir_->log(worker)->has_unsynced();
  }
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

void LogKeeper::write(std::deque<LogJob> jobs, base::Instant now) {
  const bool had_room = has_room();
  for (LogJob& job : jobs) {
    (job.kind == LogJob::Kind::kLog ? waiting_ : others_).push_back(std::move(job));
  }
  write_waiting();
  if (!waiting_.empty() && dir_->has_ballast() && status_.ok()) {
    dir_->drop_ballast();
    write_waiting();
  }
  if (fsync_ != Fsync::kAlways && !is_behind(now)) tell_of_written();
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
  urgent_ |= job->urgent;
  written_.push_back(std::move(*job));
  return true;
}

void LogKeeper::sync(base::Instant now) {
  const bool due = fsync_ == Fsync::kEverySecond && now - synced_at_ >= kSyncEvery;
  const bool urgent = fsync_ == Fsync::kEverySecond && std::exchange(urgent_, false);
  if (fsync_ == Fsync::kAlways) sync_all();
  if (due || urgent) {
    synced_at_ = now;
    for (uint32_t worker = 0; worker < logs_.size(); ++worker) {
      logs_[worker].owed |= dir_->log(worker)->has_unsynced();
    }
  }
  begin_syncs(now);
  if (!dir_->has_ballast() && waiting_.empty() && now - ballast_tried_at_ >= kTryAgainAfter) {
    ballast_tried_at_ = now;
    dir_->take_ballast();
  }
  if (!is_behind(now)) tell_of_written();
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

void LogKeeper::sync_all() {
  for (uint32_t worker = 0; worker < logs_.size() && status_.ok(); ++worker) {
    if (const Status status = dir_->log(worker)->sync(); !status.ok()) return fail(status);
  }
}

// Elsewhere; of a log one at a time, and those that end a segment without a pause. A snapshot must
// not be ahead of its log.
void LogKeeper::begin_syncs(base::Instant now) {
  for (uint32_t worker = 0; worker < logs_.size() && status_.ok(); ++worker) {
    Log& log = logs_[worker];
    LogWriter* writer = dir_->log(worker);
    const bool is_ahead = log.log_end && writer->durable() < *log.log_end;
    if (!writer->is_syncing() && (log.owed || is_ahead || writer->is_ending())) {
      std::optional<LogSync> sync = writer->begin_sync();
      log.owed &= writer->has_unsynced();
      if (!std::exchange(log.ending, writer->is_ending())) log.begun_at = now;
      if (sync) syncer_->begin({.worker = worker, .log = std::move(*sync)});
    }
    if (!log.log_end || is_ahead) continue;
    const uint64_t log_end = *std::exchange(log.log_end, std::nullopt);
    syncer_->begin({.worker = worker, .snapshot = log.snapshot.get(), .log_end = log_end});
  }
}

bool LogKeeper::is_behind(base::Instant now) const {
  for (uint32_t worker = 0; worker < logs_.size(); ++worker) {
    const bool is_under_way = logs_[worker].ending || dir_->log(worker)->is_syncing();
    if (is_under_way && now - logs_[worker].begun_at >= kBehindAfter) return true;
  }
  return false;
}

void LogKeeper::end(SyncJob job) {
  if (job.snapshot != nullptr) return end_snapshot(job.worker, std::move(job.status));
  LogWriter* writer = dir_->log(job.worker);
  if (const Status status = writer->end_sync(std::move(job.status)); !status.ok()) fail(status);
  logs_[job.worker].ending = writer->is_ending();
  if (status_.ok() && fsync_ != Fsync::kAlways) {
    listeners_[job.worker]->on_synced(writer->durable());
  }
}

// --------------------------------------------------------------------------------- and the rest

void LogKeeper::settle(base::Instant now) {
  for (LogJob& job : std::exchange(others_, {})) {
    if (status_.ok()) do_other(&job);
  }
  begin_syncs(now);
}

void LogKeeper::do_other(LogJob* job) {
  Log& log = logs_[job->worker];
  Status status;
  switch (job->kind) {
    case LogJob::Kind::kLog:
      LH_CHECK(false, "a batch of a log is no other job");
    case LogJob::Kind::kSetNode:
      status = dir_->set_node(NodeId{static_cast<uint32_t>(job->number)});
      if (!status.ok()) fail(status);
      return;
    case LogJob::Kind::kBeginSnapshot: {
      Result<std::unique_ptr<SnapshotWriter>> begun =
          dir_->begin_snapshot(job->worker, job->number);
      if (!begun.ok()) return give_up_snapshot(job->worker, begun.status());
      log.snapshot = std::move(begun).value();
      return;
    }
    case LogJob::Kind::kSnapshot:
      if (log.snapshot) status = log.snapshot->write(&job->batch);
      if (!status.ok()) give_up_snapshot(job->worker, status);
      job->batch.clear();
      return listeners_[job->worker]->on_snapshot_written(log.snapshot != nullptr,
                                                          std::move(job->batch));
    case LogJob::Kind::kInstallSnapshot:
      if (!log.snapshot) return listeners_[job->worker]->on_snapshot_installed(false);
      log.log_end = job->number;
      return;
  }
}

void LogKeeper::end_snapshot(uint32_t worker, Status status) {
  std::unique_ptr<SnapshotWriter>& snapshot = logs_[worker].snapshot;
  if (status.ok()) status = dir_->install_snapshot(worker, *snapshot);
  if (!status.ok()) give_up_snapshot(worker, status);
  snapshot.reset();
  listeners_[worker]->on_snapshot_installed(status.ok());
}

// The log is still whole: the node goes on, and tries again later.
void LogKeeper::give_up_snapshot(uint32_t worker, const Status& status) {
  LH_LOG(kWarn, "disk", "no snapshot").kv("why", status.message());
  logs_[worker].snapshot.reset();
}

void LogKeeper::fail(const Status& status) {
  if (!status_.ok()) return;
  status_ = status;
  LH_LOG(kError, "disk", "the log failed: this node ends").kv("why", status.message());
  owner_->on_log_failed(status);
}

}  // namespace lh::storage
