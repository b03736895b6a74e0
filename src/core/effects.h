// What a step of the protocol wants done: the one way out of the core.
//
// The core decides, the shell acts. A step appends to an Effects that the caller owns and reuses;
// nothing in here does anything by itself, so equal inputs give equal effects, in the simulator and
// in the node alike. Ordering contract: messages to the same destination are to be delivered in
// the order appended, or not at all (a connection that breaks loses a suffix of what was sent).
// The effects of a step are run before the next step of the same server: messages may borrow from
// its tables (see message.h).
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/message.h"
#include "lh/types.h"

namespace lh::core {

// Where a message goes; the shell knows how.
struct Destination {
  enum class Kind : uint8_t {
    kBucket,       // `bucket`, at `node`
    kNode,         // `node` itself
    kCoordinator,  // wherever it is
    kReply,        // back along the message's own ReplyPath
  };
  Kind kind = Kind::kReply;
  NodeId node = NodeId::kNone;
  BucketNo bucket = 0;

  static Destination to_bucket(NodeId node, BucketNo bucket) {
    return {Kind::kBucket, node, bucket};
  }
  static Destination to_node(NodeId node) { return {Kind::kNode, node, 0}; }
  static Destination to_coordinator() { return {Kind::kCoordinator, NodeId::kNone, 0}; }
  static Destination reply() { return {Kind::kReply, NodeId::kNone, 0}; }
};

struct Outgoing {
  Destination to;
  Message message;
};

class Effects {
 public:
  void send(Destination to, Message message) { sends_.push_back({to, std::move(message)}); }

  // A copy of `bytes` that lasts as long as the effects: for a step that goes on to change what a
  // message in here would borrow from.
  std::string_view keep(std::string_view bytes) { return kept_.emplace_back(bytes); }

  // Long work was left for later: call turn() again soon, after other requests had their chance.
  void want_turn() { turn_wanted_ = true; }

  const std::vector<Outgoing>& sends() const { return sends_; }
  bool turn_wanted() const { return turn_wanted_; }
  void clear() {
    sends_.clear();
    kept_.clear();
    turn_wanted_ = false;
  }

 private:
  std::vector<Outgoing> sends_;
  std::deque<std::string> kept_;
  bool turn_wanted_ = false;
};

}  // namespace lh::core
