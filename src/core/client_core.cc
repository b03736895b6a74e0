#include "core/client_core.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "core/limits.h"

namespace lh::core {

namespace {

// A request is sent again when nothing was heard for this long, then for twice as long, and so on.
constexpr base::Duration kPatience = base::ms(300);
constexpr unsigned kPatienceDoublingsMax = 4;
// A bucket that cannot be reached is tried for this long: users are promised an error in a second.
constexpr base::Duration kFailAfter = base::ms(700);
// And one whose node is there but never answers, for this long.
constexpr base::Duration kGiveUpAfter = base::seconds(20);
constexpr base::Duration kRetryAfter = base::ms(50);
constexpr base::Duration kAskBookEvery = base::ms(100);

}  // namespace

ClientCore::ClientCore(ClientId id, ClientSink* sink) : id_(id), sink_(sink) {
  LH_CHECK(id != 0);
  path_.client = id;
}

void ClientCore::configure(const FileOptions& options, const BookPart& book) {
  options_ = options;
  book_.learn(book);
  LH_CHECK(book_.locate(0) != NodeId::kNone, "a client has to know where bucket 0 is");
  configured_ = true;
}

// ------------------------------------------------------------------------------ keyed requests

void ClientCore::submit(base::Instant now, const Operation& asked, uint64_t tag, Effects* effects) {
  LH_CHECK(configured_);
  LH_CHECK(has_room());
  LH_CHECK(asked.key.size() <= kKeyBytesMax);
  LH_CHECK(asked.value.size() <= kValueBytesMax);
  LH_CHECK(asked.args.size() <= kArgsBytesMax);
  const uint64_t seq = next_seq_++;
  Pending& p = pending_.emplace_back();
  p.bytes.reserve(asked.key.size() + asked.value.size() + asked.args.size());
  p.bytes.append(asked.key).append(asked.value).append(asked.args);
  p.key_size = asked.key.size();
  p.args_size = asked.args.size();
  pending_bytes_ += p.bytes.size();
  p.tag = tag;
  p.op = asked.op;
  p.submitted_at = now;
  ++open_;
  ++counters_.ops;
  const std::optional<HashValue> c = base::hash_key(options_.hash, asked.key);
  if (!c) {
    Reply answer;
    answer.code = Code::kBadKey;
    return finish(seq, &p, answer);
  }
  p.c = *c;
  send(now, seq, &p, effects);
}

bool ClientCore::has_room() const {
  return next_seq_ - acked_ < kClientWindowMax && pending_bytes_ < kClientBytesMax;
}

ClientCore::Pending* ClientCore::find(uint64_t seq) {
  if (seq < acked_ || seq >= next_seq_) return nullptr;
  Pending& p = pending_[seq - acked_];
  return p.done ? nullptr : &p;
}

BucketNo ClientCore::aim(const Pending& p) {
  if (p.stranded()) go_by_book();
  BucketNo to = address(image_, p.c);
  // Without the node's address the nearest ancestor will do: it forwards.
  while (book_.locate(to) == NodeId::kNone) to = parent(to);
  return to;
}

void ClientCore::send(base::Instant now, uint64_t seq, Pending* p, Effects* effects) {
  const BucketNo to = aim(*p);
  p->first = to;
  p->node = book_.locate(to);
  const unsigned doublings = std::min<unsigned>(p->sendings, kPatienceDoublingsMax);
  p->again_at = now + kPatience * (int64_t{1} << doublings);
  if (p->sendings < 255) ++p->sendings;
  if (p->sendings > 1) ++counters_.retries;
  ++counters_.requests;
  Request m;
  m.from = path_;
  m.seq = seq;
  m.acked = acked_;
  m.op = p->op;
  m.to = to;
  m.known = book_.known();
  m.key = p->key();
  m.value = p->value();
  m.args = p->args();
  effects->send(Destination::to_bucket(p->node, to), m);
}

void ClientCore::learn_mark(BucketMark mark) {
  // No bucket has such a mark: a peer's mistake must not spoil the image.
  if (mark.j > kLevelMax || mark.a >> mark.j != 0) return;
  image_ = adjust_image(image_, mark);
}

void ClientCore::learn(const Reply& m) {
  if (m.hops > 0 || m.code == Code::kRetry) {
    learn_mark(m.iam);
    ++counters_.iams;
  }
  book_.learn(m.book);
  const bool answered = m.code != Code::kDown && m.code != Code::kNoBucket;
  if (answered) book_.learn({m.bucket.a, {m.node}, {}});
}

void ClientCore::on(base::Instant now, const Reply& m, Effects* effects) {
  if (m.to.client != id_) return;
  ++counters_.replies;
  counters_.forwards += m.hops;
  Pending* p = find(m.seq);
  if (p == nullptr) return;  // the answer to a repeated request
  learn(m);
  switch (m.code) {
    case Code::kRetry:
      return send(now, m.seq, p, effects);
    case Code::kNoBucket:
      ask_for_book(now, p->first, effects);
      [[fallthrough]];
    case Code::kBusy:
      return retry_or_fail(now, m.seq, p);
    case Code::kDown:
      if (p->stranded()) return finish(m.seq, p, m);
      p->stranded_at = now;
      p->again_at = now + kRetryAfter;
      return ask_for_book(now, book_.known(), effects);
    case Code::kFull:
    case Code::kNoSpace:
      // "Nothing was written" is what one bucket can say of one copy. Where there are others this
      // is no answer: who refused it may have ended since, and another copy be done after that.
      if (p->sendings > 1) return retry_or_fail(now, m.seq, p);
      [[fallthrough]];
    default:
      return finish(m.seq, p, m);
  }
}

void ClientCore::retry_or_fail(base::Instant now, uint64_t seq, Pending* p) {
  if (now - p->submitted_at >= kFailAfter) return fail(seq, p);
  p->again_at = now + kRetryAfter;
}

void ClientCore::finish(uint64_t seq, Pending* p, const Reply& m) {
  Completion done;
  done.seq = seq;
  done.tag = p->tag;
  done.op = p->op;
  done.code = m.code;
  done.key = p->key();
  done.value = m.value;
  done.c = p->c;
  done.first = p->first;
  done.bucket = m.bucket;
  done.node = m.node;
  done.hops = m.hops;
  done.iam = m.iam;
  done.image = image_;
  done.repeated = p->sendings > 1;
  p->done = true;
  --open_;
  sink_->on_done(done);
  while (!pending_.empty() && pending_.front().done) {
    pending_bytes_ -= pending_.front().bytes.size();
    pending_.pop_front();
    ++acked_;
  }
}

// An image that is behind leads through older buckets, and a dead one among them would hide keys
// that are alive elsewhere. The book names later ones, so the file has them: straight to those.
void ClientCore::go_by_book() {
  const FileState seen = state_of_count(std::max<uint64_t>(1, book_.buckets_seen()));
  if (bucket_count(seen) > bucket_count(image_)) image_ = seen;
}

void ClientCore::fail(uint64_t seq, Pending* p) {
  Reply answer;
  answer.code = Code::kDown;
  answer.bucket = {p->first, 0};
  answer.node = p->node;
  finish(seq, p, answer);
}

void ClientCore::node_unreachable(base::Instant now, NodeId node, Effects* effects) {
  for (uint64_t seq = acked_; seq < next_seq_; ++seq) {
    Pending* p = find(seq);
    if (p == nullptr || p->node != node) continue;
    if (!p->stranded()) p->stranded_at = now;
    // It may have come back at another address.
    ask_for_book(now, p->first, effects);
    retry_or_fail(now, seq, p);
  }
  for (const auto& c : calls_) {
    const std::optional<BucketNo> missing = c->call.node_unreachable(context(now, effects), node);
    if (missing) ask_for_book(now, *missing, effects);
  }
  finish_calls();
}

// The coordinator says so. What could not reach the node even before that was asked is not kept
// waiting; what could not since then asks once more, for the node may just have come back.
void ClientCore::node_down(base::Instant now, NodeId node, Effects* effects) {
  for (uint64_t seq = acked_; seq < next_seq_; ++seq) {
    Pending* p = find(seq);
    if (p == nullptr || p->node != node || !p->stranded()) continue;
    if (p->stranded_at <= asked_book_at_ && book_.locate(aim(*p)) == node) fail(seq, p);
  }
  for (const auto& c : calls_) c->call.node_down(context(now, effects), node, asked_book_at_);
  finish_calls();
}

// ------------------------------------------------------------------------------ the whole file

CallContext ClientCore::context(base::Instant now, Effects* effects) const {
  return {now, path_, image_, book_, effects};
}

void ClientCore::call(base::Instant now, const FileRequest& request, uint64_t tag,
                      Effects* effects) {
  LH_CHECK(configured_);
  calls_.push_back(std::make_unique<Call>(Call{tag, FileCall(next_call_++, request)}));
  calls_.back()->call.start(context(now, effects));
  finish_calls();
}

void ClientCore::on(base::Instant now, const ScanReply& m, Effects* effects) {
  if (m.to.client != id_) return;
  book_.learn(m.book);
  ScanReply piece = m;
  for (const auto& c : calls_) {
    if (c->call.on_scan_reply(context(now, effects), &piece)) {
      sink_->on_scan_piece(c->tag, piece);
      break;
    }
  }
  finish_calls();
}

void ClientCore::on(base::Instant now, const FileReply& m, Effects* effects) {
  if (m.to.client != id_) return;
  for (const auto& c : calls_) c->call.on_file_reply(context(now, effects), m);
  finish_calls();
}

void ClientCore::coordinator_unreachable(base::Instant, Effects*) {
  for (const auto& c : calls_) c->call.coordinator_unreachable();
  finish_calls();
}

void ClientCore::finish_calls() {
  for (size_t k = 0; k < calls_.size();) {
    if (!calls_[k]->call.done()) {
      ++k;
      continue;
    }
    const std::unique_ptr<Call> ended = std::move(calls_[k]);
    calls_.erase(calls_.begin() + static_cast<std::ptrdiff_t>(k));
    sink_->on_call_done(ended->tag, ended->call.result());
  }
}

// -------------------------------------------------------------------------------- housekeeping

void ClientCore::step(base::Instant now, const Message& message, Effects* effects) {
  std::visit([&](const auto& m) { on(now, m, effects); }, message);
}

void ClientCore::on(base::Instant now, const BookUpdate& m, Effects* effects) {
  book_.learn(m.book);
  for (const NodeEntry& entry : m.book.nodes) {
    if (!entry.up) node_down(now, entry.id, effects);
  }
}

void ClientCore::ask_for_book(base::Instant now, BucketNo first, Effects* effects) {
  if (asked_book_at_ != base::Instant{} && now - asked_book_at_ < kAskBookEvery) return;
  asked_book_at_ = now;
  effects->send(Destination::to_coordinator(), BookQuery{path_, first});
}

void ClientCore::tick(base::Instant now, Effects* effects) {
  for (uint64_t seq = acked_; seq < next_seq_; ++seq) {
    Pending* p = find(seq);
    if (p == nullptr || now < p->again_at) continue;
    if (now - p->submitted_at >= kGiveUpAfter) {
      fail(seq, p);
    } else {
      send(now, seq, p, effects);
    }
  }
  for (const auto& c : calls_) c->call.tick(context(now, effects));
  finish_calls();
}

}  // namespace lh::core
