#include "sim/sim_disk.h"

#include <algorithm>
#include <utility>

#include "sim/canary.h"
#include "storage/file_names.h"
#include "storage/frame_reader.h"

namespace lh::sim {

namespace {

using base::Duration;
using base::us;

constexpr Duration kWakeWithin = us(100);
constexpr char kFolder[] = "data";
// The promise of --fsync=everysec.
constexpr Duration kSyncWithin = base::seconds(1);
// So many syncs a record may have to wait for: the second and third of those that end a segment,
// and three that end the next one.
constexpr int kSyncsMax = 5;

}  // namespace

// ------------------------------------------------------------------------------------------ lives

Status SimDisk::open(uint32_t workers) {
  storage::DataDirOptions options;
  options.workers = workers;
  options.new_epoch = world_->prng.next() | 1;
  options.log = {world_->options.segment_bytes, world_->options.reserve_bytes};
  options.ballast_bytes = 4'096;
  Result<std::unique_ptr<storage::DataDir>> dir = storage::DataDir::open(&env_, kFolder, options);
  if (dir.ok()) dir_ = std::move(dir).value();
  return dir.status();
}

Status SimDisk::recover(const Take& take) {
  const bool one_late = world_->canary != nullptr && world_->canary->forgets_last_record();
  for (size_t k = 0; k < dir_->sources().size(); ++k) {
    const storage::ManifestEntry& entry = dir_->sources()[k];
    const core::RecordSource source{entry.worker, dir_->goes_on(entry)};
    std::optional<std::pair<uint64_t, std::string>> kept;
    Status status = dir_->recover(k, [&](const storage::Record& record) -> Status {
      std::pair<uint64_t, std::string> next(record.stream, record.payload);
      if (one_late && !kept) return kept = std::move(next), Status();
      if (one_late) std::swap(*kept, next);
      if (take(source, next.first, next.second)) return {};
      return {StatusCode::kDamaged, "a record makes no sense behind those before it"};
    });
    if (!status.ok()) return status;
    // What is forgotten is a change of records: without others the core would not even start.
    const auto changes = static_cast<char>(core::RecordKind::kChanges);
    if (kept && kept->second.front() != changes) take(source, kept->first, kept->second);
  }
  return {};
}

Status SimDisk::start(std::vector<storage::LogListener*> listeners, Host host) {
  if (Status status = dir_->start(); !status.ok()) return status;
  host_ = std::move(host);
  longest_round_ = longest_sync_ = {};
  keeper_ = std::make_unique<storage::LogKeeper>(dir_.get(), world_->options.fsync, this, this);
  keeper_->start(std::move(listeners), keeper_now());
  wait();
  return {};
}

bool SimDisk::end(Ending how) {
  bool synced = false;
  if (how == Ending::kOrderly && keeper_ != nullptr) {
    keeper_->write(std::exchange(jobs_, {}), world_->now());
    keeper_->sync(world_->now());
    keeper_->settle(world_->now());
    while (!syncs_.empty()) end(syncs_.begin());
    // A disk without room has not taken everything; nobody was told that it had.
    const Status status = keeper_->close();
    synced = status.ok() || status.code() == StatusCode::kRefused;
  }
  // What objects do in their destructors a dead process does not do.
  env_.stop_after(0);
  keeper_.reset();
  dir_.reset();
  host_ = {};
  jobs_.clear();
  syncs_.clear();
  busy_ = false;
  ++rounds_;
  if (how == Ending::kPowerCut && world_->options.fsync != storage::Fsync::kNever) {
    const bool torn = world_->prng.chance(3, 4);
    env_.crash(&world_->prng, {.torn_sectors = torn, .torn_names = torn});
  }
  env_.stop_after(~uint64_t{0});
  return synced;
}

// ----------------------------------------------------------------------------------------- rounds

void SimDisk::push(storage::LogJob job) {
  jobs_.push_back(std::move(job));
  if (busy_) return;
  busy_ = true;
  host_.later(random_up_to(&world_->prng, kWakeWithin), [this] { begin_round(); });
}

void SimDisk::begin_round() {
  busy_ = true;
  ++rounds_;
  keeper_->write(std::exchange(jobs_, {}), keeper_now());
  // Only with Fsync::kAlways a round waits for the disk.
  const bool syncs = world_->options.fsync == storage::Fsync::kAlways;
  const Duration time = syncs ? sync_time() : random_up_to(&world_->prng, kWakeWithin);
  if (syncs) world_->counters.add(Count::kSyncs);
  longest_round_ = std::max(longest_round_, time);
  host_.later(time, [this] { end_round(); });
}

base::Instant SimDisk::keeper_now() const {
  const bool stands_still = world_->canary != nullptr && world_->canary->puts_syncs_off();
  return stands_still ? base::Instant() : world_->now();
}

void SimDisk::end_round() {
  keeper_->sync(keeper_now());
  keeper_->settle(keeper_now());
  busy_ = false;
  if (jobs_.empty()) return wait();
  busy_ = true;
  host_.later(random_up_to(&world_->prng, kWakeWithin), [this] { begin_round(); });
}

// ------------------------------------------------------------------------ syncs beside the rounds

// What is appended while it is under way may be synced with the rest, or not.
void SimDisk::begin(storage::SyncJob job) {
  const auto sync = syncs_.insert(syncs_.end(), {std::move(job), world_->now()});
  if (world_->prng.chance(1, 2)) run(&*sync);
  host_.later(sync_time(), [this, sync] {
    end(sync);
    if (!busy_) begin_round();
  });
}

void SimDisk::run(Sync* sync) {
  if (std::exchange(sync->is_done, true)) return;
  world_->counters.add(Count::kSyncs);
  sync->job.run();
}

void SimDisk::end(Syncs::iterator sync) {
  run(&*sync);
  longest_sync_ = std::max(longest_sync_, world_->now() - sync->begun_at);
  storage::SyncJob job = std::move(sync->job);
  syncs_.erase(sync);
  keeper_->end(std::move(job));
}

// For what is due although nobody has a job.
void SimDisk::wait() {
  const Duration patience = keeper_->patience(keeper_now());
  if (patience > base::seconds(60)) return;
  host_.later(patience, [this, round = rounds_] {
    if (!busy_ && round == rounds_) begin_round();
  });
}

Duration SimDisk::sync_time() {
  const Options& o = world_->options;
  if (world_->now() < slow_until_) return random_up_to(&world_->prng, slow_max_);
  return o.sync_min + random_up_to(&world_->prng, o.sync_max - o.sync_min);
}

void SimDisk::on_log_failed(const Status& status) {
  world_->transcript.note(world_->now(), "a log failed: " + std::string(status.message()));
  host_.later(Duration(), host_.on_failed);
}

// A sync that is due waits for the round under way, and for syncs, and takes its time.
Duration SimDisk::unsynced_max() const {
  Duration sync = longest_sync_;
  for (const Sync& each : syncs_) sync = std::max(sync, world_->now() - each.begun_at);
  return kSyncWithin + sync * kSyncsMax + longest_round_ * 2 + kWakeWithin * 4;
}

// ----------------------------------------------------------------------------------------- faults

void SimDisk::set_full(bool full) {
  const uint64_t room = full ? world_->prng.below(2'000) : uint64_t{1} << 50;
  env_.set_capacity(env_.used_bytes() + room);
}

void SimDisk::slow_down(base::Instant until, Duration sync_max) {
  slow_until_ = until;
  slow_max_ = sync_max;
}

std::string SimDisk::image() const {
  std::string all;
  for (const std::string& path : env_.files()) {
    if (!path.ends_with(storage::kLockName)) all.append(path).append(env_.content(path));
  }
  return all;
}

std::optional<SimDisk::Place> SimDisk::flip_some_bit(base::Prng* prng) {
  storage::Manifest manifest;
  if (!storage::read_manifest(&env_, kFolder, &manifest).ok()) return std::nullopt;
  std::vector<std::pair<std::string, uint64_t>> files;  // and how much of each is guarded
  const std::string own = storage::join(kFolder, storage::kManifestName);
  files.push_back({own, env_.content(own).size()});
  for (const storage::ManifestEntry& entry : manifest.entries) {
    const std::string folder =
        storage::join(kFolder, storage::folder_name(entry.generation, entry.worker));
    const Result<std::vector<std::string>> names = env_.list(folder);
    if (!names.ok()) return std::nullopt;
    for (const std::string& name : names.value()) {
      const uint64_t guarded = guarded_bytes(folder, name, entry);
      if (guarded > 0) files.push_back({storage::join(folder, name), guarded});
    }
  }
  const auto& [path, bytes] = files[prng->below(files.size())];
  const Place place{path, prng->below(bytes * 8)};
  env_.flip_bit(place.path, place.bit);
  return place;
}

// How many bytes at the beginning of the file cannot change unnoticed.
uint64_t SimDisk::guarded_bytes(const std::string& folder, const std::string& name,
                                const storage::ManifestEntry& entry) {
  const std::string path = storage::join(folder, name);
  if (const auto covered = storage::parse_snapshot_name(name)) {
    const bool counts = entry.has_snapshot && *covered + 1 == entry.oldest;
    return counts ? env_.content(path).size() : 0;
  }
  if (!storage::parse_segment_name(name)) return 0;
  const Result<std::unique_ptr<storage::FrameReader>> reader =
      storage::FrameReader::open(&env_, path);
  if (!reader.ok()) return 0;
  uint64_t durable = entry.durable;
  std::vector<std::pair<uint64_t, uint64_t>> ends;  // last sequence and end of each frame
  for (storage::Frame frame;;) {
    const auto step = reader.value()->next(&frame);
    if (!step.ok() || step.value() != storage::FrameReader::Step::kFrame) break;
    durable = std::max(durable, frame.header.durable);
    const uint64_t last = frame.header.first + frame.header.count - 1;
    if (last >= entry.oldest && frame.header.count > 0) {
      ends.push_back({last, reader.value()->offset()});
    }
  }
  uint64_t guarded = 0;
  for (const auto& [last, end] : ends) {
    if (last <= durable) guarded = end;
  }
  return guarded;
}

}  // namespace lh::sim
