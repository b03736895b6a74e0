#include "storage/frame_reader.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/coding.h"
#include "storage/crc32c.h"

namespace lh::storage {

Result<std::unique_ptr<FrameReader>> FrameReader::open(Env* env, const std::string& path) {
  Result<std::unique_ptr<ReadFile>> file = env->open_read(path);
  if (!file.ok()) return file.status();
  std::unique_ptr<FrameReader> reader(new FrameReader(path, std::move(file).value()));
  const Result<std::string_view> bytes = reader->view(0, kFileHeaderBytes);
  if (!bytes.ok()) return bytes.status();
  Status status = decode_file_header(bytes.value(), path, &reader->header_, &reader->salt_);
  if (!status.ok()) return status;
  return reader;
}

Result<FrameReader::Step> FrameReader::next(Frame* frame) {
  if (offset_ == size()) return Step::kEnd;
  Result<std::string_view> bytes = view(offset_, kFrameHeaderBytes);
  if (!bytes.ok()) return bytes.status();
  FrameHeader& header = frame->header;
  if (!decode_frame_header(bytes.value(), salt_, &header)) {
    const Result<bool> ends = is_at_end();
    if (!ends.ok()) return ends.status();
    if (ends.value()) return Step::kEnd;
    const bool cut = size() - offset_ < kFrameHeaderBytes;
    return fail(cut ? "a frame is cut off in its header"
                    : "here is no frame of this file, or its header is damaged");
  }
  if (header.payload_bytes > size() - offset_ - kFrameHeaderBytes) {
    return fail("a frame is cut off");
  }
  bytes = view(offset_, kFrameHeaderBytes + header.payload_bytes);
  if (!bytes.ok()) return bytes.status();
  frame->header_bytes = bytes.value().substr(0, kFrameHeaderBytes);
  frame->payload = bytes.value().substr(kFrameHeaderBytes);
  frame->offset = offset_;
  if (frame->payload.size() != header.payload_bytes) return fail("the file has become shorter");
  if (crc32c(frame->payload) != header.payload_crc) return fail("the checksum of a frame is wrong");
  offset_ += bytes.value().size();
  return Step::kFrame;
}

Result<bool> FrameReader::is_at_end() {
  for (uint64_t at = offset_; at < size();) {
    const Result<std::string_view> bytes = view(at, kWindowBytes);
    if (!bytes.ok()) return bytes.status();
    if (bytes.value().find_first_not_of('\0') != std::string_view::npos) return false;
    if (bytes.value().empty()) return true;  // it has become shorter
    at += bytes.value().size();
  }
  return true;
}

Result<bool> FrameReader::proves_durable(uint64_t sequence) {
  for (uint64_t at = offset_; at + kFrameHeaderBytes <= size();) {
    const Result<std::string_view> bytes = view(at, kWindowBytes);
    if (!bytes.ok()) return bytes.status();
    const std::string_view part = bytes.value();
    if (part.size() < kFrameHeaderBytes) return false;
    for (size_t i = part.find(frame_magic()); i < part.size();
         i = part.find(frame_magic(), i + 1)) {
      FrameHeader header;
      if (!decode_frame_header(part.substr(i), salt_, &header)) continue;
      if (header.durable >= sequence) return true;
    }
    // A header may lie across the end of this part: the next one starts before it.
    at += part.size() - kFrameHeaderBytes + 1;
  }
  return false;
}

Result<std::string_view> FrameReader::view(uint64_t offset, size_t size) {
  size = static_cast<size_t>(std::min<uint64_t>(size, this->size() - offset));
  const bool there = offset >= window_offset_ && offset - window_offset_ <= window_size_ &&
                     size <= window_size_ - (offset - window_offset_);
  if (!there) {
    const size_t wanted = std::max(size, kWindowBytes);
    if (wanted > window_room_) {
      window_ = std::make_unique_for_overwrite<char[]>(wanted);
      window_room_ = wanted;
    }
    const Result<size_t> got = file_->read(offset, wanted, window_.get());
    if (!got.ok()) return got.status();
    window_offset_ = offset;
    window_size_ = got.value();
  }
  const size_t at = static_cast<size_t>(offset - window_offset_);
  return std::string_view(window_.get() + at, std::min(size, window_size_ - at));
}

Status visit_records(const Frame& frame, const std::string& path, uint64_t from,
                     const RecordVisitor& visitor) {
  std::array<Record, RecordVisitor::kAheadMax> records;
  base::Reader reader(frame.payload);
  for (uint32_t i = 0; i < frame.header.count;) {
    size_t count = 0;
    for (; i < frame.header.count && count < records.size(); ++i) {
      Record& record = records[count];
      record.sequence = frame.header.first + i;
      const uint64_t size = reader.varint();
      record.stream = reader.varint();
      record.payload = reader.bytes(size);
      if (!reader.ok()) return damaged(path, frame.offset, "a record is malformed");
      if (record.sequence >= from) ++count;
    }
    const std::span<const Record> run(records.data(), count);
    visitor.look_ahead(run);
    for (const Record& record : run) {
      const Status status = visitor.visit(record);
      if (status.ok()) continue;
      const uint64_t place = frame.offset + kFrameHeaderBytes +
                             static_cast<uint64_t>(record.payload.data() - frame.payload.data());
      return {status.code(),
              path + ", offset " + std::to_string(place) + ": " + std::string(status.message())};
    }
  }
  if (!reader.done()) return damaged(path, frame.offset, "a frame has more than its records");
  return {};
}

}  // namespace lh::storage
