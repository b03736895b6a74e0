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
      feed_(world->options.fsync),
      snapshots_(storage::SnapshotOutlet(disk, worker), pace_of(world->options)) {}

void SimLog::begin(uint64_t next_record) { feed_.begin(next_record); }

base::Duration SimLog::soon() { return random_up_to(&world_->prng, kSoon); }

// ------------------------------------------------------------------------------------- the log

uint64_t SimLog::write(core::Effects* effects) {
  const uint64_t place = effects->write_journal(
      [this](uint64_t stream, std::string_view record) { return feed_.append(stream, record); });
  if (!feed_.empty()) want_flush();
  return place;
}

core::Wait SimLog::wait_for(uint64_t place, bool promise) const {
  const bool rash = world_->canary != nullptr && world_->canary->is_rash();
  return {place, (promise && !rash) || world_->options.fsync == storage::Fsync::kAlways};
}

bool SimLog::lets_pass(uint64_t lane, const core::Wait& wait) const {
  if (world_->canary != nullptr && world_->canary->is_hasty()) return true;
  return wait.is_over(progress()) && !held_.holds(lane);
}

void SimLog::hold(uint64_t lane, const core::Wait& wait, Action leave) {
  world_->counters.add(Count::kWaits);
  if (wait.durable) feed_.want_durable(wait.place);
  held_.add(lane, wait, std::move(leave));
  want_flush();
}

void SimLog::leave(uint64_t lane, const core::Wait& wait, Action leave) {
  if (lets_pass(lane, wait)) return leave();
  hold(lane, wait, std::move(leave));
}

void SimLog::want_flush() {
  if (!feed_.is_ready() || flush_pending_) return;
  flush_pending_ = true;
  later_(soon(), [this] { flush(); });
}

void SimLog::flush() {
  flush_pending_ = false;
  if (!feed_.is_ready()) return;
  if (!feed_.empty()) snapshots_.add_log_bytes(feed_.bytes());
  feed_.hand_over(disk_, worker_);
}

void SimLog::on_logged(uint64_t written, uint64_t durable, storage::LogBatch emptied) {
  later_(soon(),
         [this, written, durable, batch = std::make_shared<storage::LogBatch>(std::move(emptied))] {
           feed_.on_logged(written, durable, std::move(*batch));
           take_progress();
         });
}

void SimLog::on_synced(uint64_t durable) {
  later_(soon(), [this, durable] {
    feed_.on_synced(durable);
    take_progress();
  });
}

void SimLog::take_progress() {
  snapshots_.on_logged(feed_.written());
  held_.release(progress(), [](const Action& leave) { leave(); });
  want_flush();
}

// ------------------------------------------------------------------------------------ snapshots

void SimLog::look(const core::Coordinator* coordinator) {
  if (server_->self() == NodeId::kNone) return;
  snapshots_.look(*server_, coordinator, feed_.last());
  want_slice();
}

void SimLog::want_slice() {
  if (!snapshots_.has_work() || slice_pending_) return;
  slice_pending_ = true;
  later_(soon() * 3, [this] {
    slice_pending_ = false;
    if (!snapshots_.has_work()) return;
    snapshots_.turn(server_, feed_.last());
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
