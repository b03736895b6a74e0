#include "sim/sim_log.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "sim/canary.h"

namespace lh::sim {

namespace {

constexpr base::Duration kSoon = base::us(100);

core::SnapshotPace pace_of(const Options& options) {
  return {options.snapshot_log_bytes, options.snapshot_log_bytes / 4, 256};
}

}  // namespace

SimLog::SimLog(World* world, SimDisk* disk, uint32_t worker, core::Server* server,
               SimDisk::Later later)
    : world_(world),
      disk_(disk),
      worker_(worker),
      server_(server),
      later_(std::move(later)),
      snapshots_(storage::SnapshotOutlet(disk, worker), pace_of(world->options)) {}

void SimLog::begin(uint64_t next_record) {
  batch_ = storage::LogBatch(next_record);
  logged_ = {next_record - 1, next_record - 1};
}

base::Duration SimLog::soon() { return random_up_to(&world_->prng, kSoon); }

// ------------------------------------------------------------------------------------- the log

uint64_t SimLog::write(core::Effects* effects) {
  const uint64_t place = effects->write_journal(
      [this](uint64_t stream, std::string_view record) { return batch_.append(stream, record); });
  if (!batch_.empty()) want_flush();
  return place;
}

core::Wait SimLog::wait_for(uint64_t place, bool promise) const {
  return {place, promise || world_->options.fsync == storage::Fsync::kAlways};
}

bool SimLog::lets_pass(uint64_t lane, const core::Wait& wait) const {
  if (world_->canary != nullptr && world_->canary->is_hasty()) return true;
  return wait.is_over(logged_) && !held_.holds(lane);
}

void SimLog::hold(uint64_t lane, const core::Wait& wait, Action leave) {
  world_->counters.add(Count::kWaits);
  if (wait.durable) sync_wanted_ = std::max(sync_wanted_, wait.place);
  held_.add(lane, wait, std::move(leave));
  want_flush();
}

void SimLog::leave(uint64_t lane, const core::Wait& wait, Action leave) {
  if (lets_pass(lane, wait)) return leave();
  hold(lane, wait, std::move(leave));
}

void SimLog::want_flush() {
  if (busy_ || flush_pending_) return;
  flush_pending_ = true;
  later_(soon(), [this] { flush(); });
}

void SimLog::flush() {
  flush_pending_ = false;
  const bool urgent = sync_wanted_ > std::max(logged_.durable, sync_asked_);
  if (busy_ || (batch_.empty() && !urgent)) return;
  if (urgent) sync_asked_ = batch_.next() - 1;
  busy_ = true;
  if (!batch_.empty()) snapshots_.add_log_bytes(batch_.bytes());
  disk_->write(worker_, &batch_, storage::LogBatch(), urgent);
}

void SimLog::on_logged(uint64_t written, uint64_t durable, storage::LogBatch) {
  later_(soon(), [this, written, durable] {
    busy_ = false;
    take_progress(written, durable);
  });
}

void SimLog::on_synced(uint64_t durable) {
  later_(soon(), [this, durable] { take_progress(0, durable); });
}

// What is told of the log may come in another order.
void SimLog::take_progress(uint64_t written, uint64_t durable) {
  if (world_->options.fsync == storage::Fsync::kNever) durable = std::max(durable, written);
  logged_.written = std::max(logged_.written, written);
  logged_.durable = std::max(logged_.durable, durable);
  snapshots_.on_logged(logged_.written);
  held_.release(logged_, [](const Action& leave) { leave(); });
  want_flush();
}

// ------------------------------------------------------------------------------------ snapshots

void SimLog::look(const core::Coordinator* coordinator) {
  if (server_->self() == NodeId::kNone) return;
  snapshots_.look(*server_, coordinator, batch_.next() - 1);
  want_slice();
}

void SimLog::want_slice() {
  if (!snapshots_.has_work() || slice_pending_) return;
  slice_pending_ = true;
  later_(soon() * 3, [this] {
    slice_pending_ = false;
    if (!snapshots_.has_work()) return;
    snapshots_.turn(server_, batch_.next() - 1);
    want_slice();
  });
}

void SimLog::on_snapshot_written(bool ok, storage::LogBatch) {
  later_(soon(), [this, ok] {
    snapshots_.on_written(ok);
    want_slice();
  });
}

void SimLog::on_snapshot_installed(bool ok) {
  if (ok) world_->counters.add(Count::kSnapshots);
  later_(soon(), [this] { snapshots_.on_installed(); });
}

}  // namespace lh::sim
