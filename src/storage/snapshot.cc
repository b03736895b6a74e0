#include "storage/snapshot.h"

#include <utility>

#include "base/check.h"
#include "base/coding.h"
#include "storage/crc32c.h"
#include "storage/file_names.h"
#include "storage/frame_reader.h"

namespace lh::storage {

Result<std::unique_ptr<SnapshotWriter>> SnapshotWriter::begin(Env* env, const std::string& folder,
                                                              const FileOwner& owner,
                                                              uint64_t covered) {
  std::unique_ptr<SnapshotWriter> writer(
      new SnapshotWriter(env, join(folder, snapshot_name(covered)), covered));
  Result<std::unique_ptr<AppendFile>> file =
      env->create(writer->path_ + std::string(kUnfinishedSuffix));
  if (!file.ok()) return file.status();
  writer->file_ = std::move(file).value();
  const std::string header = encode_file_header({FileKind::kSnapshot, owner, covered});
  writer->salt_ = salt_of(header);
  if (Status status = writer->file_->append(header); !status.ok()) return status;
  return writer;
}

SnapshotWriter::~SnapshotWriter() {
  if (file_ == nullptr) return;
  file_.reset();
  // If this fails, the next start removes it.
  (void)env_->remove(path_ + std::string(kUnfinishedSuffix));
}

Status SnapshotWriter::write(LogBatch* batch) {
  if (batch->empty()) return status_;
  LH_CHECK(batch->first() == next_, "batches are written in order");
  next_ = batch->next();
  return put(batch->frame(salt_, 0));
}

Status SnapshotWriter::put(std::string_view frame) {
  if (!status_.ok()) return status_;
  headers_crc_ = crc32c(frame.substr(0, kFrameHeaderBytes), headers_crc_);
  return status_ = file_->append(frame);
}

Status SnapshotWriter::finish(uint64_t log_end) {
  LH_CHECK(file_ != nullptr && log_end >= covered_);
  std::string total;
  base::Writer(&total).u32(headers_crc_);
  Status status = put(encode_frame(
      {.type = FrameType::kSnapshotEnd, .first = next_, .durable = log_end}, total, salt_));
  if (status.ok()) status = file_->sync();
  if (status.ok()) status = env_->rename(path_ + std::string(kUnfinishedSuffix), path_);
  if (status.ok()) status = env_->sync_dir(parent_of(path_));
  if (status.ok()) file_.reset();
  return status_ = status;
}

namespace {

Status end_of_snapshot(const FrameReader& reader, const Frame& frame, uint32_t headers_crc,
                       uint64_t covered) {
  base::Reader payload(frame.payload);
  const bool matches = payload.u32() == headers_crc && payload.done();
  if (!matches || frame.header.count != 0 || frame.header.durable < covered) {
    return damaged(reader.path(), frame.offset, "the end of the snapshot does not match the rest");
  }
  if (reader.offset() == reader.size()) return {};
  return damaged(reader.path(), reader.offset(), "there is more behind the end of the snapshot");
}

}  // namespace

Status read_snapshot(Env* env, const std::string& folder, const FileOwner& owner, uint64_t covered,
                     const RecordVisitor& visitor, SnapshotSummary* summary) {
  const std::string path = join(folder, snapshot_name(covered));
  const Result<std::unique_ptr<FrameReader>> opened = FrameReader::open(env, path);
  if (!opened.ok()) return opened.status();
  FrameReader& reader = *opened.value();
  const FileHeader header{FileKind::kSnapshot, owner, covered};
  if (Status status = check_owner(reader.header(), header, path); !status.ok()) return status;
  uint32_t headers_crc = 0;
  *summary = {};
  for (Frame frame;;) {
    const Result<FrameReader::Step> step = reader.next(&frame);
    if (!step.ok()) return step.status();
    if (step.value() == FrameReader::Step::kEnd) {
      return damaged(path, reader.offset(), "the end of the snapshot is missing");
    }
    if (step.value() == FrameReader::Step::kBroken) {
      return damaged(path, reader.offset(), reader.broken());
    }
    if (frame.header.first != summary->records + 1) {
      return damaged(path, frame.offset, "a frame is missing, or twice here, or out of order");
    }
    summary->log_end = frame.header.durable;
    if (frame.header.type == FrameType::kSnapshotEnd) {
      return end_of_snapshot(reader, frame, headers_crc, covered);
    }
    if (frame.header.type != FrameType::kRecords) {
      return damaged(path, frame.offset, "this frame does not belong into a snapshot");
    }
    headers_crc = crc32c(frame.header_bytes, headers_crc);
    summary->records += frame.header.count;
    if (Status status = visit_records(frame, path, 0, visitor); !status.ok()) return status;
  }
}

}  // namespace lh::storage
