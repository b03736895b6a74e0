#include "core/file_call.h"

#include <utility>

#include "base/check.h"

namespace lh::core {

namespace {

using Kind = FileRequest::Kind;

constexpr base::Duration kAskAgainAfter = base::ms(500);
// A coordinator that is there but never answers is waited for this long; by SETTLE for ever, as it
// is answered when all has settled.
constexpr base::Duration kGiveUpAfter = base::seconds(20);
// In the number of a question whose answer does not matter, but whether there is one.
constexpr uint64_t kProbe = uint64_t{1} << 63;

bool asks_first(Kind kind) { return kind == Kind::kFile || kind == Kind::kNodes; }
bool asks_last(Kind kind) { return kind == Kind::kSettle; }

ScanCall make_scan(uint64_t number, const FileRequest& request) {
  switch (request.kind) {
    case Kind::kScan:
      return ScanCall(number, ScanKind::kRecords, request.match, request.pattern);
    case Kind::kKeys:
      return ScanCall(number, ScanKind::kKeys, request.match, request.pattern);
    case Kind::kSome:
      return ScanCall(number, ScanKind::kKeys, request.match, request.pattern, request.from,
                      request.records_max);
    case Kind::kBucket:
      return ScanCall(number, request.bucket);
    case Kind::kSettle:
      return ScanCall(number, ScanKind::kSettle, ScanMatch::kAll, {});
    case Kind::kClear:
      return ScanCall(number, ScanKind::kClear, ScanMatch::kAll, {});
    case Kind::kCount:
    case Kind::kFile:
    case Kind::kBuckets:
    case Kind::kNodes:
      return ScanCall(number, ScanKind::kStats, ScanMatch::kAll, {});
  }
  LH_UNREACHABLE();
}

FileQueryKind query_kind(Kind kind) {
  if (kind == Kind::kSettle) return FileQueryKind::kSettle;
  return kind == Kind::kNodes ? FileQueryKind::kNodes : FileQueryKind::kFile;
}

}  // namespace

FileCall::FileCall(uint64_t number, FileRequest request) : number_(number) {
  result_.request = std::move(request);
}

void FileCall::start(const CallContext& context) {
  started_at_ = asked_at_ = context.now;
  if (asks_first(result_.request.kind)) {
    ask(context);
  } else {
    start_scan(context);
  }
}

void FileCall::start_scan(const CallContext& context) {
  scan_.emplace(make_scan(scan_number(), result_.request));
  scan_->start(context);
}

void FileCall::ask(const CallContext& context) {
  asked_ = true;
  asked_at_ = context.now;
  context.effects->send(Destination::to_coordinator(),
                        FileQuery{context.path, scan_number(), query_kind(result_.request.kind)});
}

void FileCall::probe(const CallContext& context) {
  asked_at_ = context.now;
  context.effects->send(Destination::to_coordinator(),
                        FileQuery{context.path, number_ | kProbe, FileQueryKind::kFile});
}

bool FileCall::on_scan_reply(const CallContext& context, ScanReply* reply) {
  const ScanReply& m = *reply;
  if (done_ || !scan_ || m.scan != scan_number()) return false;
  const bool news = scan_->on_reply(context, reply);
  if (news) {
    result_.records += m.records;
    result_.expiring += m.expiring;
    overdue_ += m.overdue;
    FileResult::BucketLine& line = result_.buckets[m.bucket.a];
    line.mark = m.bucket;
    line.node = m.node;
    line.records += m.records;
    line.bytes += m.bytes;
  }
  advance(context);
  return news;
}

void FileCall::on_file_reply(const CallContext& context, const FileReply& m) {
  if (done_ || !asked_ || answered_ || m.query != scan_number()) return;
  answered_ = true;
  result_.file = m;
  if (asks_first(result_.request.kind)) return start_scan(context);
  if (overdue_ == 0 || !m.error.empty()) return end(FileResult::Outcome::kOk);
  // SETTLE: what was owed is done, but there were inserts that no bucket had reported yet. When no
  // split was done since the last look, what is missing was lost and comes again with time.
  const uint64_t buckets = bucket_count(m.state);
  rests_ = buckets == std::exchange(grown_to_, buckets);
  if (!rests_) look_again(context);
}

void FileCall::look_again(const CallContext& context) {
  rests_ = false;
  ++round_;
  overdue_ = 0;
  asked_ = answered_ = false;
  asked_at_ = context.now;
  result_.records = 0;
  result_.expiring = 0;
  result_.buckets.clear();
  start_scan(context);
}

std::optional<BucketNo> FileCall::node_unreachable(const CallContext& context, NodeId node) {
  if (done_ || !scan_) return std::nullopt;
  const std::optional<BucketNo> missing = scan_->node_unreachable(context, node);
  advance(context);
  return missing;
}

void FileCall::node_down(const CallContext& context, NodeId node, base::Instant asked_at) {
  if (done_ || !scan_) return;
  scan_->node_down(context, node, asked_at);
  advance(context);
}

void FileCall::coordinator_unreachable() {
  if (done_ || answered_) return;
  if (asked_ || asks_last(result_.request.kind)) end(FileResult::Outcome::kNoCoordinator);
}

void FileCall::tick(const CallContext& context) {
  if (done_) return;
  if (rests_) return look_again(context);
  const bool unheard = asks_first(result_.request.kind) && !answered_;
  if (unheard && context.now - started_at_ >= kGiveUpAfter) {
    return end(FileResult::Outcome::kNoCoordinator);
  }
  if (!answered_ && context.now - asked_at_ >= kAskAgainAfter) {
    if (asked_) {
      ask(context);
    } else if (asks_last(result_.request.kind)) {
      probe(context);  // the reports that the scan waits for: is anybody there to take them in?
    }
  }
  if (scan_ && !scan_->done()) scan_->tick(context);
  advance(context);
}

void FileCall::advance(const CallContext& context) {
  if (done_ || !scan_) return;
  if (scan_->failed()) {
    result_.down = scan_->failed_bucket();
    // What is known of the nodes is worth showing just when one of them is down.
    return end(result_.request.kind == Kind::kNodes ? FileResult::Outcome::kOk
                                                    : FileResult::Outcome::kBucketDown);
  }
  if (!scan_->done()) return;
  result_.done_up_to = scan_->done_up_to();
  if (scan_->no_such_bucket()) return end(FileResult::Outcome::kNoSuchBucket);
  if (!asks_last(result_.request.kind)) return end(FileResult::Outcome::kOk);
  if (!asked_) ask(context);
}

void FileCall::end(FileResult::Outcome outcome) {
  done_ = true;
  result_.outcome = outcome;
}

}  // namespace lh::core
