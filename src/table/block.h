// Block: the records of one slot, in one cell that can be moved by copying it.
//
//   0     1      2      3         4          6
//   | kind | count | units | special | payload | entry 0 | entry 1 | ...
//     1      1       1       1         2         4: tag, end
//
//   ... free ... | record 2 | record 1 | record 0 |
//                                      ^ end of entry 1: its distance from the end of the cell
//
// Entries grow up, records grow down, so that a record is added without moving another. An example,
// keys and values of 1 and 3 bytes, in a cell of 2 units:
//
//    0: 00 02 02 00 08 00             block, 2 records, 2 units, none outside, 8 bytes of payload
//    6: 5a 17 05 00 | c3 f0 0a 00     tag 0x175a, end 5; tag 0xf0c3, end 10
//   14: free
//   54: 04 "b" "two" | 04 "a" "one"   key length 1 << 2, key, value: record 1, record 0
//
// Header and entries of up to fourteen records share the first cache line: a search reads that
// line, and the record's when a tag fits. A tag is 16 bits of c that begin at the bits that chose
// the slot or a little below, so it tells records apart, and nearly always holds the bit by which
// the slot is split next: see tag_shift().
//
// `special` counts the records that are kept outside, and has its top bit set when one expires: 0,
// nearly always, says that the header tells all there is to count.
//
// A block is plain memory: no allocation here, no owner, nothing outside the cell.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "lh/types.h"
#include "table/record.h"

namespace lh::table {

using Tag = uint16_t;
inline constexpr unsigned kTagBits = 16;

// The bit of c where the tags of a block of this level begin. A level is the number of low bits of
// c that all records of the block share. Tags keep their meaning while the level changes within a
// byte of c: only when it leaves the byte must c be computed anew.
constexpr unsigned tag_shift(Level level) { return std::min<unsigned>(level & ~7U, 64 - kTagBits); }

constexpr Tag tag_of(HashValue c, Level level) { return static_cast<Tag>(c >> tag_shift(level)); }

// Bits level..level+bits-1 of c, out of the tag. Bound: level + bits <= 64, bits <= 8.
constexpr unsigned next_bits(Tag tag, Level level, unsigned bits) {
  return (tag >> (level - tag_shift(level))) & ((1U << bits) - 1);
}

// What a Ref of a table names; the first byte of each.
enum class NodeKind : uint8_t { kBlock, kBranch, kChain };

class Block {
 public:
  static constexpr size_t kHeaderBytes = 6;
  static constexpr size_t kEntryBytes = 4;
  static constexpr size_t kBytesMax = 7680;
  static constexpr unsigned kRecordsMax = 48;

  // The cell that `count` records of `record_bytes` in all need.
  static constexpr size_t bytes_for(unsigned count, size_t record_bytes) {
    return kHeaderBytes + kEntryBytes * count + record_bytes;
  }

  // Makes an empty block of a cell.
  void format(size_t cell_bytes) {
    kind_ = NodeKind::kBlock;
    count_ = 0;
    units_ = static_cast<uint8_t>(cell_bytes / kUnitBytes);
    special_ = 0;
    payload_ = 0;
  }

  NodeKind kind() const { return kind_; }
  unsigned count() const { return count_; }
  bool plain() const { return special_ == 0; }                  // none is outside, and none expires
  unsigned outside() const { return special_ & ~kAnyExpires; }  // records that are kept outside
  bool any_expires() const { return (special_ & kAnyExpires) != 0; }
  size_t payload_bytes() const { return payload_; }  // keys and values within
  size_t cell_bytes() const { return units_ * kUnitBytes; }
  size_t record_bytes() const { return end(count_); }  // all records, headers included
  size_t used_bytes() const { return bytes_for(count_, record_bytes()); }
  size_t free_bytes() const { return cell_bytes() - used_bytes(); }

  Tag tag(unsigned k) const { return entries()[k].tag; }
  void set_tag(unsigned k, Tag tag) { entries()[k].tag = tag; }
  size_t size(unsigned k) const { return end(k + 1) - end(k); }
  const std::byte* record(unsigned k) const { return base() + cell_bytes() - entries()[k].end; }
  std::byte* record(unsigned k) { return base() + cell_bytes() - entries()[k].end; }

  // Append a record. Bound: the record and kEntryBytes fit free_bytes().
  void append_inline(Tag tag, const Record& record) {
    payload_ = static_cast<uint16_t>(payload_ + record.payload_bytes());
    if (record.expiry != kNever) special_ |= kAnyExpires;
    write_inline(append(tag, inline_bytes(record)), record);
  }
  // One that was written outside.
  void append_outside(Tag tag, const Record& record, Ref ref) {
    ++special_;
    if (record.expiry != kNever) special_ |= kAnyExpires;
    write_outside_ref(append(tag, outside_record_bytes(record)), record.expiry, ref);
  }
  void append_copy(Tag tag, const Block& from, unsigned k) {
    const std::byte* record = from.record(k);
    std::memcpy(append(tag, from.size(k)), record, from.size(k));
    if (expires(record)) special_ |= kAnyExpires;
    if (is_outside(record)) {
      ++special_;
    } else {
      payload_ = static_cast<uint16_t>(payload_ + inline_payload(record, from.size(k)));
    }
  }

  // All records of `from`, in order. Bound: this block is empty and has room.
  void copy_all(const Block& from) {
    count_ = from.count_;
    special_ = from.special_;
    payload_ = from.payload_;
    std::memcpy(entries(), from.entries(), kEntryBytes * count_);
    const size_t bytes = from.record_bytes();
    std::memcpy(base() + cell_bytes() - bytes, from.base() + from.cell_bytes() - bytes, bytes);
  }

  // Takes record k out and closes the gap: the records behind it keep their order.
  void remove(unsigned k);

 private:
  struct Entry {
    Tag tag;
    uint16_t end;
  };
  static_assert(sizeof(Entry) == kEntryBytes);

  static constexpr uint8_t kAnyExpires = 0x80;

  static size_t inline_payload(const std::byte* record, size_t bytes) {
    return bytes - inline_header_bytes(record) - (expires(record) ? kExpiryBytes : 0);
  }

  std::byte* append(Tag tag, size_t bytes) {
    const size_t to = record_bytes() + bytes;
    entries()[count_++] = {tag, static_cast<uint16_t>(to)};
    return base() + cell_bytes() - to;
  }

  // Where record k - 1 begins and record k ends, as a distance from the end of the cell.
  size_t end(unsigned k) const { return k == 0 ? 0 : entries()[k - 1].end; }

  std::byte* base() { return reinterpret_cast<std::byte*>(this); }
  const std::byte* base() const { return reinterpret_cast<const std::byte*>(this); }
  Entry* entries() { return reinterpret_cast<Entry*>(base() + kHeaderBytes); }
  const Entry* entries() const { return reinterpret_cast<const Entry*>(base() + kHeaderBytes); }

  NodeKind kind_;
  uint8_t count_;
  uint8_t units_;  // of the cell
  uint8_t special_;
  uint16_t payload_;
};

static_assert(sizeof(Block) == Block::kHeaderBytes);
static_assert(Block::kBytesMax / kUnitBytes < 256 && Block::kRecordsMax < 128);
static_assert(cell_bytes(Block::kBytesMax) == Block::kBytesMax);

}  // namespace lh::table
