#include "core/bucket.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/strings.h"
#include "core/change.h"
#include "core/limits.h"
#include "lh/address.h"

namespace lh::core {

namespace {

constexpr base::Duration kReportAgainAfter = base::ms(250);

HashValue mixed_hash(std::string_view key) { return base::hash_key(key); }

HashValue integer_hash(std::string_view key) {
  const std::optional<HashValue> c = base::integer_key(key);
  LH_CHECK(c.has_value(), "a key that is no integer got into an integer file");
  return *c;
}

}  // namespace

table::HashFunction table_hash(base::HashMode mode) {
  return mode == base::HashMode::kInteger ? integer_hash : mixed_hash;
}

Bucket::Bucket(const Host& host, BucketMark mark)
    : host_(host), mark_(mark), table_(empty_table()) {}

table::HashTable Bucket::empty_table() const {
  return table::HashTable({mark_.j, table_hash(host_.options.hash), host_.arena});
}

Bucket::Bucket(const Host& host, const SplitRecords& opening) : Bucket(host, opening.target) {
  live_ = false;
  target_split_ = opening.split;
}

// ---------------------------------------------------------------------------------- durability

Bucket::Bucket(const Host& host, const BucketState& state) : Bucket(host, state.mark) {
  live_ = state.live;
  // The half that was handed over is not the table's, but this bucket's to send as yet.
  if (state.split != 0) departing_.emplace(empty_table());
  LH_CHECK(take_state(state));
}

std::string* Bucket::record(RecordKind kind, Effects* effects) {
  std::string* out = effects->record(stream_of(mark_.a), &logged_);
  begin_record(out, kind);
  return out;
}

// The other half of the bucket that this one was before its latest split.
BucketMark Bucket::sibling() const { return {mark_.a + (BucketNo{1} << (mark_.j - 1)), mark_.j}; }

table::HashTable* Bucket::table_of(HashValue c) {
  const ReversedHash r = reverse64(c);
  if (interval_of(mark_).contains(r)) return &table_;
  if (departing_ && interval_of(sibling()).contains(r)) return &departing_->table;
  return nullptr;
}

// ------------------------------------------------------------------------------------ collisions

// Each insert that leaves the bucket with more than b records is a collision, and each collision is
// a split, of bucket n. While the split for one collision is not done yet, further inserts cannot
// know whether they would still collide after it: they wait, and are looked at one by one when it
// is done. What the splits have relieved by then is no collision.
void Bucket::count_collision(Effects* effects) {
  if (table_.size() <= host_.options.capacity) return;
  ++overdue_;
  // What can be reported now is recorded with the report.
  if (report_under_way_ && effects->keeps_journal()) {
    append_overdue(effects->latest_record(), overdue_);
  }
}

// -------------------------------------------------------------------------------------- growth

void Bucket::report_overflow(base::Instant now, Effects* effects) {
  if (report_under_way_ || overdue_ == 0) return;
  if (table_.size() <= host_.options.capacity) {
    overdue_ = 0;
    return;
  }
  --overdue_;
  ++collisions_;
  report_under_way_ = true;
  record_state(effects);
  send_report(now, effects);
}

void Bucket::send_report(base::Instant now, Effects* effects) {
  reported_at_ = now;
  effects->after(logged_);
  effects->send(Destination::to_coordinator(),
                Overflow{mark_.a, mark_.j, table_.size(), collisions_});
}

void Bucket::on_overflow_ack(base::Instant now, const OverflowAck& ack, Effects* effects) {
  if (ack.collisions > collisions_ || ack.done > ack.collisions) return;
  collisions_taken_in_ = std::max(collisions_taken_in_, ack.collisions);
  if (!report_under_way_ || ack.done < collisions_) return;
  report_under_way_ = false;
  const bool news = std::exchange(answered_, collisions_) != collisions_;
  report_overflow(now, effects);
  if (news && !report_under_way_) record_state(effects);
}

// --------------------------------------------------------------------------- split, giving side

void Bucket::on_split_order(base::Instant now, const SplitOrder& order, Effects* effects) {
  LH_CHECK(order.source.a == mark_.a);
  if (!live_ || order.source.j > mark_.j) return;  // not an order for this bucket's life
  if (order.source.j < mark_.j) {
    // Already handed over, perhaps by an earlier attempt than this one.
    const bool waiting = split_ && split_->handed_over();
    const uint64_t split = waiting ? split_->split() : split_done_;
    const BucketNo target = sibling().a;
    const NodeId node = waiting ? split_->target_node() : host_.book->locate(target);
    effects->send(Destination::to_coordinator(), SplitDone{split, mark_.a, !waiting, target, node});
    return;
  }
  if (split_ && split_->split() >= order.split) return;  // repeated, or overtaken
  split_ = std::make_unique<SplitSource>(order, host_.node, host_.boot);
  split_->slice(now, table_, effects);
  effects->want_turn();
}

ReversedHash Bucket::middle() const {
  return interval_of(mark_).first + ((~ReversedHash{0} >> mark_.j) >> 1) + 1;
}

// The inserts that wait to be reported go with the records.
uint64_t Bucket::take_share(uint64_t leaving) {
  const uint64_t all = table_.size() + leaving;
  const uint64_t share = all == 0 ? 0 : overdue_ * leaving / all;
  overdue_ -= share;
  return share;
}

void Bucket::give_up_half() {
  watches_.forget_all();  // it takes less than to find those that leave
  departing_.emplace(table_.split_off());
  departing_->dedup.copy(dedup_);
}

void Bucket::hand_over(base::Instant now, Effects* effects) {
  const ReversedHash mid = middle();
  mark_.j = static_cast<Level>(mark_.j + 1);
  give_up_half();
  split_->close(now, departing_->dedup, take_share(departing_->table.size()), effects);
  record_state(effects);
  pass_scans_on(mid, split_->target_node(), effects);
}

void Bucket::pass_scans_on(ReversedHash mid, NodeId node, Effects* effects) {
  LH_CHECK(interval_of(mark_).last == mid - 1);
  for (ScanJob& job : scans_) {
    if (std::optional<Scan> rest = job.cut(mid)) {
      rest->to = sibling().a;
      rest->level = mark_.j;
      effects->send(Destination::to_bucket(node, rest->to), *rest);
    }
  }
}

bool Bucket::is_before(const SplitOrder& order) const {
  return live_ && mark_ == order.source && (!split_ || split_->split() < order.split);
}

std::unique_ptr<Bucket> Bucket::divide(const SplitOrder& order, Effects* effects) {
  LH_CHECK(is_before(order));
  const ReversedHash mid = middle();
  split_.reset();  // an attempt with a target elsewhere, which may be dropped until the hand-over
  std::unique_ptr<Bucket> upper = halve(order.split);
  if (effects->keeps_journal()) {
    append_divided(effects->record(stream_of(mark_.a), &logged_), order.split);
  }
  upper->record_state(effects);
  pass_scans_on(mid, host_.node, effects);
  return upper;
}

std::unique_ptr<Bucket> Bucket::recover_division(uint64_t split) {
  if (!live_ || departing_ || mark_.j >= kLevelMax) return nullptr;
  return halve(split);
}

std::unique_ptr<Bucket> Bucket::halve(uint64_t split) {
  mark_.j = static_cast<Level>(mark_.j + 1);
  auto upper = std::make_unique<Bucket>(host_, sibling());
  upper->table_ = table_.split_off();
  upper->target_split_ = split_done_ = split;
  upper->dedup_.copy(dedup_);
  upper->overdue_ = take_share(upper->table_.size());
  return upper;
}

void Bucket::on_split_ack(base::Instant now, const SplitRecordsAck& ack, Effects* effects) {
  if (!split_) return;
  split_->on_ack(now, ack, effects);
  effects->want_turn();
  if (!split_->done()) return;
  split_done_ = split_->split();
  effects->send(Destination::to_coordinator(),
                SplitDone{split_done_, mark_.a, true, split_->target(), split_->target_node()});
  split_.reset();
  cleared_.push_back(std::move(departing_->table));
  departing_.reset();
  record_state(effects);
}

// ------------------------------------------------------------------------ split, receiving side

bool Bucket::on_split_records(const SplitRecords& message, Effects* effects) {
  const SplitRecordsAck ack{message.split, message.stream, message.batch, message.source};
  const Destination source = Destination::to_bucket(message.source_node, message.source);
  if (live_) {
    if (message.split == target_split_) effects->send(source, ack);
    return false;
  }
  if (message.split < target_split_) return false;
  if (message.split > target_split_ || message.stream > target_stream_) {
    if (message.batch != 0) return false;  // the beginning was lost; the source will go back
    table_ = empty_table();
    dedup_ = Dedup();
    target_split_ = message.split;
    target_stream_ = message.stream;
    target_next_batch_ = 0;
    record_state(effects);
  }
  if (message.stream < target_stream_ || message.batch > target_next_batch_) return false;
  if (message.batch == target_next_batch_) {
    if (!take_changes(message.changes)) return false;
    if (effects->keeps_journal()) {
      record(RecordKind::kChanges, effects)->append(message.changes);
    }
    ++target_next_batch_;
    live_ = message.last;
    if (live_) overdue_ = message.overdue;
    record_state(effects);
  }
  effects->send(source, ack);
  return live_;
}

bool Bucket::hold(OwnedMessage message) {
  LH_CHECK(!live_);
  if (held_.size() >= kHeldRequestsMax) return false;
  if (held_bytes_ + message.borrowed_bytes() > kHeldBytesMax) return false;
  held_bytes_ += message.borrowed_bytes();
  held_.push_back(std::move(message));
  return true;
}

std::deque<OwnedMessage> Bucket::take_held() {
  LH_CHECK(live_);
  held_bytes_ = 0;
  return std::exchange(held_, {});
}

// ---------------------------------------------------------------------------------------- scan

ScanJob::View Bucket::view() const {
  const uint64_t overdue = table_.size() > host_.options.capacity ? overdue_ : 0;
  return {mark_, host_.node, &table_, host_.book, host_.unix_ms(), overdue, reports_settled()};
}

size_t Bucket::count_open_scans() const {
  return static_cast<size_t>(
      std::count_if(scans_.begin(), scans_.end(), [](const ScanJob& job) { return !job.done(); }));
}

bool Bucket::start_scan(base::Instant now, const Scan& scan, ReversedHash from, ReversedHash last,
                        Effects* effects) {
  LH_CHECK(live_);
  if (scan.kind == ScanKind::kClear) {
    clear(scan, from, last, effects);
    return true;
  }
  for (ScanJob& job : scans_) {
    if (job.has_in_hand(scan, from, last)) return true;
  }
  if (count_open_scans() >= kScansPerBucketMax) return false;
  scans_.emplace_back(scan, from, last, now).slice(now, view(), effects);
  effects->want_turn();
  return true;
}

// All at once, so that it is done or not done for the whole bucket: what is remembered of it holds
// for both halves of a later split, and a repeated or late copy of the scan erases nothing that was
// written since. [from, last] is only what the answer is about.
void Bucket::clear(const Scan& scan, ReversedHash from, ReversedHash last, Effects* effects) {
  ScanReply answer;
  answer.to = scan.client;
  answer.scan = scan.scan;
  answer.bucket = mark_;
  answer.node = host_.node;
  answer.from = from;
  answer.last = last;
  if (dedup_.admit_clear(scan.client.client, scan.scan) && !table_.empty()) {
    answer.records = table_.size();
    cleared_.push_back(std::exchange(table_, empty_table()));
    watches_.forget_all();
    if (split_ && !split_->handed_over()) split_->on_clear();
    if (effects->keeps_journal()) {
      append_client(record(RecordKind::kCleared, effects), scan.client.client, 0, scan.scan);
    }
    effects->want_turn();
  }
  effects->send(Destination::reply(), answer);
}

void Bucket::on_scan_more(base::Instant now, const ScanMore& more, Effects* effects) {
  for (ScanJob& job : scans_) {
    if (!job.resume(now, more)) continue;
    job.slice(now, view(), effects);
    effects->want_turn();
    return;
  }
}

void Bucket::turn_scans(base::Instant now, Effects* effects) {
  if (!scans_.empty()) effects->after(logged_);
  // Jobs that ended in an earlier step have had their answers sent by now.
  scans_.remove_if([](const ScanJob& job) { return job.done(); });
  // One slice a turn; the list rotates so that no scan waits for another to end.
  bool more = false;
  for (size_t looked = 0; looked < scans_.size() && !more; ++looked) {
    more = scans_.front().slice(now, view(), effects);
    scans_.splice(scans_.end(), scans_, scans_.begin());
  }
}

// ----------------------------------------------------------------------------------- long work

bool Bucket::has_work() const {
  if (split_ && split_->can_go_on()) return true;
  if (!cleared_.empty() || sweeping_) return true;
  return std::any_of(scans_.begin(), scans_.end(), [this](const ScanJob& job) {
    return job.done() || job.can_go_on(reports_settled());
  });
}

void Bucket::turn(base::Instant now, Effects* effects) {
  turn_scans(now, effects);
  if (split_ && split_->streaming()) {
    const bool again = split_->handed_over();
    split_->slice(now, again ? departing_->table : table_, effects);
    if (split_->ready_to_close()) {
      if (again) {
        split_->close(now, departing_->dedup, 0, effects);
      } else if (!departing_) {
        hand_over(now, effects);
      }
    }
  }
  if (!cleared_.empty() && !cleared_.back().clear_some(kSliceBytes)) cleared_.pop_back();
  if (sweeping_) sweep(effects);
}

void Bucket::tick(base::Instant now, Effects* effects) {
  report_overflow(now, effects);
  if (report_under_way_ && now - reported_at_ >= kReportAgainAfter) send_report(now, effects);
  if (split_) {
    effects->after(logged_);
    split_->tick(now, effects);
  }
  scans_.remove_if([now](const ScanJob& job) { return job.abandoned(now); });
  if (!sweeping_) sweep(effects);
}

}  // namespace lh::core
