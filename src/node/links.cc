#include "node/links.h"

#include <utility>

namespace lh::node {

namespace {

// A client that has got no forwarded answer for this long will not miss its connection.
constexpr base::Duration kClientIdleMax = base::seconds(60);
constexpr size_t kClientLinksMax = 16'384;

// Answers wait here for a client that is slow to read, streams for a slow node; beyond it the link
// is closed, and whoever sent asks again.
constexpr size_t kOutputMax = size_t{128} << 20;

}  // namespace

Links::Links(net::EventLoop& loop, link::LinkHandler& handler, uint64_t seed)
    : loop_(loop), handler_(handler), prng_(seed) {
  group_.limits.output_max = kOutputMax;
  self_.kind = core::PeerKind::kNode;
}

void Links::set_self(NodeId id, uint64_t file, std::string address) {
  self_.node = id;
  self_.file = file;
  self_.address = std::move(address);
}

std::unique_ptr<link::PeerLink> Links::make(LinkKind kind, uint64_t number) {
  return std::make_unique<link::PeerLink>(loop_, group_, handler_, self_,
                                          uint64_t{static_cast<uint8_t>(kind)} << 56 | number,
                                          prng_.next());
}

link::PeerLink& Links::node(NodeId id, std::string_view address) {
  std::unique_ptr<link::PeerLink>& link = nodes_[id];
  if (!link) link = make(LinkKind::kNode, static_cast<uint32_t>(id));
  link->set_address(address);
  return *link;
}

void Links::set_coordinator(std::string address) {
  coordinator_address_ = std::move(address);
  if (coordinator_) coordinator_->set_address(coordinator_address_);
}

link::PeerLink& Links::coordinator() {
  if (!coordinator_) {
    coordinator_ = make(LinkKind::kCoordinator, 0);
    coordinator_->set_address(coordinator_address_);
  }
  return *coordinator_;
}

link::PeerLink& Links::client(std::string_view listener) {
  const auto it = clients_.find(listener);
  if (it != clients_.end()) return *it->second;
  if (clients_.size() >= kClientLinksMax) clients_.erase(clients_.begin());
  std::unique_ptr<link::PeerLink>& link = clients_[std::string(listener)];
  link = make(LinkKind::kClient, client_number_++);
  link->set_address(listener);
  return *link;
}

LinkKind Links::kind(const link::PeerLink& link) {
  return static_cast<LinkKind>(link.name() >> 56);
}

NodeId Links::node_id(const link::PeerLink& link) {
  return NodeId{static_cast<uint32_t>(link.name())};
}

void Links::tick(base::Instant now) {
  for (auto& [id, link] : nodes_) link->tick();
  if (coordinator_) coordinator_->tick();
  for (auto it = clients_.begin(); it != clients_.end();) {
    it->second->tick();
    const bool unused = it->second->idle_since(now - kClientIdleMax);
    it = unused ? clients_.erase(it) : std::next(it);
  }
}

void Links::close_all() {
  nodes_.clear();
  clients_.clear();
  coordinator_.reset();
}

}  // namespace lh::node
