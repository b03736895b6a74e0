#include "table/arena.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, bytes) ((void)(address), (void)(bytes))
#define ASAN_UNPOISON_MEMORY_REGION(address, bytes) ((void)(address), (void)(bytes))
#endif

// Pace of compaction. Let T bytes be in use, in blocks of 300 bytes. A cycle looks at every slot
// (4 bytes a block: T/75) and moves about T/24 (read and written: T/12). An erase idles about 50
// bytes, so T/48 more are idle after T/2400 changes: with 230 bytes of work a change the cycle ends
// before the next is due, and kStepBytes is twice that. Measured with a million records: an erase
// moves 0.15 blocks and looks at 7 slots, an insert 0.02 and 1; erases and inserts by turns next to
// nothing.

namespace lh::table {
namespace {

constexpr uint32_t cells_per_slab(unsigned size_class) {
  return static_cast<uint32_t>(kSlabBytes / class_bytes(size_class));
}

// What a size class knows of its slabs, so that no operation divides.
struct Shape {
  uint32_t bytes;
  uint16_t units;
  uint16_t cells;
  uint32_t quarter;  // 2^18 / cells: live * quarter >> 16 is the quarter of use
};

constexpr std::array<Shape, kSizeClasses> make_shapes() {
  std::array<Shape, kSizeClasses> shapes{};
  for (unsigned k = 0; k < kSizeClasses; ++k) {
    const auto bytes = static_cast<uint32_t>(class_bytes(k));
    const uint32_t cells = cells_per_slab(k);
    shapes[k] = {bytes, static_cast<uint16_t>(bytes / kUnitBytes), static_cast<uint16_t>(cells),
                 (uint32_t{1} << 18) / cells};
  }
  return shapes;
}

constexpr std::array<Shape, kSizeClasses> kShapes = make_shapes();

// A span uses the pages that it needs of its last slab, and the others cost nothing.
constexpr size_t kPageBytes = 4096;

uint32_t pages_for(size_t bytes) {
  return static_cast<uint32_t>((bytes + kPageBytes - 1) / kPageBytes);
}

uint32_t slabs_for(size_t bytes) {
  return static_cast<uint32_t>((bytes + kSlabBytes - 1) / kSlabBytes);
}

// What looking at a slab of the books costs, in the currency of budgets.
constexpr size_t kSlabVisitBytes = 64;

}  // namespace

// ------------------------------------------------------------------------------------- tenants

Arena::Tenant::Tenant(Arena* arena) : arena_(arena), next_(arena->tenants_) {
  if (next_ != nullptr) next_->prev_ = this;
  arena->tenants_ = this;
}

// Takes the place of `other`, which stays a tenant until its end, right behind.
Arena::Tenant::Tenant(Tenant&& other) noexcept
    : arena_(other.arena_), prev_(other.prev_), next_(&other) {
  (prev_ != nullptr ? prev_->next_ : arena_->tenants_) = this;
  other.prev_ = this;
  if (arena_->sweeping_ == &other) arena_->sweeping_ = this;
}

Arena::Tenant::~Tenant() {
  if (arena_->sweeping_ == this) {
    arena_->sweeping_ = next_;
    if (next_ != nullptr) next_->begin_sweep();
  }
  (prev_ != nullptr ? prev_->next_ : arena_->tenants_) = next_;
  if (next_ != nullptr) next_->prev_ = prev_;
}

// --------------------------------------------------------------------------- cells and spans

Arena::~Arena() {
  LH_CHECK(tenants_ == nullptr, "a table outlives its arena");
  for (size_t k = 0; k < space_.chunks(); ++k) {
    ASAN_UNPOISON_MEMORY_REGION(space_.chunk_base(k), kChunkBytes);
  }
}

Ref Arena::allocate(size_t bytes) {
  LH_CHECK(bytes > 0);
  if (bytes > kCellBytesMax) return allocate_span(bytes);
  const unsigned size_class = size_class_of(bytes);
  SizeClass& cells = classes_[size_class];
  if (cells.current == kNoSlab) cells.current = next_current(size_class);
  const SlabNo no = cells.current;
  const Ref ref{no * kSlabUnits + pop_cell(no)};
  const Shape& shape = kShapes[size_class];
  ++cells.cells;
  allocated_bytes_ += shape.bytes;
  const Slab& from = slab(no);
  if (from.free_head == kNoCell && from.fresh + shape.units > kSlabUnits) {
    slab(no).state = Slab::kFull;
    cells.current = kNoSlab;
  }
  ASAN_UNPOISON_MEMORY_REGION(at<std::byte>(ref), shape.bytes);
  return ref;
}

void Arena::release(Ref ref) {
  LH_CHECK(ref != Ref::kNone);
  const SlabNo no = slab_no(ref);
  const Slab& of = slab(no);
  if (of.state == Slab::kSpan) return release_span(no);
  LH_CHECK(of.live > 0);
  const Shape& shape = kShapes[of.size_class];
  --classes_[of.size_class].cells;
  allocated_bytes_ -= shape.bytes;
  push_cell(no, static_cast<uint16_t>(static_cast<uint32_t>(ref) % kSlabUnits));
  // The first eight bytes hold the link to the next free cell.
  ASAN_POISON_MEMORY_REGION(at<std::byte>(ref) + 8, shape.bytes - 8);
  after_release(no);
}

Ref Arena::allocate_span(size_t bytes) {
  LH_CHECK(bytes <= kAllocationBytesMax);
  const SlabNo first = take_slabs(slabs_for(bytes));
  const Ref ref{first * kSlabUnits};
  slab(first).state = Slab::kSpan;
  slab(first).next = pages_for(bytes);
  allocated_bytes_ += size_of(ref);
  ASAN_UNPOISON_MEMORY_REGION(at<std::byte>(ref), size_of(ref));
  return ref;
}

void Arena::release_span(SlabNo first) {
  const Ref ref{first * kSlabUnits};
  const size_t bytes = size_of(ref);
  allocated_bytes_ -= bytes;
  ASAN_POISON_MEMORY_REGION(at<std::byte>(ref), bytes);
  slab(first) = Slab();
  space_.give(first, slabs_for(bytes));
}

size_t Arena::allocation_bytes(size_t bytes) {
  return bytes <= kCellBytesMax ? cell_bytes(bytes) : pages_for(bytes) * kPageBytes;
}

size_t Arena::size_of(Ref ref) const {
  const Slab& of = slab_of(ref);
  return of.state == Slab::kSpan ? of.next * kPageBytes : kShapes[of.size_class].bytes;
}

Ref Arena::move(Ref ref) {
  const size_t bytes = size_of(ref);
  const Ref copy = allocate(bytes);
  std::memcpy(at<std::byte>(copy), at<std::byte>(ref), bytes);
  release(ref);
  return copy;
}

// ------------------------------------------------------------------------------------- slabs

SlabNo Arena::take_slabs(uint32_t count) {
  const SlabNo first = space_.take(count);
  LH_CHECK(first < kBytesMax / kSlabBytes, "an arena ends at 128 GiB: more workers are needed");
  while (slabs_.size() < space_.chunks()) {
    slabs_.push_back(std::make_unique<Slab[]>(kChunkSlabs));
  }
  LH_CHECK(slab(first).state == Slab::kFree);
  return first;
}

// The fullest slab with room: the sparse ones may then become empty.
SlabNo Arena::next_current(unsigned size_class) {
  SizeClass& cells = classes_[size_class];
  for (unsigned bin = kBins; bin-- > 0;) {
    const SlabNo no = cells.partial[bin];
    if (no == kNoSlab) continue;
    remove(&cells.partial[bin], no);
    slab(no).state = Slab::kCurrent;
    return no;
  }
  const SlabNo no = take_slabs(1);
  slab(no).size_class = static_cast<uint8_t>(size_class);
  slab(no).state = Slab::kCurrent;
  ++cells.slabs;
  ASAN_POISON_MEMORY_REGION(at<std::byte>(Ref{no * kSlabUnits}), kSlabBytes);
  return no;
}

uint16_t Arena::pop_cell(SlabNo no) {
  Slab& from = slab(no);
  const Shape& shape = kShapes[from.size_class];
  uint16_t unit = from.free_head;
  if (unit != kNoCell) {
    std::memcpy(&from.free_head, at<std::byte>(Ref{no * kSlabUnits + unit}), sizeof unit);
    idle_bytes_ -= shape.bytes;
  } else {
    unit = from.fresh;
    from.fresh = static_cast<uint16_t>(from.fresh + shape.units);
  }
  ++from.live;
  return unit;
}

void Arena::push_cell(SlabNo no, uint16_t unit) {
  Slab& to = slab(no);
  std::memcpy(at<std::byte>(Ref{no * kSlabUnits + unit}), &to.free_head, sizeof unit);
  to.free_head = unit;
  --to.live;
  idle_bytes_ += kShapes[to.size_class].bytes;
}

// Puts a slab that has lost a cell where it belongs now.
void Arena::after_release(SlabNo no) {
  Slab& of = slab(no);
  if (of.live == 0) return retire(no);
  if (of.state == Slab::kFull) return list_partial(no);
  if (of.state != Slab::kPartial) return;
  SlabNo* before = list_of(of, of.live + 1u);
  SlabNo* after = list_of(of, of.live);
  if (before == after) return;
  remove(before, no);
  push(after, no);
}

// Gives an empty slab back.
void Arena::retire(SlabNo no) {
  Slab& of = slab(no);
  const Shape& shape = kShapes[of.size_class];
  SizeClass& cells = classes_[of.size_class];
  if (of.state == Slab::kLeaving) {
    remove(&leaving_, no);
  } else {
    if (of.state == Slab::kPartial) remove(list_of(of, 1), no);
    if (of.state == Slab::kCurrent) cells.current = kNoSlab;
    --cells.slabs;
  }
  idle_bytes_ -= uint64_t{of.fresh} / shape.units * shape.bytes;
  idle_floor_ = std::min(idle_floor_, idle_bytes_);
  of = Slab();
  space_.give(no, 1);
}

void Arena::list_partial(SlabNo no) {
  Slab& of = slab(no);
  of.state = Slab::kPartial;
  push(list_of(of, of.live), no);
}

SlabNo* Arena::list_of(const Slab& of, uint32_t live) {
  const uint32_t bin = std::min(live * kShapes[of.size_class].quarter >> 16, kBins - 1);
  return &classes_[of.size_class].partial[bin];
}

void Arena::push(SlabNo* head, SlabNo no) {
  slab(no).prev = kNoSlab;
  slab(no).next = *head;
  if (*head != kNoSlab) slab(*head).prev = no;
  *head = no;
}

void Arena::remove(SlabNo* head, SlabNo no) {
  const Slab& of = slab(no);
  if (of.next != kNoSlab) slab(of.next).prev = of.prev;
  if (of.prev != kNoSlab) {
    slab(of.prev).next = of.next;
  } else {
    LH_CHECK(*head == no);
    *head = of.next;
  }
}

// --------------------------------------------------------------------------------- compaction

bool Arena::compact_some(size_t budget_bytes) {
  if (phase_ == Phase::kResting) {
    if (!needs_cycle()) return false;
    phase_ = Phase::kCondemning;
    condemning_ = 0;
  }
  while (budget_bytes > 0 && phase_ != Phase::kResting) {
    switch (phase_) {
      case Phase::kResting:
        break;
      case Phase::kCondemning:
        condemn_some(&budget_bytes);
        break;
      case Phase::kSweeping:
        sweep_some(&budget_bytes);
        break;
      case Phase::kSettling:
        settle_some(&budget_bytes);
        break;
    }
  }
  return phase_ != Phase::kResting;
}

void Arena::condemn_some(size_t* budget) {
  while (*budget > 0 && condemning_ < kSizeClasses) {
    spend(budget, kSlabVisitBytes);
    if (!condemn_one(&classes_[condemning_], kShapes[condemning_].cells)) ++condemning_;
  }
  if (condemning_ < kSizeClasses) return;
  phase_ = Phase::kSweeping;
  sweeping_ = tenants_;
  if (sweeping_ != nullptr) sweeping_->begin_sweep();
}

// Condemns the sparsest slab of a class, when the other slabs have room for all of its cells.
bool Arena::condemn_one(SizeClass* cells, size_t per_slab) {
  if (uint64_t{cells->slabs} * per_slab < cells->cells + per_slab) return false;
  for (SlabNo& head : cells->partial) {
    const SlabNo no = head;
    if (no == kNoSlab) continue;
    remove(&head, no);
    slab(no).state = Slab::kLeaving;
    push(&leaving_, no);
    --cells->slabs;
    return true;
  }
  return false;
}

void Arena::sweep_some(size_t* budget) {
  while (*budget > 0 && leaving_ != kNoSlab && sweeping_ != nullptr) {
    if (sweeping_->sweep_some(budget)) continue;
    spend(budget, kSlabVisitBytes);
    sweeping_ = sweeping_->next_;
    if (sweeping_ != nullptr) sweeping_->begin_sweep();
  }
  if (leaving_ == kNoSlab || sweeping_ == nullptr) phase_ = Phase::kSettling;
}

// Slabs that did not become empty after all go on as before.
void Arena::settle_some(size_t* budget) {
  while (*budget > 0 && leaving_ != kNoSlab) {
    spend(budget, kSlabVisitBytes);
    const SlabNo no = leaving_;
    remove(&leaving_, no);
    ++classes_[slab(no).size_class].slabs;
    list_partial(no);
  }
  if (leaving_ != kNoSlab) return;
  sweeping_ = nullptr;
  idle_floor_ = idle_bytes_;
  phase_ = Phase::kResting;
}

}  // namespace lh::table
