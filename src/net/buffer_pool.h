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
#include <cstddef>

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
  static size_t capacity_for(size_t size);

  // A block of exactly `capacity` bytes, which must be a result of capacity_for(). Not zeroed.
  char* take(size_t capacity);

  // Gives a block of take(capacity) back. Its content is gone.
  void give(char* block, size_t capacity);

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

  static size_t size_index(size_t size);

  std::array<FreeList, kSizes> free_;
};

}  // namespace lh::net
