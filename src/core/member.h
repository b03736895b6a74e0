// Member: a node's standing with the coordinator: it registers whenever a connection to the
// coordinator comes up, again and again until it is accepted, and says that it is alive several
// times a second. A state machine without
// I/O; one a node, on the thread that talks to the coordinator.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "core/effects.h"
#include "core/message.h"

namespace lh::core {

class Member {
 public:
  // A node that has to register. incarnation: a random number of this process, or of its data
  // directory; not 0. id: what it got when it registered before, if it did.
  Member(uint64_t incarnation, std::string address, uint64_t buckets_max,
         NodeId id = NodeId::kNone);
  // The coordinator's own node, which is registered from the start.
  Member(uint64_t incarnation, NodeId id);

  // The link to the coordinator is up (again).
  void on_connected(base::Instant now, Effects* effects);

  enum class Outcome { kJoined, kKnown, kRefused };
  // kJoined: the node has its number now. kKnown: it had it before. kRefused: this coordinator does
  // not know the file that the node belongs to; the node goes on serving what it has.
  Outcome on_registered(const Registered& m);

  // The coordinator has answered a heartbeat. When none is answered for seconds, it may take this
  // node to be at an address of before: then it is told again.
  void on_answer() { unanswered_since_ = {}; }

  // About twenty times a second. known: AddressBook::known() of the node.
  void tick(base::Instant now, uint64_t known, const NodeStats& stats, Effects* effects);

  NodeId id() const { return id_; }

 private:
  void say_where(Effects* effects) const;

  uint64_t incarnation_;
  std::string address_;
  uint64_t buckets_max_ = 0;
  NodeId id_ = NodeId::kNone;
  bool accepted_ = false;       // by the coordinator at the other end of this connection
  base::Instant connected_at_;  // or registered again since
  base::Instant beat_at_;
  base::Instant unanswered_since_;  // the first heartbeat after the latest answer
};

}  // namespace lh::core
