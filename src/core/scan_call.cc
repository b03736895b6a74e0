#include "core/scan_call.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/check.h"

namespace lh::core {

namespace {

constexpr base::Duration kFirstPatience = base::ms(300);
constexpr base::Duration kPatienceMax = base::seconds(2);
// After a node could not be reached; doubles like any patience.
constexpr base::Duration kAgainAfter = base::ms(50);
// A bucket that is being handed over, or a map that is behind: worth another try before giving up.
constexpr base::Duration kFailAfter = base::ms(700);
// And nodes that are there but never answer are waited for this long. Not by SETTLE, which asks
// buckets to answer when they have settled.
constexpr base::Duration kGiveUpAfter = base::seconds(20);
// Buckets asked ahead of their answers.
constexpr size_t kWindow = 256;

// A smaller image is as good as a larger one: the buckets pass the scan on. So the client asks only
// buckets that it can reach by itself.
FileState reachable(const CallContext& context) {
  const uint64_t known = std::max<uint64_t>(context.book.known(), 1);
  return state_of_count(std::min(bucket_count(context.image), known));
}

}  // namespace

ScanCall::ScanCall(uint64_t number, ScanKind kind, ScanMatch match, std::string pattern)
    : number_(number),
      kind_(kind),
      match_(match),
      pattern_(std::move(pattern)),
      patience_(kFirstPatience) {
  uncovered_[0] = ~ReversedHash{0};
}

ScanCall::ScanCall(uint64_t number, BucketNo only)
    : ScanCall(number, ScanKind::kRecords, ScanMatch::kAll, {}) {
  only_ = only;
  // The first point of bucket a is reverse64(a) at every level; its last one the bucket will tell.
  uncovered_ = {{reverse64(only), ~ReversedHash{0}}};
}

ScanCall::ScanCall(uint64_t number, ScanKind kind, ScanMatch match, std::string pattern,
                   ReversedHash from, uint64_t records_max)
    : ScanCall(number, kind, match, std::move(pattern)) {
  LH_CHECK(records_max > 0);
  records_max_ = records_max;
  uncovered_ = {{from, ~ReversedHash{0}}};
}

void ScanCall::start(const CallContext& context) {
  started_at_ = progress_at_ = heard_at_ = context.now;
  begin_round(context);
}

void ScanCall::missing_of(BucketMark to, std::vector<Part>* parts) const {
  const Interval theirs = interval_of(to);
  auto gap = uncovered_.upper_bound(theirs.first);
  if (gap != uncovered_.begin() && std::prev(gap)->second >= theirs.first) --gap;
  for (; gap != uncovered_.end() && gap->first <= theirs.last; ++gap) {
    const auto& [first, last] = *gap;
    parts->push_back({to, std::max(first, theirs.first), std::min(last, theirs.last)});
  }
}

std::vector<ScanCall::Part> ScanCall::missing(const CallContext& context) const {
  std::vector<Part> parts;
  if (is_solo()) {
    for (const auto& [first, last] : uncovered_) {
      parts.push_back({{nearest(first, context), 0}, first, last});
    }
    return parts;
  }
  const FileState seen = reachable(context);
  for (BucketNo a = 0; a < bucket_count(seen); ++a) missing_of({a, level_of(seen, a)}, &parts);
  return parts;
}

std::optional<BucketNo> ScanCall::missing_at(const CallContext& context, NodeId node) const {
  for (const Part& part : missing(context)) {
    if (context.book.locate(part.to.a) == node) return part.to.a;
  }
  return std::nullopt;
}

void ScanCall::begin_round(const CallContext& context) {
  if (is_solo()) {
    for (const Part& part : missing(context)) ask(context, part);
    return;
  }
  seen_ = reachable(context);
  next_ = 0;
  under_way_ = 0;
  ask_more(context);
}

void ScanCall::ask_more(const CallContext& context) {
  std::vector<Part> parts;
  for (; under_way_ < kWindow && next_ < bucket_count(seen_); ++next_) {
    parts.clear();
    missing_of({next_, level_of(seen_, next_)}, &parts);
    for (const Part& part : parts) ask(context, part);
    under_way_ += parts.empty() ? 0 : 1;
  }
}

void ScanCall::ask(const CallContext& context, const Part& part) {
  Scan scan;
  scan.client = context.path;
  scan.scan = number_;
  scan.kind = kind_;
  scan.match = match_;
  scan.pattern = pattern_;
  scan.solo = is_solo();
  scan.records_max = records_max_;
  scan.to = part.to.a;
  scan.level = part.to.j;
  scan.from = part.first;
  scan.last = part.last;
  context.effects->send(Destination::to_bucket(context.book.locate(scan.to), scan.to), scan);
}

bool ScanCall::take(ReversedHash from, ReversedHash last) {
  if (from > last) return false;
  auto it = uncovered_.upper_bound(from);
  if (it == uncovered_.begin()) return false;
  --it;
  if (it->second < last) return false;  // overlaps what is covered
  const ReversedHash gap_first = it->first;
  const ReversedHash gap_last = it->second;
  uncovered_.erase(it);
  if (gap_first < from) uncovered_[gap_first] = from - 1;
  if (last < gap_last) uncovered_[last + 1] = gap_last;
  return true;
}

// False while the piece is not complete.
bool ScanCall::assemble(ScanReply* m) {
  if (m->chunk == 0 && !m->partial) return true;
  if (m->chunk == 0) assemblies_[m->from] = Assembly{m->bucket.a, 0, {}};
  const auto it = assemblies_.find(m->from);
  if (it == assemblies_.end()) return false;
  Assembly& assembly = it->second;
  if (assembly.bucket != m->bucket.a || assembly.next_chunk != m->chunk) return false;
  assembly.matches.append(m->matches);
  ++assembly.next_chunk;
  if (m->partial) return false;
  assembled_ = std::move(assembly.matches);
  assemblies_.erase(it);
  m->matches = assembled_;
  return true;
}

// Scan of one bucket: nothing from here on is wanted.
void ScanCall::end_at(ReversedHash first) {
  const auto it = uncovered_.lower_bound(first);
  uncovered_.erase(it, uncovered_.end());
  if (uncovered_.empty()) return;
  ReversedHash& last = uncovered_.rbegin()->second;
  last = std::min(last, first - 1);
}

void ScanCall::fail(BucketNo bucket) {
  failed_ = true;
  failed_bucket_ = bucket;
}

bool ScanCall::on_reply(const CallContext& context, ScanReply* reply) {
  const ScanReply& m = *reply;
  if (m.scan != number_ || failed_) return false;
  if (m.code != Code::kOk) {
    if (m.code == Code::kDown || context.now - started_at_ > kFailAfter) fail(m.bucket.a);
    return false;
  }
  if (only_ && m.bucket.a != *only_) {
    // The bucket ends before this, or was never there. What it has before this may still come: when
    // it splits during the scan, its child is often faster.
    end_at(m.from);
    return false;
  }
  if (records_max_ > 0 && (done() || m.from != uncovered_.begin()->first)) return false;
  progress_at_ = heard_at_ = context.now;
  if (!assemble(reply) || !take(m.from, m.last)) return false;
  if (records_max_ > 0) {
    // The rest belongs to the next scan.
    done_up_to_ = m.last;
    uncovered_.clear();
  }
  if (only_ && !m.more) end_at(m.last);
  answered_.insert(m.bucket.a);
  patience_ = kFirstPatience;
  if (m.more && !done()) {
    context.effects->send(Destination::to_bucket(m.node, m.bucket.a),
                          ScanMore{m.to.client, number_, m.bucket.a, m.last});
  } else if (under_way_ > 0 && m.bucket.a < next_) {
    --under_way_;
    ask_more(context);
  }
  return true;
}

BucketNo ScanCall::nearest(ReversedHash first, const CallContext& context) {
  BucketNo a = address(context.image, reverse64(first));
  while (a > 0 && context.book.locate(a) == NodeId::kNone) a = parent(a);
  return a;
}

std::optional<BucketNo> ScanCall::node_unreachable(const CallContext& context, NodeId node) {
  if (done() || failed_) return std::nullopt;
  const std::optional<BucketNo> bucket = missing_at(context, node);
  if (!bucket) return std::nullopt;
  if (context.now - started_at_ >= kFailAfter) {
    fail(*bucket);
    return std::nullopt;
  }
  if (stranded_at_ == base::Instant{}) stranded_at_ = context.now;
  progress_at_ = context.now;
  patience_ = kAgainAfter;
  return bucket;
}

void ScanCall::node_down(const CallContext& context, NodeId node, base::Instant asked_at) {
  if (done() || failed_ || stranded_at_ == base::Instant{} || stranded_at_ > asked_at) return;
  if (const std::optional<BucketNo> bucket = missing_at(context, node)) fail(*bucket);
}

void ScanCall::tick(const CallContext& context) {
  if (done() || failed_ || context.now - progress_at_ < patience_) return;
  if (kind_ != ScanKind::kSettle && context.now - heard_at_ >= kGiveUpAfter) {
    return fail(missing(context).front().to.a);
  }
  progress_at_ = context.now;
  patience_ = std::min(patience_ * 2, kPatienceMax);
  begin_round(context);
}

}  // namespace lh::core
