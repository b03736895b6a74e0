// CoordinatorLog: tells people what the coordinator knows of its file: nodes that come, go and come
// back, a file that has doubled, splits that do not get done. The coordinator itself does not log;
// here its state is compared with what was told last. Used in the coordinator's thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/clock.h"
#include "core/address_book.h"
#include "core/coordinator.h"

namespace lh::node {

class CoordinatorLog {
 public:
  // A split that is owed for so long without another one done is worth a warning; the next one
  // comes when it is twice as long, and so on.
  static constexpr base::Duration kStallMax = base::seconds(5);

  // After each tick of the coordinator. What is there at the first look is taken as known.
  void look(base::Instant now, const core::Coordinator& coordinator);

 private:
  void look_at_nodes(const core::AddressBook& book);
  void look_at_splits(base::Instant now, const core::Coordinator& coordinator);
  void look_at_misfits(const core::Coordinator& coordinator);

  bool begun_ = false;
  std::map<NodeId, core::NodeEntry> nodes_;
  std::map<NodeId, std::string> misfits_;
  Level level_ = 0;
  uint64_t splits_ = 0;
  base::Instant progress_at_;  // when a split was done, or none was owed
  base::Duration patience_ = kStallMax;
};

}  // namespace lh::node
