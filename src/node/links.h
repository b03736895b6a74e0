// Links: a worker's outgoing connections: to other nodes, to the coordinator, to the listeners of
// native clients. Made when first needed, closed when long unused. Owned by a worker, used in its
// thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/prng.h"
#include "link/peer_link.h"

namespace lh::node {

// What a link leads to, packed into its name.
enum class LinkKind : uint8_t { kNode = 1, kCoordinator = 2, kClient = 3 };

class Links {
 public:
  Links(net::EventLoop& loop, link::LinkHandler& handler, uint64_t seed);

  // Bound: called before the first link is made, and again when the node gets its number.
  void set_self(NodeId id, uint64_t file, std::string address);
  void set_coordinator(std::string address);
  const std::string& coordinator_address() const { return coordinator_address_; }

  // address: where the node is as far as is known now.
  link::PeerLink& node(NodeId id, std::string_view address);
  link::PeerLink& coordinator();
  link::PeerLink& client(std::string_view listener);

  static LinkKind kind(const link::PeerLink& link);
  // Bound: kind() is kNode.
  static NodeId node_id(const link::PeerLink& link);

  void tick(base::Instant now);
  void close_all();

 private:
  std::unique_ptr<link::PeerLink> make(LinkKind kind, uint64_t number);

  net::EventLoop& loop_;
  link::LinkHandler& handler_;
  net::ConnectionGroup group_;
  base::Prng prng_;
  link::PeerLink::Self self_;
  std::string coordinator_address_;
  std::map<NodeId, std::unique_ptr<link::PeerLink>> nodes_;
  std::unique_ptr<link::PeerLink> coordinator_;
  std::map<std::string, std::unique_ptr<link::PeerLink>, std::less<>> clients_;
  uint64_t client_number_ = 0;
};

}  // namespace lh::node
