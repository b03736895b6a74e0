// LogBatch: records on their way into a log or a snapshot, laid out in memory as they will be on
// disk, so that nothing copies them again. Whoever makes records (a worker) fills one; whoever
// writes (its log thread) takes them over with hand_over() and gives the emptied batch back:
//
//   worker:      batch.append(stream, payload) ...   batch.hand_over(&spare);  post spare
//   log thread:  writer->write(&spare), writer->sync(), spare.clear();         post spare back
//
// The memory of both is kept, so that in the long run append() allocates nothing; only that of an
// unusually large batch is given back. Owned by one thread at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "base/coding.h"
#include "storage/crc32c.h"
#include "storage/file_format.h"

namespace lh::storage {

class LogBatch {
 public:
  // A batch is one frame. Producers stop long before this.
  static constexpr size_t kBytesMax = size_t{1} << 30;
  static constexpr size_t kKeptBytesMax = size_t{4} << 20;

  // `next` is the sequence that the first append() returns.
  explicit LogBatch(uint64_t next = 0) : next_(next) {}

  // Returns the record's sequence.
  uint64_t append(uint64_t stream, std::string_view payload) {
    LH_CHECK(bytes_.size() + payload.size() < kBytesMax, "a batch was never handed over");
    char head[2 * base::kVarintBytesMax];
    char* end = base::put_varint(head, payload.size());
    end = base::put_varint(end, stream);
    bytes_.append(head, static_cast<size_t>(end - head));
    bytes_.append(payload);
    ++count_;
    return next_++;
  }

  bool empty() const { return count_ == 0; }
  uint32_t count() const { return count_; }
  uint64_t next() const { return next_; }
  uint64_t first() const { return next_ - count_; }
  size_t bytes() const { return bytes_.size(); }  // on disk
  size_t capacity() const { return bytes_.capacity(); }

  // Moves all records to `spare`, which is empty, and goes on behind them in spare's memory.
  void hand_over(LogBatch* spare) {
    LH_CHECK(spare->empty());
    std::swap(bytes_, spare->bytes_);
    spare->next_ = next_;
    spare->count_ = count_;
    clear();
  }

  // Forgets the records, not their numbers.
  void clear() {
    if (bytes_.capacity() > kKeptBytesMax) std::string().swap(bytes_);
    bytes_.resize(kFrameHeaderBytes);
    count_ = 0;
  }

  // The frame of these records for the file with this salt. May be called again.
  std::string_view frame(uint32_t salt, uint64_t durable) {
    const std::string_view payload = std::string_view(bytes_).substr(kFrameHeaderBytes);
    encode_frame_header({.type = FrameType::kRecords,
                         .payload_bytes = static_cast<uint32_t>(payload.size()),
                         .payload_crc = crc32c(payload),
                         .count = count_,
                         .first = first(),
                         .durable = durable},
                        salt, bytes_.data());
    return bytes_;
  }

 private:
  uint64_t next_;
  uint32_t count_ = 0;
  std::string bytes_ = std::string(kFrameHeaderBytes, '\0');  // room for the header in front
};

}  // namespace lh::storage
