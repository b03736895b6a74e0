// SlabSpace: address space in slabs of 64 KiB, taken from and given back to the operating system.
// The only file of this layer that makes system calls, and only mmap, munmap and madvise.
//
// Space is mapped in chunks of 1,024 slabs that stay mapped until the end; a page costs memory only
// from its first use until its slab is given back. A run of slabs never crosses a chunk. Slab 0
// exists but is never handed out, so that a name of 0 can mean "nothing".
//
// One owner thread. Out of memory ends the process: the caller keeps the books (--max-memory).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace lh::table {

using SlabNo = uint32_t;
inline constexpr SlabNo kNoSlab = ~SlabNo{0};

inline constexpr size_t kSlabBytes = size_t{64} << 10;
inline constexpr uint32_t kChunkSlabs = 1024;
inline constexpr size_t kChunkBytes = kChunkSlabs * kSlabBytes;

class SlabSpace {
 public:
  SlabSpace() = default;
  ~SlabSpace();
  SlabSpace(const SlabSpace&) = delete;
  SlabSpace& operator=(const SlabSpace&) = delete;

  // The first of `count` adjacent slabs, contents undefined. Bound: 1 <= count < kChunkSlabs.
  SlabNo take(uint32_t count);

  // Gives back what take(count) returned. All but a few single slabs, kept for the next take(), go
  // back to the system at once.
  void give(SlabNo first, uint32_t count);

  // Where chunk k begins: slab s is at chunk_base(s / kChunkSlabs) + s % kChunkSlabs * kSlabBytes.
  std::byte* chunk_base(size_t k) const { return bases_[k]; }
  size_t chunks() const { return bases_.size(); }

  // Slabs that may hold memory: taken or kept.
  uint64_t slabs_held() const { return taken_ + spare_count_; }

 private:
  static constexpr size_t kWords = kChunkSlabs / 64;
  static constexpr size_t kSpares = 4;

  struct Chunk {
    std::array<uint64_t, kWords> free;  // bit s: slab s of the chunk is free
    uint32_t free_count;
  };

  uint32_t find_run(const Chunk& chunk, uint32_t count) const;
  void mark(SlabNo first, uint32_t count, bool free);
  void map_chunk();
  std::byte* address(SlabNo slab) const;

  std::vector<std::byte*> bases_;
  std::vector<Chunk> chunks_;
  size_t first_with_room_ = 0;  // no chunk below has a free slab
  std::array<SlabNo, kSpares> spares_{};
  size_t spare_count_ = 0;
  uint64_t taken_ = 0;
};

}  // namespace lh::table
