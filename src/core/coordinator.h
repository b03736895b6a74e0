// Coordinator: the split coordinator (SC) of the paper as a state machine without I/O. It knows the
// file state (i, n), registers nodes, places new buckets, and orders one split at a time, of bucket
// n, for every collision reported (policy `uncontrolled`). No keyed request ever comes here: when
// it is away everything goes on but growth.
//
// A split order is repeated until the source says that the target is live, and given to another
// target when the target's node dies before the records were handed over. Used by one thread.
//
// What has to outlive the process changes by events only (coordinator_event.h), which go to the
// journal: a coordinator that is made from them goes on where the other one ended.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "core/address_book.h"
#include "core/coordinator_event.h"
#include "core/effects.h"
#include "core/message.h"
#include "core/owned_message.h"
#include "core/standings.h"
#include "lh/address.h"

namespace lh::core {

class Coordinator {
 public:
  struct Counters {
    uint64_t splits = 0;
    uint64_t collisions = 0;
    uint64_t rejected = 0;
  };

  // Node 1 is the coordinator's own: it has bucket 0 and room for `buckets_max` (0: no limit).
  // incarnation: of the process, or of its data directory; never 0.
  Coordinator(const FileOptions& options, std::string address, uint64_t incarnation,
              uint64_t buckets_max, base::Instant now);

  // Before the first step: the records of a journal, in order: the identity of its node, and the
  // events. False when one makes no sense here.
  bool recover(std::string_view record);
  // Behind the last of them: this process is the node at `address` now, and all others count as
  // heard at this moment. boot: of that node; outlives the coordinator.
  void resume(base::Instant now, std::string address, uint64_t buckets_max, const Boot& boot);
  // Records that recover() makes this coordinator of.
  std::vector<std::string> snapshot() const;

  void step(base::Instant now, const Message& message, Effects* effects);
  // A message to this node came back: it says that it is alive, but cannot be reached where it says
  // it is. It counts as down until no message has come back for a while.
  void node_unreachable(base::Instant now, NodeId id, Effects* effects);
  // The connection to this node broke: what was said of other nodes may not have arrived. It is
  // told again when it is heard.
  void link_lost(NodeId id);
  // About twenty times a second: notices silent nodes, repeats orders.
  void tick(base::Instant now, Effects* effects);

  static constexpr NodeId kSelf{1};
  // A version of what it says of a node is a boot of its own node and, in so many bits, what it
  // said since.
  static constexpr int kSaidBits = 32;
  static constexpr uint64_t boot_of(uint64_t version) { return version >> kSaidBits; }

  FileState state() const { return state_; }
  const FileOptions& options() const { return options_; }
  const AddressBook& book() const { return book_; }
  const Counters& counters() const { return counters_; }
  uint64_t splits_owed() const { return owed_ + (split_ ? 1 : 0); }
  bool is_up(NodeId id) const;
  // Nodes that claim a number which this coordinator did not give: it knew them by name only, and
  // what they have does not fit its file, or not at all. Why they were refused.
  const std::map<NodeId, std::string>& misfits() const { return misfits_; }

 private:
  struct Node {
    uint64_t incarnation = 0;  // 0: known by name only, since a rebuild (rebuild.h)
    uint64_t buckets = 0;      // placed or being placed
    uint64_t buckets_max = 0;  // 0: no limit
    NodeStats stats;
    base::Instant heard_at;
    base::Instant unreachable_at;
    bool up = true;
    bool is_behind = false;  // may not know where others are
    bool has_room() const { return up && (buckets_max == 0 || buckets < buckets_max); }
  };
  // An order of the split under way to one target. The source may be ahead of what is known here.
  struct Attempt {
    uint64_t split = 0;
    NodeId target_node = NodeId::kNone;
  };
  struct Split {
    SplitOrder order;  // of the latest attempt; without its book, which is made for each sending
    std::vector<Attempt> attempts;
    bool handed_over = false;  // the target cannot be changed any more
    base::Instant sent_at;
  };
  using Reports = CoordinatorState::Reports;
  using Debt = CoordinatorState::Debt;
  // A node that is known by name only and has registered: what it has is looked at first.
  struct Returning {
    OwnedMessage registration;
    Standings standings;
  };
  struct Settler {
    ReplyPath path;
    std::string listener;
    uint64_t query = 0;
  };

