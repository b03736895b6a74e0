// Directory: the slots of one table and the arithmetic of linear hashing (Litwin 1980) on them.
//
// A file of `count` slots has level i and split pointer n with count = 2^i + n: slots 0..n-1 and
// 2^i..count-1 are chosen by the low i + 1 bits of q (the bits of c that the bucket does not use),
// the others by the low i. Appending slot `count` is the split of slot n, removing the last slot is
// the inverse.
//
// Slots lie in segments of 32, 64, 128, ... so that neither growing nor shrinking moves them. The
// memory is the arena's; whoever owns the directory calls release() before dropping it.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "table/arena.h"

namespace lh::table {

class Directory {
 public:
  static constexpr uint64_t kFirstSlots = 32;
  static constexpr unsigned kSegments = 20;
  static constexpr uint64_t kSlotsMax = (kFirstSlots << kSegments) - kFirstSlots;

  struct Slot {
    Ref* at;
    unsigned bits;  // how many low bits of q choose it
  };

  // The last slot, and the one it was split from; both are chosen by bits + 1 bits of q.
  struct Pair {
    uint64_t kept;
    uint64_t last;
    unsigned bits;
  };

  uint64_t count() const { return count_; }
  Ref& operator[](uint64_t s) const {
    const uint64_t x = s + kFirstSlots;
    const int segment = std::countl_zero(kFirstSlots) - std::countl_zero(x);
    return segments_[static_cast<unsigned>(segment)][x - (kFirstSlots << segment)];
  }

  // Bound: count() > 0.
  Slot slot_of(uint64_t q) const {
    const uint64_t low = q & (half_ - 1);
    const bool split = low < count_ - half_;
    return {&(*this)[split ? q & (2 * half_ - 1) : low], bits_ + split};
  }

  // Which slots the next append splits, and the next remove joins.
  Pair next_split() const { return {count_ - half_, count_, bits_}; }
  Pair next_join() const;

  void append(Arena* arena, Ref ref);
  void remove_last(Arena* arena);
  void truncate(Arena* arena, uint64_t count);
  void release(Arena* arena) { truncate(arena, 0); }

  // The odd slots go to *odd, which is overwritten; the even ones stay: slot s becomes slot s / 2
  // of its half. And the inverse. Bound of the inverse: both have as many slots.
  void deal_odd(Arena* arena, Directory* odd);
  void take_odd(Arena* arena, const Directory& odd);

  // Moves the segments that are leaving their slabs.
  void relocate(Arena* arena);

  uint64_t memory_bytes() const { return memory_bytes_; }

 private:
  static constexpr uint64_t segment_slots(unsigned segment) { return kFirstSlots << segment; }
  // The first slot of a segment.
  static constexpr uint64_t first_of(unsigned segment) {
    return segment_slots(segment) - kFirstSlots;
  }
  void set_count(uint64_t count);

  uint64_t count_ = 0;
  uint64_t half_ = 0;  // 2^i
  unsigned bits_ = 0;  // i
  unsigned segments_used_ = 0;
  std::array<Ref*, kSegments> segments_{};
  std::array<Ref, kSegments> segment_refs_{};
  uint64_t memory_bytes_ = 0;
};

}  // namespace lh::table
