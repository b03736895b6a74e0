#include "core/rebuild.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/check.h"
#include "base/strings.h"
#include "core/coordinator.h"
#include "core/journal.h"
#include "core/limits.h"

namespace lh::core {

namespace {

using Ull = unsigned long long;

constexpr base::Duration kAskAgainAfter = base::ms(250);
constexpr base::Duration kRoundPause = base::ms(200);

// Numbers are used once. The lost coordinator, or a node that is missing, may know higher ones than
// those who answered; hardly ones that are higher by so much.
constexpr uint64_t kSplitsSkipped = uint64_t{1} << 20;
constexpr uint64_t kBootsSkipped = 1'024;

// The level with which the split that created it left bucket a; 0 for bucket 0.
Level level_at_birth(BucketNo a) { return static_cast<Level>(std::bit_width(a)); }

Ull number(NodeId id) { return static_cast<Ull>(id); }

}  // namespace

// ------------------------------------------------------------------------------------- the answers

void Rebuild::step(base::Instant now, const Message& message, Effects* effects) {
  if (phase_ != Phase::kAsking) return;
  if (const auto* m = std::get_if<Register>(&message)) return on(now, *m, effects);
  if (const auto* m = std::get_if<Standing>(&message)) return on(now, *m);
  // Everything else will be said again, to the coordinator.
}

void Rebuild::on(base::Instant now, const Register& m, Effects* effects) {
  const bool legal = m.incarnation != 0 && !m.address.empty() &&
                     m.address.size() <= kAddressBytesMax &&
                     static_cast<uint32_t>(m.id) <= kNodesMax && m.id != Coordinator::kSelf;
  if (!legal) return;
  if (m.id == NodeId::kNone) {
    if (newcomers_.size() < kNodesMax) take(m, &newcomers_[m.incarnation]);
    return;
  }
  const auto [it, fresh] = claims_.try_emplace(m.id);
  Claim& claim = it->second;
  if (!fresh && claim.incarnation != m.incarnation) {
    return fail(Failure::kContradiction,
                base::format("two nodes claim to be node %llu: ", number(m.id)) + claim.address +
                    " and " + std::string(m.address));
  }
  take(m, &claim);
  if (fresh) {
    news_at_ = now;
    claim.standings = Standings(Standings::number(self_.incarnation, round_), m.id);
  }
  if (!claim.standings.complete()) ask(now, &claim, effects);
}

void Rebuild::take(const Register& m, Claim* claim) {
  claim->incarnation = m.incarnation;
  claim->buckets_max = m.buckets_max;
  claim->address = m.address;
  claim->path = m.from;
  claim->listener = m.from.listener;
}

void Rebuild::ask(base::Instant now, Claim* claim, Effects* effects) const {
  claim->asked_at = now;
  ReplyPath path = claim->path;
  path.listener = claim->listener;
  effects->send(Destination::reply(), claim->standings.next(path));
}

void Rebuild::on(base::Instant now, const Standing& m) {
  const auto it = claims_.find(m.node);
  if (it == claims_.end() || !it->second.standings.take(m)) return;
  it->second.asked_at = {};  // for the next page at once
  if (it->second.standings.complete() && round_ == 1) news_at_ = now;
}

void Rebuild::tick(base::Instant now, Effects* effects) {
  if (phase_ != Phase::kAsking) return;
  if (again_at_ != base::Instant{}) {
    if (now < again_at_) return;
    again_at_ = {};
    ++round_;
    for (auto& [id, claim] : claims_) {
      claim.standings = Standings(Standings::number(self_.incarnation, round_), id);
      claim.asked_at = {};
    }
  }
  for (auto& [id, claim] : claims_) {
    if (!claim.standings.complete() && now - claim.asked_at >= kAskAgainAfter) {
      ask(now, &claim, effects);
    }
  }
  const Progress all = progress();
  if (all.answered.empty()) return;
  missing_ = all.missing;
  missing_.insert(missing_.end(), all.asked.begin(), all.asked.end());
  std::sort(missing_.begin(), missing_.end());
  const base::Duration quiet = missing_.empty() && has_buckets() ? kQuiet : kPatience;
  if (now - news_at_ >= quiet && may_do_without(missing_)) conclude(now);
}

bool Rebuild::has_buckets() const {
  return std::any_of(claims_.begin(), claims_.end(), [](const auto& entry) {
    const Standings& standings = entry.second.standings;
    return standings.complete() && !standings.buckets().empty();
  });
}

std::map<NodeId, NodeEntry> Rebuild::known_nodes() const {
  std::map<NodeId, NodeEntry> nodes;
  for (const auto& [id, claim] : claims_) nodes[id].id = id;
  for (const auto& [id, claim] : claims_) {
    for (const BucketStanding& b : claim.standings.buckets()) {
      if (b.split != 0) nodes[b.target_node].id = b.target_node;
    }
    const AddressBook& book = claim.standings.book();
    for (const auto& [other, entry] : book.nodes()) {
      NodeEntry& known = nodes[other];
      if (known.id == NodeId::kNone || known.version < entry.version) known = entry;
    }
    for (BucketNo a = 0; a < book.buckets_seen(); ++a) {
      if (book.locate(a) != NodeId::kNone) nodes[book.locate(a)].id = book.locate(a);
    }
  }
  nodes.erase(Coordinator::kSelf);
  return nodes;
}

Rebuild::Progress Rebuild::progress() const {
  Progress progress;
  for (const auto& [id, node] : known_nodes()) {
    const auto claim = claims_.find(id);
    if (claim == claims_.end()) {
      progress.missing.push_back(id);
    } else {
      (claim->second.standings.complete() ? progress.answered : progress.asked).push_back(id);
    }
  }
  return progress;
}

// Nodes without a bucket may know very old maps. When a node that is missing has buckets, somebody
// who has some himself, and so hears of splits, has to be there.
bool Rebuild::may_do_without(const std::vector<NodeId>& missing) const {
  if (has_buckets()) return true;
  bool needed = false;
  for (const auto& [id, claim] : claims_) {
    if (!claim.standings.complete()) continue;
    const AddressBook& book = claim.standings.book();
    for (BucketNo a = 0; a < book.buckets_seen(); ++a) {
      needed |= std::binary_search(missing.begin(), missing.end(), book.locate(a));
    }
  }
  return !needed;
}

// ---------------------------------------------------------------------------------- the conclusion

void Rebuild::conclude(base::Instant now) {
  if (!agree_on_options()) return;
  if (collect() && find_state() && locate_all()) {
    phase_ = Phase::kDone;
    return write_records();
  }
  if (puzzled_since_ == base::Instant{}) puzzled_since_ = now;
  if (now - puzzled_since_ >= kPatience) return fail(Failure::kContradiction, contradiction_);
  again_at_ = now + kRoundPause;
}

void Rebuild::fail(Failure kind, std::string why) {
  phase_ = Phase::kFailed;
  failure_kind_ = kind;
  failure_ = std::move(why);
}

bool Rebuild::contradict(std::string what) {
  contradiction_ = "what the nodes have is no file: " + std::move(what);
  return false;
}

bool Rebuild::agree_on_options() {
  NodeId first = NodeId::kNone;
  for (const auto& [id, claim] : claims_) {
    if (!claim.standings.complete()) continue;
    const FileOptions& options = claim.standings.options();
    if (first == NodeId::kNone) {
      first = id;
      options_ = options;
    } else if (!(options == options_)) {
      fail(Failure::kContradiction,
           base::format("nodes %llu and %llu are of different files", number(first), number(id)));
      return false;
    }
  }
  FileOptions wanted = self_.options;
  wanted.id = options_.id;
  if (options_ == wanted) return true;
  fail(Failure::kOptions,
       base::format("the nodes are of a file with --capacity=%llu --hash=%s",
                    static_cast<Ull>(options_.capacity),
                    options_.hash == base::HashMode::kInteger ? "integer" : "mixed"));
  return false;
}

bool Rebuild::collect() {
  live_.clear();
  named_.clear();
  begun_.clear();
  split_.reset();
  for (const auto& [id, claim] : claims_) {
    if (!claim.standings.complete()) continue;
    for (const BucketStanding& b : claim.standings.buckets()) {
      split_max_ = std::max(split_max_, b.split_max);
      if (!b.live) begun_.insert(b.mark.a);
      if (!b.live) continue;
      const auto [it, fresh] = live_.try_emplace(b.mark.a, Live{id, b});
      if (!fresh) {
        return contradict(base::format("bucket %llu is with nodes %llu and %llu",
                                       static_cast<Ull>(b.mark.a), number(it->second.node),
                                       number(id)));
      }
      if (b.split == 0) continue;
      if (split_)
        return contradict("buckets " + to_string(split_->source.mark) + " and " +
                          to_string(b.mark) + " are splitting");
      const auto before = static_cast<Level>(b.mark.j - (b.handed_over ? 1 : 0));
      split_ = Split{b, b.mark.a + (BucketNo{1} << before)};
    }
    const AddressBook& book = claim.standings.book();
    for (BucketNo a = 0; a < book.buckets_seen(); ++a) {
      if (book.locate(a) != NodeId::kNone) named_[a] = book.locate(a);
    }
    for (const auto& [other, entry] : book.nodes()) {
      version_max_ = std::max(version_max_, entry.version);
    }
  }
  return true;
}

bool Rebuild::find_state() {
  uint64_t count = 1;
  // Until the source has heard that the target is live, the split is under way.
  const bool open = split_ && split_->source.handed_over;
  const auto level = [&](const BucketStanding& b) {
    const bool source = open && b.mark.a == split_->source.mark.a;
    return static_cast<Level>(b.mark.j - (source ? 1 : 0));
  };
  for (const auto& [a, live] : live_) {
    if (open && is_target(a)) continue;
    const Level j = level(live.standing);
    count = std::max(count, a + 1);
    if (j > level_at_birth(a)) count = std::max(count, a + (BucketNo{1} << (j - 1)) + 1);
  }
  for (const auto& [a, node] : named_) {
    if (!(open && is_target(a))) count = std::max(count, a + 1);
  }
  if (count > kBucketsMax) return contradict("it has too many buckets");
  state_ = state_of_count(count);
  for (const auto& [a, live] : live_) {
    if (open && is_target(a)) continue;
    if (level(live.standing) == level_of(state_, a)) continue;
    return contradict("bucket " + to_string(live.standing.mark) + " in a file of " +
                      std::to_string(count) + " buckets");
  }
  if (!split_ || split_->source.mark.a == state_.n) return true;
  return contradict("bucket " + to_string(split_->source.mark) + " is splitting in a file of " +
                    std::to_string(count) + " buckets");
}

bool Rebuild::locate_all() {
  at_.assign(bucket_count(state_), Coordinator::kSelf);
  lost_.clear();
  for (BucketNo a = 0; a < at_.size(); ++a) {
    if (const auto live = live_.find(a); live != live_.end()) {
      at_[a] = live->second.node;
      continue;
    }
    if (const auto named = named_.find(a); named != named_.end()) at_[a] = named->second;
    if (at_[a] == Coordinator::kSelf) {
      lost_.push_back({a, level_of(state_, a)});
    } else if (!std::binary_search(missing_.begin(), missing_.end(), at_[a])) {
      return contradict(base::format("bucket %llu should be with node %llu, which does not have it",
                                     static_cast<Ull>(a), number(at_[a])));
    }
  }
  return true;
}

// -------------------------------------------------------------------------------------- the result

std::string* Rebuild::add(uint64_t stream) {
  records_.push_back({stream, {}});
  return &records_.back().bytes;
}

void Rebuild::add_event(const CoordinatorEvent& event) { append_event(add(kNodeStream), event); }

void Rebuild::write_records() {
  const auto boot = static_cast<uint32_t>(
      std::min(Coordinator::boot_of(version_max_) + kBootsSkipped, uint64_t{~uint32_t{0} - 1}));
  append_identity(add(kNodeStream), {Coordinator::kSelf, options_});
  append_boot(add(kNodeStream), boot);
  add_event(
      NodeRegistered{Coordinator::kSelf, self_.incarnation, self_.buckets_max, self_.address});
  const uint64_t version = uint64_t{boot} << Coordinator::kSaidBits;
  BookPart part{0, {}, {{Coordinator::kSelf, true, self_.address, version}}};
  for (const auto& [id, node] : known_nodes()) {
    NodeRegistered e{id, 0, 0, node.address};
    if (!std::binary_search(missing_.begin(), missing_.end(), id)) {
      const Claim& claim = claims_.at(id);
      e = {id, claim.incarnation, claim.buckets_max, claim.address};
    }
    add_event(e);
    part.nodes.push_back({id, e.incarnation != 0, e.address, version});
  }
  for (; part.first < at_.size(); part.first += kBookEntriesMax, part.nodes.clear()) {
    const auto begin = at_.begin() + static_cast<std::ptrdiff_t>(part.first);
    const size_t size = std::min<size_t>(kBookEntriesMax, at_.size() - part.first);
    part.at.assign(begin, begin + static_cast<std::ptrdiff_t>(size));
    append_book(add(kNodeStream), part);
  }
  for (const BucketMark mark : lost_) {
    BucketState bucket;
    bucket.mark = mark;
    append_state(add(stream_of(mark.a)), bucket);
  }
  add_event(reports());
  if (!owes_split()) return;
  // One that can still be given to another target begins anew when its target is gone, and one
  // whose source was lost in any case.
  add_event(SplitBegun{});
  if (!split_) return;
  const BucketStanding& source = split_->source;
  if (!source.handed_over && source.target_node == Coordinator::kSelf) return;
  add_event(SplitAttempted{source.split, source.target_node});
  if (source.handed_over) add_event(SplitHandedOver{source.split});
}

// What is owed: the split under way, for a report that is not answered if there is one. Every
// other report that is not answered comes again.
CoordinatorState Rebuild::reports() const {
  CoordinatorState state;
  state.file = state_;
  state.split_number = split_max_ + kSplitsSkipped;
  state.at = at_;
  std::optional<BucketNo> reporter;
  for (const auto& [a, live] : live_) {
    const BucketStanding& b = live.standing;
    state.reports.resize(a + 1);
    state.reports[a] = {b.answered, b.answered};
    if (!reporter && b.answered < b.collisions) reporter = a;
  }
  if (!owes_split()) return state;
  const BucketNo source = reporter.value_or(state_.n);
  if (state.reports.size() <= source) state.reports.resize(source + 1);
  CoordinatorState::Reports& owed = state.reports[source];
  if (reporter) owed.taken_in = live_.at(source).standing.collisions;
  state.owed = 1;
  state.debts.push_back({source, owed.taken_in, 1});
  return state;
}

std::vector<Register> Rebuild::registrations() const {
  std::vector<Register> all;
  const auto add_all = [&all](NodeId id, const Claim& claim) {
    Register& m = all.emplace_back();
    m.from = claim.path;
    m.from.entry = Coordinator::kSelf;
    m.from.listener = claim.listener;
    m.id = id;
    m.incarnation = claim.incarnation;
    m.buckets_max = claim.buckets_max;
    m.address = claim.address;
  };
  for (const auto& [id, claim] : claims_) add_all(id, claim);
  for (const auto& [incarnation, claim] : newcomers_) add_all(NodeId::kNone, claim);
  return all;
}

}  // namespace lh::core
