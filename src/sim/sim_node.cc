#include "sim/sim_node.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/strings.h"
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

Duration random_up_to(World* world, Duration most) {
  return Duration(static_cast<int64_t>(world->prng.below(static_cast<uint64_t>(most.ns()) + 1)));
}

uint64_t random_id(World* world) { return world->prng.next() | 1; }

std::string encode(const Message& message, wire::Routing routing) {
  std::string frame;
  wire::encode(message, routing, &frame);
  return frame;
}

}  // namespace

// --------------------------------------------------------------------------------------- set-up

SimNode::Worker::Worker(SimNode* node, size_t number)
    : owner(node),
      index(number),
      front(random_id(node->shared_.world), &sink),
      mail_at(node->shared_.world->options.workers) {}

SimNode::SimNode(const Shared& shared)
    : shared_(shared),
      process_(shared.network->add(this)),
      name_(base::format("n%u", process_)),
      incarnation_(random_id(shared.world)) {
  for (size_t w = 0; w < shared.world->options.workers; ++w) {
    workers_.push_back(std::make_unique<Worker>(this, w));
    shared.checker->add_server(&workers_.back()->server);
  }
}

SimNode::~SimNode() = default;

void SimNode::start() {
  World* world = shared_.world;
  started_ = true;
  for (size_t w = 0; w < workers_.size(); ++w) schedule_tick(w);
  if (process_ != shared_.coordinator) {
    member_ = std::make_unique<core::Member>(incarnation_, address_of(process_),
                                             world->options.buckets_max);
    link_to(workers_[0].get(), shared_.coordinator);
    return;
  }
  const core::FileOptions options{world->options.capacity, world->options.hash,
                                  core::SplitPolicy::kUncontrolled, incarnation_};
  coordinator_ = std::make_unique<core::Coordinator>(options, address_of(process_), incarnation_, 0,
                                                     world->now());
  shared_.checker->set_coordinator(coordinator_.get());
  member_ = std::make_unique<core::Member>(incarnation_, core::Coordinator::kSelf);
  core::BookPart book{0, {core::Coordinator::kSelf}, {}};
  book.nodes.push_back({core::Coordinator::kSelf, true, address_of(process_)});
  configure(core::Coordinator::kSelf, options, book);
  owners_[0] = workers_.size() - 1;
  server(owners_[0]).create_bucket({0, 0});
  shared_.checker->after_step(server(owners_[0]));
}

void SimNode::configure(NodeId id, const core::FileOptions& options, const core::BookPart& book) {
  for (auto& w : workers_) {
    w->server.book().learn(book);
    if (w->server.self() != NodeId::kNone) continue;
    w->server.configure(id, options);
    w->front.set_reply_path({w->front.id(), id, w->index + 1, {}});
    w->front.configure(options, book);
  }
}

// -------------------------------------------------------------------------------- what comes in

bool SimNode::on_accepted(LinkId link, ProcessId from) {
  if (!started_) return false;
  links_[link] = {from, shared_.world->prng.below(workers_.size()), false, 0, {}};
  return true;
}

void SimNode::on_connected(LinkId link) {
  const LinkInfo& info = links_.at(link);
  if (info.worker != 0 || info.peer != shared_.coordinator) return;
  member_->on_connected(now(), &office_effects_);
  run(workers_[0].get(), false);
}

