#include "core/bucket.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
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
    : host_(host),
      mark_(mark),
      table_(table::HashTable::Options{mark.j, table_hash(host.options.hash), host.arena}) {}

Bucket::Bucket(const Host& host, const SplitRecords& opening) : Bucket(host, opening.target) {
  live_ = false;
  target_split_ = opening.split;
}

// ---------------------------------------------------------------------------- keyed operations

Bucket::Answer Bucket::execute(Op op, HashValue c, std::string_view key, std::string_view value) {
  LH_CHECK(live_);
  Answer answer;
  switch (op) {
    case Op::kRead: {
      const std::optional<std::string_view> found = table_.find(c, key);
      return found ? Answer{Code::kOk, *found} : Answer{Code::kNotFound, {}};
    }
    case Op::kLocate:
      return {Code::kOk, {}};
    case Op::kInsert:
      if (!table_.insert(c, key, value)) return {Code::kExists, {}};
      count_collision();
      break;
    case Op::kPut:
      if (table_.put(c, key, value) == table::HashTable::Put::kInserted) count_collision();
      break;
    case Op::kUpdate:
      if (!table_.update(c, key, value)) return {Code::kNotFound, {}};
      break;
    case Op::kDelete:
      if (!table_.erase(c, key)) return {Code::kNotFound, {}};
      break;
  }
  if (split_ && !split_->handed_over()) {
    if (op == Op::kDelete) {
      split_->on_erase(reverse64(c), key);
    } else {
      split_->on_put(reverse64(c), key, value);
    }
  }
  return answer;
}

std::optional<Bucket::Answer> Bucket::execute_once(const Request& request, HashValue c) {
  if (!is_mutation(request.op) || request.from.client == 0) {
    return execute(request.op, c, request.key, request.value);
  }
  Answer answer;
  switch (dedup_.admit(request.from.client, request.seq, request.acked, &answer.code)) {
    case Dedup::Verdict::kStale:
      return std::nullopt;
    case Dedup::Verdict::kAnswered:
      return answer;
    case Dedup::Verdict::kNew:
      break;
  }
  answer = execute(request.op, c, request.key, request.value);
  dedup_.remember(request.from.client, request.seq, answer.code);
  return answer;
}

// Each insert that leaves the bucket with more than b records is a collision, and each collision is
// a split, of bucket n. While the split for one collision is not done yet, further inserts cannot
// know whether they would still collide after it: they wait, and are looked at one by one when it
// is done. What the splits have relieved by then is no collision.
void Bucket::count_collision() {
  if (table_.size() > host_.options.capacity) ++overdue_;
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
  send_report(now, effects);
}

void Bucket::send_report(base::Instant now, Effects* effects) {
  reported_at_ = now;
  effects->send(Destination::to_coordinator(),
                Overflow{mark_.a, mark_.j, table_.size(), collisions_});
}

void Bucket::on_overflow_ack(base::Instant now, const OverflowAck& ack, Effects* effects) {
  if (ack.collisions > collisions_ || ack.done > ack.collisions) return;
  collisions_taken_in_ = std::max(collisions_taken_in_, ack.collisions);
  if (!report_under_way_ || ack.done < collisions_) return;
  report_under_way_ = false;
  report_overflow(now, effects);
}

// --------------------------------------------------------------------------- split, giving side

void Bucket::on_split_order(base::Instant now, const SplitOrder& order, Effects* effects) {
  LH_CHECK(order.source.a == mark_.a);
  if (!live_ || order.source.j > mark_.j) return;  // not an order for this bucket's life
  if (order.source.j < mark_.j) {
    // Already handed over, perhaps by an earlier attempt than this one.
    const bool waiting = split_ && split_->handed_over();
    const uint64_t split = waiting ? split_->split() : split_done_;
    effects->send(Destination::to_coordinator(), SplitDone{split, mark_.a, !waiting});
    return;
  }
  if (split_ && split_->split() >= order.split) return;  // repeated, or overtaken
  split_ = std::make_unique<SplitSource>(order, host_.node);
  split_->slice(now, table_, effects);
  effects->want_turn();
}

