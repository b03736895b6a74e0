#include "table/hash_table.h"

#include <algorithm>
#include <bit>
#include <string>
#include <utility>

#include "base/check.h"
#include "lh/address.h"

namespace lh::table {
namespace {

// split_off() asks for the memory of so many blocks before it looks at them.
constexpr uint64_t kCountedAtOnce = 32;

// The last point of the interval of r that a leaf of this level around `r` covers.
ReversedHash end_of_leaf(ReversedHash r, Level level) {
  return level == NodeStore::kAllBits ? r : r | ~ReversedHash{0} >> level;
}

}  // namespace

// ------------------------------------------------------------------------------------ lifetime

HashTable::HashTable(const Options& options)
    : Tenant(options.arena), nodes_(options.arena, options.hash), shift_(options.shift) {
  LH_CHECK(options.hash != nullptr);
  LH_CHECK(options.shift <= kLevelMax);
  directory_.append(&arena(), Ref::kNone);
}

HashTable::HashTable(HashTable&& other) noexcept
    : Tenant(static_cast<Tenant&&>(other)),
      directory_(std::exchange(other.directory_, {})),
      nodes_(&arena(), other.nodes_.hash()),
      shift_(other.shift_),
      slots_min_(other.slots_min_),
      sweep_slot_(other.sweep_slot_),
      sweep_point_(other.sweep_point_) {
  other.nodes_.hand_over(other.nodes_.tally(), &nodes_);
}

HashTable& HashTable::operator=(HashTable&& other) noexcept {
  LH_CHECK(&arena() == &other.arena());
  if (this == &other) return *this;
  size_t unlimited = SIZE_MAX;
  LH_CHECK(release_some(&unlimited));
  std::swap(directory_, other.directory_);
  std::swap(nodes_, other.nodes_);
  std::swap(shift_, other.shift_);
  std::swap(slots_min_, other.slots_min_);
  std::swap(sweep_slot_, other.sweep_slot_);
  std::swap(sweep_point_, other.sweep_point_);
  return *this;
}

HashTable::~HashTable() {
  size_t unlimited = SIZE_MAX;
  LH_CHECK(release_some(&unlimited));
  LH_CHECK(memory_bytes() == 0);
}

// Frees slot by slot, from the last one on; true when all is gone.
bool HashTable::release_some(size_t* budget) {
  while (directory_.count() > 0) {
    if (!nodes_.release_some(&directory_[directory_.count() - 1], budget)) return false;
    directory_.remove_last(&arena());
    spend(budget, kSlotBytes);
  }
  return true;
}

bool HashTable::clear_some(size_t budget_bytes) {
  if (!release_some(&budget_bytes)) return true;
  LH_CHECK(memory_bytes() == 0);
  directory_.append(&arena(), Ref::kNone);
  return false;
}

// -------------------------------------------------------------------------------------- access

std::optional<Record> HashTable::find_record(HashValue c, std::string_view key) const {
  const NodeStore::Hit hit = nodes_.find(place_of(c), c, key);
  if (!hit) return std::nullopt;
  return hit.record;
}

std::optional<std::string_view> HashTable::find(HashValue c, std::string_view key) const {
  const NodeStore::Hit hit = nodes_.find(place_of(c), c, key);
  if (!hit) return std::nullopt;
  return hit.record.value;
}

void HashTable::prefetch(HashValue c) const { nodes_.prefetch(*place_of(c).at); }

template <HashTable::Mode mode>
bool HashTable::store(HashValue c, const Record& record) {
  LH_CHECK(record.key.size() <= kKeyBytesMax);
  LH_CHECK(record.value.size() <= kValueBytesMax);
  arena().compact_step();
  const NodeStore::Hit hit = nodes_.find(place_of(c), c, record.key);
  if (hit) {
    if (mode == Mode::kInsert) return true;
    nodes_.replace(hit, c, record);
  } else {
    if (mode == Mode::kUpdate) return false;
    nodes_.insert(hit, c, record);
  }
  adjust();
  return static_cast<bool>(hit);
}

HashTable::Put HashTable::put(HashValue c, const Record& record) {
  return store<Mode::kPut>(c, record) ? Put::kReplaced : Put::kInserted;
}

bool HashTable::insert(HashValue c, std::string_view key, std::string_view value) {
  return !store<Mode::kInsert>(c, {key, value});
}

bool HashTable::update(HashValue c, std::string_view key, std::string_view value) {
  return store<Mode::kUpdate>(c, {key, value});
}

bool HashTable::set_expiry(HashValue c, std::string_view key, ExpiryMs expiry) {
  const NodeStore::Hit hit = nodes_.find(place_of(c), c, key);
  if (!hit) return false;
  if (NodeStore::set_expiry(hit, expiry)) return true;
  // A table takes no value that points into it.
  const std::string copy(hit.record.value);
  return store<Mode::kUpdate>(c, {key, copy, expiry});
}

bool HashTable::erase(HashValue c, std::string_view key) {
  arena().compact_step();
  const NodeStore::Place slot = place_of(c);
  const NodeStore::Hit hit = nodes_.find(slot, c, key);
  if (!hit) return false;
  nodes_.erase(slot, hit, c);
  adjust();
  return true;
}

// ------------------------------------------------------------------------------ linear hashing

bool HashTable::too_full(uint64_t slots) const {
  return nodes_.tally().records > kRecordsPerSlot * slots || load_bytes() > kBytesPerSlot * slots;
}

// An eighth below too_full(), so that a table does not waver between two sizes.
bool HashTable::too_empty(uint64_t slots) const {
  return nodes_.tally().records * 8 < kRecordsPerSlot * 7 * slots &&
         load_bytes() * 8 < kBytesPerSlot * 7 * slots;
}

void HashTable::adjust() {
  const uint64_t slots = directory_.count();
  if (too_full(slots)) {
    if (slots < kSlotsMax) split_slot();
  } else if (slots > slots_min_ && too_empty(slots - 1)) {
    join_slot();
  }
}

void HashTable::reserve(uint64_t records) {
  slots_min_ = std::clamp<uint64_t>(records / kRecordsPerSlot, 1, kSlotsReservedMax);
  while (directory_.count() < slots_min_) split_slot();
}

void HashTable::split_slot() {
  const Directory::Pair pair = directory_.next_split();
  directory_.append(&arena(), Ref::kNone);
  Ref& kept = directory_[pair.kept];
  nodes_.split(kept, static_cast<Level>(shift_ + pair.bits), &kept, &directory_[pair.last]);
}

void HashTable::join_slot() {
  const Directory::Pair pair = directory_.next_join();
  Ref& kept = directory_[pair.kept];
  kept = nodes_.join(kept, directory_[pair.last], static_cast<Level>(shift_ + pair.bits));
  directory_.remove_last(&arena());
}

void HashTable::resize(uint64_t slots) {
  while (directory_.count() < slots) split_slot();
  while (directory_.count() > slots) join_slot();
}

// ---------------------------------------------------------------------------------------- walk

std::optional<ReversedHash> HashTable::walk_leaves(ReversedHash from, ReversedHash last,
                                                   size_t budget_bytes, RecordVisitor visit,
                                                   ExpiryMs expired_at) const {
  LH_CHECK(from <= last);
  for (;;) {
    const HashValue at = reverse64(from);
    const NodeStore::Place leaf = nodes_.descend(place_of(at), at);
    const ReversedHash end = end_of_leaf(from, leaf.level);
    if (end < last) prefetch(reverse64(end + 1));
    spend(&budget_bytes, kEmptyLeafBytes);
    const size_t each = expired_at == kNever ? 0 : kExpiredBytes;
    const auto found = [&](HashValue c, const Record& record) {
      const ReversedHash r = reverse64(c);
      if (r < from || r > last) return;
      spend(&budget_bytes, record.payload_bytes() + each);
      visit(c, record);
    };
    if (expired_at == kNever) {
      nodes_.visit(leaf.at, found);
    } else {
      nodes_.visit_expired(leaf.at, expired_at, found);
    }
    if (end >= last) return std::nullopt;
    from = end + 1;
    if (budget_bytes == 0) return from;
  }
}

// ------------------------------------------------------------------------------ split and merge

HashTable HashTable::split_off() {
  LH_CHECK(shift_ < kLevelMax);
  if (directory_.count() == 1) split_slot();
  const auto shift = static_cast<Level>(shift_ + 1);
  HashTable odd(Options{shift, nodes_.hash(), &arena()});
  directory_.deal_odd(&arena(), &odd.directory_);
  shift_ = shift;
  slots_min_ = 1;
  Tally leaving;
  const uint64_t slots = odd.directory_.count();
  for (uint64_t first = 0; first < slots; first += kCountedAtOnce) {
    const uint64_t end = std::min(first + kCountedAtOnce, slots);
    for (uint64_t s = first; s < end; ++s) nodes_.prefetch_header(odd.directory_[s]);
    for (uint64_t s = first; s < end; ++s) leaving += nodes_.count(odd.directory_[s]);
  }
  nodes_.hand_over(leaving, &odd.nodes_);
  return odd;
}

void HashTable::merge(HashTable&& other) {
  LH_CHECK(&arena() == &other.arena());
  LH_CHECK(shift_ > 0);
  LH_CHECK(shift_ == other.shift_);
  const uint64_t slots =
      std::min(std::max(directory_.count(), other.directory_.count()), kSlotsMax);
  resize(slots);
  other.resize(slots);
  directory_.take_odd(&arena(), other.directory_);
  other.directory_.release(&arena());
  other.nodes_.hand_over(other.nodes_.tally(), &nodes_);
  --shift_;
  slots_min_ = 1;
}

// --------------------------------------------------------------------------------- compaction

void HashTable::begin_sweep() {
  sweep_slot_ = 0;
  sweep_point_ = 0;
  directory_.relocate(&arena());
}

bool HashTable::sweep_some(size_t* budget) {
  if (directory_.count() == 0) return false;
  return nodes_.tally().others == 0 ? sweep_slots(budget) : sweep_leaves(budget);
}

bool HashTable::sweep_slots(size_t* budget) {
  for (; sweep_slot_ < directory_.count(); ++sweep_slot_) {
    if (*budget == 0) return true;
    spend(budget, kSlotBytes);
    Ref& slot = directory_[sweep_slot_];
    if (slot == Ref::kNone || !arena().leaving(slot)) continue;
    spend(budget, 2 * arena().size_of(slot));
    slot = arena().move(slot);
  }
  return false;
}

// In the order of r, as walk() does, of a bucket whose address is 0.
bool HashTable::sweep_leaves(size_t* budget) {
  const ReversedHash last = ~ReversedHash{0} >> shift_;
  while (*budget > 0) {
    spend(budget, kEmptyLeafBytes);
    const HashValue at = reverse64(sweep_point_);
    const Level level = nodes_.relocate(place_of(at), at, budget);
    const ReversedHash end = end_of_leaf(sweep_point_, level);
    if (end >= last) return false;
    sweep_point_ = end + 1;
  }
  return true;
}

}  // namespace lh::table
