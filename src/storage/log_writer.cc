#include "storage/log_writer.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "storage/file_names.h"

namespace lh::storage {
namespace {

// A frame without records that says where the log is.
std::string encode_mark(FrameType type, uint64_t next, uint32_t salt) {
  return encode_frame({.type = type, .first = next, .durable = next - 1}, {}, salt);
}

// Brings a segment back to its whole frames, adds `mark`, and makes it durable.
Result<std::unique_ptr<AppendFile>> repair(Env* env, const SegmentEnd& end, std::string_view mark) {
  Result<std::unique_ptr<AppendFile>> file = env->open_append(end.path);
  if (!file.ok()) return file.status();
  Status status;
  if (end.torn_bytes + end.reserved_bytes > 0) status = file.value()->truncate(end.offset);
  if (status.ok() && end.proven < end.offset) status = env->rewrite(end.path, end.proven);
  // The torn part must be gone before anything takes its place.
  if (status.ok()) status = file.value()->sync();
  if (status.ok() && !mark.empty()) {
    status = file.value()->append(mark);
    if (status.ok()) status = file.value()->sync();
  }
  if (!status.ok()) return status;
  return file;
}

}  // namespace

Status LogWriter::create(Env* env, const std::string& folder, const FileOwner& owner) {
  const FileHeader header{FileKind::kLog, owner, 1};
  return write_whole_file(env, join(folder, segment_name(1)), encode_file_header(header));
}

Result<std::unique_ptr<LogWriter>> LogWriter::open(Env* env, const std::string& folder,
                                                   const FileOwner& owner, const LogTail& tail,
                                                   const LogWriterOptions& options) {
  const uint64_t next = tail.next_sequence;
  // It must be gone before its sequences are given to others.
  if (tail.dropped.has_value()) {
    Status status = env->remove(tail.dropped->path);
    if (status.ok()) status = env->sync_dir(folder);
    if (!status.ok()) return status;
  }
  Result<std::unique_ptr<AppendFile>> file = repair(env, tail.last, {});
  if (!file.ok()) return file.status();
  if (tail.before_last.has_value()) {
    const SegmentEnd& full = *tail.before_last;
    const std::string mark = encode_mark(FrameType::kEnd, full.next_sequence, full.salt);
    const auto ended = repair(env, full, full.has_end_frame ? std::string_view() : mark);
    if (!ended.ok()) return ended.status();
  }
  std::unique_ptr<LogWriter> writer(new LogWriter(env, folder, owner, options));
  writer->file_ = std::move(file).value();
  writer->salt_ = tail.last.salt;
  writer->first_ = tail.last.first_sequence;
  writer->size_ = writer->reserved_end_ = tail.last.offset;
  writer->next_ = next;
  writer->durable_ = writer->covered_ = next - 1;
  return writer;
}

Status LogWriter::write(LogBatch* batch) {
  if (!status_.ok()) return status_;
  if (batch->empty()) return {};
  LH_CHECK(batch->first() == next_, "batches are written in order");
  const bool is_full = size_ >= options_.segment_bytes && next_ > first_;
  if (is_full && !is_syncing() && !is_ending()) {
    if (Status status = roll(); !status.ok()) return status;
  }
  if (Status status = put(batch->frame(salt_, durable_)); !status.ok()) return status;
  next_ = batch->next();
  return {};
}

Status LogWriter::sync() {
  while (std::optional<LogSync> sync = begin_sync()) {
    if (Status status = end_sync(sync->run()); !status.ok()) return status;
  }
  return status_;
}

std::optional<LogSync> LogWriter::begin_sync() {
  LH_CHECK(!is_syncing());
  if (!status_.ok() || (!is_ending() && durable_ == next_ - 1)) return std::nullopt;
  is_syncing_ = true;
  if (is_ending() && ending_->next != Ending::Next::kNew) return LogSync{ending_->file.get()};
  covered_ = next_ - 1;
  if (is_ending()) return LogSync{file_.get(), env_, folder_};
  return LogSync{file_.get()};
}

Status LogWriter::end_sync(Status status) {
  LH_CHECK(is_syncing());
  is_syncing_ = false;
  if (!status_.ok()) return status_;
  if (!status.ok()) return give_up(std::move(status));
  if (is_ending()) return go_on_ending();
  durable_ = covered_;
  return {};
}

bool LogWriter::has_unsynced() const {
  const bool will_be_covered = is_ending() && ending_->next != Ending::Next::kEndFrame &&
                               !(is_syncing() && ending_->next == Ending::Next::kNew);
  return !will_be_covered && next_ - 1 > covered_;
}

Status LogWriter::close() {
  if (Status status = sync(); !status.ok()) return status;
  Status status = put(encode_mark(FrameType::kClose, next_, salt_));
  if (status.code() == StatusCode::kRefused) return {};
  if (!status.ok()) return status;
  // What was reserved is not kept for a process that may come much later.
  if (reserved_end_ > size_) status = file_->truncate(size_);
  reserved_end_ = size_;
  if (status.ok()) status = file_->sync();
  return status.ok() ? Status() : give_up(std::move(status));
}

// A whole frame, or none of it.
Status LogWriter::put(std::string_view frame) {
  Status status = file_->append(frame);
  if (status.ok()) {
    size_ += frame.size();
    written_bytes_ += frame.size();
    return reserve();
  }
  if (status.code() != StatusCode::kRefused) return give_up(std::move(status));
  reserved_end_ = size_;
  Status undone = file_->truncate(size_);
  return undone.ok() ? std::move(status) : give_up(std::move(undone));
}

// The bytes that come next are put there at once, as zeros, so that most syncs find a file that is
// as long as before. What a full disk refuses is done without.
Status LogWriter::reserve() {
  if (options_.reserve_bytes == 0 || size_ <= reserved_end_) return {};
  const uint64_t left = options_.segment_bytes - std::min(size_, options_.segment_bytes);
  reserved_end_ = size_ + std::min(left, options_.reserve_bytes);
  if (reserved_end_ == size_) return {};
  Status status = file_->reserve(reserved_end_ - size_);
  if (status.code() == StatusCode::kRefused) {
    reserved_end_ = size_;
    status = file_->truncate(size_);
  }
  return status.ok() ? status : give_up(std::move(status));
}

// The end frame has its room before anything else is done: it cannot be put off later.
Status LogWriter::roll() {
  if (reserved_end_ <= size_) {
    Status status = file_->reserve(kFrameHeaderBytes);
    if (status.code() == StatusCode::kRefused) {
      Status undone = file_->truncate(size_);
      return undone.ok() ? std::move(status) : give_up(std::move(undone));
    }
    if (!status.ok()) return give_up(std::move(status));
    reserved_end_ = size_ + kFrameHeaderBytes;
  }
  const std::string header = encode_file_header({FileKind::kLog, owner_, next_});
  const std::string path = join(folder_, segment_name(next_));
  Result<std::unique_ptr<AppendFile>> file = env_->create(path);
  Status status = file.ok() ? file.value()->append(header) : file.status();
  if (status.code() == StatusCode::kRefused) {
    // For good: what may be written to the old segment next must not find it in its way.
    Status undone = env_->remove(path);
    if (undone.code() == StatusCode::kNotFound) undone = {};
    if (undone.ok()) undone = env_->sync_dir(folder_);
    return undone.ok() ? std::move(status) : give_up(std::move(undone));
  }
  if (!status.ok()) return give_up(std::move(status));
  ending_ = Ending{std::exchange(file_, std::move(file).value()),
                   encode_mark(FrameType::kEnd, next_, salt_),
                   durable_ == next_ - 1 ? Ending::Next::kNew : Ending::Next::kOld};
  salt_ = salt_of(header);
  first_ = next_;
  size_ = reserved_end_ = kFileHeaderBytes;
  written_bytes_ += ending_->end_frame.size();
  return {};
}

// In this order a segment with an end frame always has a successor, so that a missing last segment
// is seen; and of a segment nothing is said to be durable before its predecessor has an end frame.
Status LogWriter::go_on_ending() {
  switch (ending_->next) {
    case Ending::Next::kOld:
      ending_->next = Ending::Next::kNew;
      return {};
    case Ending::Next::kNew:
      if (Status status = ending_->file->append(ending_->end_frame); !status.ok()) {
        return give_up(std::move(status));
      }
      ending_->next = Ending::Next::kEndFrame;
      return {};
    case Ending::Next::kEndFrame:
      ending_.reset();
      durable_ = covered_;
      return {};
  }
  LH_UNREACHABLE();
}

// Room is nothing that can be waited for any more: whoever hears of it must end.
Status LogWriter::give_up(Status status) {
  if (status.code() == StatusCode::kRefused)
    status = Status(StatusCode::kIo, std::string(status.message()));
  status_ = status;
  return status;
}

}  // namespace lh::storage
