// Arena: the memory of all tables of one worker. It hands out cells, which are named by a 32-bit
// Ref instead of a pointer: half the size, and what a Ref names may be moved.
//
//   chunk   64 MiB of address space                                            (slab_space.h)
//   slab    64 KiB of it: cells of one size, or part of a span
//   cell    32 bytes to 16 KiB in 96 sizes                                     (size_class.h)
//   span    whole slabs, for what is larger than a cell
//
// Giving memory back. Records die at random, so that slabs become sparse, hardly ever empty. When
// four per cent of the memory are idle, the arena starts a cycle: of each cell size it condemns as
// many slabs, the sparsest first, as the others have room for; then it asks its tenants, one after
// the other and a few bytes at a time, to walk through their Refs and to move() those that are
// leaving(). Nobody needs to know who refers to a cell: the sweep meets each Ref once. An empty
// slab goes back to the system. compact_some() does a piece of this work; every change of a table
// does a small one, so that a busy worker need not call it, and an idle one may.
//
// One owner thread. Tenants must be gone before their arena. Out of memory, or of the 128 GiB that
// Refs can name, ends the process: see room_bytes().
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "table/size_class.h"
#include "table/slab_space.h"

namespace lh::table {

// The name of a cell or span: its address in units of 32 bytes. Valid until release() or move().
enum class Ref : uint32_t { kNone = 0 };

inline constexpr size_t kCacheLineBytes = 64;

// Asks for the cache line at `address`. To GCC a function that does nothing else has no effect, and
// it removes the calls; the empty asm is what keeps them.
inline void prefetch_line(const void* address) {
  __builtin_prefetch(address);
  asm volatile("");
}

// Takes `bytes` of work from what is left of a piece of work.
inline void spend(size_t* budget_bytes, size_t bytes) {
  *budget_bytes -= std::min(*budget_bytes, bytes);
}

class Arena {
 public:
  // Who holds Refs. It takes part in compaction from its construction to its end, at whatever
  // address it is moved to.
  class Tenant {
   public:
    // Starts at its first Ref again.
    virtual void begin_sweep() = 0;
    // Goes on from where it was, moves what is leaving(), and takes from *budget_bytes what that
    // cost, until nothing is left of it. Returns whether there are more Refs to see. A Ref that is
    // missed because of changes in between costs nothing but a slab that stays.
    virtual bool sweep_some(size_t* budget_bytes) = 0;

   protected:
    explicit Tenant(Arena* arena);
    Tenant(Tenant&& other) noexcept;
    Tenant(const Tenant&) = delete;
    Tenant& operator=(const Tenant&) = delete;
    ~Tenant();
    Arena& arena() const { return *arena_; }

   private:
    friend class Arena;
    Arena* arena_;
    Tenant* prev_ = nullptr;
    Tenant* next_ = nullptr;
  };

  Arena() = default;
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // At least `bytes` of memory, contents undefined, aligned to 32 bytes. Nothing moves.
  // Bound: 1 <= bytes <= kAllocationBytesMax.
  static constexpr size_t kAllocationBytesMax = kChunkBytes / 2;
  Ref allocate(size_t bytes);
  void release(Ref ref);

  // What allocate(bytes) costs, and what `ref` costs.
  static size_t allocation_bytes(size_t bytes);
  size_t size_of(Ref ref) const;

  // The memory that `ref` names, as long as nobody releases or moves it.
  template <typename T>
  T* at(Ref ref) const {
    const auto unit = static_cast<uint32_t>(ref);
    return reinterpret_cast<T*>(space_.chunk_base(unit / kChunkUnits) +
                                unit % kChunkUnits * kUnitBytes);
  }

  // Whether a tenant should move this Ref; and the moving: a new name for a copy, the old one dies.
  bool leaving(Ref ref) const { return slab_of(ref).state == Slab::kLeaving; }
  Ref move(Ref ref);

  // Does a piece of compaction that touches about `budget_bytes`; true while there is more to do.
  // Moves what tables hold: no view into a table of this arena survives it.
  bool compact_some(size_t budget_bytes);

  // The piece that each change of a table does.
  void compact_step() {
    if (phase_ != Phase::kResting || needs_cycle()) compact_some(kStepBytes);
  }

