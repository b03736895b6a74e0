// The sizes of the cells that the arena hands out: multiples of 32 bytes up to 1 KiB, then sixteen
// steps a doubling up to 16 KiB. Rounding up to a size wastes 16 bytes on average up to 1 KiB, and
// 3 % above. Pure arithmetic.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace lh::table {

// Cells begin and end on a multiple of this: half a cache line, which is what lets 32 bits name
// 128 GiB.
inline constexpr size_t kUnitBytes = 32;

inline constexpr unsigned kSteps = 16;         // classes a doubling
inline constexpr unsigned kExactClasses = 32;  // 1..32 units, a class for each
inline constexpr unsigned kDoublings = 4;      // 32 -> 512 units
inline constexpr unsigned kSizeClasses = kExactClasses + kSteps * kDoublings;
inline constexpr size_t kCellBytesMax = (kExactClasses << kDoublings) * kUnitBytes;

// The smallest class whose cells hold `bytes`. Bound: 1 <= bytes <= kCellBytesMax.
constexpr unsigned size_class_of(size_t bytes) {
  const size_t units = (bytes + kUnitBytes - 1) / kUnitBytes;
  if (units <= kExactClasses) return static_cast<unsigned>(units - 1);
  const auto doubling = static_cast<unsigned>(std::bit_width((units - 1) / kExactClasses));
  const auto step = static_cast<unsigned>((units - 1) >> doubling);  // kSteps..2 * kSteps - 1
  return kExactClasses + kSteps * (doubling - 1) + (step - kSteps);
}

// The bytes of a cell of this class. Bound: size_class < kSizeClasses.
constexpr size_t class_bytes(unsigned size_class) {
  if (size_class < kExactClasses) return (size_class + 1) * kUnitBytes;
  const unsigned doubling = (size_class - kExactClasses) / kSteps + 1;
  const size_t step = (size_class - kExactClasses) % kSteps + kSteps + 1;
  return (step << doubling) * kUnitBytes;
}

// What a request for `bytes` gets.
constexpr size_t cell_bytes(size_t bytes) { return class_bytes(size_class_of(bytes)); }

static_assert(class_bytes(kSizeClasses - 1) == kCellBytesMax);
static_assert(cell_bytes(1) == 32 && cell_bytes(1024) == 1024 && cell_bytes(1025) == 1088);
static_assert(cell_bytes(kCellBytesMax) == kCellBytesMax);

}  // namespace lh::table
