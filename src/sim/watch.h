// Watch: counts what the protocol does in a run by looking at its messages, so that one sees that
// the rare things really happen. Changes nothing.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/message.h"
#include "core/server.h"
#include "sim/world.h"

namespace lh::sim {

class Watch {
 public:
  explicit Watch(World* world) : world_(world) {}

  // A node's core is sending this.
  void on_sent(const core::Message& message);
  // A server is about to take this in.
  void on_input(const core::Server& server, const core::Message& message);

  // The split that was ordered last.
  struct Order {
    BucketMark source;
    BucketNo target = 0;
    NodeId target_node = NodeId::kNone;
  };
  std::optional<Order> order() const { return order_; }

  // From now on, remembers the first message that is no sign of life between nodes, nor, when
  // splits are owed that cannot be done, a report of them.
  void start_listening(bool splits_owed) { listening_ = true, reports_expected_ = splits_owed; }
  const std::string& heard() const { return heard_; }

 private:
  void sent(const core::Reply& m);
  void sent(const core::SplitOrder& m);
  void sent(const core::SplitRecords& m);
  template <typename M>
  void sent(const M&) {}

  struct Stream {
    uint64_t split = 0;
    uint64_t stream = 0;
    auto operator<=>(const Stream&) const = default;
  };
  struct Progress {
    std::vector<size_t> sent;  // bytes of each batch
    size_t acked = 0;          // batches that the target has
    bool was_full = false;
  };

  World* world_;
  std::optional<Order> order_;
  bool listening_ = false;
  bool reports_expected_ = false;
  std::string heard_;
  std::map<Stream, Progress> streams_;
  std::set<std::pair<core::ClientId, uint64_t>> changes_seen_;
};

}  // namespace lh::sim