void Bucket::hand_over(base::Instant now, Effects* effects) {
  const ReversedHash mid = interval_of(mark_).first + ((~ReversedHash{0} >> mark_.j) >> 1) + 1;
  mark_.j = static_cast<Level>(mark_.j + 1);
  const uint64_t records = table_.size();
  departing_ = table_.split_off();
  freeing_ = false;
  // The inserts that wait to be reported go with the records.
  const uint64_t share = records == 0 ? 0 : overdue_ * departing_->size() / records;
  overdue_ -= share;
  split_->hand_over(now, dedup_, share, effects);
  LH_CHECK(interval_of(mark_).last == mid - 1);
  for (ScanJob& job : scans_) {
    if (std::optional<Scan> rest = job.cut(mid)) {
      rest->to = split_->target();
      rest->level = mark_.j;
      effects->send(Destination::to_bucket(split_->target_node(), split_->target()), *rest);
    }
  }
}

void Bucket::on_split_ack(base::Instant now, const SplitRecordsAck& ack, Effects* effects) {
  if (!split_) return;
  split_->on_ack(now, ack, effects);
  effects->want_turn();
  if (!split_->done()) return;
  split_done_ = split_->split();
  effects->send(Destination::to_coordinator(), SplitDone{split_done_, mark_.a, true});
  split_.reset();
  freeing_ = true;
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
    table_ = table::HashTable(
        table::HashTable::Options{mark_.j, table_hash(host_.options.hash), host_.arena});
    dedup_ = Dedup();
    target_split_ = message.split;
    target_stream_ = message.stream;
    target_next_batch_ = 0;
  }
  if (message.stream < target_stream_ || message.batch > target_next_batch_) return false;
  if (message.batch == target_next_batch_) {
    if (!apply(message)) return false;
    ++target_next_batch_;
    live_ = message.last;
    if (live_) overdue_ = message.overdue;
  }
  effects->send(source, ack);
  return live_;
}

bool Bucket::apply(const SplitRecords& message) {
  const Interval mine = interval_of(mark_);
  ChangeReader reader(message.changes);
  Change change;
  while (reader.next(&change)) {
    switch (change.kind) {
      case Change::Kind::kPut:
      case Change::Kind::kErase: {
        const std::optional<HashValue> c = base::hash_key(host_.options.hash, change.key);
        if (!c || !mine.contains(reverse64(*c))) return false;
        if (change.kind == Change::Kind::kPut) {
          table_.put(*c, change.key, change.value);
        } else {
          table_.erase(*c, change.key);
        }
        break;
      }
      case Change::Kind::kClient:
        dedup_.restore_client(change.client, change.number);
        break;
      case Change::Kind::kAnswer:
        dedup_.restore_answer(change.client, change.number, change.code);
        break;
    }
  }
  return reader.ok();
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
  return {mark_, host_.node, &table_, host_.book, overdue, reports_settled()};
}

size_t Bucket::count_open_scans() const {
  return static_cast<size_t>(
      std::count_if(scans_.begin(), scans_.end(), [](const ScanJob& job) { return !job.done(); }));
}

bool Bucket::start_scan(base::Instant now, const Scan& scan, ReversedHash from, ReversedHash last,
                        Effects* effects) {
  LH_CHECK(live_);
  for (ScanJob& job : scans_) {
    if (job.has_in_hand(scan, from, last)) return true;
  }
  if (count_open_scans() >= kScansPerBucketMax) return false;
  scans_.emplace_back(scan, from, last, now).slice(now, view(), effects);
  effects->want_turn();
  return true;
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
  if (departing_ && freeing_) return true;
  return std::any_of(scans_.begin(), scans_.end(), [this](const ScanJob& job) {
    return job.done() || job.can_go_on(reports_settled());
  });
}

void Bucket::turn(base::Instant now, Effects* effects) {
  turn_scans(now, effects);
  if (split_ && !split_->handed_over()) {
    split_->slice(now, table_, effects);
    if (split_->ready_to_hand_over() && !departing_) hand_over(now, effects);
  }
  if (departing_ && freeing_ && !departing_->clear_some(kSliceBytes)) departing_.reset();
}

void Bucket::tick(base::Instant now, Effects* effects) {
  report_overflow(now, effects);
  if (report_under_way_ && now - reported_at_ >= kReportAgainAfter) send_report(now, effects);
  if (split_) split_->tick(now, effects);
  scans_.remove_if([now](const ScanJob& job) { return job.abandoned(now); });
}

}  // namespace lh::core
