// LogWriter: puts batches of records on disk, in segments. It belongs to the log thread; workers
// fill the batches (log_batch.h) meanwhile.
//
//   write()  one batch, one frame, one system call. When a segment is full the next one is begun
//            first, and the full one is to be ended.
//   sync()   makes all that was written durable; durable() then says so, and so does every later
//            frame. A reader can thus tell a torn tail from damage.
//   begin_sync(), end_sync()   the same, done by somebody else while batches go on being written.
//            To end a segment takes three in a row: of the full one; of the new one and its name;
//            and of the end frame, which the full one gets then. Nothing in the new one is said to
//            be durable before that, nor is a third one begun: the current one gets longer than it
//            should.
//
// Errors. No room (kRefused): what was written of the batch is taken back, the log is as before,
// and the same batch can be written again later. Anything else, and any failed sync, ends the
// writer: all later calls return the same Status, because after a failed sync nobody knows what the
// disk holds, and a second sync that succeeds would lie. The process had better stop then; what it
// never reported as durable may be lost.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "storage/env.h"
#include "storage/file_format.h"
#include "storage/log_batch.h"
#include "storage/log_reader.h"

namespace lh::storage {

struct LogWriterOptions {
  // A segment of so many bytes or more is followed by another.
  uint64_t segment_bytes = uint64_t{64} << 20;
  // How much of a segment is made before it is needed (AppendFile::reserve); 0: nothing. For a log
  // that is synced all the time.
  uint64_t reserve_bytes = 0;
};

// A sync that a LogWriter wants.
struct LogSync {
  AppendFile* file = nullptr;
  Env* env = nullptr;  // if the names in `folder` are to be synced, too
  std::string folder = {};

  Status run() {
    Status status = file->sync();
    if (status.ok() && env != nullptr) status = env->sync_dir(folder);
    return status;
  }
};

class LogWriter {
 public:
  // Puts an empty first segment into the folder. It is durable on return.
  static Status create(Env* env, const std::string& folder, const FileOwner& owner);

  // Goes on where a log that was read ends; cuts what is torn, ends what is not ended, and makes
  // all of it durable. Bound: the names in the folder are.
  static Result<std::unique_ptr<LogWriter>> open(Env* env, const std::string& folder,
                                                 const FileOwner& owner, const LogTail& tail,
                                                 const LogWriterOptions& options = {});

  // The batch starts where the one before ended.
  Status write(LogBatch* batch);
  Status sync();  // bound: !is_syncing()
  // What is to be done now, if anything. Bound: !is_syncing().
  std::optional<LogSync> begin_sync();
  Status end_sync(Status status);  // of that; returns what the writer's is now
  bool is_syncing() const { return is_syncing_; }
  bool is_ending() const { return ending_.has_value(); }  // a segment: it wants more syncs
  // Something was written that no sync covers, neither one that was begun nor is_ending()'s.
  bool has_unsynced() const;

  // Syncs, and marks that the log ends here because the node was stopped; a disk without room for
  // the mark goes without. Writing may go on.
  Status close();

  uint64_t next_sequence() const { return next_; }
  uint64_t durable() const { return durable_; }              // the highest sequence that is
  uint64_t written_bytes() const { return written_bytes_; }  // since open()
  const Status& status() const { return status_; }

  // For segments from now on: the node has got its number.
  void set_node(NodeId node) { owner_.node = node; }

 private:
  LogWriter(Env* env, std::string folder, const FileOwner& owner, const LogWriterOptions& options)
      : env_(env), folder_(std::move(folder)), owner_(owner), options_(options) {}

  Status put(std::string_view frame);
  Status reserve();
  Status roll();
  Status go_on_ending();
  Status give_up(Status status);

  Env* env_;
  std::string folder_;
  FileOwner owner_;
  const LogWriterOptions options_;
  std::unique_ptr<AppendFile> file_;
  uint32_t salt_ = 0;
  uint64_t first_ = 1;         // sequence of the current segment
  uint64_t size_ = 0;          // of the current segment, whole frames only
  uint64_t reserved_end_ = 0;  // up to here it is made
  uint64_t next_ = 1;
  uint64_t durable_ = 0;
  bool is_syncing_ = false;
  uint64_t covered_ = 0;  // by the syncs that were begun
  // A full segment, and the sync that is next.
  struct Ending {
    enum class Next : uint8_t { kOld, kNew, kEndFrame };
    std::unique_ptr<AppendFile> file;
    std::string end_frame;
    Next next = Next::kOld;
  };
  std::optional<Ending> ending_;
  uint64_t written_bytes_ = 0;
  Status status_;
};

}  // namespace lh::storage
