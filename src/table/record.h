// How a record lies in a block: the contract between block.h and node_store.h, in memory only.
//
//   within the block    | key length << 2 | flags : 1 or 2 bytes, varint | expiry | key | value |
//   outside             | flags : 1 byte | expiry | Ref : 4 bytes |
//                         and there: | value length : 4 | key length : 2 | key | value |
//
// A record is kept outside (flag kOutside) when it is larger than kInlineBytesMax, so that the
// memory that moves when a block changes stays small. A record within has no value length: the
// block knows where the next one begins. The expiry, 6 bytes, is there with the flag kExpires only:
// a record that stays for ever pays nothing for those that do not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "table/arena.h"

namespace lh::table {

inline constexpr size_t kKeyBytesMax = 65'535;
inline constexpr size_t kValueBytesMax = size_t{8} << 20;

// The largest record within a block, header included.
inline constexpr size_t kInlineBytesMax = 512;

// When a record expires: milliseconds since 1970-01-01 UTC; 0: never. The last ones are those of
// the year 10889.
using ExpiryMs = uint64_t;
inline constexpr ExpiryMs kNever = 0;
inline constexpr size_t kExpiryBytes = 6;
inline constexpr ExpiryMs kExpiryMax = (ExpiryMs{1} << 8 * kExpiryBytes) - 1;

struct Record {
  std::string_view key;
  std::string_view value;
  ExpiryMs expiry = kNever;
  constexpr size_t payload_bytes() const { return key.size() + value.size(); }
};

constexpr bool has_expired(const Record& record, ExpiryMs now) {
  return record.expiry != kNever && record.expiry <= now;
}

inline constexpr unsigned kOutside = 1;
inline constexpr unsigned kExpires = 2;
inline constexpr unsigned kFlagBits = 2;
inline constexpr size_t kShortKeyMax = (1 << (7 - kFlagBits)) - 1;  // one byte of header

// What precedes key and value outside.
struct OutsideHeader {
  uint32_t value_bytes;
  uint16_t key_bytes;
};
inline constexpr size_t kOutsideHeaderBytes = 6;
static_assert(kOutsideHeaderBytes + kKeyBytesMax + kValueBytesMax <= Arena::kAllocationBytesMax);

constexpr size_t expiry_bytes(const Record& record) {
  return record.expiry == kNever ? 0 : kExpiryBytes;
}

// What `record` takes within a block; beyond kInlineBytesMax it must go outside.
constexpr size_t inline_bytes(const Record& record) {
  const size_t header = record.key.size() <= kShortKeyMax ? 1 : 2;
  return header + expiry_bytes(record) + record.payload_bytes();
}
// What stands for it in the block then.
constexpr size_t outside_record_bytes(const Record& record) {
  return 1 + expiry_bytes(record) + sizeof(Ref);
}
inline constexpr size_t kOutsideRecordBytesMax = 1 + kExpiryBytes + sizeof(Ref);

// Equality of short strings without a call: most keys are compared once, and are equal.
inline bool same_key(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  const char* p = a.data();
  const char* q = b.data();
  size_t bytes = a.size();
  const auto differ = [&](size_t at) {
    uint64_t x;
    uint64_t y;
    std::memcpy(&x, p + at, sizeof x);
    std::memcpy(&y, q + at, sizeof y);
    return x != y;
  };
  if (bytes >= sizeof(uint64_t)) {
    const size_t tail = bytes - sizeof(uint64_t);
    for (size_t at = 0; at < tail; at += sizeof(uint64_t)) {
      if (differ(at)) return false;
    }
    return !differ(tail);
  }
  while (bytes > 0 && p[bytes - 1] == q[bytes - 1]) --bytes;
  return bytes == 0;
}

inline unsigned flags_of(const std::byte* record) {
  return std::to_integer<unsigned>(*record) & ((1U << kFlagBits) - 1);
}
inline unsigned flags_of(const Record& record) { return record.expiry == kNever ? 0 : kExpires; }
inline bool is_outside(const std::byte* record) { return (flags_of(record) & kOutside) != 0; }
inline bool expires(const std::byte* record) { return (flags_of(record) & kExpires) != 0; }

inline ExpiryMs read_expiry(const std::byte* from) {
  ExpiryMs expiry = 0;
  std::memcpy(&expiry, from, kExpiryBytes);
  return expiry;
}
inline std::byte* write_expiry(std::byte* to, ExpiryMs expiry) {
  if (expiry == kNever) return to;
  std::memcpy(to, &expiry, kExpiryBytes);
  return to + kExpiryBytes;
}

// Of a record in a block. Bound: it is outside.
inline size_t outside_ref_at(const std::byte* record) {
  return expires(record) ? 1 + kExpiryBytes : 1;
}
inline Ref outside_ref(const std::byte* record) {
  Ref ref;
  std::memcpy(&ref, record + outside_ref_at(record), sizeof ref);
  return ref;
}
// It has moved.
inline void set_outside_ref(std::byte* record, Ref ref) {
  std::memcpy(record + outside_ref_at(record), &ref, sizeof ref);
}

// Writes outside_record_bytes() bytes.
inline void write_outside_ref(std::byte* to, ExpiryMs expiry, Ref ref) {
  *to = static_cast<std::byte>(expiry == kNever ? kOutside : kOutside | kExpires);
  std::memcpy(write_expiry(to + 1, expiry), &ref, sizeof ref);
}

// Writes inline_bytes(record) bytes.
inline void write_inline(std::byte* to, const Record& record) {
  const size_t header = record.key.size() << kFlagBits | flags_of(record);
  if (record.key.size() <= kShortKeyMax) {
    *to++ = static_cast<std::byte>(header);
  } else {
    *to++ = static_cast<std::byte>(header | 0x80);
    *to++ = static_cast<std::byte>(header >> 7);
  }
  to = write_expiry(to, record.expiry);
  if (!record.key.empty()) std::memcpy(to, record.key.data(), record.key.size());
  if (!record.value.empty()) {
    std::memcpy(to + record.key.size(), record.value.data(), record.value.size());
  }
}

inline size_t inline_header_bytes(const std::byte* record) {
  return std::to_integer<unsigned>(*record) < 0x80 ? 1 : 2;
}

// The record within a block whose `bytes` bytes begin at `from`.
inline Record read_inline(const std::byte* from, size_t bytes) {
  const auto* p = reinterpret_cast<const char*>(from);
  size_t header = std::to_integer<size_t>(from[0]);
  size_t header_bytes = 1;
  if (header >= 0x80) [[unlikely]] {
    header = (header & 0x7f) | std::to_integer<size_t>(from[1]) << 7;
    header_bytes = 2;
  }
  const size_t key_bytes = header >> kFlagBits;
  return {{p + header_bytes, key_bytes},
          {p + header_bytes + key_bytes, bytes - header_bytes - key_bytes}};
}
// The same of one that expires.
inline Record read_expiring(const std::byte* from, size_t bytes) {
  const size_t header_bytes = inline_header_bytes(from);
  Record record = read_inline(from, bytes);
  record.expiry = read_expiry(from + header_bytes);
  record.key = {record.key.data() + kExpiryBytes, record.key.size()};
  record.value = {record.value.data() + kExpiryBytes, record.value.size() - kExpiryBytes};
  return record;
}

inline size_t outside_bytes(const Record& record) {
  return kOutsideHeaderBytes + record.payload_bytes();
}

inline void write_outside(std::byte* to, const Record& record) {
  const auto value_bytes = static_cast<uint32_t>(record.value.size());
  const auto key_bytes = static_cast<uint16_t>(record.key.size());
  std::memcpy(to, &value_bytes, sizeof value_bytes);
  std::memcpy(to + sizeof value_bytes, &key_bytes, sizeof key_bytes);
  to += kOutsideHeaderBytes;
  if (!record.key.empty()) std::memcpy(to, record.key.data(), record.key.size());
  if (!record.value.empty()) {
    std::memcpy(to + record.key.size(), record.value.data(), record.value.size());
  }
}

inline Record read_outside(const std::byte* from) {
  OutsideHeader header;
  std::memcpy(&header.value_bytes, from, sizeof header.value_bytes);
  std::memcpy(&header.key_bytes, from + sizeof header.value_bytes, sizeof header.key_bytes);
  const auto* p = reinterpret_cast<const char*>(from) + kOutsideHeaderBytes;
  return {{p, header.key_bytes}, {p + header.key_bytes, header.value_bytes}};
}

}  // namespace lh::table
