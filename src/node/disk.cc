#include "node/disk.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/log.h"
#include "core/journal.h"
#include "core/record_home.h"

namespace lh::node {

namespace {

// Of a log that is synced for every answer. Some hundred small batches; more would be written in
// vain when the node stops.
constexpr uint64_t kReserveBytes = uint64_t{1} << 20;

}  // namespace

Result<std::unique_ptr<Disk>> Disk::open(const NodeConfig& config, uint64_t random,
                                         LogThread::Owner* owner) {
  std::unique_ptr<Disk> disk(new Disk(config));
  storage::DataDirOptions options;
  options.workers = static_cast<uint32_t>(config.workers);
  options.new_epoch = random;
  if (config.fsync == Fsync::kAlways) options.log.reserve_bytes = kReserveBytes;
  Result<std::unique_ptr<storage::DataDir>> dir =
      storage::DataDir::open(storage::posix_env(), config.data_dir, options);
  if (!dir.ok()) return dir.status();
  disk->dir_ = std::move(dir).value();
  disk->log_ = std::make_unique<LogThread>(disk->dir_.get(), config.fsync, owner);
  return disk;
}

// ------------------------------------------------------------------------------------- recovery

Status Disk::recover(const Workers& workers, BucketOwners* owners) {
  const base::SteadyClock clock;
  const base::Instant began = clock.now();
  uint64_t records = 0;
  for (size_t source = 0; source < dir_->sources().size(); ++source) {
    if (Status status = recover_source(source, workers, owners); !status.ok()) return status;
    const storage::Recovered& recovered = dir_->recovered(source);
    records += recovered.snapshot.records + recovered.log_records;
  }
  if (Status status = judge(workers); !status.ok()) return status;
  LH_LOG(kInfo, "disk", "recovered")
      .kv("dir", config_.data_dir)
      .kv("records", records)
      .kv("ms", (clock.now() - began).ms());
  return {};
}

Status Disk::recover_source(size_t source, const Workers& workers, BucketOwners* owners) {
  const storage::ManifestEntry entry = dir_->sources()[source];
  const auto visit = [&](const storage::Record& record) -> Status {
    if (recover_record(entry, record.stream, record.payload, workers, owners)) return {};
    return {StatusCode::kDamaged, config_.data_dir + ": record " + std::to_string(record.sequence) +
                                      " of worker " + std::to_string(entry.worker) +
                                      " makes no sense behind those before it"};
  };
  const auto ahead = [&](std::span<const storage::Record> records) {
    look_ahead(records, workers, *owners);
  };
  return dir_->recover(source, storage::RecordVisitor(visit, ahead));
}

// The records of a log are all over the tables: overlapping their cache misses halves the time.
void Disk::look_ahead(std::span<const storage::Record> records, const Workers& workers,
                      const BucketOwners& owners) {
  std::array<std::pair<const table::HashTable*, HashValue>, storage::RecordVisitor::kAheadMax>
      found;
  size_t count = 0;
  for (const storage::Record& record : records) {
    if (record.stream == core::kNodeStream) continue;
    const std::optional<size_t> home = owners.find(core::bucket_of(record.stream));
    if (!home) continue;
    auto& [table, c] = found[count];
    table = workers[*home]->server().look_ahead(record.stream, record.payload, &c);
    if (table != nullptr) ++count;
  }
  for (size_t k = 0; k < count; ++k) found[k].first->prefetch(found[k].second);
}

bool Disk::recover_record(const storage::ManifestEntry& entry, uint64_t stream,
                          std::string_view record, const Workers& workers, BucketOwners* owners) {
  const core::RecordSource source{entry.worker, dir_->goes_on(entry)};
  if (stream != core::kNodeStream) {
    const BucketNo a = core::bucket_of(stream);
    const std::optional<size_t> has = owners->find(a);
    const size_t home = has ? *has : core::home_of_bucket(a, source, workers.size());
    if (!has && !owners->give(a, home)) return false;
    return workers[home]->recover(stream, record);
  }
  const core::RecordHome home = core::home_of_node_record(record, source, workers.size());
  for (size_t k = home.first; k <= home.last; ++k) {
    if (!workers[k]->recover(stream, record)) return false;
  }
  return true;
}

Status Disk::judge(const Workers& workers) const {
  const auto joined = std::find_if(workers.begin(), workers.end(),
                                   [](const auto& worker) { return worker->joined(); });
  if (joined == workers.end()) return {};
  if (config_.rebuild) {
    return {StatusCode::kInvalid, "--data-dir=" + config_.data_dir +
                                      " has a file already, rebuilt or never lost: start without "
                                      "--rebuild"};
  }
  const core::Server& server = (*joined)->server();
  const bool was_coordinator = server.self() == core::Coordinator::kSelf;
  if (was_coordinator != config_.coordinator) {
    return {StatusCode::kInvalid, "--data-dir=" + config_.data_dir + " is that of a " +
                                      (was_coordinator ? "coordinator" : "bucket node")};
  }
  const core::FileOptions& options = server.options();
  core::FileOptions wanted = config_.file;
  wanted.id = options.id;
  if (config_.coordinator && !(options == wanted)) {
    return {StatusCode::kInvalid,
            "--data-dir=" + config_.data_dir +
                " has a file with --capacity=" + std::to_string(options.capacity) +
                " --hash=" + (options.hash == base::HashMode::kInteger ? "integer" : "mixed")};
  }
  return {};
}

// --------------------------------------------------------------------------------- start and stop

Status Disk::start(const Workers& workers) {
  if (Status status = dir_->start(); !status.ok()) return status;
  Worker::Past past;
  std::vector<LogListener*> listeners;
  for (const auto& worker : workers) {
    past.boot = std::max(past.boot, worker->boot() + 1);
    if (worker->joined()) past.node = worker->server().self();
    listeners.push_back(worker.get());
  }
  for (uint32_t k = 0; k < workers.size(); ++k) {
    past.next_record = dir_->log(k)->next_sequence();
    workers[k]->start(past);
    if (dir_->needs_snapshots()) workers[k]->want_snapshot();
  }
  // Last: from here on the directory is the log thread's alone.
  return log_->start(std::move(listeners));
}

}  // namespace lh::node
