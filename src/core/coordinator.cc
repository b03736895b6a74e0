#include "core/coordinator.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/strings.h"
#include "core/journal.h"
#include "core/limits.h"

namespace lh::core {

namespace {

// A node that was silent for this long counts as down. Nodes send several heartbeats in that time;
// users are promised an answer about a dead bucket within a second.
constexpr base::Duration kSilenceMax = base::ms(800);
constexpr base::Duration kOrderAgainAfter = base::ms(250);

}  // namespace

Coordinator::Coordinator(const FileOptions& options, std::string address, uint64_t incarnation,
                         uint64_t buckets_max, base::Instant now)
    : options_(options) {
  LH_CHECK(incarnation != 0);
  nodes_[kSelf] = Node{incarnation, 1, buckets_max, {}, now, {}, true, false};
  say(kSelf, true, std::move(address));
  book_.set(0, kSelf);
}

bool Coordinator::is_up(NodeId id) const {
  const auto it = nodes_.find(id);
  return it != nodes_.end() && it->second.up;
}

void Coordinator::step(base::Instant now, const Message& message, Effects* effects) {
  wait_for_boot(effects);
  std::visit([&](const auto& m) { on(now, m, effects); }, message);
}

// ---------------------------------------------------------------------------------------- events

void Coordinator::commit(const CoordinatorEvent& event, Effects* effects) {
  const bool applied = std::visit([this](const auto& e) { return apply(e); }, event);
  LH_CHECK(applied);
  if (effects->keeps_journal()) append_event(effects->record(kNodeStream, &logged_), event);
}

bool Coordinator::apply(const NodeRegistered& e) {
  const auto value = static_cast<uint32_t>(e.id);
  if (value == 0 || value > kNodesMax) return false;
  Node& node = nodes_[e.id];
  if (node.incarnation != 0 && node.incarnation != e.incarnation) return false;
  if (e.incarnation == 0) node.up = false;
  node.incarnation = e.incarnation;
  node.buckets_max = e.buckets_max;
  say(e.id, node.up, e.address);
  return true;
}

bool Coordinator::apply(const CollisionsTakenIn& e) {
  if (e.bucket > bucket_count(state_)) return false;
  if (reports_.size() <= e.bucket) reports_.resize(e.bucket + 1);
  Reports& reports = reports_[e.bucket];
  if (e.collisions < reports.taken_in) return false;
  const uint64_t news = e.collisions - reports.taken_in;
  reports.taken_in = e.collisions;
  if (news == 0) return true;
  counters_.collisions += news;
  owed_ += news;
  debts_.push_back({e.bucket, e.collisions, news});
  return true;
}

bool Coordinator::apply(const SplitBegun&) {
  if (split_ || owed_ == 0 || next_bucket(state_) >= kBucketsMax) return false;
  --owed_;
  split_.emplace();
  split_->order.source = {state_.n, state_.i};
  split_->order.target = next_bucket(state_);
  return true;
}

bool Coordinator::apply(const SplitAttempted& e) {
  if (!split_ || e.split == 0 || nodes_.count(e.node) == 0) return false;
  split_number_ = std::max(split_number_, e.split);
  split_->attempts.push_back({e.split, e.node});
  aim_at(split_->attempts.back());
  return true;
}

bool Coordinator::apply(const SplitHandedOver& e) {
  if (!split_) return false;
  const auto attempt = std::find_if(split_->attempts.begin(), split_->attempts.end(),
                                    [&](const Attempt& a) { return a.split == e.split; });
  if (attempt == split_->attempts.end()) return false;
  aim_at(*attempt);
  split_->handed_over = true;
  return true;
}

bool Coordinator::apply(const SplitCompleted&) {
  if (!split_ || !split_->handed_over || debts_.empty()) return false;
  const SplitOrder& order = split_->order;
  LH_CHECK(order.target == next_bucket(state_));
  book_.set(order.target, order.target_node);
  state_ = after_split(state_);
  ++counters_.splits;
  split_.reset();
  Debt& first = debts_.front();
  if (--first.splits > 0) return true;
  reports_[first.bucket].done = first.collisions;
  debts_.pop_front();
  return true;
}

bool Coordinator::apply(const ReportsRestored& e) {
  if (e.bucket >= bucket_count(state_) + (split_ ? 1 : 0)) return false;
  if (reports_.size() <= e.bucket) reports_.resize(e.bucket + 1);
  Reports& reports = reports_[e.bucket];
  if (reports.taken_in != reports.done || e.collisions < reports.done) return false;
  counters_.collisions += e.collisions - reports.done;
  reports = {e.collisions, e.collisions};
  return true;
}

bool Coordinator::apply(const CoordinatorState& e) {
  if (e.file.n >> e.file.i != 0 || e.at.size() != bucket_count(e.file)) return false;
  if (split_ || e.reports.size() > e.at.size() + 1) return false;
  state_ = e.file;
  split_number_ = e.split_number;
  owed_ = e.owed;
  reports_ = e.reports;
  debts_ = {e.debts.begin(), e.debts.end()};
  counters_.splits = bucket_count(e.file) - 1;
  counters_.collisions = 0;
  for (const Reports& reports : reports_) counters_.collisions += reports.taken_in;
  for (auto& [id, node] : nodes_) node.buckets = 0;
  for (BucketNo a = 0; a < e.at.size(); ++a) {
    const auto node = nodes_.find(e.at[a]);
    if (node == nodes_.end()) return false;
    book_.set(a, e.at[a]);
    ++node->second.buckets;
  }
  return std::all_of(e.debts.begin(), e.debts.end(),
                     [&](const Debt& d) { return d.bucket < e.reports.size() && d.splits > 0; });
}

std::vector<std::string> Coordinator::snapshot() const {
  std::vector<std::string> records;
  const auto add = [&records](const CoordinatorEvent& event) {
    append_event(&records.emplace_back(), event);
  };
  for (const auto& [id, node] : nodes_) {
    add(NodeRegistered{id, node.incarnation, node.buckets_max, book_.node(id)->address});
  }
  CoordinatorState state;
  state.file = state_;
  state.split_number = split_number_;
  state.owed = splits_owed();
  state.reports = reports_;
  state.debts = {debts_.begin(), debts_.end()};
  for (BucketNo a = 0; a < bucket_count(state_); ++a) state.at.push_back(book_.locate(a));
  add(state);
  if (!split_) return records;
  add(SplitBegun{});
  for (const Attempt& attempt : split_->attempts) {
    add(SplitAttempted{attempt.split, attempt.target_node});
  }
  if (split_->handed_over) add(SplitHandedOver{split_->order.split});
  return records;
}

bool Coordinator::recover(std::string_view record) {
  CoordinatorEvent event;
  if (!is_event(record)) {
    Identity identity;
    if (take_kind(&record) != RecordKind::kIdentity || !read_identity(record, &identity)) {
      return false;
    }
    options_ = identity.options;
    return true;
  }
  if (!read_event(record, &event)) return false;
  return std::visit([this](const auto& e) { return apply(e); }, event);
}

void Coordinator::resume(base::Instant now, std::string address, uint64_t buckets_max,
                         const Boot& boot) {
  said_ = uint64_t{boot.number} << kSaidBits;
  boot_ = &boot;
  for (auto& [id, node] : nodes_) {
    node.heard_at = now;
    node.up = node.incarnation != 0;
    say(id, node.up, book_.node(id)->address);
    node.is_behind = true;  // who was down, as it was told, may be up
    known_[id] = 0;
  }
  nodes_.at(kSelf).buckets_max = buckets_max;
  announces_ = book_.node(kSelf)->address != address;
  say(kSelf, true, std::move(address));
}

// ----------------------------------------------------------------------------------------- nodes

NodeId Coordinator::find_incarnation(uint64_t incarnation) const {
  for (const auto& [id, node] : nodes_) {
    if (node.incarnation == incarnation) return id;
  }
  return NodeId::kNone;
}

void Coordinator::say(NodeId id, bool up, std::string address) {
  book_.set_node({id, up, std::move(address), ++said_});
}

std::vector<NodeEntry> Coordinator::all_nodes() const {
  std::vector<NodeEntry> all;
  for (const auto& [id, entry] : book_.nodes()) all.push_back(entry);
  return all;
}

void Coordinator::on(base::Instant now, const Register& m, Effects* effects) {
  if (m.incarnation == 0 || m.address.empty() || m.address.size() > kAddressBytesMax) {
    ++counters_.rejected;
    return;
  }
  NodeId id = find_incarnation(m.incarnation);
  if (id == NodeId::kNone) {
    if (is_known_by_name(m.id)) return look_into(now, m, effects);
    const auto last = static_cast<uint32_t>(nodes_.rbegin()->first);
    if (m.id != NodeId::kNone && misfits_.size() < kNodesMax) misfits_[m.id] = "nobody knew of it";
    if (last >= kNodesMax || m.id != NodeId::kNone) return refuse(m.from, effects);
    id = NodeId{last + 1};
  }
  admit(now, id, m, effects);
}

void Coordinator::refuse(const ReplyPath& path, Effects* effects) {
  ++counters_.rejected;
  effects->send(Destination::reply(), Registered{path, NodeId::kNone, options_, {}});
}

void Coordinator::admit(base::Instant now, NodeId id, const Register& m, Effects* effects) {
  const NodeEntry* known = book_.node(id);
  const auto registered = nodes_.find(id);
  const bool moved = known == nullptr || known->address != m.address;
  if (moved || registered->second.buckets_max != m.buckets_max ||
      registered->second.incarnation != m.incarnation) {
    commit(NodeRegistered{id, m.incarnation, m.buckets_max, std::string(m.address)}, effects);
  }
  Node& node = nodes_[id];
  node.heard_at = now;
  if (moved) node.unreachable_at = {};
  const bool was_up = std::exchange(node.up, is_reachable(now, node));
  if (node.up != was_up) say(id, node.up, std::string(m.address));
  known_[id] = 0;

  effects->after(logged_);
  BookPart whole = book_.part_from(0, kBookEntriesMax);
  whole.nodes = all_nodes();
  effects->send(Destination::reply(), Registered{m.from, id, options_, std::move(whole)});
  broadcast({0, {}, {*book_.node(id)}}, effects);
  grow(now, effects);  // there may be room now for a split that is owed
}

void Coordinator::on(base::Instant now, const Heartbeat& m, Effects* effects) {
  const auto it = nodes_.find(m.id);
  if (it == nodes_.end() || it->second.incarnation != m.incarnation) {
    ++counters_.rejected;  // a node of another coordinator's life: it has to register
    return;
  }
  it->second.heard_at = now;
  it->second.stats = m.stats;
  const bool returned = !it->second.up;
  if (is_reachable(now, it->second)) set_up(m.id, true, effects);
  known_[m.id] = m.known;
  BookPart part;
  if (m.known < book_.known()) part = book_.part_from(m.known, kBookEntriesMax);
  // What was said about nodes while this one was down was not said to it.
  if (std::exchange(it->second.is_behind, false) || returned) part.nodes = all_nodes();
  effects->send(Destination::to_node(m.id), BookUpdate{{}, std::move(part)});
}

bool Coordinator::is_reachable(base::Instant now, const Node& node) {
  return node.unreachable_at == base::Instant{} || now - node.unreachable_at > kSilenceMax;
}

void Coordinator::node_unreachable(base::Instant now, NodeId id, Effects* effects) {
  const auto it = nodes_.find(id);
  if (it == nodes_.end() || id == kSelf) return;
  wait_for_boot(effects);
  it->second.unreachable_at = now;
  set_up(id, false, effects);
}

void Coordinator::link_lost(NodeId id) {
  const auto it = nodes_.find(id);
  if (it != nodes_.end()) it->second.is_behind = true;
}

void Coordinator::set_up(NodeId id, bool up, Effects* effects) {
  Node& node = nodes_.at(id);
  if (node.up == up) return;
  node.up = up;
  say(id, up, book_.node(id)->address);
  broadcast({0, {}, {*book_.node(id)}}, effects);
}

void Coordinator::broadcast(const BookPart& part, Effects* effects) const {
  for (const auto& [id, node] : nodes_) {
    if (node.up) effects->send(Destination::to_node(id), BookUpdate{{}, part});
  }
}

void Coordinator::tick(base::Instant now, Effects* effects) {
  wait_for_boot(effects);
  if (std::exchange(announces_, false)) broadcast({0, {}, {*book_.node(kSelf)}}, effects);
  for (auto& [id, node] : nodes_) {
    // Its own node is as alive as the coordinator itself.
    if (id != kSelf && node.up && now - node.heard_at > kSilenceMax) set_up(id, false, effects);
  }
  if (split_ && !split_->handed_over && !is_up(split_->order.target_node)) {
    // Nothing was handed over yet, as far as is known here: another node may take it. Should the
    // source know better, it says so and the old target is waited for.
    const NodeId node = place();
    if (node != NodeId::kNone) choose_target(now, node, effects);
  } else if (split_ && now - split_->sent_at >= kOrderAgainAfter) {
    send_order(now, effects);
  }
  grow(now, effects);
  settle(effects);
}

// ---------------------------------------------------------------------------------------- growth

void Coordinator::on(base::Instant now, const Overflow& m, Effects* effects) {
  // A bucket may report before its split is known here to be done.
  const bool begun = split_ && m.bucket == split_->order.target;
  const NodeId at = begun ? split_->order.target_node : book_.locate(m.bucket);
  // Of what a node had reported before it came back nothing is known until it is looked into.
  if ((m.bucket >= bucket_count(state_) && !begun) || is_known_by_name(at)) {
    ++counters_.rejected;
    return;
  }
  if (reports_.size() <= m.bucket || m.collisions > reports_[m.bucket].taken_in) {
    commit(CollisionsTakenIn{m.bucket, m.collisions}, effects);
  }
  acknowledge(m.bucket, effects);
  grow(now, effects);
}

void Coordinator::acknowledge(BucketNo bucket, Effects* effects) const {
  const bool begun = split_ && bucket == split_->order.target;
  const NodeId at = begun ? split_->order.target_node : book_.locate(bucket);
  if (at == NodeId::kNone) return;  // its split will be known soon
  const Reports& reports = reports_[bucket];
  effects->after(logged_);
  effects->send(Destination::to_bucket(at, bucket),
                OverflowAck{bucket, reports.taken_in, reports.done});
}

// One that is full gets a bucket when all are: a file that does not grow would be of no use either.
NodeId Coordinator::place() const {
  NodeId best = NodeId::kNone;
  std::pair<bool, uint64_t> least;
  const auto consider = [&](NodeId id, const Node& node) {
    const std::pair<bool, uint64_t> load{node.stats.full, node.buckets};
    if (!node.has_room() || (best != NodeId::kNone && load >= least)) return;
    best = id;
    least = load;
  };
  for (const auto& [id, node] : nodes_) {
    if (id != kSelf) consider(id, node);
  }
  consider(kSelf, nodes_.at(kSelf));
  return best;
}

void Coordinator::grow(base::Instant now, Effects* effects) {
  if (split_ || owed_ == 0 || next_bucket(state_) >= kBucketsMax) return;
  const NodeId node = place();
  if (node == NodeId::kNone) return;
  commit(SplitBegun{}, effects);
  choose_target(now, node, effects);
}

void Coordinator::choose_target(base::Instant now, NodeId node, Effects* effects) {
  commit(SplitAttempted{split_number_ + 1, node}, effects);
  send_order(now, effects);
}

void Coordinator::aim_at(const Attempt& attempt) {
  SplitOrder& order = split_->order;
  if (order.target_node != NodeId::kNone) --nodes_.at(order.target_node).buckets;
  ++nodes_.at(attempt.target_node).buckets;
  order.target_node = attempt.target_node;
  order.split = attempt.split;
}

void Coordinator::send_order(base::Instant now, Effects* effects) {
  const NodeId source_node = book_.locate(split_->order.source.a);
  split_->sent_at = now;
  if (is_known_by_name(source_node)) return;  // what it has is looked at first
  SplitOrder order = split_->order;
  order.book = book_.part_from(known_[source_node], kBookEntriesMax);
  order.book.nodes.push_back(*book_.node(order.target_node));
  effects->after(logged_);
  effects->send(Destination::to_bucket(source_node, order.source.a), std::move(order));
}

void Coordinator::on(base::Instant now, const SplitDone& m, Effects* effects) {
  if (!split_ || m.source != split_->order.source.a) return;
  auto attempt = std::find_if(split_->attempts.begin(), split_->attempts.end(),
                              [&](const Attempt& a) { return a.split == m.split; });
  if (attempt == split_->attempts.end()) {
    // The repeated answer to an older split, or to an order that another life of this coordinator
    // gave and that was lost with it.
    if (m.target != split_->order.target || nodes_.count(m.target_node) == 0) return;
    commit(SplitAttempted{m.split, m.target_node}, effects);
    attempt = std::prev(split_->attempts.end());
  }
  if (!split_->handed_over || attempt->split != split_->order.split) {
    commit(SplitHandedOver{m.split}, effects);
  }
  if (m.live) complete(now, effects);
}

void Coordinator::complete(base::Instant now, Effects* effects) {
  const BucketNo target = split_->order.target;
  const NodeId node = split_->order.target_node;
  const BucketNo reporter = debts_.front().bucket;
  const bool paid = debts_.front().splits == 1;
  commit(SplitCompleted{}, effects);
  broadcast({target, {node}, {*book_.node(node)}}, effects);
  if (paid) acknowledge(reporter, effects);
  grow(now, effects);
  settle(effects);
}

// --------------------------------------------------------------------------------------- queries

void Coordinator::on(base::Instant, const BookQuery& m, Effects* effects) {
  effects->send(Destination::reply(),
                BookUpdate{m.from, book_.part_from(m.first, kBookEntriesMax)});
}

void Coordinator::on(base::Instant, const FileQuery& m, Effects* effects) {
  if (m.kind != FileQueryKind::kSettle) {
    effects->send(Destination::reply(), describe(m.from, m.query, m.kind));
    return;
  }
  std::erase_if(settlers_, [&m](const Settler& waiting) {  // it asks again
    return waiting.path.client == m.from.client && waiting.query == m.query;
  });
  if (settlers_.size() >= kSettlersMax) settlers_.erase(settlers_.begin());
  settlers_.push_back({m.from, std::string(m.from.listener), m.query});
  settle(effects);
}

FileReply Coordinator::describe(const ReplyPath& to, uint64_t query, FileQueryKind kind) const {
  FileReply reply{to, query, state_, options_, splits_owed(), {}, {}};
  if (kind != FileQueryKind::kNodes) return reply;
  for (const auto& [id, node] : nodes_) {
    NodeStats stats = node.stats;
    stats.buckets = node.buckets;
    reply.nodes.push_back({id, node.up, book_.node(id)->address, stats});
  }
  return reply;
}

void Coordinator::settle(Effects* effects) {
  if (settlers_.empty()) return;
  const std::string error = splits_owed() == 0 ? std::string() : obstacle();
  if (splits_owed() > 0 && error.empty()) return;
  // The effects are run before the next step: the listeners' copies may live in the old vector
  // until then.
  answered_ = std::exchange(settlers_, {});
  for (const Settler& settler : answered_) {
    ReplyPath path = settler.path;
    path.listener = settler.listener;
    FileReply reply = describe(path, settler.query, FileQueryKind::kSettle);
    reply.error = error;
    effects->send(Destination::reply(), std::move(reply));
  }
}

std::string Coordinator::obstacle() const {
  const std::string owed =
      base::format("%llu split%s owed", static_cast<unsigned long long>(splits_owed()),
                   splits_owed() == 1 ? "" : "s");
  if (!split_) return place() == NodeId::kNone ? "no node has room: " + owed : std::string();
  const SplitOrder& order = split_->order;
  BucketNo stuck = order.source.a;
  if (is_up(book_.locate(stuck))) {
    if (is_up(order.target_node)) return {};
    stuck = order.target;
    if (!split_->handed_over) return place() == NodeId::kNone ? "no node has room: " + owed : "";
  }
  return base::format("bucket %llu is down: ", static_cast<unsigned long long>(stuck)) + owed;
}

}  // namespace lh::core
