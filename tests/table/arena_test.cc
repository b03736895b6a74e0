#include "table/arena.h"

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "base/prng.h"

namespace lh::table {
namespace {

// Holds cells whose every byte is known, and moves them when it is asked to.
class Holder : public Arena::Tenant {
 public:
  explicit Holder(Arena* arena) : Tenant(arena) {}
  Holder(Holder&& other) noexcept = default;
  virtual ~Holder() { clear(); }

  void add(size_t bytes) {
    const Ref ref = arena().allocate(bytes);
    EXPECT_NE(ref, Ref::kNone);
    EXPECT_GE(arena().size_of(ref), bytes);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(arena().at<char>(ref)) % kUnitBytes, 0u);
    const auto fill = static_cast<unsigned char>(bytes + 31 * ++added_);
    std::memset(arena().at<char>(ref), fill, bytes);
    cells_.push_back({ref, bytes, fill});
  }
  void drop(size_t index) {
    check(cells_[index]);
    arena().release(cells_[index].ref);
    cells_[index] = cells_.back();
    cells_.pop_back();
  }
  void clear() {
    while (!cells_.empty()) drop(cells_.size() - 1);
  }
  size_t size() const { return cells_.size(); }
  size_t bytes() const {
    size_t sum = 0;
    for (const Cell& cell : cells_) sum += arena().size_of(cell.ref);
    return sum;
  }
  void check_all() const {
    for (const Cell& cell : cells_) check(cell);
  }
  size_t moved() const { return moved_; }

  void begin_sweep() override { next_ = 0; }
  bool sweep_some(size_t* budget_bytes) override {
    for (; next_ < cells_.size(); ++next_) {
      if (*budget_bytes == 0) return true;
      Ref& ref = cells_[next_].ref;
      size_t cost = sizeof ref;
      if (arena().leaving(ref)) {
        cost += 2 * arena().size_of(ref);
        ref = arena().move(ref);
        ++moved_;
      }
      *budget_bytes -= std::min(*budget_bytes, cost);
    }
    return false;
  }

 private:
  struct Cell {
    Ref ref;
    size_t bytes;
    unsigned char fill;
  };
  void check(const Cell& cell) const {
    const auto* p = arena().at<unsigned char>(cell.ref);
    for (size_t i = 0; i < cell.bytes; ++i) ASSERT_EQ(p[i], cell.fill) << cell.bytes;
  }

