#include "storage/data_dir.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "base/prng.h"
#include "storage/file_names.h"

namespace lh::storage {

// ------------------------------------------------------------------------------------ opening

Result<std::unique_ptr<DataDir>> DataDir::open(Env* env, std::string path,
                                               const DataDirOptions& options) {
  LH_CHECK(options.workers > 0);
  const Status made = env->make_dir(path);
  if (made.ok()) {
    if (Status status = env->sync_dir(parent_of(path)); !status.ok()) return status;
  } else if (made.code() != StatusCode::kExists) {
    return made;
  }
  std::unique_ptr<DataDir> dir(new DataDir(env, std::move(path), options));
  Result<std::unique_ptr<FileLock>> lock = env->lock(join(dir->path_, kLockName));
  if (!lock.ok()) return lock.status();
  dir->lock_ = std::move(lock).value();
  if (Status status = dir->load(); !status.ok()) return status;
  return dir;
}

Status DataDir::load() {
  Status status = read_manifest(env_, path_, &manifest_);
  is_new_ = status.code() == StatusCode::kNotFound;
  if (!status.ok() && !is_new_) return status;
  if (is_new_) manifest_.epoch = options_.new_epoch;
  const Result<std::vector<std::string>> names = env_->list(path_);
  if (!names.ok()) return names.status();
  if (status = judge_names(names.value()); !status.ok()) return status;
  sources_ = manifest_.entries;
  recovered_.resize(sources_.size());
  return {};
}

// Each worker's folder is in the manifest, or there is a reason why it is not.
Status DataDir::judge_names(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    const std::optional<FolderName> folder = parse_folder_name(name);
    if (!folder) continue;
    if (is_new_) {
      return damaged(join(path_, kManifestName), 0,
                     "the manifest is missing, but there is " + name);
    }
    const bool listed = std::any_of(
        manifest_.entries.begin(), manifest_.entries.end(), [&](const ManifestEntry& entry) {
          return entry.generation == folder->generation && entry.worker == folder->worker;
        });
    if (listed) continue;
    if (Status status = judge_unlisted(join(path_, name), folder->generation); !status.ok()) {
      return status;
    }
    superseded_.push_back(join(path_, name));
  }
  return {};
}

// An older generation was dropped after snapshots had replaced it. A newer one was being made when
// a crash came, and then its logs are still empty; if they are not, this is not their manifest.
Status DataDir::judge_unlisted(const std::string& folder, uint64_t generation) {
  if (!manifest_.entries.empty() && generation < manifest_.entries.front().generation) return {};
  const Status foreign = damaged(join(path_, kManifestName), 0,
                                 "the manifest does not name " + folder + ", which has records");
  if (generation <= manifest_.newest_generation()) return foreign;
  const Result<std::vector<std::string>> names = env_->list(folder);
  if (!names.ok()) return names.status();
  for (const std::string& name : names.value()) {
    const Result<std::unique_ptr<ReadFile>> file = env_->open_read(join(folder, name));
    if (!file.ok()) return file.status();
    if (file.value()->size() > kFileHeaderBytes) return foreign;
  }
  return {};
}

std::string DataDir::folder_of(const ManifestEntry& entry) const {
  return join(path_, folder_name(entry.generation, entry.worker));
}

Status DataDir::recover(size_t source, const RecordVisitor& visitor) {
  Recovered recovered;
  Status status = recover_worker(env_, path_, manifest_, sources_[source], visitor, &recovered);
  if (status.ok()) recovered_[source] = std::move(recovered);
  return status;
}

// ----------------------------------------------------------------------------------- starting

Status DataDir::start() {
  for (const auto& recovered : recovered_) LH_CHECK(recovered.has_value(), "recover all first");
  // An empty manifest comes before any folder: folders without a manifest are damage.
  if (is_new_) {
    if (Status status = write(manifest_); !status.ok()) return status;
  } else if (Status status = sync_names(); !status.ok()) {
    return status;
  }
  sweep();
  pending_.assign(options_.workers, std::nullopt);
  // Older logs are made whole and durable too: what follows rests on all that was recovered.
  for (size_t source = 0; source < sources_.size(); ++source) {
    Status status = open_log(sources_[source], recovered_[source]->tail);
    if (!status.ok()) return status;
  }
  if (manifest_.workers() != options_.workers) return begin_generation();
  logs_.erase(logs_.begin(), logs_.end() - options_.workers);
  return {};
}