  // Bytes in cells and spans; bytes of memory that the arena holds for them at most; bytes that it
  // can still name.
  uint64_t allocated_bytes() const { return allocated_bytes_; }
  uint64_t held_bytes() const { return space_.slabs_held() * kSlabBytes; }
  uint64_t room_bytes() const { return kBytesMax - held_bytes(); }

 private:
  static constexpr uint64_t kBytesMax = (uint64_t{1} << 32) * kUnitBytes;
  static constexpr uint32_t kSlabUnits = kSlabBytes / kUnitBytes;
  static constexpr uint32_t kChunkUnits = kChunkBytes / kUnitBytes;
  static constexpr uint16_t kNoCell = 0xffff;
  static constexpr unsigned kBins = 4;  // of partly used slabs, by quarters of use

  // A cycle begins when more than this many bytes and this share of the bytes in use are idle, and
  // half the share more than when the last one ended. Less would move more for little: see "Pace of
  // compaction" in arena.cc, also for the size of a step.
  static constexpr uint64_t kIdleBytesMin = uint64_t{256} << 10;
  static constexpr uint64_t kIdleShare = 24;
  static constexpr size_t kStepBytes = 512;

  struct Slab {
    enum State : uint8_t {
      kFree,     // not ours
      kCurrent,  // where its class allocates
      kPartial,  // in the list of its class and bin
      kFull,
      kLeaving,  // condemned, in leaving_: no allocations, tenants move out
      kSpan,     // first slab of a span; `next` is its length in pages
    };
    SlabNo prev = kNoSlab;
    SlabNo next = kNoSlab;
    uint16_t live = 0;             // cells in use
    uint16_t free_head = kNoCell;  // unit where the first freed cell begins; it names the next
    uint16_t fresh = 0;            // from this unit on nothing was ever used
    uint8_t size_class = 0;
    State state = kFree;
  };

  struct SizeClass {
    SlabNo current = kNoSlab;
    std::array<SlabNo, kBins> partial = {kNoSlab, kNoSlab, kNoSlab, kNoSlab};
    uint64_t cells = 0;  // in use
    uint32_t slabs = 0;  // without those that are leaving
  };

  enum class Phase : uint8_t { kResting, kCondemning, kSweeping, kSettling };

  static SlabNo slab_no(Ref ref) { return static_cast<uint32_t>(ref) / kSlabUnits; }
  Slab& slab(SlabNo no) { return slabs_[no / kChunkSlabs][no % kChunkSlabs]; }
  const Slab& slab_of(Ref ref) const {
    const SlabNo no = slab_no(ref);
    return slabs_[no / kChunkSlabs][no % kChunkSlabs];
  }

  Ref allocate_span(size_t bytes);
  void release_span(SlabNo first);
  SlabNo take_slabs(uint32_t count);
  SlabNo next_current(unsigned size_class);
  uint16_t pop_cell(SlabNo no);
  void push_cell(SlabNo no, uint16_t unit);
  void after_release(SlabNo no);
  void retire(SlabNo no);
  void list_partial(SlabNo no);
  void push(SlabNo* head, SlabNo no);
  void remove(SlabNo* head, SlabNo no);
  SlabNo* list_of(const Slab& slab, uint32_t live);

  bool needs_cycle() const {
    return idle_bytes_ > kIdleBytesMin + allocated_bytes_ / kIdleShare &&
           idle_bytes_ > idle_floor_ + allocated_bytes_ / (2 * kIdleShare);
  }
  void condemn_some(size_t* budget_bytes);
  bool condemn_one(SizeClass* size_class, size_t cells_per_slab);
  void sweep_some(size_t* budget_bytes);
  void settle_some(size_t* budget_bytes);

  SlabSpace space_;
  std::vector<std::unique_ptr<Slab[]>> slabs_;  // by chunk
  std::array<SizeClass, kSizeClasses> classes_;
  uint64_t allocated_bytes_ = 0;
  uint64_t idle_bytes_ = 0;  // in freed cells of slabs in use

  Phase phase_ = Phase::kResting;
  SlabNo leaving_ = kNoSlab;
  unsigned condemning_ = 0;  // size class
  Tenant* sweeping_ = nullptr;
  uint64_t idle_floor_ = 0;  // the least idle_bytes_ since the end of the last cycle
  Tenant* tenants_ = nullptr;
};

}  // namespace lh::table
