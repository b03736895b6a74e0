// HashTable: the records of one bucket, in memory.
//
// Linear hashing on the bits of c that the bucket's address does not use (LH*LH: Karlsson, Litwin,
// Risch 1996). All keys of a bucket of level j agree in the low j bits of c; its table takes
// q = c >> j, and a slot is chosen by the low bits of q. The table grows by one slot per insert at
// most and shrinks by one per erase: no operation ever rehashes the whole.
//
//   Directory   the slots, 4 bytes each, and the arithmetic              (directory.h)
//   NodeStore   what a slot names: one block of about five records       (node_store.h)
//   Block       tags, and the records packed one after the other         (block.h)
//   Arena       the memory of all tables of a worker; moves blocks       (arena.h)
//
// In the reversed key space a slot is an interval, as a bucket is. So walk() goes through a table
// in the order of r while slots are split and joined between its calls, and an LH* split is a
// relabelling: the odd slots leave, the even ones stay.
//
// The caller computes c once and passes it: it must be hash(key), and agree with the bucket's
// address in the low bits. Keys are 0 to 65,535 bytes, values 0 to 8 MiB; no argument may point
// into a table of the same arena. One owner thread, that of the arena.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "lh/types.h"
#include "table/arena.h"
#include "table/directory.h"
#include "table/node_store.h"

namespace lh::table {

// A callable that is borrowed for the time of a call: visit(c, record).
class RecordVisitor {
 public:
  template <typename Visitor>
  explicit RecordVisitor(Visitor& visitor)
      : visitor_(const_cast<void*>(static_cast<const void*>(&visitor))),
        call_([](void* to, HashValue c, const Record& record) {
          (*static_cast<Visitor*>(to))(c, record);
        }) {}

  void operator()(HashValue c, const Record& record) const { call_(visitor_, c, record); }

 private:
  void* visitor_;
  void (*call_)(void* visitor, HashValue c, const Record& record);
};

class HashTable final : private Arena::Tenant {
 public:
  struct Options {
    Level shift = 0;  // j of the bucket. Bound: kLevelMax
    HashFunction hash = nullptr;
    Arena* arena = nullptr;
  };

  explicit HashTable(const Options& options);
  // A table that was moved from may only be assigned to or destroyed.
  HashTable(HashTable&& other) noexcept;
  HashTable& operator=(HashTable&& other) noexcept;
  // Frees all at once: clear_some() first, when it is large.
  ~HashTable();

  // The views hold until the next non-const call on any table of the arena. A record that has
  // expired is there until it is erased: what time it is, the caller knows.
  std::optional<Record> find_record(HashValue c, std::string_view key) const;
  // Its value.
  std::optional<std::string_view> find(HashValue c, std::string_view key) const;

  // All that write a value write an expiry with it.
  enum class Put { kInserted, kReplaced };
  Put put(HashValue c, std::string_view key, std::string_view value, ExpiryMs expiry = kNever) {
    return put(c, Record{key, value, expiry});
  }
  Put put(HashValue c, const Record& record);
  // False when the key is there; its value stays.
  bool insert(HashValue c, std::string_view key, std::string_view value);
  // False when the key is not there.
  bool update(HashValue c, std::string_view key, std::string_view value);
  // The value stays. False when the key is not there.
  bool set_expiry(HashValue c, std::string_view key, ExpiryMs expiry);
  bool erase(HashValue c, std::string_view key);

  // Where a search for a key with this c begins. Holds until the next change of the table.
  using Place = NodeStore::Place;
  Place place_of(HashValue c) const {
    const Directory::Slot slot = directory_.slot_of(c >> shift_);
    return {slot.at, static_cast<Level>(shift_ + slot.bits)};
  }
  // Bring what the search will touch into the cache: the slot; when that is there, the header of
  // the block that it names; when that is, the record. See LookAhead.
  void prefetch_slot(Place place) const { prefetch_line(place.at); }
  void prefetch_header(Place place) const { nodes_.prefetch_header(*place.at); }
  void prefetch_record(Place place, HashValue c) const { nodes_.prefetch_record(place, c); }
  // The header and the lines where records are added: for what is going to be there.
  void prefetch(HashValue c) const;

  // Has the slots at once that so many records will need, and keeps them until this is called with
  // 0: for records that come in the order of r, which else would all go to the few slots there are.
  // Bound of the memory: kSlotsReservedMax slots.
  void reserve(uint64_t records);

  uint64_t size() const { return nodes_.tally().records; }
  bool empty() const { return size() == 0; }
  // How many records expire, or have.
  uint64_t expiring() const { return nodes_.tally().expiring; }
  // All that this table costs: slots, blocks and what is kept outside of them, in whole cells.
  uint64_t memory_bytes() const {
    return directory_.memory_bytes() + nodes_.tally().block_bytes + nodes_.tally().other_bytes;
  }
  // Keys and values.
  uint64_t payload_bytes() const { return nodes_.tally().payload_bytes; }

