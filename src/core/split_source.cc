#include "core/split_source.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "core/change.h"
#include "core/limits.h"
#include "lh/address.h"

namespace lh::core {

namespace {

constexpr base::Duration kResendAfter = base::ms(300);
// Of a stream's number: which stream of this boot of the node it is. The rest is the boot.
constexpr unsigned kStreamBits = 32;

}  // namespace

const size_t SplitSource::kWindow = kSplitWindowBatches;

SplitSource::SplitSource(const SplitOrder& order, NodeId self, const Boot& boot)
    : split_(order.split),
      source_(order.source.a),
      self_(self),
      boot_(&boot),
      target_{order.target, static_cast<Level>(order.source.j + 1)},
      target_node_(order.target_node),
      moving_(interval_of(target_)),
      stream_((uint64_t{boot.number} << kStreamBits) + 1),
      cursor_(moving_.first) {
  LH_CHECK(order.source.j < kLevelMax);
  LH_CHECK(target_.a == source_ + (BucketNo{1} << order.source.j));
}

uint64_t SplitSource::boot_of(uint64_t stream) { return stream >> kStreamBits; }

SplitSource SplitSource::resumed(const SplitOrder& order, NodeId self, const Boot& boot) {
  SplitSource source(order, self, boot);
  source.handed_over_ = true;
  return source;
}

void SplitSource::start_again() {
  LH_CHECK(phase_ == Phase::kStreaming);
  ++stream_;
  cursor_ = moving_.first;
  walk_done_ = false;
  walk_end_ = 0;
  open_.clear();
  batches_.clear();
  unsent_ = 0;
  pending_bytes_ = 0;
  next_number_ = 0;
}

bool SplitSource::slice(base::Instant now, const table::HashTable& table, Effects* effects) {
  if (phase_ != Phase::kStreaming) return false;
  if (next_number_ == 0) progress_at_ = now;
  send_unsent(now, kWindow, effects);
  if (!window_open()) return false;  // an acknowledgement will bring us back
  if (!walk_done_) {
    const auto next = table.walk(cursor_, moving_.last, kSplitBatchBytes,
                                 [this](HashValue, const table::Record& record) {
                                   add([&](std::string* out) { append_put(out, record); });
                                 });
    walk_done_ = !next.has_value();
    if (next) cursor_ = *next;
  }
  // Batch 0 goes out even when it is empty: it opens the stream at the target.
  const bool ended = walk_done_ && walk_end_ == 0;
  if (!open_.empty() || next_number_ == 0) close_batch(false);
  if (ended) walk_end_ = next_number_;
  send_unsent(now, kWindow, effects);
  return !walk_done_ && window_open();
}

// What changes behind the walk.
template <typename Append>
void SplitSource::repeat(ReversedHash r, Append append) {
  LH_CHECK(phase_ == Phase::kStreaming);
  if (!is_moving(r) || !was_walked(r)) return;
  add(append);
  if (pending_bytes_ > kSplitPendingBytesMax) start_again();
}

void SplitSource::on_put(ReversedHash r, const table::Record& record) {
  repeat(r, [&](std::string* out) { append_put(out, record); });
}

void SplitSource::on_erase(ReversedHash r, std::string_view key) {
  repeat(r, [&](std::string* out) { append_erase(out, key); });
}

void SplitSource::on_expire(ReversedHash r, std::string_view key, table::ExpiryMs expiry) {
  repeat(r, [&](std::string* out) { append_expire(out, key, expiry); });
}

template <typename Append>
void SplitSource::add(Append append) {
  const size_t before = open_.size();
  append(&open_);
  pending_bytes_ += open_.size() - before;
  // Cut here and not after the walk, which hands out a slot of the table whole, however large its
  // records: a message takes a batch and one record more at the most.
  if (open_.size() >= kSplitBatchBytes) close_batch(false);
}

void SplitSource::close_batch(bool last) {
  batches_.push_back({next_number_++, last, std::move(open_)});
  open_ = {};
  ++unsent_;
}

void SplitSource::send_unsent(base::Instant now, size_t window, Effects* effects) {
  while (unsent_ > 0 && batches_.size() - unsent_ < window) {
    if (unsent_ == batches_.size()) progress_at_ = now;
    send(batches_[batches_.size() - unsent_], effects);
    --unsent_;
  }
}

// What opens a stream is durable before anybody hears its number: of two streams with one number
// the target would take the second for what it has.
void SplitSource::send(const Batch& batch, Effects* effects) const {
  if (batch.number == 0) effects->after(boot_->logged);
  effects->send(Destination::to_bucket(target_node_, target_.a),
                SplitRecords{split_, stream_, batch.number, batch.last, source_, self_, target_,
                             batch.last ? overdue_ : 0, batch.changes});
}

bool SplitSource::window_open() const {
  return unsent_ == 0 && batches_.size() < kWindow && pending_bytes_ < kSplitWindowBytes;
}

bool SplitSource::can_go_on() const {
  if (phase_ != Phase::kStreaming) return false;
  if (unsent_ > 0) return batches_.size() - unsent_ < kWindow;
  if (!window_open()) return false;
  return !walk_done_ || !open_.empty() || walk_acknowledged();
}

bool SplitSource::walk_acknowledged() const {
  return walk_done_ && (batches_.empty() || batches_.front().number >= walk_end_);
}

bool SplitSource::ready_to_close() const {
  return phase_ == Phase::kStreaming && walk_acknowledged() && window_open();
}

void SplitSource::close(base::Instant now, const Dedup& dedup, uint64_t overdue, Effects* effects) {
  LH_CHECK(ready_to_close());
  overdue_ = overdue;
  const auto cut = [this] {
    if (open_.size() >= kSplitBatchBytes) close_batch(false);
  };
  dedup.visit([&](ClientId client, uint64_t acked,
                  uint64_t cleared) { append_client(&open_, client, acked, cleared), cut(); },
              [&](ClientId client, uint64_t seq, Code code, std::string_view value) {
                append_answer(&open_, client, seq, code, value), cut();
              });
  close_batch(true);
  // The requests that this bucket forwards from now on follow on the same link: the whole rest has
  // to be on its way before them, window or not.
  send_unsent(now, batches_.size() + 1, effects);
  phase_ = Phase::kClosed;
  handed_over_ = true;
}

void SplitSource::on_ack(base::Instant now, const SplitRecordsAck& ack, Effects* effects) {
  if (ack.split != split_ || ack.stream != stream_) return;
  if (ack.batch == kNoBatch) {
    phase_ = Phase::kStreaming;
    return start_again();
  }
  while (batches_.size() > unsent_ && batches_.front().number <= ack.batch) {
    pending_bytes_ -= std::min(pending_bytes_, batches_.front().changes.size());
    if (batches_.front().last) phase_ = Phase::kDone;
    batches_.pop_front();
    progress_at_ = now;
  }
  if (phase_ != Phase::kDone) send_unsent(now, kWindow, effects);
}

void SplitSource::tick(base::Instant now, Effects* effects) {
  const size_t sent = batches_.size() - unsent_;
  if (sent == 0 || now - progress_at_ < kResendAfter) return;
  progress_at_ = now;
  for (size_t k = 0; k < sent; ++k) send(batches_[k], effects);
}

}  // namespace lh::core
