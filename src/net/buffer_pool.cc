#include "net/buffer_pool.h"

#include <cstdlib>
#include <utility>

#include "base/check.h"

namespace lh::net {

BufferPool::~BufferPool() {
  for (FreeList& list : free_) {
    while (list.first != nullptr) std::free(std::exchange(list.first, list.first->next));
  }
}

char* BufferPool::allocate(size_t capacity) {
  LH_CHECK(capacity == capacity_for(capacity));
  void* block = std::malloc(capacity);
  LH_CHECK(block != nullptr, "out of memory");
  return static_cast<char*>(block);
}

void BufferPool::free_block(char* block) {
  LH_CHECK(block != nullptr);
  std::free(block);
}

size_t BufferPool::kept_bytes() const {
  size_t bytes = 0;
  for (size_t i = 0; i < kSizes; ++i) bytes += free_[i].count * (kBlockMin << (2 * i));
  return bytes;
}

}  // namespace lh::net