void SimNode::on_frame(LinkId link, std::string_view bytes) {
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

void SimNode::on_hello(LinkId link, LinkInfo* info, const core::Hello& hello) {
  if (hello.kind != core::PeerKind::kClient) return;
  info->client = hello.client;
  info->listener = hello.listener;
  if (id() == NodeId::kNone) return;
  const core::Server& server = workers_[info->worker]->server;
  core::Welcome welcome{id(), server.options(), server.book().part_from(0, 1)};
  shared_.network->send(link, process_, encode(welcome, wire::Routing::kDirect));
}

void SimNode::on_registered(const core::Registered& m) {
  if (member_->on_registered(m) == core::Member::Outcome::kRefused) {
    return shared_.world->fail("a node was refused by the coordinator that knows it");
  }
  if (id() == NodeId::kNone) shared_.world->counters.add(Count::kNodesJoined);
  configure(m.id, m.options, m.book);
}

// Which worker of this node is to have the message.
size_t SimNode::owner_of(const Message& message, size_t here) {
  switch (party_of(message, coordinator_ != nullptr)) {
    case Party::kCoordinator:
      return 0;
    case Party::kServer: {
      const std::optional<BucketNo> bucket = bucket_of(message);
      if (!bucket) return here;
      if (std::holds_alternative<core::SplitRecords>(message)) {
        return owners_.try_emplace(*bucket, *bucket % workers_.size()).first->second;
      }
      const auto it = owners_.find(*bucket);
      return it == owners_.end() ? here : it->second;
    }
    case Party::kPath: {
      const LinkId link = path_of(message)->link;
      if (link < kFirstLink) return link - 1;
      const auto it = links_.find(link);
      return it == links_.end() ? here : it->second.worker;
    }
    case Party::kEveryServer:
    case Party::kNobody:
      return here;
  }
  LH_UNREACHABLE();
}

void SimNode::accept(size_t worker, const Message& message) {
  if (party_of(message, coordinator_ != nullptr) == Party::kEveryServer) {
    for (size_t w = 0; w < workers_.size(); ++w) mail(worker, w, message);
    return;
  }
  const size_t owner = owner_of(message, worker);
  if (owner == worker) return handle(worker, message);
  mail(worker, owner, message);
}

void SimNode::handle(size_t worker, const Message& message) {
  Worker* w = workers_[worker].get();
  switch (party_of(message, coordinator_ != nullptr)) {
    case Party::kEveryServer:
      step_front(w, message);
      [[fallthrough]];
    case Party::kServer:
      return step_server(w, message);
    case Party::kCoordinator:
      if (coordinator_ == nullptr) {
        return shared_.world->fail("a message for the coordinator reached another node");
      }
      coordinator_->step(now(), message, &office_effects_);
      return run(w, false);
    case Party::kPath:
      return deliver_along_path(worker, message);
    case Party::kNobody:
      return;
  }
}

void SimNode::step_server(Worker* w, const Message& message) {
  shared_.watch->on_input(w->server, message);
  const size_t buckets = w->server.buckets().size();
  w->server.step(now(), message, &w->effects);
  if (w->server.buckets().size() < buckets) shared_.world->counters.add(Count::kDropped);
  run(w, true);
}

void SimNode::step_front(Worker* w, const Message& message) {
  const FileState before = w->front.image();
  w->front.step(now(), message, &w->effects);
  shared_.checker->check_image(before, w->front.image());
  run(w, false);
}

void SimNode::deliver_along_path(size_t worker, const Message& message) {
  const core::ReplyPath& path = *path_of(message);
  if (path.link < kFirstLink) {
    Worker* w = workers_[worker].get();
    if (path.client == w->front.id()) step_front(w, message);
    return;
  }
  shared_.network->send(path.link, process_, encode(message, wire::Routing::kDirect));
}

// --------------------------------------------------------------------------------- what goes out

void SimNode::run(Worker* w, bool of_server) {
  core::Effects* all[] = {&office_effects_, &w->effects};
  for (core::Effects* effects : all) {
    for (const core::Outgoing& outgoing : effects->sends()) {
      shared_.watch->on_sent(outgoing.message);
      Canary* canary = shared_.world->canary;
      if (canary == nullptr) {
        route(w, outgoing);
        continue;
      }
      core::Outgoing sent = outgoing;
      std::vector<core::Outgoing> extra;
      if (canary->tamper(id(), &sent.message, &extra)) route(w, sent);
      for (const core::Outgoing& more : extra) route(w, more);
    }
    if (effects->turn_wanted() && !w->turn_pending) {
      w->turn_pending = true;
      const size_t index = w->index;
      shared_.world->events.after(random_up_to(shared_.world, kTurnWithin), [this, index] {
        shared_.network->run_in(process_, [this, index] { turn(index); });
      });
    }
    effects->clear();
  }
  if (of_server) shared_.checker->after_step(w->server);
}

void SimNode::route(Worker* w, const core::Outgoing& outgoing) {
  const Message& message = outgoing.message;
  switch (outgoing.to.kind) {
    case core::Destination::Kind::kReply:
      return route_reply(w, message, true);
    case core::Destination::Kind::kBucket:
      if (outgoing.to.node != id()) return send_to_node(w, outgoing.to.node, message);
      return mail(w->index, owner_of(message, w->index), message);
    case core::Destination::Kind::kNode:
      if (outgoing.to.node != id()) return send_to_node(w, outgoing.to.node, message);
      for (size_t to = 0; to < workers_.size(); ++to) mail(w->index, to, message);
      return;
    case core::Destination::Kind::kCoordinator:
      if (coordinator_ != nullptr) return mail(w->index, 0, message);
      return send_to_process(w, shared_.coordinator, message);
  }
}

void SimNode::route_reply(Worker* w, const Message& message, bool straight) {
  const core::ReplyPath& path = *path_of(message);
  if (is_own(path)) return mail(w->index, owner_of(message, w->index), message);
  if (straight && !path.listener.empty()) {
    shared_.world->counters.add(Count::kListenerAnswers);
    return send_to_process(w, process_at(path.listener).value(), message);
  }
  if (path.entry != NodeId::kNone) send_to_node(w, path.entry, message);
}

ProcessId SimNode::process_of(const Worker& w, NodeId node) const {
  const core::NodeEntry* entry = w.server.book().node(node);
  if (entry == nullptr) entry = w.front.book().node(node);
  if (entry == nullptr && coordinator_ != nullptr) entry = coordinator_->book().node(node);
  return entry == nullptr ? 0 : process_at(entry->address).value();
}

void SimNode::send_to_node(Worker* w, NodeId node, const Message& message) {
  const ProcessId to = process_of(*w, node);
  if (to != 0) return send_to_process(w, to, message);
  // An answer to a node that has joined a moment ago finds no way yet: whoever asked asks again.
  if (party_of(message, false) == Party::kPath) return;
  shared_.world->fail(base::format("%s was never told where node %u is, for: ", name_.c_str(),
                                   static_cast<unsigned>(node)) +
                      core::to_string(message));
}

void SimNode::send_to_process(Worker* w, ProcessId to, const Message& message) {
  // A registration is answered on the connection that it came by.
  const wire::Routing routing = std::holds_alternative<core::Register>(message)
                                    ? wire::Routing::kDirect
                                    : wire::Routing::kRouted;
  const LinkId link = link_to(w, to);
  shared_.network->send(link, process_, encode(message, routing));
}

LinkId SimNode::link_to(Worker* w, ProcessId to) {
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

void SimNode::mail(size_t from, size_t to, const Message& message) {
  World* world = shared_.world;
  const Duration delay = from == to ? Duration() : random_up_to(world, kMailWithin);
  base::Instant& at = workers_[from]->mail_at[to];
  at = std::max(at, world->now() + delay);
  world->events.at(at, [this, from, to, frame = encode(message, wire::Routing::kRouted)] {
    shared_.network->run_in(process_, [this, from, to, frame] { read_mail(from, to, frame); });
  });
}

void SimNode::read_mail(size_t from, size_t to, const std::string& frame) {
  const auto name = [&](size_t worker) {
    return workers_.size() == 1 ? name_ : base::format("%s/%zu", name_.c_str(), worker);
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

void SimNode::on_closed(LinkId link, const Closed& closed) {
  const LinkInfo info = links_.at(link);
  links_.erase(link);
  if (!info.dialed) return;
  Worker* w = workers_[info.worker].get();
  w->dialed.erase(info.peer);
  for (const std::string& frame : closed.unsent) give_back(w, info.peer, frame);
  if (closed.unreachable) tell_front(w, info.peer);
  if (info.worker != 0 || info.peer != shared_.coordinator) return;
  shared_.world->events.after(kReconnectAfter, [this] {
    shared_.network->run_in(process_, [this] { link_to(workers_[0].get(), shared_.coordinator); });
  });
}

void SimNode::give_back(Worker* w, ProcessId peer, std::string_view frame) {
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
  if (party != Party::kServer) return;
  const auto* request = std::get_if<core::Request>(&message);
  const bool from_front =
      request != nullptr && request->hops == 0 && request->from.client == w->front.id();
  if (from_front) return;  // the front hears that the node is not there
  shared_.world->counters.add(Count::kUndeliverable);
  w->server.undeliverable(now(), message, &w->effects);
  run(w, true);
}

void SimNode::tell_front(Worker* w, ProcessId unreachable) {
  if (!w->front.configured()) return;
  for (const auto& [node, entry] : w->front.book().nodes()) {
    if (entry.address != address_of(unreachable)) continue;
    w->front.node_unreachable(now(), node, &w->effects);
    break;
  }
  if (unreachable == shared_.coordinator) {
    w->front.coordinator_unreachable(now(), &w->effects);
  }
  run(w, false);
}

// ---------------------------------------------------------------------------------------- time

void SimNode::schedule_tick(size_t worker) {
  const Duration wait = kTickEvery + random_up_to(shared_.world, kTickJitter);
  shared_.world->events.after(wait, [this, worker] {
    shared_.network->run_in(process_, [this, worker] {
      tick(worker);
      schedule_tick(worker);
    });
  });
}

void SimNode::tick(size_t worker) {
  Worker* w = workers_[worker].get();
  w->server.tick(now(), &w->effects);
  run(w, true);
  if (w->front.configured()) {
    w->front.tick(now(), &w->effects);
    run(w, false);
  }
  if (worker != 0) return;
  uint64_t known = kBucketsMax;
  core::NodeStats stats;
  for (const auto& each : workers_) {
    known = std::min(known, each->server.book().known());
    const core::NodeStats part = each->server.stats();
    stats.buckets += part.buckets;
    stats.records += part.records;
    stats.bytes += part.bytes;
  }
  member_->tick(now(), known, stats, &office_effects_);
  run(w, false);
  if (coordinator_ == nullptr) return;
  coordinator_->tick(now(), &office_effects_);
  run(w, false);
}

void SimNode::turn(size_t worker) {
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

bool SimNode::Worker::is_ready() const {
  return front.configured() && owner->shared_.network->is_running(owner->process_);
}

void SimNode::Worker::submit(core::Op op, std::string_view key, std::string_view value,
                             uint64_t tag) {
  if (owner->shared_.world->options.front_executes_locally && execute(op, key, value, tag)) return;
  front.submit(owner->now(), op, key, value, tag, &effects);
  owner->run(this, false);
}

// What the worker's own server has needs no message.
bool SimNode::Worker::execute(core::Op op, std::string_view key, std::string_view value,
                              uint64_t tag) {
  const std::optional<HashValue> c = base::hash_key(front.options().hash, key);
  if (!c || op == core::Op::kLocate) return false;
  core::Bucket* bucket = server.find(address(front.image(), *c));
  if (bucket == nullptr || !bucket->live() || forward_address(bucket->mark(), *c)) return false;
  const core::Bucket::Answer answer =
      server.execute(owner->now(), bucket, op, *c, key, value, &effects);
  core::Completion done;
  done.tag = tag;
  done.op = op;
  done.code = answer.code;
  done.key = key;
  done.value = answer.value;
  done.c = *c;
  done.bucket = bucket->mark();
  done.node = server.self();
  done.image = front.image();
  owner->shared_.world->counters.add(Count::kLocal);
  sink.on_done(done);
  owner->run(this, true);
  return true;
}

void SimNode::Worker::call(const core::FileRequest& request, uint64_t tag) {
  front.call(owner->now(), request, tag, &effects);
  owner->run(this, false);
}

}  // namespace lh::sim
