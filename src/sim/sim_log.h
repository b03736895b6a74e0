// SimLog: what a simulated worker has between its state machines and its disk: the batch that its
// records gather in, what waits for them to be durable, and its snapshots. The simulated half of
// node/worker.cc; owned by a worker of a SimShell.
#pragma once

#include <cstdint>

#include "core/coordinator.h"
#include "core/effects.h"
#include "core/held_queue.h"
#include "core/server.h"
#include "core/snapshot_maker.h"
#include "sim/event_queue.h"
#include "sim/sim_disk.h"
#include "sim/world.h"
#include "storage/log_feed.h"
#include "storage/snapshot_outlet.h"

namespace lh::sim {

class SimLog final : public storage::LogListener {
 public:
  // All outlive the log. later: of the process.
  SimLog(World* world, SimDisk* disk, uint32_t worker, core::Server* server, SimDisk::Later later);

  // The log goes on with this record.
  void begin(uint64_t next_record);

  // Takes the records of these effects; everything that the effects say is behind the place that is
  // returned.
  uint64_t write(core::Effects* effects);
  // What something that tells of the state at this place waits for, with this --fsync.
  core::Wait wait_for(uint64_t place, bool promise) const;

  // Whether something for this lane may leave now. If not: hold() keeps it until it may.
  bool lets_pass(uint64_t lane, const core::Wait& wait) const;
  void hold(uint64_t lane, const core::Wait& wait, Action leave);
  // Either of it.
  void leave(uint64_t lane, const core::Wait& wait, Action leave);

  // Now and then: begins a snapshot if it is due. coordinator: of this worker, or nullptr.
  void look(const core::Coordinator* coordinator);
  // The directory needs one of every worker.
  void want_snapshot() { snapshots_.want(); }

  void on_logged(uint64_t written, uint64_t durable, storage::LogBatch emptied) override;
  void on_synced(uint64_t durable) override;
  void on_snapshot_written(bool ok, storage::LogBatch emptied) override;
  void on_snapshot_installed(bool ok) override;

 private:
  void want_flush();
  void flush();
  core::LogProgress progress() const { return {feed_.written(), feed_.durable()}; }
  void take_progress();
  void want_slice();
  base::Duration soon();

  World* world_;
  SimDisk* disk_;
  uint32_t worker_;
  core::Server* server_;
  SimDisk::Later later_;
  storage::LogFeed feed_;
  bool flush_pending_ = false;
  bool slice_pending_ = false;
  core::HeldQueue<Action> held_;
  core::SnapshotMaker<storage::SnapshotOutlet> snapshots_;
};

}  // namespace lh::sim
