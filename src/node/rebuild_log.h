// RebuildLog: tells people how far a rebuild is: which nodes have said what they have, who is still
// asked, who is missing, and what came of it. Used in the coordinator's thread.
#pragma once

#include <set>

#include "base/clock.h"
#include "core/rebuild.h"

namespace lh::node {

class RebuildLog {
 public:
  // How often it says whom it waits for.
  static constexpr base::Duration kRemindEvery = base::seconds(2);

  // After each tick of the rebuild.
  void look(base::Instant now, const core::Rebuild::Progress& progress);
  // It is done.
  static void tell(const core::Rebuild& rebuild);

 private:
  std::set<NodeId> answered_;
  base::Instant reminded_at_;
};

}  // namespace lh::node
