// What a bucket says of itself to the journal and to snapshots, and how it comes back from them.
#include <algorithm>

#include "core/bucket.h"
#include "core/change.h"
#include "lh/address.h"

namespace lh::core {

BucketState Bucket::state() const {
  BucketState state;
  state.mark = mark_;
  state.live = live_;
  state.collisions = collisions_;
  state.answered = answered_;
  state.overdue = overdue_;
  state.split_done = split_done_;
  if (split_ && split_->handed_over()) {
    state.split = split_->split();
    state.target_node = split_->target_node();
  }
  state.target_split = target_split_;
  state.target_stream = target_stream_;
  state.target_next_batch = target_next_batch_;
  return state;
}

BucketStanding Bucket::standing() const {
  BucketStanding standing;
  standing.mark = mark_;
  standing.live = live_;
  standing.collisions = collisions_;
  standing.answered = answered_;
  standing.split_max = std::max(split_done_, target_split_);
  if (!split_) return standing;
  standing.split = split_->split();
  standing.target_node = split_->target_node();
  standing.handed_over = split_->handed_over();
  standing.split_max = std::max(standing.split_max, standing.split);
  return standing;
}

std::optional<BucketState> Bucket::state_before() const {
  if (!departing_) return std::nullopt;
  BucketState before = state();
  before.mark.j = static_cast<Level>(before.mark.j - 1);
  before.split = 0;
  before.target_node = NodeId::kNone;
  return before;
}

void Bucket::record_state(Effects* effects) {
  if (!effects->keeps_journal()) return;
  append_state(effects->record(stream_of(mark_.a), &logged_), state());
}

bool Bucket::recover(RecordKind kind, std::string_view record) {
  BucketState state;
  uint64_t records = 0;
  switch (kind) {
    case RecordKind::kChanges:
      return take_changes(record);
    case RecordKind::kCleared:
      table_ = empty_table();
      return take_changes(record);
    case RecordKind::kState:
      return read_state(record, &state) && take_state(state);
    case RecordKind::kRoom:
      if (!read_room(record, &records)) return false;
      table_.reserve(records);
      return true;
    default:
      return false;
  }
}

bool Bucket::take_state(const BucketState& state) {
  if (state.mark.a != mark_.a || state.mark.j < mark_.j || state.mark.j > mark_.j + 1) return false;
  if (state.mark.j > mark_.j) {
    if (!live_) return false;
    mark_ = state.mark;
    give_up_half();
  }
  if (state.split == 0) departing_.reset();
  if (state.split != 0 && !departing_) return false;
  const bool restarted =
      state.target_split != target_split_ || state.target_stream != target_stream_;
  if (!live_ && restarted) {
    table_ = empty_table();
    dedup_ = Dedup();
  }
  live_ = state.live;
  collisions_ = state.collisions;
  overdue_ = state.overdue;
  answered_ = state.answered;
  collisions_taken_in_ = 0;  // whether the latest report arrived the coordinator will say again
  split_done_ = state.split_done;
  resumed_split_ = state.split;
  resumed_target_ = state.target_node;
  target_split_ = state.target_split;
  target_stream_ = state.target_stream;
  target_next_batch_ = state.target_next_batch;
  return true;
}

const table::HashTable* Bucket::look_ahead(std::string_view changes, HashValue* c) {
  ChangeReader reader(changes);
  Change change;
  if (!reader.next(&change)) return nullptr;
  if (change.key.data() == nullptr) return nullptr;  // not about a key
  const std::optional<HashValue> hash = base::hash_key(host_.options.hash, change.key);
  const table::HashTable* table = hash ? table_of(*hash) : nullptr;
  if (table == nullptr) return nullptr;
  *c = *hash;
  table->prefetch_slot(table->place_of(*c));
  return table;
}

void Bucket::resume(Effects* effects) {
  table_.reserve(0);
  if (!live_) return;
  report_under_way_ = collisions_ > 0;
  if (resumed_split_ == 0) return;
  SplitOrder order;
  order.split = resumed_split_;
  order.source = {mark_.a, static_cast<Level>(mark_.j - 1)};
  order.target = mark_.a + (BucketNo{1} << order.source.j);
  order.target_node = resumed_target_;
  split_ = std::make_unique<SplitSource>(SplitSource::resumed(order, host_.node, host_.boot));
  effects->want_turn();
}

bool Bucket::take_changes(std::string_view changes) {
  ChangeReader reader(changes);
  Change change;
  while (reader.next(&change)) {
    switch (change.kind) {
      case Change::Kind::kPut:
      case Change::Kind::kErase:
      case Change::Kind::kExpire: {
        const std::optional<HashValue> c = base::hash_key(host_.options.hash, change.key);
        table::HashTable* table = c ? table_of(*c) : nullptr;
        if (table == nullptr) return false;
        if (change.kind == Change::Kind::kPut) {
          table->put(*c, change.key, change.value, change.expiry);
        } else if (change.kind == Change::Kind::kErase) {
          table->erase(*c, change.key);
        } else {
          table->set_expiry(*c, change.key, change.expiry);
        }
        break;
      }
      case Change::Kind::kClient:
        dedup_.restore_client(change.client, change.number, change.cleared);
        break;
      case Change::Kind::kAnswer:
        dedup_.restore_answer(change.client, change.number, change.code, change.value);
        break;
      case Change::Kind::kOverdue:
        overdue_ = change.number;
        break;
    }
  }
  return reader.ok();
}

std::optional<ReversedHash> Bucket::snapshot(ReversedHash cursor, ReversedHash last,
                                             size_t bytes_max, std::string* out) const {
  const auto add = [out](HashValue, const table::Record& record) { append_put(out, record); };
  const ReversedHash mine = interval_of(mark_).last;
  if (cursor <= mine) {
    const auto next = table_.walk(cursor, std::min(last, mine), bytes_max, add);
    if (next) return next;
    if (last <= mine || mine == ~ReversedHash{0}) return std::nullopt;
    return mine + 1;
  }
  // What was handed over since the snapshot began, as far as it is still here: the rest is the
  // target's, and the log says so.
  if (!departing_ || cursor > interval_of(sibling()).last) return std::nullopt;
  return departing_->table.walk(cursor, std::min(last, interval_of(sibling()).last), bytes_max,
                                add);
}

}  // namespace lh::core