// A process that was killed may not have come to it. Without it a loss of power could bring the
// manifest before this one back, and what that names is removed now; or take a segment away that
// records are synced to from now on.
Status DataDir::sync_names() {
  Status status = env_->sync_dir(path_);
  for (const ManifestEntry& entry : manifest_.entries) {
    if (status.ok()) status = env_->sync_dir(folder_of(entry));
  }
  return status;
}

Status DataDir::begin_generation() {
  logs_.clear();
  Manifest next = manifest_;
  for (size_t source = 0; source < sources_.size(); ++source) {
    next.entries[source].durable = recovered_[source]->tail.next_sequence - 1;
  }
  std::vector<ManifestEntry> entries;
  for (uint32_t worker = 0; worker < options_.workers; ++worker) {
    const ManifestEntry entry{.generation = manifest_.newest_generation() + 1, .worker = worker};
    const std::string folder = folder_of(entry);
    Status status = env_->make_dir(folder);
    if (status.ok()) status = LogWriter::create(env_, folder, next.owner(entry));
    if (!status.ok()) return status;
    entries.push_back(entry);
  }
  next.entries.insert(next.entries.end(), entries.begin(), entries.end());
  // The directory too: it holds the names of the folders.
  Status status = env_->sync_dir(path_);
  if (status.ok()) status = write(std::move(next));
  for (size_t i = 0; status.ok() && i < entries.size(); ++i) {
    LogTail tail;
    const auto nothing = [](const Record&) { return Status(); };
    status =
        read_log(env_, folder_of(entries[i]), manifest_.owner(entries[i]), 1, 0, nothing, &tail);
    if (status.ok()) status = open_log(entries[i], tail);
  }
  return status;
}

Status DataDir::open_log(const ManifestEntry& entry, const LogTail& tail) {
  const auto say = [](const SegmentEnd& end) {
    if (end.torn_bytes == 0) return;
    LH_LOG(kWarn, "storage", "torn tail cut")
        .kv("file", end.path)
        .kv("offset", end.offset)
        .kv("bytes", end.torn_bytes);
  };
  say(tail.last);
  if (tail.before_last) say(*tail.before_last);
  if (tail.dropped) say(*tail.dropped);
  const auto open = [&] {
    return LogWriter::open(env_, folder_of(entry), manifest_.owner(entry), tail, options_.log);
  };
  auto log = open();
  // An end frame that is missing may need room.
  if (log.status().code() == StatusCode::kRefused) {
    drop_ballast();
    log = open();
  }
  if (!log.ok()) return log.status();
  logs_.push_back(std::move(log).value());
  return {};
}

Status DataDir::write(Manifest manifest) {
  ++manifest.edit;
  for (ManifestEntry& entry : manifest.entries) {
    const bool is_written = entry.generation == manifest_.newest_generation() && !logs_.empty();
    if (is_written) entry.durable = logs_[entry.worker]->durable();
  }
  Status status = write_manifest(env_, path_, manifest);
  if (status.ok()) manifest_ = std::move(manifest);
  return status;
}

Status DataDir::set_node(NodeId node) {
  if (manifest_.node == node) return {};
  if (manifest_.node != NodeId::kNone) {
    return {StatusCode::kRefused,
            path_ + " belongs to node " + std::to_string(static_cast<uint32_t>(manifest_.node))};
  }
  Manifest next = manifest_;
  next.node = node;
  if (Status status = write(std::move(next)); !status.ok()) return status;
  for (const auto& log : logs_) log->set_node(node);
  return {};
}

Status DataDir::close() {
  Status first;
  for (const auto& log : logs_) {
    Status status = log->close();
    if (first.ok()) first = std::move(status);
  }
  if (!first.ok()) return first;
  Status status = write(manifest_);
  return status.code() == StatusCode::kRefused ? Status() : status;
}

// ---------------------------------------------------------------------------------- snapshots

Result<std::unique_ptr<SnapshotWriter>> DataDir::begin_snapshot(uint32_t worker, uint64_t covered) {
  const ManifestEntry entry{.generation = manifest_.newest_generation(), .worker = worker};
  return SnapshotWriter::begin(env_, folder_of(entry), manifest_.owner(entry), covered);
}

