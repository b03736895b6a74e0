#include "sim/sim_client.h"

#include <set>
#include <utility>

#include "base/strings.h"
#include "sim/routing.h"
#include "wire/codec.h"

namespace lh::sim {

namespace {

constexpr base::Duration kTickEvery = base::ms(50);
constexpr base::Duration kDialAgainAfter = base::ms(100);

std::string encode(const core::Message& message) {
  std::string frame;
  wire::encode(message, wire::Routing::kDirect, &frame);
  return frame;
}

}  // namespace

SimClient::SimClient(World* world, SimNetwork* network, FileChecker* checker, ProcessId contact,
                     std::string name, Listening listening)
    : world_(world),
      network_(network),
      checker_(checker),
      contact_(contact),
      name_(std::move(name)),
      listening_(listening),
      process_(network->add(this)),
      core_(world->prng.next() | 1, &sink_) {}

void SimClient::start() {
  link_to(contact_);
  schedule_tick();
}

void SimClient::die() {
  dead_ = true;
  network_->kill(process_);
}

bool SimClient::is_ready() const { return !dead_ && core_.configured(); }

void SimClient::submit(const core::Operation& asked, uint64_t tag) {
  core_.submit(world_->now(), asked, tag, &effects_);
  run();
}

void SimClient::call(const core::FileRequest& request, uint64_t tag) {
  core_.call(world_->now(), request, tag, &effects_);
  run();
}

void SimClient::schedule_tick() {
  const base::Duration jitter = base::us(static_cast<int64_t>(world_->prng.below(10'000)));
  world_->events.after(kTickEvery + jitter, [this] {
    if (dead_) return;
    if (core_.configured()) core_.tick(world_->now(), &effects_);
    run();
    schedule_tick();
  });
}

void SimClient::run() {
  for (const core::Outgoing& outgoing : effects_.sends()) route(outgoing);
  effects_.clear();
}

void SimClient::route(const core::Outgoing& outgoing) {
  ProcessId to = contact_;
  if (outgoing.to.kind != core::Destination::Kind::kCoordinator) {
    const core::NodeEntry* entry = core_.book().node(outgoing.to.node);
    if (entry == nullptr) {
      return world_->fail(base::format("%s was never told where node %u is, for: ", name_.c_str(),
                                       static_cast<unsigned>(outgoing.to.node)) +
                          core::to_string(outgoing.message));
    }
    to = process_at(entry->address).value();
  }
  const LinkId link = link_to(to);
  network_->send(link, process_, encode(outgoing.message));
}

LinkId SimClient::link_to(ProcessId to) {
  const auto it = dialed_.find(to);
  if (it != dialed_.end()) return it->second;
  const LinkId link = network_->dial(process_, to);
  dialed_[to] = link;
  peers_[link] = to;
  core::Hello hello;
  hello.version = wire::kWireVersion;
  hello.client = core_.id();
  const std::string listener = address_of(process_);
  if (listening_ != Listening::kNo) hello.listener = listener;
  network_->send(link, process_, encode(hello));
  return link;
}

bool SimClient::on_accepted(LinkId, ProcessId) { return listening_ == Listening::kYes; }

void SimClient::welcome(const core::Welcome& m) {
  if (core_.configured()) return;
  core::ReplyPath path;
  path.client = core_.id();
  core_.set_reply_path(path);
  core_.configure(m.options, m.book);
}

void SimClient::on_frame(LinkId, std::string_view bytes) {
  core::Message message;
  const wire::Frame frame = wire::next_frame(bytes);
  if (frame.status != wire::FrameStatus::kFrame) return world_->fail("a frame that is none");
  if (const Status status = wire::decode(frame, &message); !status.ok()) {
    return world_->fail("a frame cannot be decoded: " + std::string(status.message()));
  }
  if (const auto* m = std::get_if<core::Welcome>(&message)) return welcome(*m);
  // On a connection between a client and a node the connection is the path.
  core::ReplyPath* path = path_of(&message);
  if (path != nullptr && frame.routing == wire::Routing::kDirect) path->client = core_.id();
  const FileState before = core_.image();
  core_.step(world_->now(), message, &effects_);
  checker_->check_image(before, core_.image());
  run();
}

void SimClient::on_closed(LinkId link, const Closed& closed) {
  const auto it = peers_.find(link);
  if (it == peers_.end()) return;
  const ProcessId peer = it->second;
  peers_.erase(it);
  dialed_.erase(peer);
  if (dead_) return;
  if (!core_.configured()) {
    world_->events.after(kDialAgainAfter, [this] {
      if (!dead_ && !core_.configured()) link_to(contact_);
    });
    return;
  }
  if (!closed.unreachable) return;
  std::set<NodeId> lost;
  for (const auto& [node, entry] : core_.book().nodes()) {
    if (entry.address == address_of(peer)) lost.insert(node);
  }
  for (const NodeId node : lost) core_.node_unreachable(world_->now(), node, &effects_);
  if (peer == contact_) core_.coordinator_unreachable(world_->now(), &effects_);
  run();
}

}  // namespace lh::sim
