#include "sim/sim_shell.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/strings.h"
#include "core/limits.h"
#include "core/mail_order.h"
#include "sim/canary.h"
#include "sim/routing.h"
#include "wire/codec.h"

namespace lh::sim {

namespace {

using base::Duration;
using base::ms;
using base::us;
using core::Message;

constexpr Duration kTickEvery = ms(50);
constexpr Duration kTickJitter = ms(10);
constexpr Duration kTurnWithin = us(300);
constexpr Duration kMailWithin = us(200);
constexpr Duration kReconnectAfter = ms(100);
// Answers to text clients that a worker gave on the spot.
constexpr uint64_t kTextLane = ~uint64_t{0} - 1;

uint64_t random_id(World* world) { return world->prng.next() | 1; }

std::string encode(const Message& message, wire::Routing routing) {
  std::string frame;
  wire::encode(message, routing, &frame);
  return frame;
}

}  // namespace

// --------------------------------------------------------------------------------------- set-up

SimShell::Worker::Worker(SimShell* shell, size_t number)
    : owner(shell),
      index(number),
      sink(shell->config_.sinks[number % shell->config_.sinks.size()]),
      front(random_id(shell->shared_.world), sink),
      mail_at(shell->config_.workers) {
  server.set_placement(this);
  server.set_unix_offset(kUnixOffset);
  server.set_place(static_cast<uint32_t>(number), static_cast<uint32_t>(shell->config_.workers));
  if (shell->disk_ == nullptr) return;
  effects.keep_journal(true);
  log = std::make_unique<SimLog>(
      shell->shared_.world, shell->disk_, static_cast<uint32_t>(number), &server,
      [shell](Duration delay, Action action) { shell->later(delay, std::move(action)); });
}

SimShell::SimShell(const SimParts& shared, Config config)
    : shared_(shared), config_(std::move(config)), process_(config_.process), disk_(config_.disk) {
  for (size_t w = 0; w < config_.workers; ++w) {
    workers_.push_back(std::make_unique<Worker>(this, w));
  }
  office_effects_.keep_journal(disk_ != nullptr);
  if (process_ != shared_.coordinator) return;
  const Options& o = shared_.world->options;
  coordinator_ = std::make_unique<core::Coordinator>(
      core::FileOptions{o.capacity, o.hash, core::SplitPolicy::kUncontrolled, config_.incarnation},
      address_of(process_), config_.incarnation, 0, shared_.world->now());
}

SimShell::~SimShell() = default;

Status SimShell::recover() {
  return disk_->recover(
      [this](const core::RecordSource& source, uint64_t stream, std::string_view record) {
        return recover_record(source, stream, record);
      });
}

Status SimShell::open_logs(const Action& on_failed) {
  std::vector<storage::LogListener*> listeners;
  for (const auto& w : workers_) listeners.push_back(w->log.get());
  Status status = disk_->start(
      std::move(listeners),
      {[this](Duration delay, Action action) { later(delay, std::move(action)); }, on_failed});
  if (!status.ok()) return status;
  storage::DataDir& dir = disk_->dir();
  for (const auto& w : workers_) {
    w->log->begin(dir.log(static_cast<uint32_t>(w->index))->next_sequence());
    if (dir.needs_snapshots()) w->log->want_snapshot();
  }
  return {};
}

void SimShell::start() {
  const bool returns = id() != NodeId::kNone;
  started_ = true;
  uint32_t boot = 0;
  NodeId known = NodeId::kNone;  // by whoever of the workers had it on the disk
  for (const auto& w : workers_) {
    boot = std::max(boot, w->server.boot().number);
    if (w->server.self() != NodeId::kNone) known = w->server.self();
  }
  for (size_t w = 0; w < workers_.size(); ++w) {
    Worker* worker = workers_[w].get();
    const bool joined = worker->server.self() != NodeId::kNone;
    worker->server.resume(disk_ == nullptr ? 0 : boot + 1, &worker->effects);
    run_effects(worker, &worker->effects);
    if (joined) serve(worker);
    schedule_tick(w);
  }
  if (coordinator_ == nullptr) {
    member_ = std::make_unique<core::Member>(config_.incarnation, address_of(process_),
                                             shared_.world->options.buckets_max, known);
    link_to(workers_[0].get(), shared_.coordinator);
  } else {
    start_coordinator(returns);
  }
  for (const auto& w : workers_) run(w.get(), false);
}

void SimShell::configure(NodeId id, const core::FileOptions& options, const core::BookPart& book) {
  for (auto& w : workers_) {
    const bool fresh = w->server.self() == NodeId::kNone;
    if (fresh) w->server.configure(id, options, &w->effects);
    w->server.learn(book, &w->effects);
    if (fresh && config_.rebuilds) {
      w->server.resume(workers_[core::kCoordinatorWorker]->server.boot().number, &w->effects);
    }
    if (fresh) serve(w.get());
    run_effects(w.get(), &w->effects);
    if (fresh && disk_ != nullptr && w->index == core::kCoordinatorWorker) disk_->set_node(id);
  }
}

// The worker has the node's number, and knows the file.
void SimShell::serve(Worker* w) {
  w->front.set_reply_path({w->front.id(), w->server.self(), w->index + 1, {}});
  w->front.configure(w->server.options(), w->server.book().part_from(0, core::kBookEntriesMax));
}

// -------------------------------------------------------------------------------- what comes in

bool SimShell::on_accepted(LinkId link, ProcessId from) {
  if (!started_) return false;
  links_[link] = {from, shared_.world->prng.below(workers_.size()), false, 0, {}};
  return true;
}

void SimShell::on_connected(LinkId link) {
  const LinkInfo& info = links_.at(link);
  if (info.worker != 0 || info.peer != shared_.coordinator) return;
  member_->on_connected(now(), &office_effects_);
  run(workers_[0].get(), false);
}

void SimShell::on_frame(LinkId link, std::string_view bytes) {
  const wire::Frame frame = wire::next_frame(bytes);
  Message message;
  if (frame.status != wire::FrameStatus::kFrame || frame.size != bytes.size()) {
    return shared_.world->fail("a frame arrived that is none");
  }
  if (const Status status = wire::decode(frame, &message); !status.ok()) {
    return shared_.world->fail("a frame cannot be decoded: " + std::string(status.message()));
  }
  LinkInfo& info = links_.at(link);
  if (const auto* hello = std::get_if<core::Hello>(&message)) return on_hello(link, &info, *hello);
  if (info.client != 0 && !wire::client_may_send(frame.type, frame.routing)) {
    return shared_.world->fail("a client sent what it may not: " + core::to_string(message));
  }
  if (const auto* m = std::get_if<core::Registered>(&message)) return on_registered(*m);
  core::ReplyPath* path = path_of(&message);
  if (path != nullptr && frame.routing == wire::Routing::kDirect) {
    *path = {info.client, id(), link, info.listener};
  }
  accept(info.worker, message);
}

void SimShell::on_hello(LinkId link, LinkInfo* info, const core::Hello& hello) {
  if (hello.kind != core::PeerKind::kClient) return;
  info->client = hello.client;
  info->listener = hello.listener;
  if (rebuild_) return shared_.network->break_link(link);
  if (id() == NodeId::kNone) return;
  const core::Server& server = workers_[info->worker]->server;
  core::Welcome welcome{id(), server.options(), server.book().part_from(0, 1)};
  shared_.network->send(link, process_, encode(welcome, wire::Routing::kDirect));
}

void SimShell::on_registered(const core::Registered& m) {
  if (member_->on_registered(m) == core::Member::Outcome::kRefused) {
    const bool is_forgotten = shared_.world->counters[Count::kRebuilt] > 0 && !has_buckets();
    if (is_forgotten) return config_.on_refused();
    return shared_.world->fail("a node was refused by the coordinator that knows it");
  }
  if (id() == NodeId::kNone) shared_.world->counters.add(Count::kNodesJoined);
  configure(m.id, m.options, m.book);
}

// Which worker of this node is to have the message.
size_t SimShell::owner_of(const Message& message, size_t here) {
  switch (party_of(message, coordinator_ != nullptr)) {
    case Party::kCoordinator:
      return 0;
    case Party::kServer: {
      const std::optional<BucketNo> bucket = bucket_of(message);
      if (!bucket) return here;
      if (std::holds_alternative<core::SplitRecords>(message)) {
        return home_of(*bucket);
      }
      const auto it = owners_.find(*bucket);
      return it == owners_.end() ? here : it->second;
    }
    case Party::kPath: {
      const LinkId link = path_of(message)->link;
      // Perhaps of a front that an earlier life of this node had.
      if (link < kFirstLink) return link <= workers_.size() ? link - 1 : here;
      const auto it = links_.find(link);
      return it == links_.end() ? here : it->second.worker;
    }
    case Party::kEveryServer:
    case Party::kNobody:
      return here;
  }
  LH_UNREACHABLE();
}

void SimShell::accept(size_t worker, const Message& message) {
  if (party_of(message, coordinator_ != nullptr) == Party::kEveryServer) {
    for (size_t w = 0; w < workers_.size(); ++w) mail(worker, w, message);
    return;
  }
  const size_t owner = owner_of(message, worker);
  if (owner == worker) return handle(worker, message);
  mail(worker, owner, message);
}

void SimShell::handle(size_t worker, const Message& message) {
  Worker* w = workers_[worker].get();
  const Party party = party_of(message, coordinator_ != nullptr);
  // It has no file yet: it asks, and hears what it is told.
  const bool asks = std::holds_alternative<core::StandingQuery>(message);
  if (rebuild_ && party != Party::kCoordinator && !asks) return;
  switch (party) {
    case Party::kEveryServer:
      if (worker == 0 && member_ != nullptr) member_->on_answer();
      step_front(w, message);
      [[fallthrough]];
    case Party::kServer:
      return step_server(w, message);
    case Party::kCoordinator:
      if (coordinator_ == nullptr) {
        return shared_.world->fail("a message for the coordinator reached another node");
      }
      rebuild_ ? rebuild_->step(now(), message, &office_effects_)
               : coordinator_->step(now(), message, &office_effects_);
      return run(w, false);
    case Party::kPath:
      return deliver_along_path(worker, message);
    case Party::kNobody:
      return;
  }
}

void SimShell::step_server(Worker* w, const Message& message) {
  shared_.watch->on_input(w->server, message);
  const size_t buckets = w->server.buckets().size();
  if (disk_ != nullptr) w->server.set_disk_full(!disk_->has_room());
  w->server.step(now(), message, &w->effects);
  if (w->server.buckets().size() < buckets) shared_.world->counters.add(Count::kDropped);
  run(w, true);
}

void SimShell::step_front(Worker* w, const Message& message) {
  const FileState before = w->front.image();
  w->front.step(now(), message, &w->effects);
  shared_.checker->check_image(before, w->front.image());
  run(w, false);
}

void SimShell::deliver_along_path(size_t worker, const Message& message) {
  const core::ReplyPath& path = *path_of(message);
  if (path.link < kFirstLink) {
    Worker* w = workers_[worker].get();
    if (path.client == w->front.id()) step_front(w, message);
    return;
  }
  shared_.network->send(path.link, process_, encode(message, wire::Routing::kDirect));
}

// --------------------------------------------------------------------------------- what goes out

void SimShell::run(Worker* w, bool of_server) {
  run_effects(w, &office_effects_);
  run_effects(w, &w->effects);
  if (of_server) shared_.checker->after_step(w->server);
}

void SimShell::run_effects(Worker* w, core::Effects* effects) {
  const uint64_t place = w->log != nullptr ? w->log->write(effects) : 0;
  for (const core::Outgoing& outgoing : effects->sends()) {
    shared_.watch->on_sent(outgoing.message);
    Canary* canary = shared_.world->canary;
    if (canary == nullptr) {
      leave(w, outgoing, place);
      continue;
    }
    core::Outgoing sent = outgoing;
    std::vector<core::Outgoing> extra;
    if (canary->tamper(id(), &sent.message, &extra)) leave(w, sent, place);
    for (const core::Outgoing& more : extra) leave(w, more, place);
  }
  if (effects->turn_wanted() && !w->turn_pending) {
    w->turn_pending = true;
    later(random_up_to(&shared_.world->prng, kTurnWithin),
          [this, index = w->index] { turn(index); });
  }
  effects->clear();
}

// At once, or when what it tells of is on the disk.
void SimShell::leave(Worker* w, const core::Outgoing& outgoing, uint64_t place) {
  if (w->log == nullptr) return route(w, outgoing);
  const core::Wait wait = w->log->wait_for(place, core::is_promise(outgoing.message));
  const uint64_t lane = core::lane_of(outgoing);
  if (w->log->lets_pass(lane, wait)) return route(w, outgoing);
  std::string frame = encode(outgoing.message, wire::Routing::kRouted);
  w->log->hold(lane, wait, [this, w, to = outgoing.to, frame = std::move(frame)] {
    core::Outgoing released{to, {}};
    LH_CHECK(wire::decode(wire::next_frame(frame), &released.message).ok());
    route(w, released);
  });
}

void SimShell::route(Worker* w, const core::Outgoing& outgoing) {
  const Message& message = outgoing.message;
  switch (outgoing.to.kind) {
    case core::Destination::Kind::kReply:
      return route_reply(w, message, true);
    case core::Destination::Kind::kBucket:
      if (outgoing.to.node != w->server.self()) return send_to_node(w, outgoing.to.node, message);
      return mail(w->index, owner_of(message, w->index), message);
    case core::Destination::Kind::kNode:
      if (outgoing.to.node != w->server.self()) return send_to_node(w, outgoing.to.node, message);
      for (size_t to = 0; to < workers_.size(); ++to) mail(w->index, to, message);
      return;
    case core::Destination::Kind::kCoordinator:
      if (coordinator_ != nullptr) return mail(w->index, 0, message);
      return send_to_process(w, shared_.coordinator, message);
  }
}

void SimShell::route_reply(Worker* w, const Message& message, bool straight) {
  const core::ReplyPath& path = *path_of(message);
  if (is_own(path)) return mail(w->index, owner_of(message, w->index), message);
  if (straight && !path.listener.empty()) {
    shared_.world->counters.add(Count::kListenerAnswers);
    return send_to_process(w, process_at(path.listener).value(), message);
  }
  if (path.entry != NodeId::kNone) send_to_node(w, path.entry, message);
}

ProcessId SimShell::process_of(const Worker& w, NodeId node) const {
  const core::NodeEntry* entry = w.server.book().node(node);
  if (entry == nullptr) entry = w.front.book().node(node);
  if (entry == nullptr && coordinator_ != nullptr) entry = coordinator_->book().node(node);
  return entry == nullptr ? 0 : process_at(entry->address).value();
}

void SimShell::send_to_node(Worker* w, NodeId node, const Message& message) {
  const ProcessId to = process_of(*w, node);
  if (to != 0) return send_to_process(w, to, message);
  // An answer to a node that has joined a moment ago finds no way yet: whoever asked asks again.
  if (party_of(message, false) == Party::kPath) return;
  shared_.world->fail(base::format("%s was never told where node %u is, for: ",
                                   config_.name.c_str(), static_cast<unsigned>(node)) +
                      core::to_string(message));
}

void SimShell::send_to_process(Worker* w, ProcessId to, const Message& message) {
  // A registration is answered on the connection that it came by.
  const wire::Routing routing = std::holds_alternative<core::Register>(message)
                                    ? wire::Routing::kDirect
                                    : wire::Routing::kRouted;
  const LinkId link = link_to(w, to);
  shared_.network->send(link, process_, encode(message, routing));
}

LinkId SimShell::link_to(Worker* w, ProcessId to) {
  const auto it = w->dialed.find(to);
  if (it != w->dialed.end()) return it->second;
  const LinkId link = shared_.network->dial(process_, to);
  w->dialed[to] = link;
  links_[link] = {to, w->index, true, 0, {}};
  const core::Hello hello{
      wire::kWireVersion, core::PeerKind::kNode, 0, id(), w->server.options().id, {}};
  shared_.network->send(link, process_, encode(hello, wire::Routing::kDirect));
  return link;
}

void SimShell::mail(size_t from, size_t to, const Message& message) {
  World* world = shared_.world;
  const Duration delay = from == to ? Duration() : random_up_to(&world->prng, kMailWithin);
  base::Instant& at = workers_[from]->mail_at[to];
  at = std::max(at, world->now() + delay);
  later(at - world->now(), [this, from, to, frame = encode(message, wire::Routing::kRouted)] {
    read_mail(from, to, frame);
  });
}

void SimShell::read_mail(size_t from, size_t to, const std::string& frame) {
  const auto name = [&](size_t worker) {
    return workers_.size() == 1 ? config_.name
                                : base::format("%s/%zu", config_.name.c_str(), worker);
  };
  shared_.world->transcript.delivered(now(), name(from), name(to), frame);
  Message message;
  const Status status = wire::decode(wire::next_frame(frame), &message);
  if (!status.ok()) {
    return shared_.world->fail("mail cannot be decoded: " + std::string(status.message()));
  }
  handle(to, message);
}

// -------------------------------------------------------------------------- connections that end

void SimShell::on_closed(LinkId link, const Process::Closed& closed) {
  const LinkInfo info = links_.at(link);
  links_.erase(link);
  if (!info.dialed) return;
  Worker* w = workers_[info.worker].get();
  w->dialed.erase(info.peer);
  if (coordinator_ != nullptr) coordinator_->link_lost(node_at(coordinator_->book(), info.peer));
  for (const std::string& frame : closed.unsent) give_back(w, info.peer, frame);
  if (closed.unreachable) tell_front(w, info.peer);
  if (info.worker != 0 || info.peer != shared_.coordinator) return;
  later(kReconnectAfter, [this] { link_to(workers_[0].get(), shared_.coordinator); });
}

void SimShell::give_back(Worker* w, ProcessId peer, std::string_view frame) {
  Message message;
  LH_CHECK(wire::decode(wire::next_frame(frame), &message).ok(), "a frame of our own making");
  const Party party = party_of(message, coordinator_ != nullptr);
  if (party == Party::kPath) {
    const core::ReplyPath& path = *path_of(message);
    // The client's listener cannot be reached: its entry node may.
    if (path.listener != address_of(peer)) return;
    shared_.world->counters.add(Count::kListenerFallbacks);
    return route_reply(w, message, false);
  }
  if (coordinator_ != nullptr && w->index == 0) {
    const NodeId lost = node_at(coordinator_->book(), peer);
    coordinator_->node_unreachable(now(), lost, &office_effects_);
    run(w, false);
  }
  if (party != Party::kServer) return;
  const auto* request = std::get_if<core::Request>(&message);
  const bool from_front =
      request != nullptr && request->hops == 0 && request->from.client == w->front.id();
  if (from_front) return;  // the front hears that the node is not there
  shared_.world->counters.add(Count::kUndeliverable);
  w->server.undeliverable(now(), message, &w->effects);
  run(w, true);
}

void SimShell::tell_front(Worker* w, ProcessId unreachable) {
  if (!w->front.configured()) return;
  const NodeId lost = node_at(w->front.book(), unreachable);
  if (lost != NodeId::kNone) w->front.node_unreachable(now(), lost, &w->effects);
  if (unreachable == shared_.coordinator) w->front.coordinator_unreachable(now(), &w->effects);
  run(w, false);
}

// ---------------------------------------------------------------------------------------- time

void SimShell::schedule_tick(size_t worker) {
  const Duration wait = kTickEvery + random_up_to(&shared_.world->prng, kTickJitter);
  later(wait, [this, worker] {
    tick(worker);
    schedule_tick(worker);
  });
}

void SimShell::later(Duration delay, Action action) {
  shared_.world->events.after(delay,
                              [this, life = std::weak_ptr<int>(life_), action = std::move(action)] {
                                if (!life.expired()) shared_.network->run_in(process_, action);
                              });
}

void SimShell::tick(size_t worker) {
  Worker* w = workers_[worker].get();
  w->server.tick(now(), &w->effects);
  run(w, true);
  if (w->front.configured()) {
    w->front.tick(now(), &w->effects);
    run(w, false);
  }
  if (w->log != nullptr) {
    w->log->look(worker == core::kCoordinatorWorker ? coordinator_.get() : nullptr);
  }
  if (worker != 0) return;
  if (rebuild_) return tick_rebuild();
  uint64_t known = kBucketsMax;
  core::NodeStats stats;
  for (const auto& each : workers_) {
    known = std::min(known, each->server.book().known());
    const core::NodeStats part = each->server.stats();
    stats.buckets += part.buckets;
    stats.records += part.records;
    stats.bytes += part.bytes;
    stats.full |= part.full;
  }
  member_->tick(now(), known, stats, &office_effects_);
  run(w, false);
  if (coordinator_ == nullptr) return;
  coordinator_->tick(now(), &office_effects_);
  run(w, false);
}

void SimShell::turn(size_t worker) {
  Worker* w = workers_[worker].get();
  w->turn_pending = false;
  w->server.turn(now(), &w->effects);
  for (const core::Outgoing& outgoing : w->effects.sends()) {
    if (std::holds_alternative<core::Scan>(outgoing.message)) {
      shared_.world->counters.add(Count::kScansCut);
    }
  }
  run(w, true);
}

// ---------------------------------------------------------------------------------- the front

bool SimShell::is_ready(size_t worker) const {
  return workers_[worker]->front.configured() && shared_.network->is_running(process_);
}

void SimShell::submit(size_t worker, const core::Operation& asked, uint64_t tag) {
  Worker* w = workers_[worker].get();
  if (shared_.world->options.front_executes_locally && execute(w, asked, tag)) return;
  w->front.submit(now(), asked, tag, &w->effects);
  run(w, false);
}

// What the worker's own server has needs no message.
bool SimShell::execute(Worker* w, core::Operation asked, uint64_t tag) {
  const std::optional<HashValue> c = base::hash_key(w->front.options().hash, asked.key);
  if (!c || asked.op == core::Op::kLocate) return false;
  asked.c = *c;
  core::Bucket* bucket = w->server.find(address(w->front.image(), *c));
  if (bucket == nullptr || !bucket->live() || forward_address(bucket->mark(), *c)) return false;
  const core::Bucket::Answer answer = w->server.execute(now(), bucket, asked, &w->effects);
  core::Completion done;
  done.tag = tag;
  done.op = asked.op;
  done.code = answer.code;
  done.c = *c;
  done.bucket = bucket->mark();
  done.node = w->server.self();
  done.image = w->front.image();
  shared_.world->counters.add(Count::kLocal);
  Action say = [sink = w->sink, done, k = std::string(asked.key), v = std::string(answer.value)] {
    core::Completion said = done;
    said.key = k;
    said.value = v;
    sink->on_done(said);
  };
  if (w->log == nullptr) {
    say();
  } else {
    const core::Wait wait = w->log->wait_for(w->log->write(&w->effects), false);
    w->log->leave(kTextLane, wait, std::move(say));
  }
  run(w, true);
  return true;
}

void SimShell::call(size_t worker, const core::FileRequest& request, uint64_t tag) {
  Worker* w = workers_[worker].get();
  w->front.call(now(), request, tag, &w->effects);
  run(w, false);
}

}  // namespace lh::sim