Status DataDir::install_snapshot(uint32_t worker, const SnapshotWriter& snapshot) {
  LH_CHECK(snapshot.is_finished());
  pending_[worker] = snapshot.covered() + 1;
  // Older generations hold a part of everybody's state: they go when everybody has a snapshot.
  const bool all = std::all_of(pending_.begin(), pending_.end(),
                               [](const auto& oldest) { return oldest.has_value(); });
  if (needs_snapshots() && !all) return {};
  Manifest next = manifest_;
  std::erase_if(next.entries, [&](const ManifestEntry& entry) {
    return entry.generation != manifest_.newest_generation();
  });
  for (ManifestEntry& entry : next.entries) {
    if (!pending_[entry.worker].has_value()) continue;
    entry.has_snapshot = true;
    entry.oldest = *pending_[entry.worker];
  }
  const std::vector<ManifestEntry> before = manifest_.entries;
  if (Status status = write(std::move(next)); !status.ok()) return status;
  for (const ManifestEntry& entry : before) {
    if (entry.generation != manifest_.newest_generation()) remove_folder(folder_of(entry));
  }
  for (const ManifestEntry& entry : manifest_.entries) {
    if (pending_[entry.worker].has_value()) trim(entry);
  }
  pending_.assign(options_.workers, std::nullopt);
  return {};
}

// --------------------------------------------------- removing; what fails is done again next time

void DataDir::sweep() {
  remove_unfinished(path_);
  for (const std::string& folder : superseded_) remove_folder(folder);
  for (const ManifestEntry& entry : manifest_.entries) {
    remove_unfinished(folder_of(entry));
    trim(entry);
  }
}

// Removes the segments and snapshots that the entry makes needless, oldest first: a crash in
// between leaves no gap.
void DataDir::trim(const ManifestEntry& entry) {
  const std::string folder = folder_of(entry);
  const Result<std::vector<std::string>> names = env_->list(folder);
  if (!names.ok()) return;
  std::string segment;
  for (const std::string& name : names.value()) {
    if (const auto covered = parse_snapshot_name(name)) {
      if (!entry.has_snapshot || *covered + 1 != entry.oldest) remove(join(folder, name));
    } else if (const auto first = parse_segment_name(name)) {
      if (!segment.empty() && *first < entry.oldest) remove(join(folder, segment));
      segment = name;
    }
  }
}

// Of bytes that no file system makes less of.
void DataDir::take_ballast() {
  has_ballast_ = options_.ballast_bytes == 0;
  if (has_ballast_) return;
  const std::string path = join(path_, kBallastName);
  Result<std::unique_ptr<AppendFile>> file = env_->create(path);
  if (!file.ok()) return;
  base::Prng prng(manifest_.epoch);
  std::string chunk(std::min<uint64_t>(options_.ballast_bytes, uint64_t{64} << 10), '\0');
  Status status;
  for (uint64_t size = 0; size < options_.ballast_bytes && status.ok(); size += chunk.size()) {
    for (char& c : chunk) c = static_cast<char>(prng.next());
    status = file.value()->append(chunk);
  }
  has_ballast_ = status.ok();
  if (!has_ballast_) remove(path);
}

void DataDir::drop_ballast() {
  has_ballast_ = options_.ballast_bytes == 0;
  if (!has_ballast_) remove(join(path_, kBallastName));
}

void DataDir::remove_unfinished(const std::string& folder) {
  const Result<std::vector<std::string>> names = env_->list(folder);
  if (!names.ok()) return;
  for (const std::string& name : names.value()) {
    if (!name.ends_with(kUnfinishedSuffix)) continue;
    LH_LOG(kInfo, "storage", "removing unfinished file").kv("file", join(folder, name));
    remove(join(folder, name));
  }
}

void DataDir::remove_folder(const std::string& folder) {
  LH_LOG(kInfo, "storage", "removing superseded logs").kv("folder", folder);
  const Result<std::vector<std::string>> names = env_->list(folder);
  if (!names.ok()) return;
  for (const std::string& name : names.value()) remove(join(folder, name));
  if (const Status status = env_->remove_dir(folder); !status.ok()) {
    LH_LOG(kWarn, "storage", "cannot remove").kv("why", status.message());
  }
}

void DataDir::remove(const std::string& path) {
  if (const Status status = env_->remove(path); !status.ok()) {
    LH_LOG(kWarn, "storage", "cannot remove").kv("why", status.message());
  }
}

}  // namespace lh::storage
