#include "table/slab_space.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>

#include "base/check.h"

namespace lh::table {

SlabSpace::~SlabSpace() {
  for (std::byte* base : bases_) munmap(base, kChunkBytes);
}

SlabNo SlabSpace::take(uint32_t count) {
  LH_CHECK(count > 0);
  LH_CHECK(count < kChunkSlabs);
  taken_ += count;
  if (count == 1 && spare_count_ > 0) return spares_[--spare_count_];
  while (first_with_room_ < chunks_.size() && chunks_[first_with_room_].free_count == 0) {
    ++first_with_room_;
  }
  for (size_t k = first_with_room_;; ++k) {
    if (k == chunks_.size()) map_chunk();
    if (chunks_[k].free_count < count) continue;
    const uint32_t at = find_run(chunks_[k], count);
    if (at == kChunkSlabs) continue;
    const SlabNo first = static_cast<SlabNo>(k * kChunkSlabs) + at;
    mark(first, count, false);
    return first;
  }
}

void SlabSpace::give(SlabNo first, uint32_t count) {
  LH_CHECK(taken_ >= count);
  taken_ -= count;
  if (count == 1 && spare_count_ < kSpares) {
    spares_[spare_count_++] = first;
    return;
  }
  // Fails only for addresses that are not ours, or while the kernel itself is out of memory.
  LH_CHECK(madvise(address(first), count * kSlabBytes, MADV_DONTNEED) == 0);
  mark(first, count, true);
}

// Where `count` free slabs in a row begin, first fit; kChunkSlabs when there is no such run.
uint32_t SlabSpace::find_run(const Chunk& chunk, uint32_t count) const {
  uint32_t begin = 0;
  while (begin + count <= kChunkSlabs) {
    const uint64_t from_begin = chunk.free[begin / 64] >> begin % 64;
    if (from_begin == 0) {
      begin = (begin / 64 + 1) * 64;
      continue;
    }
    begin += static_cast<uint32_t>(std::countr_zero(from_begin));
    uint32_t end = begin;
    while (end < kChunkSlabs && end - begin < count && (chunk.free[end / 64] >> end % 64 & 1))
      ++end;
    if (end - begin == count) return begin;
    begin = end + 1;
  }
  return kChunkSlabs;
}

void SlabSpace::mark(SlabNo first, uint32_t count, bool free) {
  const size_t k = first / kChunkSlabs;
  Chunk& chunk = chunks_[k];
  for (uint32_t s = first % kChunkSlabs, end = s + count; s < end; ++s) {
    const uint64_t bit = uint64_t{1} << s % 64;
    LH_CHECK(((chunk.free[s / 64] & bit) != 0) != free);
    chunk.free[s / 64] ^= bit;
  }
  chunk.free_count = free ? chunk.free_count + count : chunk.free_count - count;
  if (free) first_with_room_ = std::min(first_with_room_, k);
}

void SlabSpace::map_chunk() {
  void* base = mmap(nullptr, kChunkBytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  LH_CHECK(base != MAP_FAILED, "out of memory");
  bases_.push_back(static_cast<std::byte*>(base));
  Chunk& chunk = chunks_.emplace_back();
  chunk.free.fill(~uint64_t{0});
  chunk.free_count = kChunkSlabs;
  if (chunks_.size() == 1) mark(0, 1, false);
}

std::byte* SlabSpace::address(SlabNo slab) const {
  return bases_[slab / kChunkSlabs] + slab % kChunkSlabs * kSlabBytes;
}

}  // namespace lh::table