  void on(base::Instant now, const Register& m, Effects* effects);
  void on(base::Instant now, const Standing& m, Effects* effects);
  void on(base::Instant now, const Heartbeat& m, Effects* effects);
  void on(base::Instant now, const Overflow& m, Effects* effects);
  void on(base::Instant now, const SplitDone& m, Effects* effects);
  void on(base::Instant now, const BookQuery& m, Effects* effects);
  void on(base::Instant now, const FileQuery& m, Effects* effects);
  // Everything else is not for a coordinator: a peer's mistake.
  template <typename T>
  void on(base::Instant, const T&, Effects*) {
    ++counters_.rejected;
  }

  void wait_for_boot(Effects* effects) const {
    if (boot_ != nullptr) effects->after(boot_->logged);
  }
  // Applies an event and records it. False from apply(): it cannot follow what was before.
  void commit(const CoordinatorEvent& event, Effects* effects);
  bool apply(const NodeRegistered& e);
  bool apply(const CollisionsTakenIn& e);
  bool apply(const SplitBegun& e);
  bool apply(const SplitAttempted& e);
  bool apply(const SplitHandedOver& e);
  bool apply(const SplitCompleted& e);
  bool apply(const CoordinatorState& e);
  bool apply(const ReportsRestored& e);

  NodeId find_incarnation(uint64_t incarnation) const;
  bool is_known_by_name(NodeId id) const;
  void refuse(const ReplyPath& path, Effects* effects);
  void admit(base::Instant now, NodeId id, const Register& m, Effects* effects);
  void look_into(base::Instant now, const Register& m, Effects* effects);
  std::string misfit(NodeId id, const Standings& standings) const;
  bool fits(NodeId id, const BucketStanding& b) const;
  std::vector<NodeEntry> all_nodes() const;
  // The next word on a node.
  void say(NodeId id, bool up, std::string address);
  static bool is_reachable(base::Instant now, const Node& node);
  void set_up(NodeId id, bool up, Effects* effects);
  void broadcast(const BookPart& part, Effects* effects) const;
  // The node for the next bucket: fewest buckets, then order of registration, its own last.
  NodeId place() const;
  void grow(base::Instant now, Effects* effects);
  void choose_target(base::Instant now, NodeId node, Effects* effects);
  void aim_at(const Attempt& attempt);
  void send_order(base::Instant now, Effects* effects);
  void complete(base::Instant now, Effects* effects);
  void acknowledge(BucketNo bucket, Effects* effects) const;
  void settle(Effects* effects);
  std::string obstacle() const;
  FileReply describe(const ReplyPath& to, uint64_t query, FileQueryKind kind) const;

  FileOptions options_;
  FileState state_;
  AddressBook book_;
  std::map<NodeId, Node> nodes_;      // by number, which is the order of registration
  std::map<NodeId, uint64_t> known_;  // how much of the book each node has
  std::vector<Reports> reports_;      // by bucket
  std::deque<Debt> debts_;            // in the order in which they are paid
  uint64_t owed_ = 0;                 // splits not begun
  std::optional<Split> split_;
  uint64_t split_number_ = 0;
  std::map<NodeId, Returning> returning_;
  std::optional<Returning> answered_return_;  // whose answer is in the effects of the latest step
  std::map<NodeId, std::string> misfits_;
  uint64_t queries_ = 0;
  std::vector<Settler> settlers_;  // who waits for SETTLE
  std::vector<Settler> answered_;  // whose answers are in the effects of the latest step
  bool announces_ = false;         // it is elsewhere than the nodes believe
  uint64_t said_ = 0;              // version of what was said of a node last; begins with the boot
  const Boot* boot_ = nullptr;     // nothing is said before that is durable: see said_
  Position logged_;
  Counters counters_;
};

}  // namespace lh::core
