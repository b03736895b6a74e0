// Buffer: a queue of bytes in one contiguous piece, cheap to consume at the front and to extend at
// the back, so that parsers read in place and writers encode in place.
//
//     data() ........ data()+size() ........ end of the block
//     |   unread bytes   |    space to write    |
//
// Read:  char* p = buffer.reserve(n);  read up to n bytes to p;  buffer.commit(how many);
// Write: buffer.append(bytes), or the same reserve and commit.
//
// Owned by one thread, that of its pool. An empty buffer that was trimmed holds no memory. Bound:
// size() <= size_max(), always; beyond it reserve() and append() refuse and change nothing.
#pragma once

#include <cstddef>
#include <cstring>
#include <string_view>

#include "base/check.h"
#include "net/buffer_pool.h"

namespace lh::net {

class Buffer {
 public:
  // `pool` must outlive the buffer.
  Buffer(BufferPool& pool, size_t size_max) : pool_(pool), size_max_(size_max) {}
  ~Buffer() { release(); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  // The unread bytes. Valid until the next call of a non-const method.
  std::string_view view() const { return {block_ + begin_, size()}; }
  char* data() { return block_ + begin_; }
  size_t size() const { return end_ - begin_; }
  bool empty() const { return begin_ == end_; }
  size_t size_max() const { return size_max_; }
  size_t capacity() const { return capacity_; }

  // Drops the first n unread bytes. Bound: n <= size().
  void consume(size_t n) {
    LH_CHECK(n <= size());
    begin_ += n;
    if (begin_ == end_) begin_ = end_ = 0;
  }

  // Room for at least n bytes behind the unread ones, or nullptr when size() + n would pass
  // size_max(). The unread bytes may move. Costs amortised O(1) a byte appended. Bound: n > 0.
  char* reserve(size_t n) {
    LH_CHECK(n > 0);
    if (__builtin_expect(n > size_max_ - size(), 0)) return nullptr;
    if (__builtin_expect(n > capacity_ - end_, 0)) make_space(n);
    return block_ + end_;
  }

  // How many bytes may be written at the place that reserve() gave. Bound: size_max() - size().
  size_t space() const {
    const size_t in_block = capacity_ - end_;
    const size_t allowed = size_max_ - size();
    return in_block < allowed ? in_block : allowed;
  }

  // Makes the first n reserved bytes part of the unread ones. Bound: n <= space().
  void commit(size_t n) {
    LH_CHECK(n <= space());
    end_ += n;
  }

  // False, and nothing appended, when the limit would be passed.
  [[nodiscard]] bool append(std::string_view bytes) {
    if (bytes.empty()) return true;
    char* to = reserve(bytes.size());
    if (to == nullptr) return false;
    std::memcpy(to, bytes.data(), bytes.size());
    end_ += bytes.size();
    return true;
  }

  // Gives back memory that the content does not need: the whole block when there is none, a larger
  // one than four times the content otherwise. To be called when a burst is over, not per append.
  void trim() {
    if (empty()) {
      release();
    } else if (size() * 4 <= capacity_) {
      shrink();
    }
  }

  void clear() {
    begin_ = end_ = 0;
    release();
  }

 private:
  void make_space(size_t n) {
    if (block_ != nullptr) return grow(n);
    capacity_ = BufferPool::capacity_for(n);
    block_ = pool_.take(capacity_);
  }
  void release() {
    if (block_ == nullptr) return;
    pool_.give(block_, capacity_);
    block_ = nullptr;
    capacity_ = 0;
  }
  void grow(size_t n);
  void shrink();
  void move_to_block(size_t capacity);

  BufferPool& pool_;
  char* block_ = nullptr;
  size_t capacity_ = 0;
  size_t begin_ = 0;  // begin_ <= end_ <= capacity_; both are 0 when the buffer is empty
  size_t end_ = 0;
  const size_t size_max_;
};

}  // namespace lh::net
