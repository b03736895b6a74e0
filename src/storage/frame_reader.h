// FrameReader: walks through the frames of one file, checks each, and says where the first one is
// that is not whole. It does not judge: whether a broken end is a torn write or damage depends on
// the kind of file (log_reader.h, snapshot.h).
//
// Memory: a window of the file, as large as its largest frame and at least kWindowBytes; a length
// is believed only when the file is that long. Owned by one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "storage/env.h"
#include "storage/file_format.h"

namespace lh::storage {

struct Frame {
  FrameHeader header;
  std::string_view header_bytes;
  std::string_view payload;  // both last until the next call of next()
  uint64_t offset = 0;
};

class FrameReader {
 public:
  static constexpr size_t kWindowBytes = 256 << 10;

  enum class Step {
    kFrame,
    kEnd,     // of the file, right behind a frame, but for zeros that were reserved
    kBroken,  // what is at offset() is no whole frame: broken() says why
  };

  // Opens the file and checks its header, but not whose it is.
  static Result<std::unique_ptr<FrameReader>> open(Env* env, const std::string& path);

  const std::string& path() const { return path_; }
  const FileHeader& header() const { return header_; }
  uint32_t salt() const { return salt_; }
  uint64_t size() const { return file_->size(); }
  uint64_t offset() const { return offset_; }  // behind the last whole frame
  const char* broken() const { return broken_; }

  // A failure is one of the system: the file cannot be read.
  Result<Step> next(Frame* frame);

  // Whether there is nothing behind offset(), or nothing but zeros.
  Result<bool> is_at_end();

  // Whether some frame header behind offset() says that `sequence` was durable before it was
  // written. It need not be at a known place, nor its payload be whole.
  Result<bool> proves_durable(uint64_t sequence);

 private:
  FrameReader(std::string path, std::unique_ptr<ReadFile> file)
      : path_(std::move(path)), file_(std::move(file)) {}

  Step fail(const char* why) {
    broken_ = why;
    return Step::kBroken;
  }
  // The bytes from `offset` on: `size` of them, or as many as the file has.
  Result<std::string_view> view(uint64_t offset, size_t size);

  std::string path_;
  std::unique_ptr<ReadFile> file_;
  FileHeader header_;
  uint32_t salt_ = 0;
  uint64_t offset_ = kFileHeaderBytes;
  const char* broken_ = "";
  std::unique_ptr<char[]> window_;
  size_t window_room_ = 0;
  size_t window_size_ = 0;
  uint64_t window_offset_ = 0;
};

// Hands the records of a frame on, those before `from` excepted. Fails on a payload that is not
// exactly `count` records, and when the visitor does.
Status visit_records(const Frame& frame, const std::string& path, uint64_t from,
                     const RecordVisitor& visitor);

}  // namespace lh::storage
