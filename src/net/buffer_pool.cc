#include "net/buffer_pool.h"

#include <bit>
#include <cstdlib>
#include <new>

#include "base/check.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#endif

namespace lh::net {

BufferPool::~BufferPool() {
  for (FreeList& list : free_) {
    while (list.first != nullptr) {
      FreeBlock* block = list.first;
      list.first = block->next;
      std::free(block);
    }
  }
}

size_t BufferPool::size_index(size_t size) {
  if (size <= kBlockMin) return 0;
  return (static_cast<size_t>(std::bit_width(size - 1)) - 9) / 2;
}

size_t BufferPool::capacity_for(size_t size) {
  return size > kBlockMax ? std::bit_ceil(size) : kBlockMin << (2 * size_index(size));
}

char* BufferPool::take(size_t capacity) {
  LH_CHECK(capacity == capacity_for(capacity));
  if (capacity <= kBlockMax) {
    FreeList& list = free_[size_index(capacity)];
    if (FreeBlock* block = list.first; block != nullptr) {
      list.first = block->next;
      --list.count;
      ASAN_UNPOISON_MEMORY_REGION(block, capacity);
      return reinterpret_cast<char*>(block);
    }
  }
  void* block = std::malloc(capacity);
  LH_CHECK(block != nullptr, "out of memory");
  return static_cast<char*>(block);
}

void BufferPool::give(char* block, size_t capacity) {
  LH_CHECK(block != nullptr);
  LH_CHECK(capacity == capacity_for(capacity));
  if (capacity <= kBlockMax) {
    FreeList& list = free_[size_index(capacity)];
    if (list.count < kKeptPerSize / capacity) {
      list.first = new (block) FreeBlock{list.first};
      ++list.count;
      // A view into a buffer that outlives its bytes is found here rather than by its victims.
      ASAN_POISON_MEMORY_REGION(block + sizeof(FreeBlock), capacity - sizeof(FreeBlock));
      return;
    }
  }
  std::free(block);
}

size_t BufferPool::kept_bytes() const {
  size_t bytes = 0;
  for (size_t i = 0; i < kSizes; ++i) bytes += free_[i].count * (kBlockMin << (2 * i));
  return bytes;
}

}  // namespace lh::net
