// Disk: the data directory of a node and the thread that writes it, from start to stop:
//
//   open()      takes the directory's lock; a directory that fails its checks stops the start
//   recover()   hands every record there is to the worker that is to have it
//   start()     logs are written from now on
//   stop()      what the workers have handed over is on disk, and the directory is closed
//
// Which worker gets which record: core/record_home.h. Used by the thread that owns the pool.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "node/bucket_owners.h"
#include "node/log_thread.h"
#include "node/node_config.h"
#include "node/worker.h"
#include "storage/data_dir.h"
#include "storage/posix_env.h"

namespace lh::node {

class Disk {
 public:
  // random: for a directory that is new.
  static Result<std::unique_ptr<Disk>> open(const NodeConfig& config, uint64_t random,
                                            LogThread::Owner* owner);

  // Of the directory: drawn when it was made. The node's incarnation.
  uint64_t epoch() const { return dir_->manifest().epoch; }
  LogThread* log() { return log_.get(); }

  using Workers = std::vector<std::unique_ptr<Worker>>;
  // kDamaged: a record makes no sense. kInvalid: the directory is not for a node with this
  // configuration.
  Status recover(const Workers& workers, BucketOwners* owners);
  // Starts the log thread, and the workers.
  Status start(const Workers& workers);
  Status stop() { return log_->stop(); }

 private:
  explicit Disk(const NodeConfig& config) : config_(config) {}

  static void look_ahead(std::span<const storage::Record> records, const Workers& workers,
                         const BucketOwners& owners);
  Status recover_source(size_t source, const Workers& workers, BucketOwners* owners);
  bool recover_record(const storage::ManifestEntry& entry, uint64_t stream, std::string_view record,
                      const Workers& workers, BucketOwners* owners);
  Status judge(const Workers& workers) const;

  const NodeConfig& config_;
  std::unique_ptr<storage::DataDir> dir_;
  std::unique_ptr<LogThread> log_;
};

}  // namespace lh::node
