#include "core/scan_job.h"

#include <algorithm>

#include "base/check.h"
#include "base/strings.h"
#include "core/change.h"
#include "core/limits.h"
#include "lh/address.h"

namespace lh::core {

namespace {

// A client that does not ask for more for this long has gone.
constexpr base::Duration kAbandonedAfter = base::seconds(30);
// What a slice is cut to for a scan of a few records.
constexpr uint64_t kTypicalRecordBytes = 64;

}  // namespace

bool scan_matches(ScanMatch match, std::string_view pattern, std::string_view key,
                  std::string_view value) {
  switch (match) {
    case ScanMatch::kAll:
      return true;
    case ScanMatch::kValueContains:
      return value.find(pattern) != std::string_view::npos;
    case ScanMatch::kKeyGlob:
      return base::glob_match(pattern, key);
    case ScanMatch::kValueGlob:
      return base::glob_match(pattern, value);
  }
  LH_UNREACHABLE();
}

ScanJob::ScanJob(const Scan& scan, ReversedHash from, ReversedHash last, base::Instant now)
    : scan_(scan),
      listener_(scan.client.listener),
      pattern_(scan.pattern),
      from_(from),
      cursor_(from),
      last_(last),
      touched_at_(now) {
  LH_CHECK(from <= last);
  // What the message lent is gone after this step: the copies are put in its place when needed.
  scan_.client.listener = {};
  scan_.pattern = {};
}

bool ScanJob::slice(base::Instant now, const View& view, Effects* effects) {
  if (done_ || waiting_) return false;
  if (scan_.kind == ScanKind::kSettle && !view.reports_settled) {
    touched_at_ = now;
    return false;
  }
  if (!gives_records(scan_.kind) && Interval{from_, last_} == interval_of(view.mark)) {
    count_all(view);
    reply(view, last_, effects);
    return false;
  }
  if (cursor_ > last_) {  // cut() left only what has been walked already
    reply(view, last_, effects);
    return false;
  }
  uint64_t looked_at = 0;
  const auto next =
      view.table->walk(cursor_, last_, slice_bytes(), [&](HashValue, const table::Record& record) {
        ++looked_at;
        if (table::has_expired(record, view.unix_ms)) return;
        if (!gives_records(scan_.kind)) {
          ++records_;
          bytes_ += record.payload_bytes();
          if (record.expiry != table::kNever) ++expiring_;
        } else if (scan_matches(scan_.match, pattern_, record.key, record.value)) {
          ++records_;
          add_match(record);
        }
      });
  if (!next) {
    reply(view, last_, effects);
    return false;
  }
  cursor_ = *next;
  if (scan_.records_max > 0) {
    scan_.records_max -= std::min(looked_at, scan_.records_max);
    if (scan_.records_max == 0 || is_full()) {
      last_ = cursor_ - 1;
      reply(view, last_, effects);
      return false;
    }
  }
  if (!is_full()) return true;
  reply(view, cursor_ - 1, effects);
  return false;
}

bool ScanJob::is_full() const {
  return chunks_.size() > 1 || chunks_.back().size() >= kScanBatchBytes;
}

size_t ScanJob::slice_bytes() const {
  if (scan_.records_max == 0) return kSliceBytes;
  return static_cast<size_t>(
      std::min<uint64_t>(kSliceBytes / kTypicalRecordBytes, scan_.records_max) *
      kTypicalRecordBytes);
}

void ScanJob::add_match(const table::Record& record) {
  // A walk hands out a slot of the table whole, however large its records: a message takes a batch
  // and one record more at the most.
  if (chunks_.back().size() >= kScanBatchBytes) chunks_.emplace_back();
  const bool whole = scan_.kind == ScanKind::kRecords;
  append_put(&chunks_.back(), whole ? record : table::Record{record.key, {}});
}

void ScanJob::count_all(const View& view) {
  records_ = view.table->size();
  bytes_ = view.table->payload_bytes();
  expiring_ = view.table->expiring();
}

void ScanJob::reply(const View& view, ReversedHash last, Effects* effects) {
  ScanReply answer;
  answer.to = scan_.client;
  answer.to.listener = listener_;
  answer.scan = scan_.scan;
  answer.bucket = view.mark;
  answer.node = view.node;
  answer.from = from_;
  answer.last = last;
  answer.records = records_;
  answer.bytes = bytes_;
  answer.expiring = expiring_;
  if (scan_.kind == ScanKind::kSettle) answer.overdue = view.overdue;
  answer.more = last != last_;
  if (answer.more) answer.book = view.book->part_from(view.mark.a, 1);
  for (const std::string& chunk : chunks_) {
    answer.partial = &chunk != &chunks_.back();
    answer.matches = chunk;  // stays as it is until resume(): the effects run before that
    effects->send(Destination::reply(), answer);
    ++answer.chunk;
  }
  waiting_ = answer.more;
  done_ = !answer.more;
  from_ = last + 1;
}

bool ScanJob::has_in_hand(const Scan& scan, ReversedHash from, ReversedHash last) {
  if (done_ || scan.scan != scan_.scan || scan.client.client != scan_.client.client) return false;
  if (from > last_ || last < from_) return false;
  if (waiting_) {
    done_ = true;
    return false;
  }
  return from_ <= from && last <= last_;
}

bool ScanJob::resume(base::Instant now, const ScanMore& more) {
  if (done_ || !waiting_ || more.client != scan_.client.client || more.scan != scan_.scan ||
      more.after + 1 != from_) {
    return false;
  }
  waiting_ = false;
  records_ = 0;
  bytes_ = 0;
  expiring_ = 0;
  chunks_.clear();
  chunks_.emplace_back();
  touched_at_ = now;
  return true;
}

std::optional<Scan> ScanJob::cut(ReversedHash mid) {
  // Walked to its end already, perhaps by an earlier cut: nothing is left for another bucket.
  if (done_ || last_ < mid || cursor_ > last_) return std::nullopt;
  Scan rest = scan_;
  rest.client.listener = listener_;
  rest.pattern = pattern_;
  rest.from = std::max(cursor_, mid);
  rest.last = last_;
  // What was walked beyond `mid` is answered here: it was this bucket's when it was walked.
  last_ = std::max(cursor_, mid) - 1;
  if (from_ > last_) done_ = true;  // all was answered; a ScanMore that still comes finds no job
  return rest;
}

bool ScanJob::abandoned(base::Instant now) const {
  return waiting_ && now - touched_at_ > kAbandonedAfter;
}

}  // namespace lh::core