  std::vector<Cell> cells_;
  size_t next_ = 0;
  size_t added_ = 0;
  size_t moved_ = 0;
};

void compact_all(Arena* arena) {
  while (arena->compact_some(1 << 20)) {
  }
}

TEST(SizeClassTest, everySizeFitsTheSmallestClass) {
  for (size_t bytes = 1; bytes <= kCellBytesMax; ++bytes) {
    const unsigned size_class = size_class_of(bytes);
    ASSERT_LT(size_class, kSizeClasses);
    ASSERT_GE(class_bytes(size_class), bytes);
    if (size_class > 0) {
      ASSERT_LT(class_bytes(size_class - 1), bytes);
    }
  }
}

TEST(SizeClassTest, roundingUpWastesASixteenthAtMostAboveTheExactClasses) {
  for (size_t bytes = kExactClasses * kUnitBytes + 1; bytes <= kCellBytesMax; ++bytes) {
    ASSERT_LE(cell_bytes(bytes) * 16, bytes * 17 + 16 * kUnitBytes);
  }
}

TEST(ArenaTest, cellsOfAllSizesAreDistinct) {
  Arena arena;
  Holder holder(&arena);
  for (int round = 0; round < 3; ++round) {
    for (size_t bytes = 1; bytes <= kCellBytesMax; bytes += 61) holder.add(bytes);
  }
  for (const size_t bytes : {kCellBytesMax + 1, kSlabBytes, kSlabBytes + 1, size_t{9} << 20}) {
    holder.add(bytes);
  }
  holder.check_all();
  EXPECT_EQ(arena.allocated_bytes(), holder.bytes());
}

TEST(ArenaTest, allocationBytesIsWhatItCosts) {
  Arena arena;
  for (const size_t bytes : {size_t{1}, size_t{600}, kCellBytesMax, size_t{100'000}}) {
    const Ref ref = arena.allocate(bytes);
    EXPECT_EQ(arena.allocated_bytes(), Arena::allocation_bytes(bytes));
    EXPECT_EQ(arena.size_of(ref), Arena::allocation_bytes(bytes));
    arena.release(ref);
    EXPECT_EQ(arena.allocated_bytes(), 0u);
  }
}

TEST(ArenaTest, anEmptyArenaHoldsNextToNothing) {
  Arena arena;
  {
    Holder holder(&arena);
    for (int i = 0; i < 100'000; ++i) holder.add(1 + static_cast<size_t>(i) % 1000);
    EXPECT_GT(arena.held_bytes(), 50'000'000u);
  }
  EXPECT_EQ(arena.allocated_bytes(), 0u);
  EXPECT_LE(arena.held_bytes(), 4 * kSlabBytes);
}

TEST(ArenaTest, freedCellsAreUsedAgain) {
  Arena arena;
  Holder holder(&arena);
  base::Prng prng(7);
  for (int i = 0; i < 20'000; ++i) holder.add(320);
  const uint64_t held = arena.held_bytes();
  for (int i = 0; i < 100'000; ++i) {
    holder.drop(prng.below(holder.size()));
    holder.add(300);
  }
  EXPECT_EQ(arena.held_bytes(), held);
  holder.check_all();
}

TEST(ArenaTest, randomOperationsKeepEveryByte) {
  Arena arena;
  Holder holder(&arena);
  base::Prng prng(20);
  for (int i = 0; i < 200'000; ++i) {
    // Waves of growth and of shrinking.
    if (holder.size() == 0 || prng.chance(i / 20'000 % 2 == 0 ? 6 : 4, 10)) {
      holder.add(prng.chance(1, 500) ? prng.between(1, 300'000) : prng.between(1, 800));
    } else {
      holder.drop(prng.below(holder.size()));
    }
    arena.compact_step();
  }
  holder.check_all();
  EXPECT_EQ(arena.allocated_bytes(), holder.bytes());
  EXPECT_GT(holder.moved(), 0u);
}

TEST(ArenaTest, compactionGivesSparseMemoryBack) {
  Arena arena;
  Holder holder(&arena);
  base::Prng prng(3);
  for (int i = 0; i < 100'000; ++i) holder.add(200 + prng.below(400));
  const uint64_t full = arena.held_bytes();
  while (holder.size() > 10'000) holder.drop(prng.below(holder.size()));
  EXPECT_GT(arena.held_bytes(), full * 8 / 10);  // nothing moves unless asked to
  compact_all(&arena);
  EXPECT_LT(arena.held_bytes(), full * 15 / 100);
  EXPECT_LT(arena.held_bytes(), arena.allocated_bytes() * 4 / 3);
  holder.check_all();
}

TEST(ArenaTest, compactionEndsAndRests) {
  Arena arena;
  Holder holder(&arena);
  base::Prng prng(4);
  for (int i = 0; i < 50'000; ++i) holder.add(1 + prng.below(500));
  while (holder.size() > 25'000) holder.drop(prng.below(holder.size()));
  compact_all(&arena);
  EXPECT_FALSE(arena.compact_some(1 << 20));
  const size_t moved = holder.moved();
  EXPECT_FALSE(arena.compact_some(1 << 20));
  EXPECT_EQ(holder.moved(), moved);
}

TEST(ArenaTest, aPieceOfCompactionIsBounded) {
  Arena arena;
  Holder holder(&arena);
  base::Prng prng(5);
  for (int i = 0; i < 50'000; ++i) holder.add(300);
  while (holder.size() > 10'000) holder.drop(prng.below(holder.size()));
  size_t most = 0;
  for (bool more = true; more;) {
    const size_t before = holder.moved();
    more = arena.compact_some(4'096);
    most = std::max(most, holder.moved() - before);
  }
  EXPECT_GT(most, 0u);
  EXPECT_LE(most, 4'096u / (2 * 320) + 1);
}

// What the tenant does not move stays, and the arena goes on with it.
TEST(ArenaTest, slabsThatDoNotBecomeEmptyAreUsedAgain) {
  Arena arena;
  std::vector<Ref> cells;  // nobody moves these
  for (int i = 0; i < 50'000; ++i) cells.push_back(arena.allocate(300));
  for (size_t i = 0; i < cells.size(); ++i) {
    if (i % 3 != 0) arena.release(cells[i]);
  }
  const uint64_t held = arena.held_bytes();
  compact_all(&arena);
  EXPECT_EQ(arena.held_bytes(), held);
  for (size_t i = 0; i < cells.size(); ++i) {
    if (i % 3 != 0) cells[i] = arena.allocate(300);
  }
  EXPECT_EQ(arena.held_bytes(), held);
  for (const Ref ref : cells) arena.release(ref);
}

TEST(ArenaTest, tenantsComeGoAndMoveWhileTheSweepIsOn) {
  Arena arena;
  base::Prng prng(6);
  std::vector<std::unique_ptr<Holder>> holders;
  for (int i = 0; i < 20; ++i) holders.push_back(std::make_unique<Holder>(&arena));
  for (int round = 0; round < 400; ++round) {
    const size_t k = prng.below(holders.size());
    switch (prng.below(4)) {
      case 0:
        holders[k] = std::make_unique<Holder>(&arena);
        break;
      case 1:
        holders[k] = std::make_unique<Holder>(std::move(*holders[k]));
        break;
      case 2:
        for (int i = 0; i < 2'000; ++i) holders[k]->add(1 + prng.below(600));
        break;
      case 3:
        for (size_t i = holders[k]->size() / 2; i > 0; --i) holders[k]->drop(prng.below(i));
        break;
    }
    arena.compact_some(10'000);
  }
  for (const auto& holder : holders) holder->check_all();
  holders.clear();
  EXPECT_EQ(arena.allocated_bytes(), 0u);
  EXPECT_LE(arena.held_bytes(), 4 * kSlabBytes);
}

TEST(ArenaTest, roomShrinksWithWhatIsHeld) {
  Arena arena;
  const uint64_t room = arena.room_bytes();
  EXPECT_EQ(room, uint64_t{128} << 30);
  const Ref ref = arena.allocate(1 << 20);
  EXPECT_EQ(arena.room_bytes(), room - (1 << 20));
  arena.release(ref);
  EXPECT_EQ(arena.room_bytes(), room);
}

TEST(ArenaDeathTest, aTenantMustNotOutliveItsArena) {
  EXPECT_DEATH(
      {
        auto arena = std::make_unique<Arena>();
        Holder holder(arena.get());
        arena.reset();
      },
      "a table outlives its arena");
}

}  // namespace
}  // namespace lh::table
