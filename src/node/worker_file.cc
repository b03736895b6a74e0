// How the coordinator's node comes by its file: it makes a new one, has it from its disk, or asks
// the nodes of a file that lost its coordinator (--rebuild).
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "core/journal.h"
#include "core/limits.h"
#include "node/worker.h"

namespace lh::node {

void Worker::start_file(bool returns) {
  if (!returns && !rebuilds()) {
    core::BookPart book{0, {core::Coordinator::kSelf}, {}};
    book.nodes.push_back({core::Coordinator::kSelf, true, shared_.address});
    configure(core::Coordinator::kSelf, shared_.file(), book);
  }
  if (index_ != kCoordinatorWorker) return;
  if (rebuilds() && !returns) {
    rebuild_ = std::make_unique<core::Rebuild>(
        core::Rebuild::Self{shared_.address, shared_.incarnation, shared_.config.buckets_max,
                            shared_.file()},
        loop_.now());
    return;
  }
  if (returns) {
    coordinator_->resume(loop_.now(), shared_.address, shared_.config.buckets_max, server_.boot());
  }
  member_ = std::make_unique<core::Member>(shared_.incarnation, core::Coordinator::kSelf);
  if (returns || shared_.owners.claim(0) != index_) return;
  Lease effects(*this);
  server_.create_bucket({0, 0}, effects.get());
}

// The number of the start of node 1, from what it says of itself.
uint32_t Worker::boot_of(const core::BookPart& book) {
  uint64_t boot = 0;
  for (const core::NodeEntry& node : book.nodes) {
    if (node.id == core::Coordinator::kSelf) boot = core::Coordinator::boot_of(node.version);
  }
  return static_cast<uint32_t>(boot);
}

void Worker::step_rebuild(const core::Message& message) {
  Lease effects(*this);
  rebuild_->step(loop_.now(), message, effects.get());
}

void Worker::tick_rebuild(base::Instant now) {
  using Phase = core::Rebuild::Phase;
  if (rebuild_->phase() == Phase::kAsking) {
    Lease effects(*this);
    rebuild_->tick(now, effects.get());
    rebuild_log_.look(now, rebuild_->progress());
    if (rebuild_->phase() == Phase::kFailed) {
      listener_->on_rebuild_failed(rebuild_->kind_of_failure(), rebuild_->failure());
    }
  }
  if (rebuild_->phase() != Phase::kDone) return;
  // In one batch, which is on the disk as a whole or not at all.
  if (log_ != nullptr && rebuilt_at_ == 0) {
    for (const core::Rebuild::Record& record : rebuild_->records()) {
      rebuilt_at_ = feed_.append(record.stream, record.bytes);
    }
    feed_.want_durable(rebuilt_at_);
  }
  if (log_ == nullptr || feed_.durable() >= rebuilt_at_) take_file_over();
}

// From here on it is as if the records had been found on the disk.
void Worker::take_file_over() {
  const std::unique_ptr<core::Rebuild> rebuilt = std::move(rebuild_);
  for (const core::Rebuild::Record& record : rebuilt->records()) {
    if (record.stream != core::kNodeStream) on_recovered(core::bucket_of(record.stream));
    LH_CHECK(recover(record.stream, record.bytes));
  }
  rebuild_log_.tell(*rebuilt);
  const base::Instant now = loop_.now();
  coordinator_->resume(now, shared_.address, shared_.config.buckets_max, server_.boot());
  member_ = std::make_unique<core::Member>(shared_.incarnation, core::Coordinator::kSelf);
  if (log_ != nullptr) log_->set_node(core::Coordinator::kSelf);
  serve();
  core::Registered to_workers;
  to_workers.id = core::Coordinator::kSelf;
  to_workers.options = server_.options();
  to_workers.book = server_.book().part_from(0, core::kBookEntriesMax);
  to_workers.book.nodes.push_back(*server_.book().node(core::Coordinator::kSelf));
  mail_all(to_workers);
  for (const core::Register& m : rebuilt->registrations()) {
    Lease effects(*this);
    coordinator_->step(now, m, effects.get());
  }
}

}  // namespace lh::node
