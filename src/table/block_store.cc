#include "table/block_store.h"

#include "base/check.h"

namespace lh::table {

Tally& Tally::operator+=(const Tally& other) {
  records += other.records;
  payload_bytes += other.payload_bytes;
  block_bytes += other.block_bytes;
  other_bytes += other.other_bytes;
  others += other.others;
  expiring += other.expiring;
  return *this;
}

Tally& Tally::operator-=(const Tally& other) {
  LH_CHECK(records >= other.records);
  LH_CHECK(payload_bytes >= other.payload_bytes);
  LH_CHECK(block_bytes >= other.block_bytes);
  LH_CHECK(other_bytes >= other.other_bytes);
  LH_CHECK(others >= other.others);
  LH_CHECK(expiring >= other.expiring);
  records -= other.records;
  payload_bytes -= other.payload_bytes;
  block_bytes -= other.block_bytes;
  other_bytes -= other.other_bytes;
  others -= other.others;
  expiring -= other.expiring;
  return *this;
}

Ref BlockStore::create(unsigned count, size_t record_bytes) {
  const size_t bytes = cell_bytes(Block::bytes_for(count, record_bytes));
  LH_CHECK(bytes <= Block::kBytesMax);
  const Ref ref = arena_->allocate(bytes);
  at(ref)->format(bytes);
  tally_.block_bytes += bytes;
  return ref;
}

void BlockStore::drop(Ref block) {
  tally_.block_bytes -= at(block)->cell_bytes();
  arena_->release(block);
}

// What a record and its entry take in a block.
size_t BlockStore::bytes_within(const Record& record) {
  return Block::kEntryBytes +
         (goes_outside(record) ? outside_record_bytes(record) : inline_bytes(record));
}

Record BlockStore::special_record(const Block& block, unsigned k) const {
  const std::byte* at = block.record(k);
  if (!is_outside(at)) return read_expiring(at, block.size(k));
  Record record = read_outside(arena_->at<std::byte>(outside_ref(at)));
  record.expiry = expiry(block, k);
  return record;
}

namespace {

size_t expiry_offset(const std::byte* record) {
  return is_outside(record) ? 1 : inline_header_bytes(record);
}

}  // namespace

ExpiryMs BlockStore::expiry(const Block& block, unsigned k) {
  const std::byte* at = block.record(k);
  return expires(at) ? read_expiry(at + expiry_offset(at)) : kNever;
}

bool BlockStore::overwrite_expiry(Block* block, unsigned k, ExpiryMs expiry) {
  LH_CHECK(expiry <= kExpiryMax);
  std::byte* at = block->record(k);
  if (!expires(at) || expiry == kNever) return false;
  write_expiry(at + expiry_offset(at), expiry);
  return true;
}

bool BlockStore::admits(const Block& block, const Record& record) {
  return block.count() < Block::kRecordsMax &&
         block.used_bytes() + bytes_within(record) <= Block::kBytesMax;
}

void BlockStore::add(Ref* at_ref, Tag tag, const Record& record) {
  LH_CHECK(record.key.size() <= kKeyBytesMax);
  LH_CHECK(record.value.size() <= kValueBytesMax);
  LH_CHECK(record.expiry <= kExpiryMax);
  const size_t bytes = bytes_within(record);
  if (*at_ref == Ref::kNone) {
    *at_ref = create(1, bytes - Block::kEntryBytes);
  } else if (at(*at_ref)->free_bytes() < bytes) {
    LH_CHECK(admits(*at(*at_ref), record));
    move_to(at_ref, at(*at_ref)->used_bytes() + bytes);
  }
  ++tally_.records;
  tally_.payload_bytes += record.payload_bytes();
  if (record.expiry != kNever) ++tally_.expiring;
  if (!goes_outside(record)) return at(*at_ref)->append_inline(tag, record);
  const Ref outside = arena_->allocate(outside_bytes(record));
  write_outside(arena_->at<std::byte>(outside), record);
  tally_.other_bytes += arena_->size_of(outside);
  ++tally_.others;
  at(*at_ref)->append_outside(tag, record, outside);
}

bool BlockStore::overwrite(Block* block, unsigned k, const Record& record) {
  std::byte* old = block->record(k);
  if ((flags_of(old) | flags_of(record)) != 0) [[unlikely]]
    return overwrite_special(block, k, record);
  if (inline_bytes(record) != block->size(k)) return false;
  write_inline(old, record);
  return true;
}

bool BlockStore::overwrite_special(Block* block, unsigned k, const Record& record) {
  LH_CHECK(record.expiry <= kExpiryMax);
  std::byte* old = block->record(k);
  // What the block counts stays as it is.
  if (expires(old) != (record.expiry != kNever)) return false;
  if (is_outside(old)) {
    const Ref ref = outside_ref(old);
    if (!goes_outside(record) || !overwrite_outside(ref, record)) return false;
    write_outside_ref(old, record.expiry, ref);
    return true;
  }
  if (inline_bytes(record) != block->size(k)) return false;
  write_inline(old, record);
  return true;
}

bool BlockStore::overwrite_outside(Ref ref, const Record& record) {
  const size_t has = arena_->size_of(ref);
  const size_t needs = Arena::allocation_bytes(outside_bytes(record));
  if (needs > has || needs < has - has / 8) return false;
  std::byte* at = arena_->at<std::byte>(ref);
  tally_.payload_bytes -= read_outside(at).payload_bytes();
  tally_.payload_bytes += record.payload_bytes();
  write_outside(at, record);
  return true;
}

void BlockStore::take_out(Ref* at_ref, unsigned k) {
  Block* block = at(*at_ref);
  --tally_.records;
  tally_.payload_bytes -= record(*block, k).payload_bytes();
  if (expires(block->record(k))) --tally_.expiring;
  if (is_outside(block->record(k))) free_outside(outside_ref(block->record(k)));
  block->remove(k);
  if (block->count() > 0) return;
  drop(*at_ref);
  *at_ref = Ref::kNone;
}

void BlockStore::trim(Ref* at_ref) {
  const Block* block = at(*at_ref);
  if (block->free_bytes() * 4 < block->cell_bytes()) return;
  if (cell_bytes(block->used_bytes()) < block->cell_bytes()) move_to(at_ref, block->used_bytes());
}

// Moves a block to a cell of at least `bytes`.
void BlockStore::move_to(Ref* at_ref, size_t bytes) {
  const Ref old = *at_ref;
  const Ref fresh = create(0, bytes - Block::kHeaderBytes);
  at(fresh)->copy_all(*at(old));
  drop(old);
  *at_ref = fresh;
}

void BlockStore::free_outside(Ref ref) {
  tally_.other_bytes -= arena_->size_of(ref);
  --tally_.others;
  arena_->release(ref);
}

Tally BlockStore::count(Ref ref) const {
  const Block& block = *at(ref);
  Tally sum;
  sum.records = block.count();
  sum.payload_bytes = block.payload_bytes();
  sum.block_bytes = block.cell_bytes();
  if (block.plain()) return sum;
  sum.others = block.outside();
  for (unsigned k = 0; k < block.count(); ++k) {
    if (expires(block.record(k))) ++sum.expiring;
    if (!is_outside(block.record(k))) continue;
    sum.payload_bytes += record(block, k).payload_bytes();
    sum.other_bytes += arena_->size_of(outside_ref(block.record(k)));
  }
  return sum;
}

bool BlockStore::free_some(Ref* at_ref, size_t* budget) {
  // A record outside may be large: one at a time, from the last, which leaves no gap.
  while (*at_ref != Ref::kNone && at(*at_ref)->outside() > 0) {
    if (*budget == 0) return false;
    const Block& block = *at(*at_ref);
    const unsigned last = block.count() - 1;
    spend(budget, record(block, last).payload_bytes());
    take_out(at_ref, last);
  }
  if (*at_ref == Ref::kNone) return true;
  if (*budget == 0) return false;
  spend(budget, at(*at_ref)->cell_bytes());
  tally_ -= count(*at_ref);
  arena_->release(*at_ref);
  *at_ref = Ref::kNone;
  return true;
}

void BlockStore::relocate_outside(Block* block, size_t* budget) {
  for (unsigned k = 0; block->outside() > 0 && k < block->count(); ++k) {
    if (!is_outside(block->record(k))) continue;
    const Ref ref = outside_ref(block->record(k));
    if (!arena_->leaving(ref)) continue;
    spend(budget, 2 * arena_->size_of(ref));
    set_outside_ref(block->record(k), arena_->move(ref));
  }
}

}  // namespace lh::table