  // Visits the records with from <= r <= last, whole leaves (slots, nearly always) at a time, in
  // the order of the leaves' intervals of r, until at least `budget_bytes` are spent; an empty slot
  // costs a few, too. Returns the r to go on from, nothing when all have been visited.
  //
  // The returned r is exact: all records below it have been visited, none from it on. So a walk is
  // right however the table changes between its calls: a record that is there all the time is
  // visited exactly once. Bound: from <= last, both in the interval of the bucket.
  // visit(HashValue c, const Record& record) must not change the table.
  template <typename Visitor>
  std::optional<ReversedHash> walk(ReversedHash from, ReversedHash last, size_t budget_bytes,
                                   Visitor&& visit) const {
    return walk_leaves(from, last, budget_bytes, RecordVisitor(visit), kNever);
  }
  // The same for those records only that have expired at `now`. Of others the memory is not
  // touched, and of a leaf that has none it is the header's.
  template <typename Visitor>
  std::optional<ReversedHash> walk_expired(ReversedHash from, ReversedHash last,
                                           size_t budget_bytes, ExpiryMs now,
                                           Visitor&& visit) const {
    return walk_leaves(from, last, budget_bytes, RecordVisitor(visit), now);
  }

  // The LH* split: this table becomes one of level j + 1, and the records whose bit j of c is set
  // are those of the returned table. No record is moved. The work is a step for each slot, and a
  // look at the header of each block that leaves, to keep the books.
  HashTable split_off();

  // The inverse: takes back the records whose bit j - 1 is set. As cheap when both halves have
  // about as many slots, else the smaller one grows first. Bound: both of the same level, at least
  // 1, and of the same arena. `other` is moved from.
  void merge(HashTable&& other);

  // Frees about `budget_bytes` of memory; true while there is more. From the first call until it
  // has returned false, the table may only be cleared further, counted or destroyed; then it is
  // empty.
  bool clear_some(size_t budget_bytes);

 private:
  // The table has as many slots as make these averages; a slot that is due for its split holds up
  // to twice that. With 16-byte keys and 32-byte values, 5 records make blocks of five cache lines
  // and cost 10.4 bytes a record above key and value; 7 would cost 9.7 and need seven lines.
  static constexpr uint64_t kRecordsPerSlot = 5;
  static constexpr uint64_t kBytesPerSlot = 512;
  // What a record outside counts for: a walk visits whole slots, and these may be large.
  static constexpr uint64_t kBytesPerOther = 256;
  // Growing ends here, at some hundred million records; beyond it branches take over.
  static constexpr uint64_t kSlotsMax = Directory::kSlotsMax / 2;
  static_assert(kLevelMax + std::bit_width(kSlotsMax) <= NodeStore::kAllBits);
  static constexpr uint64_t kSlotsReservedMax = uint64_t{1} << 22;
  // What a slot without records costs, of the budgets of walk() and of a sweep.
  static constexpr size_t kEmptyLeafBytes = 16;
  // What a record that has expired costs besides, as it is going to be erased.
  static constexpr size_t kExpiredBytes = 64;
  static constexpr size_t kSlotBytes = sizeof(Ref);

  enum class Mode { kPut, kInsert, kUpdate };
  // Returns whether the key was there.
  template <Mode mode>
  bool store(HashValue c, const Record& record);

  // expired_at: kNever for all records.
  std::optional<ReversedHash> walk_leaves(ReversedHash from, ReversedHash last, size_t budget_bytes,
                                          RecordVisitor visit, ExpiryMs expired_at) const;

  uint64_t load_bytes() const {
    return nodes_.tally().block_bytes + kBytesPerOther * nodes_.tally().others;
  }
  bool too_full(uint64_t slots) const;
  bool too_empty(uint64_t slots) const;
  void adjust();
  void split_slot();
  void join_slot();
  void resize(uint64_t slots);
  bool release_some(size_t* budget_bytes);

  void begin_sweep() override;
  bool sweep_some(size_t* budget_bytes) override;
  bool sweep_slots(size_t* budget_bytes);
  bool sweep_leaves(size_t* budget_bytes);

  Directory directory_;
  NodeStore nodes_;
  Level shift_;
  uint64_t slots_min_ = 1;
  uint64_t sweep_slot_ = 0;       // where the sweep goes on, as long as each slot is one block
  ReversedHash sweep_point_ = 0;  // and where it does when there are branches or records outside
};

}  // namespace lh::table
