// How a simulated node comes by its file: from its disk; the coordinator's makes it or rebuilds it.
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "core/journal.h"
#include "core/limits.h"
#include "sim/routing.h"
#include "sim/sim_shell.h"

namespace lh::sim {

namespace {

// For what waits for the result of a rebuild to be on the disk.
constexpr uint64_t kRebuildLane = ~uint64_t{0} - 2;

}  // namespace

bool SimShell::recover_record(const core::RecordSource& source, uint64_t stream,
                              std::string_view record) {
  if (stream != core::kNodeStream) {
    const BucketNo a = core::bucket_of(stream);
    const size_t home = core::home_of_bucket(a, source, workers_.size());
    const size_t owner = owners_.try_emplace(a, home).first->second;
    return workers_[owner]->server.recover(stream, record);
  }
  if (coordinator_ && core::is_identity(record) && !coordinator_->recover(record)) return false;
  if (core::is_event(record)) return coordinator_ != nullptr && coordinator_->recover(record);
  const core::RecordHome home = core::home_of_node_record(record, source, workers_.size());
  for (size_t k = home.first; k <= home.last; ++k) {
    if (!workers_[k]->server.recover(stream, record)) return false;
  }
  return true;
}

void SimShell::start_coordinator(bool returns) {
  if (config_.rebuilds && !returns) {
    rebuild_ = std::make_unique<core::Rebuild>(
        core::Rebuild::Self{address_of(process_), config_.incarnation, 0, coordinator_->options()},
        now());
    return;
  }
  core::BookPart book{0, {core::Coordinator::kSelf}, {}};
  book.nodes.push_back({core::Coordinator::kSelf, true, address_of(process_)});
  configure(core::Coordinator::kSelf, coordinator_->options(), book);
  member_ = std::make_unique<core::Member>(config_.incarnation, core::Coordinator::kSelf);
  if (returns) {
    const core::Boot& boot = workers_[core::kCoordinatorWorker]->server.boot();
    return coordinator_->resume(now(), address_of(process_), 0, boot);
  }
  // With a disk where the coordinator's log is: both are begun in one frame, or not at all.
  owners_[0] = disk_ == nullptr ? workers_.size() - 1 : core::kCoordinatorWorker;
  Worker* first = workers_[owners_[0]].get();
  first->server.create_bucket({0, 0}, &first->effects);
}

bool SimShell::has_buckets() const {
  return std::any_of(workers_.begin(), workers_.end(),
                     [](const auto& w) { return w->server.stats().buckets > 0; });
}

void SimShell::tick_rebuild() {
  Worker* w = workers_[core::kCoordinatorWorker].get();
  if (rebuild_->phase() != core::Rebuild::Phase::kAsking) return;
  rebuild_->tick(now(), &office_effects_);
  run(w, false);
  if (rebuild_->phase() == core::Rebuild::Phase::kFailed) {
    return shared_.world->fail("the file cannot be rebuilt: " + rebuild_->failure());
  }
  if (rebuild_->phase() != core::Rebuild::Phase::kDone) return;
  core::Position position;
  for (const core::Rebuild::Record& record : rebuild_->records()) {
    office_effects_.record(record.stream, &position)->append(record.bytes);
  }
  const core::Wait wait{w->log->write(&office_effects_), true};
  w->log->leave(kRebuildLane, wait, [this] { take_file_over(); });
}

void SimShell::take_file_over() {
  const std::unique_ptr<core::Rebuild> rebuilt = std::move(rebuild_);
  Worker* w = workers_[core::kCoordinatorWorker].get();
  for (const core::Rebuild::Record& record : rebuilt->records()) {
    LH_CHECK(recover_record({core::kCoordinatorWorker, true}, record.stream, record.bytes));
  }
  coordinator_->resume(now(), address_of(process_), 0, w->server.boot());
  member_ = std::make_unique<core::Member>(config_.incarnation, core::Coordinator::kSelf);
  disk_->set_node(id());
  serve(w);
  configure(id(), w->server.options(), w->server.book().part_from(0, core::kBookEntriesMax));
  config_.on_rebuilt();
  for (const core::Register& m : rebuilt->registrations()) {
    coordinator_->step(now(), m, &office_effects_);
    run(w, false);
  }
}

}  // namespace lh::sim
