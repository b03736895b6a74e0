#include "base/hash.h"

#include <array>
#include <bit>
#include <cstring>

#include "lh/address.h"

namespace lh::base {
namespace {

static_assert(std::endian::native == std::endian::little, "XXH64 reads little-endian words");

constexpr uint64_t kPrime1 = 0x9e3779b185ebca87;
constexpr uint64_t kPrime2 = 0xc2b2ae3d27d4eb4f;
constexpr uint64_t kPrime3 = 0x165667b19e3779f9;
constexpr uint64_t kPrime4 = 0x85ebca77c2b2ae63;
constexpr uint64_t kPrime5 = 0x27d4eb2f165667c5;

template <typename T>
T load(const char* p) {
  T value;
  std::memcpy(&value, p, sizeof value);
  return value;
}

uint64_t mix_lane(uint64_t lane, uint64_t word) {
  return std::rotl(lane + word * kPrime2, 31) * kPrime1;
}

uint64_t merge_lane(uint64_t hash, uint64_t lane) {
  return (hash ^ mix_lane(0, lane)) * kPrime1 + kPrime4;
}

// The whole 32-byte stripes of [*p, end), which has at least one; advances *p behind them.
uint64_t hash_stripes(const char** p, const char* end, uint64_t seed) {
  uint64_t lane1 = seed + kPrime1 + kPrime2;
  uint64_t lane2 = seed + kPrime2;
  uint64_t lane3 = seed;
  uint64_t lane4 = seed - kPrime1;
  const char* q = *p;
  for (; end - q >= 32; q += 32) {
    lane1 = mix_lane(lane1, load<uint64_t>(q));
    lane2 = mix_lane(lane2, load<uint64_t>(q + 8));
    lane3 = mix_lane(lane3, load<uint64_t>(q + 16));
    lane4 = mix_lane(lane4, load<uint64_t>(q + 24));
  }
  *p = q;
  uint64_t hash =
      std::rotl(lane1, 1) + std::rotl(lane2, 7) + std::rotl(lane3, 12) + std::rotl(lane4, 18);
  hash = merge_lane(hash, lane1);
  hash = merge_lane(hash, lane2);
  hash = merge_lane(hash, lane3);
  return merge_lane(hash, lane4);
}

// Fewer than 32 bytes, then the avalanche.
uint64_t hash_tail(uint64_t hash, const char* p, const char* end) {
  for (; end - p >= 8; p += 8) {
    hash = std::rotl(hash ^ mix_lane(0, load<uint64_t>(p)), 27) * kPrime1 + kPrime4;
  }
  if (end - p >= 4) {
    hash = std::rotl(hash ^ load<uint32_t>(p) * kPrime1, 23) * kPrime2 + kPrime3;
    p += 4;
  }
  for (; p != end; ++p) {
    hash = std::rotl(hash ^ static_cast<uint8_t>(*p) * kPrime5, 11) * kPrime1;
  }
  hash = (hash ^ hash >> 33) * kPrime2;
  hash = (hash ^ hash >> 29) * kPrime3;
  return hash ^ hash >> 32;
}

[[gnu::always_inline]] inline uint64_t mixed(std::string_view bytes, uint64_t seed) {
  const char* p = bytes.data();
  const char* end = p + bytes.size();
  const uint64_t hash = bytes.size() >= 32 ? hash_stripes(&p, end, seed) : seed + kPrime5;
  return hash_tail(hash + bytes.size(), p, end);
}

// kCrc[k][b] is the CRC of byte b followed by k zero bytes: with 8 of them, 8 bytes of input are 8
// independent loads instead of a chain of 8 dependent ones.
constexpr int kCrcSlices = 8;
using CrcTables = std::array<std::array<uint16_t, 256>, kCrcSlices>;

constexpr uint16_t crc_shift(uint16_t crc) {
  return static_cast<uint16_t>(crc << 1 ^ ((crc & 0x8000) != 0 ? 0x1021 : 0));
}

constexpr CrcTables make_crc_tables() {
  CrcTables tables{};
  for (unsigned b = 0; b < 256; ++b) {
    auto crc = static_cast<uint16_t>(b << 8);
    for (auto& table : tables) {
      for (int bit = 0; bit < 8; ++bit) crc = crc_shift(crc);
      table[b] = crc;
    }
  }
  return tables;
}

constexpr CrcTables kCrc = make_crc_tables();

[[gnu::always_inline]] inline uint16_t crc_step8(uint16_t crc, const char* p) {
  const auto word = load<uint64_t>(p);
  const auto byte = [word](int k) { return static_cast<uint8_t>(word >> (8 * k)); };
  return static_cast<uint16_t>(kCrc[7][byte(0) ^ (crc >> 8)] ^ kCrc[6][byte(1) ^ (crc & 0xff)] ^
                               kCrc[5][byte(2)] ^ kCrc[4][byte(3)] ^ kCrc[3][byte(4)] ^
                               kCrc[2][byte(5)] ^ kCrc[1][byte(6)] ^ kCrc[0][byte(7)]);
}

uint16_t crc_step(uint16_t crc, char c) {
  return static_cast<uint16_t>(crc << 8 ^ kCrc[0][(crc >> 8) ^ static_cast<uint8_t>(c)]);
}

// Not 0 if one of the eight bytes is `wanted`.
uint64_t match_byte(uint64_t word, char wanted) {
  constexpr uint64_t kOnes = 0x0101010101010101;
  const uint64_t differs = word ^ (kOnes * static_cast<uint8_t>(wanted));
  return (differs - kOnes) & ~differs & (kOnes << 7);
}

struct Walked {
  uint16_t crc = 0;
  bool has_brace = false;
};

[[gnu::always_inline]] inline Walked walk(std::string_view bytes) {
  const char* p = bytes.data();
  const char* end = p + bytes.size();
  uint16_t crc = 0;
  uint64_t braces = 0;
  for (; end - p >= 8; p += 8) {
    braces |= match_byte(load<uint64_t>(p), '{');
    crc = crc_step8(crc, p);
  }
  for (; p != end; ++p) {
    braces |= *p == '{';
    crc = crc_step(crc, *p);
  }
  return {crc, braces != 0};
}

// The part of the key that decides on the slot.
std::string_view slot_tag(std::string_view key) {
  const size_t open = key.find('{');
  if (open == std::string_view::npos) return key;
  const size_t close = key.find('}', open + 1);
  if (close == std::string_view::npos || close == open + 1) return key;
  return key.substr(open + 1, close - open - 1);
}

}  // namespace

uint64_t xxh64(std::string_view bytes, uint64_t seed) { return mixed(bytes, seed); }

uint16_t crc16(std::string_view bytes) { return walk(bytes).crc; }

// As though there were no tag, which is found out on the way: few keys have one.
uint16_t redis_slot(std::string_view key) {
  const Walked whole = walk(key);
  return (whole.has_brace ? crc16(slot_tag(key)) : whole.crc) % kSlots;
}

HashValue hash_key(std::string_view key) {
  const ReversedHash r = uint64_t{redis_slot(key)} << (64 - kSlotBits) | mixed(key, 0) >> kSlotBits;
  return reverse64(r);
}

std::optional<HashValue> integer_key(std::string_view key) {
  if (key.empty() || key.size() > 20) return std::nullopt;
  if (key[0] == '0' && key.size() > 1) return std::nullopt;
  uint64_t value = 0;
  for (const char c : key) {
    if (c < '0' || c > '9') return std::nullopt;
    if (__builtin_mul_overflow(value, 10, &value)) return std::nullopt;
    if (__builtin_add_overflow(value, static_cast<uint64_t>(c - '0'), &value)) return std::nullopt;
  }
  return value;
}

}  // namespace lh::base
