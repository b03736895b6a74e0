// The key hash. FROZEN: c decides on which node and in which chain a record lies on disk and what
// clients of other versions compute; changing one bit of it is a new file format.
//
// Two modes, chosen when a file is created:
//   kMixed    r = slot << 50 | XXH64(whole key, seed 0) >> 14, c = reverse64(r), where slot is the
//             Redis cluster slot. The low 14 bits of c are thus the slot's bits reversed, and a
//             bucket of level j <= 14 is a contiguous range of 2^(14-j) slots.
//   kInteger  keys are unsigned decimal integers and c = key, as in the papers.
//
// Pure functions, safe on any thread; they take any length, the empty key too.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "lh/types.h"

namespace lh::base {

enum class HashMode : uint8_t { kMixed = 0, kInteger = 1 };

inline constexpr unsigned kSlotBits = 14;
inline constexpr uint16_t kSlots = 1 << kSlotBits;

// c of a key in a kMixed file.
HashValue hash_key(std::string_view key);

// c of a key in a kInteger file; nothing when the key is not an integer: only digits, at most
// 2^64 - 1, and no leading zero ("007" is refused, not taken for "7": a record is found under its
// one spelling, and a listing shows the key that was inserted).
std::optional<HashValue> integer_key(std::string_view key);

// c of a key in a file of this mode; nothing when the mode does not admit the key.
inline std::optional<HashValue> hash_key(HashMode mode, std::string_view key) {
  return mode == HashMode::kMixed ? hash_key(key) : integer_key(key);
}

// The Redis cluster slot of a key, 0..kSlots-1: CRC16 of what is between the first '{' and the next
// '}' when there is something, else of the whole key.
uint16_t redis_slot(std::string_view key);

// CRC-16/XMODEM: polynomial 0x1021, initial value 0, not reflected.
uint16_t crc16(std::string_view bytes);

// XXH64 by Yann Collet, specification 0.1.1.
uint64_t xxh64(std::string_view bytes, uint64_t seed = 0);

}  // namespace lh::base
