#include "core/server.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/check.h"
#include "core/coordinator.h"
#include "core/limits.h"
#include "lh/address.h"

namespace lh::core {

namespace {

// Whether a bucket can have come from a split of bucket a, by the numbers.
bool is_child(BucketNo a, BucketMark child) {
  if (child.j == 0 || child.j > kLevelMax) return false;
  const BucketNo half = BucketNo{1} << (child.j - 1);
  return a < half && child.a == a + half;
}

// The level with which the split that created it left bucket a; 0 for bucket 0.
Level level_at_birth(BucketNo a) { return static_cast<Level>(std::bit_width(a)); }

}  // namespace

void Server::configure(NodeId self, const FileOptions& options, Effects* effects) {
  LH_CHECK(host_.node == NodeId::kNone || host_.node == self);
  LH_CHECK(self != NodeId::kNone);
  host_.node = self;
  host_.options = options;
  if (effects != nullptr && effects->keeps_journal()) {
    append_identity(effects->record(kNodeStream, &logged_), {self, options});
  }
}

Bucket* Server::add(BucketNo a, std::unique_ptr<Bucket> bucket) {
  auto [it, fresh] = buckets_.try_emplace(a, std::move(bucket));
  LH_CHECK(fresh);
  index_[a] = it->second.get();
  return it->second.get();
}

void Server::create_bucket(BucketMark mark, Effects* effects) {
  LH_CHECK(host_.node != NodeId::kNone);
  Bucket* bucket = add(mark.a, std::make_unique<Bucket>(host_, mark));
  if (effects != nullptr) bucket->record_state(effects);
  book_.set(mark.a, host_.node);
}

void Server::learn(const BookPart& part, Effects* effects) {
  if (book_.learn(part) && effects->keeps_journal()) {
    append_book(effects->record(kNodeStream, &logged_), part);
  }
}

// ---------------------------------------------------------------------------------- durability

bool Server::recover(uint64_t stream, std::string_view record) {
  return stream == kNodeStream ? recover_node(record) : recover_bucket(bucket_of(stream), record);
}

bool Server::recover_node(std::string_view record) {
  Identity identity;
  BookPart book;
  switch (take_kind(&record).value_or(RecordKind::kGone)) {
    case RecordKind::kIdentity:
      if (!read_identity(record, &identity)) return false;
      if (host_.node != NodeId::kNone && host_.node != identity.node) return false;
      configure(identity.node, identity.options);
      return true;
    case RecordKind::kBoot:
      return read_boot(record, &host_.boot.number);
    case RecordKind::kBook:
      if (!read_book(record, &book)) return false;
      book_.learn(book);
      return true;
    default:
      return false;
  }
}

bool Server::recover_bucket(BucketNo a, std::string_view record) {
  const std::optional<RecordKind> kind = take_kind(&record);
  if (!kind || host_.node == NodeId::kNone || a >= kBucketsMax) return false;
  if (*kind == RecordKind::kGone) {
    index_.erase(a);
    buckets_.erase(a);
    return true;
  }
  if (*kind == RecordKind::kDivided) return recover_division(a, record);
  if (Bucket* bucket = find(a)) return bucket->recover(*kind, record);
  BucketState state;
  if (*kind != RecordKind::kState || !read_state(record, &state) || state.mark.a != a) return false;
  add(a, std::make_unique<Bucket>(host_, state));
  return true;
}

const table::HashTable* Server::look_ahead(uint64_t stream, std::string_view record, HashValue* c) {
  if (stream == kNodeStream || take_kind(&record) != RecordKind::kChanges) return nullptr;
  Bucket* bucket = find(bucket_of(stream));
  return bucket == nullptr ? nullptr : bucket->look_ahead(record, c);
}

bool Server::recover_division(BucketNo a, std::string_view record) {
  Bucket* bucket = find(a);
  uint64_t split = 0;
  if (bucket == nullptr || !read_divided(record, &split)) return false;
  std::unique_ptr<Bucket> upper = bucket->recover_division(split);
  if (upper == nullptr || find(upper->mark().a) != nullptr) return false;
  if (placement_ != nullptr) placement_->on_recovered(upper->mark().a);
  const BucketNo target = upper->mark().a;
  add(target, std::move(upper));
  return true;
}

void Server::resume(uint32_t boot, Effects* effects) {
  host_.boot.number = boot;
  if (!effects->keeps_journal()) return;
  append_boot(effects->record(kNodeStream, &host_.boot.logged), boot);
  for (auto& [a, bucket] : buckets_) {
    if (bucket->live()) book_.set(a, host_.node);
    bucket->resume(effects);
  }
}

Bucket* Server::find(BucketNo a) {
  const auto it = index_.find(a);
  return it == index_.end() ? nullptr : it->second;
}

NodeStats Server::stats() const {
  NodeStats stats;
  for (const auto& [a, bucket] : buckets_) {
    if (!bucket->live()) continue;
    ++stats.buckets;
    stats.records += bucket->records();
    stats.bytes += bucket->bytes();
  }
  stats.full = host_.full || host_.disk_full;
  return stats;
}

uint64_t Server::expired() const {
  uint64_t sum = 0;
  for (const auto& [a, bucket] : buckets_) sum += bucket->expired();
  return sum;
}

uint64_t Server::remembered_bytes() const {
  // With what the containers need for each.
  constexpr uint64_t kBytesPerClient = 256;
  constexpr uint64_t kBytesPerAnswer = 64;
  uint64_t bytes = 0;
  for (const auto& [a, bucket] : buckets_) {
    bytes += bucket->dedup().client_count() * kBytesPerClient;
    bytes += bucket->dedup().answer_count() * kBytesPerAnswer + bucket->dedup().value_bytes();
  }
  return bytes;
}

void Server::look_ahead(Request* request, table::LookAhead* ahead) {
  Bucket* bucket = find(request->to);
  if (bucket == nullptr || !bucket->live()) return;
  request->c = base::hash_key(host_.options.hash, request->key);
  if (!request->c || forward_address(bucket->mark(), *request->c)) return;
  ahead->add(bucket->table(), *request->c);
}

void Server::step(base::Instant now, const Message& message, Effects* effects) {
  host_.now = now;
  std::visit([&](const auto& m) { on(now, m, effects); }, message);
}

// ------------------------------------------------------------------------------- keyed requests

void Server::on(base::Instant now, const Request& m, Effects* effects) {
  Bucket* bucket = find(m.to);
  if (bucket == nullptr) {
    const std::optional<BucketNo> up = ancestor_of(m.to);
    if (up && m.hops < kForwardsMax) return forward(m, {}, *up, effects);
    return reply(m, Code::kNoBucket, {m.to, 0}, {}, effects);
  }
  if (!bucket->live()) {
    if (!bucket->hold(OwnedMessage(m))) reply(m, Code::kBusy, {m.to, 0}, {}, effects);
    return;
  }
  const std::optional<HashValue> c = m.c ? m.c : base::hash_key(host_.options.hash, m.key);
  if (!c) return reply(m, Code::kBadKey, bucket->mark(), {}, effects);
  if (const std::optional<BucketNo> next = forward_address(bucket->mark(), *c)) {
    effects->after(bucket->logged());  // a level that nobody has to believe in is nobody's business
    return forward(m, bucket->mark(), *next, effects);
  }
  const std::optional<Bucket::Answer> answer = bucket->execute_once(m, *c, effects);
  // Tells of nothing, and so need not wait for the disk to have room.
  if (answer && answer->code == Code::kNoSpace) {
    return reply(m, answer->code, {m.to, 0}, {}, effects);
  }
  effects->after(bucket->logged());
  if (!answer) return;
  ++counters_.requests;
  // In a replay the next request may change the record before this answer is sent.
  const std::string_view value = replaying_ ? effects->keep(answer->value) : answer->value;
  reply(m, answer->code, bucket->mark(), value, effects);
  bucket->report_overflow(now, effects);
  if (bucket->split() != nullptr) effects->want_turn();
}

Bucket::Answer Server::execute(base::Instant now, Bucket* bucket, const Operation& asked,
                               Effects* effects) {
  LH_CHECK(!forward_address(bucket->mark(), asked.c).has_value());
  host_.now = now;
  const Bucket::Answer answer = bucket->execute(asked, effects);
  if (answer.code != Code::kNoSpace) effects->after(bucket->logged());
  ++counters_.requests;
  bucket->report_overflow(now, effects);
  if (bucket->split() != nullptr) effects->want_turn();
  return answer;
}

// The file may have lost its last splits with its coordinator, and been rebuilt smaller than images
// are: then the records are still, or again, with the bucket that was split. For one that no map
// has, or that the map has here.
std::optional<BucketNo> Server::ancestor_of(BucketNo a) const {
  if (is_elsewhere(a)) return std::nullopt;
  while (a > 0) {
    a = parent(a);
    if (book_.locate(a) != NodeId::kNone) return a;
  }
  return std::nullopt;
}

void Server::forward(const Request& m, BucketMark from, BucketNo to, Effects* effects) {
  if (m.hops >= kForwardsMax) {
    // The file split twice while this request was on its way. The client learns from here.
    ++counters_.retries;
    return reply(m, Code::kRetry, from, {}, effects);
  }
  const NodeId node = book_.locate(to);
  if (node == NodeId::kNone) {
    // Never for a key that belongs at or below this bucket: split orders name all those buckets.
    // The sender addressed a bucket that no image of this file yields for the key.
    ++counters_.rejected;
    return reply(m, Code::kNoBucket, {to, 0}, {}, effects);
  }
  Request sent = m;
  sent.to = to;
  sent.hops = static_cast<uint8_t>(m.hops + 1);
  sent.forwarder = from;
  ++counters_.forwards;
  effects->send(Destination::to_bucket(node, to), sent);
}

void Server::reply(const Request& m, Code code, BucketMark bucket, std::string_view value,
                   Effects* effects) {
  Reply answer;
  answer.to = m.from;
  answer.seq = m.seq;
  answer.code = code;
  answer.bucket = bucket;
  answer.node = host_.node;
  answer.hops = m.hops;
  answer.iam = code == Code::kRetry ? bucket : m.forwarder;
  answer.value = value;
  if (m.hops > 0) {
    answer.book = book_.part_from(m.known, kBookEntriesMax);
    name_self(&answer.book);
  }
  effects->send(Destination::reply(), std::move(answer));
}

// The client will send its next request here, and what this server knows of the buckets before its
// own may have a gap that ends the part early.
void Server::name_self(BookPart* part) const {
  const NodeEntry* self = book_.node(host_.node);
  const bool named = std::any_of(part->nodes.begin(), part->nodes.end(),
                                 [&](const NodeEntry& node) { return node.id == host_.node; });
  if (self != nullptr && !named) part->nodes.push_back(*self);
}

void Server::undeliverable(base::Instant, const Message& message, Effects* effects) {
  // Streams, reports and acknowledgements are repeated by their owners; a request has none here.
  if (const auto* request = std::get_if<Request>(&message)) {
    reply(*request, Code::kDown, {request->to, 0}, {}, effects);
  } else if (const auto* scan = std::get_if<Scan>(&message)) {
    scan_failed(*scan, Code::kDown, effects);
  }
}

// ---------------------------------------------------------------------------------------- scan

void Server::on(base::Instant now, const Scan& m, Effects* effects) {
  Bucket* bucket = find(m.to);
  if (bucket == nullptr) {
    const std::optional<BucketNo> up = m.solo ? std::nullopt : ancestor_of(m.to);
    if (!up) return scan_failed(m, Code::kNoBucket, effects);
    Scan sent = m;
    sent.to = *up;
    effects->send(Destination::to_bucket(book_.locate(*up), *up), sent);
    return;
  }
  if (!bucket->live()) {
    if (!bucket->hold(OwnedMessage(m))) scan_failed(m, Code::kBusy, effects);
    return;
  }
  effects->after(bucket->logged());
  const BucketMark mark = bucket->mark();
  const Interval mine = interval_of(mark);
  if (m.solo && !mine.contains(m.from)) {
    // Like a keyed request for the first point that is wanted.
    const BucketNo next = forward_address(mark, reverse64(m.from)).value_or(mark.a);
    if (book_.locate(next) == NodeId::kNone) return scan_failed(m, Code::kNoBucket, effects);
    Scan sent = m;
    sent.to = next;
    effects->send(Destination::to_bucket(book_.locate(next), next), sent);
    return;
  }
  if (!m.solo) propagate(m, mark, effects);
  const ReversedHash from = std::max(m.from, mine.first);
  const ReversedHash last = std::min(m.last, mine.last);
  if (from > last) return;
  if (!bucket->start_scan(now, m, from, last, effects)) scan_failed(m, Code::kBusy, effects);
}

void Server::propagate(const Scan& m, BucketMark mark, Effects* effects) {
  // The paper's loop: while j' < j, j' := j' + 1, send (Q, j') to bucket a + 2^(j'-1). A bucket
  // cannot have a level below that of its birth.
  for (Level level = std::max(m.level, level_at_birth(mark.a)); level < mark.j; ++level) {
    Scan sent = m;
    sent.level = static_cast<Level>(level + 1);
    sent.to = mark.a + (BucketNo{1} << level);
    const Interval theirs = interval_of({sent.to, sent.level});
    sent.from = std::max(m.from, theirs.first);
    sent.last = std::min(m.last, theirs.last);
    if (sent.from > sent.last) continue;
    const NodeId node = book_.locate(sent.to);
    if (node == NodeId::kNone) {
      // Never while split orders name all buckets up to a descendant: a map with a hole in it.
      ++counters_.rejected;
      scan_failed(sent, Code::kNoBucket, effects);
      continue;
    }
    effects->send(Destination::to_bucket(node, sent.to), sent);
  }
}

void Server::scan_failed(const Scan& m, Code code, Effects* effects) {
  ScanReply answer;
  answer.to = m.client;
  answer.scan = m.scan;
  answer.code = code;
  answer.bucket = {m.to, m.level};
  answer.node = host_.node;
  answer.from = m.from;
  answer.last = m.last;
  effects->send(Destination::reply(), answer);
}

void Server::on(base::Instant now, const ScanMore& m, Effects* effects) {
  Bucket* bucket = find(m.to);
  if (bucket == nullptr) return;
  effects->after(bucket->logged());
  bucket->on_scan_more(now, m, effects);
}

// --------------------------------------------------------------------------------------- growth

void Server::on(base::Instant now, const SplitOrder& m, Effects* effects) {
  Bucket* bucket = find(m.source.a);
  if (bucket == nullptr || m.target_node == NodeId::kNone ||
      !is_child(m.source.a, {m.target, static_cast<Level>(m.source.j + 1)})) {
    ++counters_.rejected;
    return;
  }
  learn(m.book, effects);
  effects->after(bucket->logged());
  if (!divides_here(*bucket, m)) return bucket->on_split_order(now, m, effects);
  Bucket* upper = add(m.target, bucket->divide(m, effects));
  learn({m.target, {host_.node}, {}}, effects);
  ++counters_.splits;
  effects->send(Destination::to_coordinator(),
                SplitDone{m.split, m.source.a, true, m.target, host_.node});
  upper->report_overflow(now, effects);
}

// Whether the new bucket is to be with this server, as the old one is.
bool Server::divides_here(const Bucket& bucket, const SplitOrder& order) {
  if (placement_ == nullptr || order.target_node != host_.node) return false;
  return bucket.is_before(order) && find(order.target) == nullptr &&
         placement_->claim(order.target);
}

void Server::on(base::Instant now, const SplitRecords& m, Effects* effects) {
  if (host_.node == NodeId::kNone || m.source_node == NodeId::kNone ||
      !is_child(m.source, m.target)) {
    ++counters_.rejected;
    return;
  }
  Bucket* bucket = find(m.target.a);
  if (is_from_a_lost_life(m)) {
    ++counters_.rejected;
    return;
  }
  if (bucket == nullptr) {
    if (is_elsewhere(m.target.a)) return;  // from an attempt that was given up
    if (m.batch != 0) {
      // Lost on the way, or with another life of this node: the source has to go back.
      effects->send(Destination::to_bucket(m.source_node, m.source),
                    SplitRecordsAck{m.split, m.stream, kNoBatch, m.source});
      return;
    }
    bucket = add(m.target.a, std::make_unique<Bucket>(host_, m));
    bucket->record_state(effects);
  }
  effects->after(bucket->logged());
  if (!bucket->on_split_records(m, effects)) return;
  learn({m.target.a, {host_.node}, {}}, effects);
  replay(now, bucket, effects);
  bucket->report_overflow(now, effects);  // its share of the inserts that waited at the source
}

// The rest of a stream may arrive when its source is gone for good, and a bucket that was said not
// to be live must not be then.
bool Server::is_from_a_lost_life(const SplitRecords& m) const {
  return m.source_node == Coordinator::kSelf &&
         SplitSource::boot_of(m.stream) < boot_of_coordinator_min_;
}

void Server::replay(base::Instant now, Bucket* bucket, Effects* effects) {
  replayed_ = bucket->take_held();
  replaying_ = true;
  for (const OwnedMessage& held : replayed_) step(now, held.message(), effects);
  replaying_ = false;
}

void Server::on(base::Instant now, const SplitRecordsAck& m, Effects* effects) {
  Bucket* bucket = find(m.source);
  if (bucket == nullptr) return;
  const bool splitting = bucket->split() != nullptr;
  bucket->on_split_ack(now, m, effects);
  if (splitting && bucket->split() == nullptr) ++counters_.splits;
}

void Server::on(base::Instant now, const OverflowAck& m, Effects* effects) {
  Bucket* bucket = find(m.bucket);
  if (bucket == nullptr) return;
  bucket->on_overflow_ack(now, m, effects);
  if (bucket->has_work()) effects->want_turn();  // a scan may have waited for this
}

// ------------------------------------------------------------------------------ address book

void Server::on(base::Instant, const BookUpdate& m, Effects* effects) {
  learn(m.book, effects);
  drop_displaced(effects);
}

bool Server::is_elsewhere(BucketNo a) const {
  const NodeId owner = book_.locate(a);
  return owner != NodeId::kNone && owner != host_.node;
}

void Server::drop_displaced(Effects* effects) {
  // A target that was given up in favour of another node's must never come to life.
  for (auto it = buckets_.begin(); it != buckets_.end();) {
    if (!it->second->live() && is_elsewhere(it->first)) {
      if (effects->keeps_journal()) {
        begin_record(effects->record(stream_of(it->first), &logged_), RecordKind::kGone);
      }
      index_.erase(it->first);
      it = buckets_.erase(it);
    } else {
      ++it;
    }
  }
}

void Server::on(base::Instant, const BookQuery& m, Effects* effects) {
  effects->send(Destination::reply(),
                BookUpdate{m.from, book_.part_from(m.first, kBookEntriesMax)});
}

void Server::on(base::Instant, const StandingQuery& m, Effects* effects) {
  // Later questions of the same one may come when its own start is in the book; and that may be
  // there before the first one, if it has told its boot.
  const NodeEntry* old = book_.node(Coordinator::kSelf);
  const uint64_t asker = Standings::asker(m.query);
  if (std::exchange(asked_by_, asker) != asker && old != nullptr) {
    // What is said of the nodes of a new file is of boot 0, its first streams of boot 1.
    const uint64_t next = std::max<uint64_t>(Coordinator::boot_of(old->version), 1) + 1;
    boot_of_coordinator_min_ = m.boot == 0 ? next : std::min<uint64_t>(next, m.boot);
  }
  Standing standing;
  standing.query = m.query;
  standing.node = m.node;
  standing.server = server_;
  standing.servers = servers_;
  standing.options = host_.options;
  const BucketNo end = m.first + kBookEntriesMax;
  standing.more = book_.buckets_seen() > end || buckets_.lower_bound(end) != buckets_.end();
  standing.book.first = m.first;
  for (BucketNo a = m.first; a < std::min<BucketNo>(end, book_.buckets_seen()); ++a) {
    standing.book.at.push_back(book_.locate(a));
  }
  for (const auto& [id, node] : book_.nodes()) {
    if (m.first == 0) standing.book.nodes.push_back(node);
  }
  effects->after(logged_);
  for (auto it = buckets_.lower_bound(m.first); it != buckets_.end() && it->first < end; ++it) {
    effects->after(it->second->logged());
    standing.buckets.push_back(it->second->standing());
  }
  effects->send(Destination::to_coordinator(), std::move(standing));
}

// ------------------------------------------------------------------------------------ long work

void Server::turn(base::Instant now, Effects* effects) {
  // One bucket a turn, the next one with work after the last served: the length of a turn does not
  // depend on how many buckets are busy.
  if (buckets_.empty()) return;
  host_.now = now;
  auto it = buckets_.lower_bound(turn_next_);
  for (size_t looked = 0; looked < buckets_.size(); ++looked, ++it) {
    if (it == buckets_.end()) it = buckets_.begin();
    Bucket& bucket = *it->second;
    if (!bucket.has_work()) continue;
    turn_next_ = it->first + 1;
    bucket.turn(now, effects);
    // Known from here on, and not before: a target can be given up until the hand-over, and clients
    // that were told of it would ask for the bucket there.
    const SplitSource* split = bucket.split();
    if (split != nullptr && split->handed_over()) {
      learn({split->target(), {split->target_node()}, {}}, effects);
    }
    break;
  }
  const bool more = std::any_of(buckets_.begin(), buckets_.end(),
                                [](const auto& entry) { return entry.second->has_work(); });
  if (more) effects->want_turn();
}

void Server::tick(base::Instant now, Effects* effects) {
  host_.now = now;
  // The book also learns from a registration, and from a hand-over by this server itself.
  drop_displaced(effects);
  for (auto& [a, bucket] : buckets_) {
    if (bucket->live()) bucket->tick(now, effects);
    if (bucket->has_work()) effects->want_turn();
  }
}

}  // namespace lh::core
