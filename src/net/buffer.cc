#include "net/buffer.h"

#include <algorithm>
#include <cstdlib>

namespace lh::net {

void Buffer::grow(size_t n) {
  const size_t used = size();
  // Moving `used` bytes is paid for by the begin_ >= used bytes consumed since they were last
  // moved.
  if (used <= begin_ && n <= capacity_ - used) {
    std::memmove(block_, block_ + begin_, used);
    begin_ = 0;
    end_ = used;
    return;
  }
  move_to_block(BufferPool::capacity_for(std::max(used + n, capacity_ + 1)));
}

void Buffer::move_to_block(size_t capacity) {
  const size_t used = size();
  LH_CHECK(used <= capacity);
  if (begin_ == 0 && capacity_ > BufferPool::kBlockMax && capacity > BufferPool::kBlockMax) {
    // The C library moves pages of large blocks without copying them.
    block_ = static_cast<char*>(std::realloc(block_, capacity));
    LH_CHECK(block_ != nullptr, "out of memory");
    capacity_ = capacity;
    return;
  }
  char* block = pool_.take(capacity);
  if (used > 0) std::memcpy(block, block_ + begin_, used);
  pool_.give(block_, capacity_);
  block_ = block;
  capacity_ = capacity;
  begin_ = 0;
  end_ = used;
}

void Buffer::shrink() {
  const size_t capacity = BufferPool::capacity_for(size());
  if (capacity < capacity_) move_to_block(capacity);
}

}  // namespace lh::net
