// BlockStore: the blocks of one table and the records outside them, as cells of the arena, with the
// table's books. It knows nothing of what names a block.
//
// Pointers into the arena hold until the next change of any table of the arena.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "lh/types.h"
#include "table/arena.h"
#include "table/block.h"
#include "table/record.h"

namespace lh::table {

// What a table, or a part of one, amounts to.
struct Tally {
  uint64_t records = 0;
  uint64_t payload_bytes = 0;  // keys and values
  uint64_t block_bytes = 0;    // cells of blocks
  uint64_t other_bytes = 0;    // cells and spans of all else
  uint64_t others = 0;         // how many: when there are none, each slot is one block
  uint64_t expiring = 0;       // records that expire

  Tally& operator+=(const Tally& other);
  Tally& operator-=(const Tally& other);
};

class BlockStore {
 public:
  explicit BlockStore(Arena* arena) : arena_(arena) {}

  Arena& arena() const { return *arena_; }
  Tally& tally() { return tally_; }
  const Tally& tally() const { return tally_; }

  Block* at(Ref block) const { return arena_->at<Block>(block); }
  Record record(const Block& block, unsigned k) const {
    const std::byte* at = block.record(k);
    if (flags_of(at) != 0) [[unlikely]]
      return special_record(block, k);
    return read_inline(at, block.size(k));
  }

  // Where the record is in the block; block.count(), and *found as it was, when it is not there.
  [[gnu::always_inline]] unsigned find(const Block& block, Tag tag, std::string_view key,
                                       Record* found) const {
    for (unsigned k = 0; k < block.count(); ++k) {
      if (block.tag(k) != tag) continue;
      const Record candidate = record(block, k);
      if (!same_key(candidate.key, key)) continue;
      *found = candidate;
      return k;
    }
    return block.count();
  }

  // An empty block with room for this much; and the end of one, whose records live elsewhere now.
  Ref create(unsigned count, size_t record_bytes);
  void drop(Ref block);

  // When record k expires; the memory of a record outside is not touched.
  static ExpiryMs expiry(const Block& block, unsigned k);

  // Whether a block may take this record without becoming larger than blocks are.
  static bool admits(const Block& block, const Record& record);

  // Adds a record, in a larger cell if need be. Bound: admits(), or *at is none: a new block.
  void add(Ref* at, Tag tag, const Record& record);
  // Gives record k another value and expiry in its place; record.key is its key. False: only
  // take_out() and add() can, because it needs other room.
  bool overwrite(Block* block, unsigned k, const Record& record);
  // The same for its expiry alone.
  static bool overwrite_expiry(Block* block, unsigned k, ExpiryMs expiry);
  // Removes record k. A block that became empty is freed and *at is none.
  void take_out(Ref* at, unsigned k);

  // A smaller cell for a block that is a quarter empty.
  void trim(Ref* at);

  // What a block amounts to, records outside included. Takes the memory of the block's header only,
  // unless there are such records.
  Tally count(Ref block) const;

  // Frees a block and its records, until *budget_bytes are spent; true when *at is none.
  bool free_some(Ref* at, size_t* budget_bytes);

  // Moves what the block's records keep outside, if it is in a slab that is being emptied.
  void relocate_outside(Block* block, size_t* budget_bytes);

 private:
  static bool goes_outside(const Record& record) { return inline_bytes(record) > kInlineBytesMax; }
  static size_t bytes_within(const Record& record);
  Record special_record(const Block& block, unsigned k) const;
  bool overwrite_special(Block* block, unsigned k, const Record& record);
  bool overwrite_outside(Ref ref, const Record& record);
  void move_to(Ref* at, size_t bytes);
  void free_outside(Ref ref);

  Arena* arena_;
  Tally tally_;
};

}  // namespace lh::table
