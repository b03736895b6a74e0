// DataDir: the data directory of a node, from start to stop. The one class that a node needs:
//
//   open()             takes the lock, reads the manifest
//   recover(source)    for each source in order: hands over every record there is. Up to here
//                      nothing on disk has been changed, so a start that finds damage leaves it as
//                      it was
//   start()            cuts torn tails, sweeps up what crashes left, makes the logs ready
//   log(worker)        is written to from now on, through LogBatches
//   begin_snapshot(), install_snapshot()   now and then, so that logs stay short
//   close()            in good order; a DataDir that is destroyed without it is as after a crash
//
// Records are opaque bytes of a stream: a bucket of the node, or stream 0 for the node itself.
// Within a generation a stream is written by one worker at a time, and the records have to be
// idempotent changes of state ("put k v", "level is j"), because a snapshot may show them already.
//
// Another number of workers than last time: recover() hands over the records of all the old
// workers, the caller gives each stream to whom it likes, and start() begins a new generation of
// logs. The old files are needed until every worker has installed a snapshot; needs_snapshots()
// says so, and the caller takes them soon. If the node stops before, the next start reads the old
// generation first, then the logs of the new one.
//
// Threads: recover() may run for several sources of one generation at once. All else is for one
// thread, the log thread of the process; workers only fill LogBatches. Errors: kDamaged, with file
// and offset, and kRefused when another process has the directory or there is no room.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "storage/env.h"
#include "storage/log_writer.h"
#include "storage/manifest.h"
#include "storage/recovery.h"
#include "storage/snapshot.h"

namespace lh::storage {

struct DataDirOptions {
  uint32_t workers = 1;
  uint64_t new_epoch = 0;  // random bits: what tells a new directory from all others
  LogWriterOptions log;
  // For what is taken in before a full disk is noticed. 0: none, which is never given up.
  uint64_t ballast_bytes = uint64_t{16} << 20;
};

class DataDir {
 public:
  // Creates the directory when there is none; its parent exists. env outlives the DataDir.
  static Result<std::unique_ptr<DataDir>> open(Env* env, std::string path,
                                               const DataDirOptions& options);

  bool is_new() const { return is_new_; }
  const Manifest& manifest() const { return manifest_; }

  // What there is to be recovered: oldest generation first.
  const std::vector<ManifestEntry>& sources() const { return sources_; }
  Status recover(size_t source, const RecordVisitor& visitor);
  // Whether the worker of the source goes on with its log: there are as many workers as then.
  bool goes_on(const ManifestEntry& source) const {
    return source.generation == manifest_.newest_generation() &&
           manifest_.workers() == options_.workers;
  }
  // How that went.
  const Recovered& recovered(size_t source) const { return *recovered_[source]; }

  // Bound: every source was recovered.
  Status start();

  LogWriter* log(uint32_t worker) { return logs_[worker].get(); }

  // The node's number, given to it once. Durable on return.
  Status set_node(NodeId node);

  // The ballast is a file that is there to be given up when the disk is full: what was taken in
  // before that was known then still fits. take_ballast() does nothing when there is no room.
  bool has_ballast() const { return has_ballast_; }
  void take_ballast();
  void drop_ballast();

  // Whether files of older generations are still needed.
  bool needs_snapshots() const { return manifest_.has_older_generations(); }

  // The state of the worker's streams reflects its log up to and including `covered`. One snapshot
  // of a worker at a time.
  Result<std::unique_ptr<SnapshotWriter>> begin_snapshot(uint32_t worker, uint64_t covered);

  // Makes a snapshot, which is finished, the one that counts, and removes what it replaces. After
  // an error the one before still counts.
  Status install_snapshot(uint32_t worker, const SnapshotWriter& snapshot);

  // Syncs all logs, marks them as closed, and notes in the manifest how far they go, so that after
  // a stop in good order nothing at all can go missing unseen.
  Status close();

 private:
  DataDir(Env* env, std::string path, const DataDirOptions& options)
      : env_(env), path_(std::move(path)), options_(options) {}

  Status load();
  Status judge_names(const std::vector<std::string>& names);
  Status judge_unlisted(const std::string& folder, uint64_t generation);
  Status sync_names();
  Status begin_generation();
  Status open_log(const ManifestEntry& entry, const LogTail& tail);
  Status write(Manifest manifest);
  std::string folder_of(const ManifestEntry& entry) const;
  void sweep();
  void trim(const ManifestEntry& entry);
  void remove_folder(const std::string& folder);
  void remove_unfinished(const std::string& folder);
  void remove(const std::string& path);

  Env* env_;
  std::string path_;
  DataDirOptions options_;
  std::unique_ptr<FileLock> lock_;
  bool is_new_ = false;
  bool has_ballast_ = false;
  Manifest manifest_;  // as on disk
  std::vector<ManifestEntry> sources_;
  std::vector<std::optional<Recovered>> recovered_;  // by source
  std::vector<std::string> superseded_;              // folders that nothing names any more
  std::vector<std::unique_ptr<LogWriter>> logs_;     // by worker
  // By worker: the oldest sequence needed once its finished snapshot gets into the manifest.
  std::vector<std::optional<uint64_t>> pending_;
};

}  // namespace lh::storage
