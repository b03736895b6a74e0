// BufferPool: recycled blocks of memory for the buffers of one loop.
//
// A buffer gives its block back whenever it runs empty, so an idle connection holds none, and the
// block that was used last (and is still in the cache) is the next one out. In the steady state a
// turn of the loop allocates nothing.
//
// Owned by one loop and used in its thread only. Blocks come in five sizes, 1 KiB to 256 KiB, each
// four times the one before; anything larger is allocated and freed, never kept. Of each size the
// pool keeps at most kKeptPerSize bytes.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <new>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#endif

namespace lh::net {

class BufferPool {
 public:
  static constexpr size_t kBlockMin = 1 << 10;
  static constexpr size_t kBlockMax = 1 << 18;
  static constexpr size_t kKeptPerSize = 1 << 20;

  BufferPool() = default;
  ~BufferPool();
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;

  // The smallest capacity that take() can give for `size` bytes: a block size, or the next power of
  // two beyond kBlockMax.
  static constexpr size_t capacity_for(size_t size) {
    if (size <= kBlockMin) return kBlockMin;
    if (size > kBlockMax) return std::bit_ceil(size);
    const auto bits = static_cast<unsigned>(std::bit_width(size - 1));
    return size_t{1} << ((bits + 1) & ~1u);  // powers of four: 2^10, 2^12, ... 2^18
  }

  // A block of exactly `capacity` bytes, which must be a result of capacity_for(). Not zeroed.
  char* take(size_t capacity) {
    if (capacity <= kBlockMax && list_of(capacity).first != nullptr) return take_kept(capacity);
    return allocate(capacity);
  }

  // Gives a block of take(capacity) back. Its content is gone.
  void give(char* block, size_t capacity) {
    if (capacity <= kBlockMax && list_of(capacity).count < kKeptPerSize / capacity) {
      return keep(block, capacity);
    }
    free_block(block);
  }

  // Bytes in blocks that nobody uses. Bound: 5 * kKeptPerSize.
  size_t kept_bytes() const;

 private:
  static constexpr size_t kSizes = 5;
  static_assert(kBlockMin << (2 * (kSizes - 1)) == kBlockMax);

  // A free block begins with the address of the next one.
  struct FreeBlock {
    FreeBlock* next;
  };
  struct FreeList {
    FreeBlock* first = nullptr;
    size_t count = 0;
  };

  FreeList& list_of(size_t capacity) {
    const auto bits = static_cast<size_t>(std::countr_zero(capacity));
    return free_[(bits - std::countr_zero(kBlockMin)) / 2];
  }

  char* take_kept(size_t capacity) {
    FreeList& list = list_of(capacity);
    FreeBlock* block = list.first;
    list.first = block->next;
    --list.count;
    ASAN_UNPOISON_MEMORY_REGION(block, capacity);
    return reinterpret_cast<char*>(block);
  }

  void keep(char* block, size_t capacity) {
    FreeList& list = list_of(capacity);
    list.first = new (block) FreeBlock{list.first};
    ++list.count;
    // A view into a buffer that outlives its bytes is found here rather than by its victims.
    ASAN_POISON_MEMORY_REGION(block + sizeof(FreeBlock), capacity - sizeof(FreeBlock));
  }

  static char* allocate(size_t capacity);
  static void free_block(char* block);

  std::array<FreeList, kSizes> free_;
};

}  // namespace lh::net
