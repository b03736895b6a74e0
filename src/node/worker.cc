#include "node/worker.h"

#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "core/journal.h"
#include "core/limits.h"
#include "core/mail_order.h"
#include "node/inbound.h"
#include "node/look_ahead.h"
#include "wire/codec.h"
#include "wire/resp.h"

namespace lh::node {

namespace {

constexpr base::Duration kTickEvery = base::ms(50);
constexpr size_t kRequestsPerSlice = 512;

// A line of text is at most 64 KiB: what is unread beyond two of them is nobody's request.
constexpr size_t kTextInputMax = size_t{192} << 10;
// Behind a request that is refused for its size, or waits.
constexpr size_t kRespInputMax = wire::kRespRequestBytesMax + (size_t{1} << 20);

// Of all workers together: with a request or two of the largest kind on top it has to fit into the
// ballast of the data directory (storage/data_dir.h).
constexpr size_t kLogBytesMax = size_t{4} << 20;
constexpr size_t kLogBytesMin = size_t{128} << 10;  // of each

uint64_t random_of(const Shared& shared, size_t worker, uint64_t purpose) {
  uint64_t state = shared.random ^ (uint64_t{worker} << 32 | purpose);
  const uint64_t value = base::splitmix64(&state);
  return value != 0 ? value : 1;
}

}  // namespace

// --------------------------------------------------------------------------------------- set-up

Worker::Worker(Shared& shared, net::WorkerPool& pool, size_t index, Listener* listener)
    : shared_(shared),
      pool_(pool),
      loop_(pool.loop(index)),
      mailbox_(pool.mailbox(index)),
      index_(index),
      listener_(listener),
      log_(shared.log),
      feed_(shared.config.fsync),
      log_bytes_max_(std::max(kLogBytesMax / shared.config.workers, kLogBytesMin)),
      snapshots_(storage::SnapshotOutlet(shared.log, static_cast<uint32_t>(index))),
      front_(random_of(shared, index, 1), &server_),
      links_(loop_, *this, random_of(shared, index, 2)),
      sessions_(shared, index),
      chance_(random_of(shared, index, 3)) {
  new_group_.limits.input_max = kTextInputMax;
  text_group_.limits.input_max = kTextInputMax;
  resp_group_.limits.input_max = kRespInputMax;
  binary_group_.limits.input_max = core::kFrameBytesMax + 1024;
  for (net::ConnectionGroup* group : {&new_group_, &text_group_, &resp_group_, &binary_group_}) {
    group->gate = &gate_;
  }
  resp_group_.inputs = binary_group_.inputs = inputs_.connections();
  links_.set_self(NodeId::kNone, 0, shared.address);
  server_.set_placement(this);
  server_.set_place(static_cast<uint32_t>(index_), static_cast<uint32_t>(pool.size()));
  links_.set_coordinator(shared.config.coordinator_address);
  const NodeConfig& config = shared_.config;
  if (config.coordinator && index_ == kCoordinatorWorker) {
    coordinator_ = std::make_unique<core::Coordinator>(
        shared_.file(), shared_.address, shared_.incarnation, config.buckets_max, loop_.now());
  }
}

Worker::~Worker() = default;

bool Worker::claim(BucketNo a) { return shared_.owners.claim(a, index_) == index_; }

void Worker::on_recovered(BucketNo a) { shared_.owners.give(a, index_); }

bool Worker::recover(uint64_t stream, std::string_view record) {
  if (stream != core::kNodeStream) return server_.recover(stream, record);
  // The coordinator's events were in the log of the worker that has it.
  if (core::is_event(record)) return coordinator_ != nullptr && coordinator_->recover(record);
  if (coordinator_ && core::is_identity(record) && !coordinator_->recover(record)) return false;
  return server_.recover(stream, record);
}

void Worker::start(const Past& past) {
  mailbox_.set_handler(*this);
  loop_.add_hook(*this);
  if (log_ != nullptr) feed_.begin(past.next_record);
  gate_.release(feed_.durable());
  server_.set_unix_offset(base::unix_offset());
  const bool returns = joined();
  {
    Lease effects(*this);
    server_.resume(past.boot, effects.get());
  }
  if (returns) serve();
  if (shared_.config.coordinator) {
    start_file(returns);
  } else if (index_ == kCoordinatorWorker) {
    // Each worker writes the number to a log of its own: a death may leave it in some of them.
    member_ = std::make_unique<core::Member>(shared_.incarnation, shared_.address,
                                             shared_.config.buckets_max, past.node);
  }
  loop_.post([this] { tick(); });
}

void Worker::configure(NodeId id, const core::FileOptions& options, const core::BookPart& book) {
  const bool fresh = !joined();
  {
    Lease effects(*this);
    if (fresh) server_.configure(id, options, effects.get());
    server_.learn(book, effects.get());
    // The node goes on above all numbers of the one that was lost.
    if (fresh && rebuilds()) server_.resume(boot_of(book), effects.get());
  }
  if (!fresh) return;
  if (log_ != nullptr && index_ == kCoordinatorWorker) log_->set_node(id);
  serve();
}

// The node has its number, and the worker knows the file.
void Worker::serve() {
  const NodeId id = server_.self();
  links_.set_self(id, server_.options().id, shared_.address);
  front_.configure(id, LinkToken{static_cast<uint8_t>(index_), 0, 0}.packed());
  front_.client().configure(server_.options(), server_.book().part_from(0, core::kBookEntriesMax));
  if (shared_.joined.fetch_add(1) + 1 == pool_.size() && listener_ != nullptr) {
    listener_->on_joined();
  }
}

void Worker::stop() {
  if (log_ != nullptr) feed_.finish(log_, static_cast<uint32_t>(index_));
  loop_.remove_hook(*this);
  links_.close_all();
  sessions_.clear();
}

// ------------------------------------------------------------------------------------- effects

core::Effects* Worker::add_effects() {
  effects_.push_back(std::make_unique<core::Effects>());
  effects_.back()->keep_journal(log_ != nullptr);
  ++depth_;
  return effects_.back().get();
}

uint64_t Worker::write_journal(core::Effects* effects) {
  if (log_ == nullptr) return 0;
  return effects->write_journal(
      [this](uint64_t stream, std::string_view record) { return feed_.append(stream, record); });
}

void Worker::run(core::Effects* effects) {
  turn_wanted_ |= effects->turn_wanted();
  const uint64_t place = write_journal(effects);
  for (const core::Outgoing& outgoing : effects->sends()) {
    route(outgoing, {place, answers_are_durable() || core::is_promise(outgoing.message)});
  }
}

void Worker::route(const core::Outgoing& outgoing, const core::Wait& wait) {
  if (wait.durable) feed_.want_durable(wait.place);
  if (wait.durable == answers_are_durable() && is_for_own_connection(outgoing)) {
    const net::OutputBarrier scope(gate_, wait.place);
    return deliver_to_link(outgoing.message);
  }
  const bool over = wait.is_over(progress());
  if (over && held_.empty()) return dispatch(outgoing);
  const uint64_t lane = core::lane_of(outgoing);
  if (over && !held_.holds(lane)) return dispatch(outgoing);
  held_.add(lane, wait, outgoing);
}

// The answer to a request that came in here: straight into its connection's output.
bool Worker::is_for_own_connection(const core::Outgoing& outgoing) const {
  if (outgoing.to.kind != core::Destination::Kind::kReply) return false;
  const core::ReplyPath* path = core::reply_path(outgoing.message);
  if (path == nullptr || path->entry != server_.self()) return false;
  const LinkToken token = LinkToken::unpack(path->link);
  return token.worker == index_ && token.slot != 0;
}

void Worker::dispatch(const core::Outgoing& outgoing) {
  const core::Message& message = outgoing.message;
  switch (outgoing.to.kind) {
    case core::Destination::Kind::kReply:
      return route_reply(message);
    case core::Destination::Kind::kBucket:
      if (outgoing.to.node != server_.self()) return send_to_node(outgoing.to.node, message);
      return mail(find_target(message, index_, &shared_.owners, has_coordinator()).worker, message);
    case core::Destination::Kind::kNode:
      if (outgoing.to.node != server_.self()) return send_to_node(outgoing.to.node, message);
      return mail_all(message);
    case core::Destination::Kind::kCoordinator:
      if (has_coordinator()) return mail(kCoordinatorWorker, message);
      // A registration is answered on the connection that it came by.
      links_.coordinator().send(message, std::holds_alternative<core::Register>(message)
                                             ? wire::Routing::kDirect
                                             : wire::Routing::kRouted);
      return;
  }
}

void Worker::route_reply(const core::Message& message) {
  const core::ReplyPath* path = core::reply_path(message);
  if (path == nullptr) return;  // a peer asked for the map and did not say who it is
  if (path->entry == server_.self()) {
    const size_t worker = LinkToken::unpack(path->link).worker;
    if (worker < pool_.size()) mail(worker, message);
    return;
  }
  if (!path->listener.empty()) {
    links_.client(path->listener).send(message, wire::Routing::kRouted);
  } else {
    send_to_node(path->entry, message);
  }
}

void Worker::send_to_node(NodeId node, const core::Message& message) {
  // The coordinator hears of addresses first, the front last.
  const core::NodeEntry* entry = coordinator_ ? coordinator_->book().node(node) : nullptr;
  if (entry == nullptr) entry = server_.book().node(node);
  if (entry == nullptr) entry = front_.client().book().node(node);
  if (entry == nullptr) {
    LH_LOG_LIMITED(kWarn, "node", "no address", loop_.now())
        .kv("node", static_cast<uint32_t>(node));
    return;
  }
  links_.node(node, entry->address).send(message, wire::Routing::kRouted);
}

void Worker::mail(size_t worker, const core::Message& message) {
  crowded_ |= !mailbox_.has_room(worker);
  wire::encode(message, wire::Routing::kRouted, &mailbox_.open_batch(worker));
}

void Worker::mail_all(const core::Message& message) {
  for (size_t worker = 0; worker < pool_.size(); ++worker) mail(worker, message);
}

// ------------------------------------------------------------------------------ what comes in

bool Worker::accept(const core::Message& message) {
  // Only the coordinator gives a node its number, along the node's own link to it.
  if (std::holds_alternative<core::Registered>(message)) return true;
  crowded_ = false;
  const Target target = find_target(message, index_, &shared_.owners, has_coordinator());
  if (target.party == Party::kNobody) return true;
  if (target.worker >= pool_.size()) return true;  // a token of no connection of ours
  if (target.party == Party::kEveryServer) {
    mail_all(message);
  } else if (target.worker == index_) {
    handle(message, target.party);
  } else {
    mail(target.worker, message);
  }
  return !crowded_;
}

void Worker::on_mail(size_t, std::string_view frames) {
  while (!frames.empty()) {
    const wire::FrameStatus status = mail_.parse(frames);
    LH_CHECK(status == wire::FrameStatus::kFrame, mail_.error());
    look_ahead(&server_, &mail_);
    for (size_t k = 0; k < mail_.size(); ++k) {
      const core::Message& message = mail_[k].message;
      handle(message, find_target(message, index_, &shared_.owners, has_coordinator()).party);
      frames.remove_prefix(mail_[k].size);
    }
  }
}

void Worker::handle(const core::Message& message, Party party) {
  if (rebuild_ && party == Party::kCoordinator) return step_rebuild(message);
  const bool is_first = std::holds_alternative<core::Registered>(message) ||
                        std::holds_alternative<core::StandingQuery>(message);
  if (!joined() && !is_first) return;
  switch (party) {
    case Party::kServer:
    case Party::kEveryServer: {
      ++requests_;
      if (const auto* update = std::get_if<core::BookUpdate>(&message)) {
        front_.client().book().learn(update->book);
        if (member_) member_->on_answer();
      }
      Lease effects(*this);
      return server_.step(loop_.now(), message, effects.get());
    }
    case Party::kCoordinator: {
      if (!coordinator_) return;
      Lease effects(*this);
      return coordinator_->step(loop_.now(), message, effects.get());
    }
    case Party::kLink:
      if (const auto* m = std::get_if<core::Registered>(&message); m && m->to.link == 0) {
        return configure(m->id, m->options, m->book);
      }
      return deliver_to_link(message);
    case Party::kNobody:
      return;
  }
}

void Worker::deliver_to_link(const core::Message& message) {
  const core::ReplyPath* path = core::reply_path(message);
  if (path == nullptr) return;
  const LinkToken token = LinkToken::unpack(path->link);
  if (token.slot == 0) {
    Lease effects(*this);
    return front_.client().step(loop_.now(), message, effects.get());
  }
  if (Session* s = sessions_.find(token)) s->deliver(message);
}

// --------------------------------------------------------------------------------------- links

bool Worker::on_link_message(link::PeerLink& link, core::Message& message) {
  if (auto* m = std::get_if<core::Registered>(&message)) {
    if (Links::kind(link) == LinkKind::kCoordinator && member_) on_registered(*m);
    return true;
  }
  if (std::holds_alternative<core::Error>(message)) return true;
  // Whoever answers along a link is a node. It is little, so nobody has to wait for room.
  if (Links::kind(link) != LinkKind::kClient) accept(message);
  return true;
}

void Worker::on_registered(const core::Registered& m) {
  const core::BookPart& book = m.book;
  const bool has_first = book.first == 0 && !book.at.empty() && book.at[0] != NodeId::kNone;
  if (m.id != NodeId::kNone && !has_first) {
    LH_LOG_LIMITED(kError, "node", "the coordinator does not say where the file is", loop_.now())
        .kv("coordinator", shared_.config.coordinator_address);
    return;
  }
  switch (member_->on_registered(m)) {
    case core::Member::Outcome::kRefused:
      LH_LOG_LIMITED(kError, "node", "the coordinator does not know this node's file", loop_.now())
          .kv("coordinator", shared_.config.coordinator_address);
      return;
    case core::Member::Outcome::kKnown:
      LH_LOG(kInfo, "node", "registered again").kv("node", static_cast<uint32_t>(m.id));
      break;
    case core::Member::Outcome::kJoined:
      LH_LOG(kInfo, "node", "registered").kv("node", static_cast<uint32_t>(m.id));
      break;
  }
  // Everyone takes it from the mail, in order with what the coordinator sends next.
  core::Registered to_workers = m;
  to_workers.to = {};
  mail_all(to_workers);
}

void Worker::on_link_up(link::PeerLink& link) {
  if (Links::kind(link) != LinkKind::kCoordinator || !member_) return;
  Lease effects(*this);
  member_->on_connected(loop_.now(), effects.get());
}

void Worker::on_link_down(link::PeerLink& link) {
  switch (Links::kind(link)) {
    case LinkKind::kNode:
      unreachable_.insert(Links::node_id(link));
      if (coordinator_) coordinator_->link_lost(Links::node_id(link));
      return;
    case LinkKind::kCoordinator:
      coordinator_unreachable_ = true;
      return look_for_coordinator();
    case LinkKind::kClient:
      return;
  }
}

// It may have come back elsewhere, and said so to all nodes: where it was configured to be and
// where it said it is take turns.
void Worker::look_for_coordinator() {
  const std::string& configured = shared_.config.coordinator_address;
  const core::NodeEntry* told = server_.book().node(core::Coordinator::kSelf);
  const bool elsewhere = told != nullptr && links_.coordinator_address() == configured;
  links_.set_coordinator(elsewhere ? told->address : configured);
}

void Worker::on_undeliverable(link::PeerLink& link, const core::Message& message) {
  const LinkKind kind = Links::kind(link);
  if (kind == LinkKind::kCoordinator) {
    coordinator_unreachable_ = true;
    return;
  }
  if (kind == LinkKind::kNode && coordinator_) {
    Lease effects(*this);
    coordinator_->node_unreachable(loop_.now(), Links::node_id(link), effects.get());
  }
  const core::ReplyPath* path = core::reply_path(message);
  if (path != nullptr) {
    // The client's own port cannot be reached: by way of the node that it is connected to.
    if (kind == LinkKind::kClient) send_to_node(path->entry, message);
    return;
  }
  give_back(Links::node_id(link), message);
}

// A message that asks a node which cannot be reached.
void Worker::give_back(NodeId node, const core::Message& message) {
  if (const auto* request = std::get_if<core::Request>(&message);
      request != nullptr && request->hops == 0 && is_own_front(request->from)) {
    unreachable_.insert(node);  // the front decides how long to try
    return;
  }
  Lease effects(*this);
  server_.undeliverable(loop_.now(), message, effects.get());
}

bool Worker::is_own_front(const core::ReplyPath& path) const {
  return path.client == front_.client().id();
}

// ------------------------------------------------------------------------------------ sessions

void Worker::adopt(net::Socket socket) {
  if (draining_) return;
  shared_.clients.fetch_add(1);
  const LinkToken token = sessions_.add();
  if (shared_.client_count() > shared_.config.clients_max) sessions_.add_late(token, loop_.now());
  sessions_.replace(token, std::make_unique<Inbound>(*this, token, std::move(socket)));
}

void Worker::on_mail_room(size_t) { end_waits(); }

void Worker::end_waits() {
  const std::vector<LinkToken> waiting = std::exchange(waiting_for_room_, {});
  for (const LinkToken token : waiting) {
    if (Session* s = sessions_.find(token)) s->resume();
  }
}

// ------------------------------------------------------------------------------------- the log

void Worker::on_logged(uint64_t written, uint64_t durable, storage::LogBatch emptied) {
  loop_.post([this, written, durable, batch = std::move(emptied)]() mutable {
    feed_.on_logged(written, durable, std::move(batch));
    pace_.on_durable(loop_.now(), feed_.last());
    take_progress();
  });
}

void Worker::on_synced(uint64_t durable) {
  loop_.post([this, durable] {
    feed_.on_synced(durable);
    take_progress();
  });
}

void Worker::take_progress() {
  snapshots_.on_logged(feed_.written());
  gate_.release(answers_are_durable() ? feed_.durable() : feed_.written());
  held_.release(progress(), [this](const core::Outgoing& outgoing) { dispatch(outgoing); });
  if (log_has_room()) end_waits();
}

void Worker::on_snapshot_written(bool ok, storage::LogBatch emptied) {
  loop_.post([this, ok, batch = std::move(emptied)]() mutable {
    snapshots_.outlet().take_back(std::move(batch));
    snapshots_.on_written(ok);
  });
}

void Worker::on_snapshot_installed(bool) {
  loop_.post([this] { snapshots_.on_installed(); });
}

void Worker::before_sleep() {
  if (log_ == nullptr || !feed_.is_ready() || !may_hand_over()) return;
  if (!feed_.empty()) snapshots_.add_log_bytes(feed_.bytes());
  pace_.on_handed_over(loop_.now(), feed_.last());
  feed_.hand_over(log_, static_cast<uint32_t>(index_));
}

bool Worker::may_hand_over() {
  if (!answers_are_durable() || pace_.is_due(loop_.now(), feed_.last())) return true;
  if (std::exchange(pause_ends_, true)) return false;
  loop_.call_at(pace_.due_at(), [this] { pause_ends_ = false; });
  return false;
}

// ----------------------------------------------------------------------------------- the clock

void Worker::take_in() {
  inputs_.deliver(&front_);
  sessions_.bury();
  count_memory();
  for (const NodeId node : std::exchange(unreachable_, {})) {
    Lease effects(*this);
    front_.client().node_unreachable(loop_.now(), node, effects.get());
  }
  if (std::exchange(coordinator_unreachable_, false)) {
    Lease effects(*this);
    front_.client().coordinator_unreachable(loop_.now(), effects.get());
  }
  // Long work gets its share of a busy worker: a file that grows has to split as fast as records
  // come in. One slice is about as much work as kRequestsPerSlice requests.
  for (size_t slices = 1 + std::exchange(requests_, 0) / kRequestsPerSlice;
       slices > 0 && std::exchange(turn_wanted_, false); --slices) {
    Lease effects(*this);
    server_.turn(loop_.now(), effects.get());
  }
  if (snapshots_.has_work()) snapshots_.turn(&server_, feed_.last());
}

bool Worker::has_work() const {
  return turn_wanted_ || snapshots_.has_work() || coordinator_unreachable_ ||
         !unreachable_.empty() || sessions_.has_ended();
}

// Once a turn: what comes in one is what a node may get beyond its bound.
void Worker::count_memory() {
  const uint64_t bytes = server_.table_bytes() + remembered_;
  if (bytes != counted_) shared_.memory.fetch_add(bytes - std::exchange(counted_, bytes));
  const uint64_t max = shared_.config.memory_max;
  if (max > 0) server_.set_full(shared_.memory.load(std::memory_order_relaxed) > max);
  if (log_ != nullptr) server_.set_disk_full(!log_->has_room());
}

void Worker::tick() {
  loop_.call_after(kTickEvery, [this] { tick(); });
  const base::Instant now = loop_.now();
  server_.set_unix_offset(base::unix_offset());
  if (rebuild_) tick_rebuild(now);
  {
    Lease effects(*this);
    server_.tick(now, effects.get());
    if (coordinator_ && !rebuild_) coordinator_->tick(now, effects.get());
    front_.client().tick(now, effects.get());
  }
  if (log_ != nullptr && joined()) snapshots_.look(server_, coordinator_.get(), feed_.last());
  if (shared_.config.memory_max > 0) remembered_ = server_.remembered_bytes();
  report_stats();
  if (member_) beat();
  links_.tick(now);
  sessions_.tick(now);
  if (coordinator_ && !rebuild_) coordinator_log_.look(now, *coordinator_);
  if (index_ == kCoordinatorWorker) trimmer_.tick(now, shared_.results);
}

void Worker::report_stats() {
  const core::NodeStats stats = server_.stats();
  WorkerReport& report = shared_.reports[index_];
  report.buckets.store(stats.buckets, std::memory_order_relaxed);
  report.records.store(stats.records, std::memory_order_relaxed);
  report.bytes.store(stats.bytes, std::memory_order_relaxed);
  report.requests.store(server_.counters().requests, std::memory_order_relaxed);
  report.expired.store(server_.expired(), std::memory_order_relaxed);
  report.full.store(stats.full, std::memory_order_relaxed);
  uint64_t unread = 0;
  for (const net::ConnectionGroup* group : {&text_group_, &resp_group_, &binary_group_}) {
    unread += group->closed[static_cast<size_t>(net::CloseReason::kOutputLimit)];
  }
  report.unread.store(unread, std::memory_order_relaxed);
  report.known.store(server_.book().known(), std::memory_order_release);
}

void Worker::beat() {
  if (!has_coordinator()) {
    links_.coordinator().connect();
    if (!joined() && !links_.coordinator().is_up()) listener_->on_coordinator_unreachable();
  }
  core::NodeStats sum;
  uint64_t known = ~uint64_t{0};
  for (const WorkerReport& report : shared_.reports) {
    sum.buckets += report.buckets.load(std::memory_order_relaxed);
    sum.records += report.records.load(std::memory_order_relaxed);
    sum.bytes += report.bytes.load(std::memory_order_relaxed);
    sum.full |= report.full.load(std::memory_order_relaxed);
    // The least of all: what the coordinator need not repeat is what every worker has.
    known = std::min(known, report.known.load(std::memory_order_acquire));
  }
  Lease effects(*this);
  member_->tick(loop_.now(), known, sum, effects.get());
}

// ----------------------------------------------------------------------------------------- end

void Worker::drain() {
  draining_ = true;
  sessions_.drain();
}

}  // namespace lh::node
