// InputQueue: the connections of a worker whose input has come and is not delivered yet. A turn
// reads from all of them and then delivers, and what the requests will read of the tables is asked
// for in between: with one request a connection that is what overlaps their cache misses, as a
// pipeline does by itself.
//
// Owned by a worker, used in its thread; outlives the connections.
#pragma once

#include <vector>

#include "lh/types.h"
#include "net/deferred.h"
#include "node/front.h"
#include "table/look_ahead.h"

namespace lh::node {

class InputQueue {
 public:
  // For ConnectionGroup::inputs.
  net::DeferredList* connections() { return &connections_; }

  // One of the requests that wait to be delivered is about this key.
  void announce(HashValue c) { announced_.push_back(c); }

  // Delivers what is here now.
  void deliver(Front* front) {
    table::LookAhead ahead;
    for (const HashValue c : announced_) {
      if (ahead.full()) ahead.run();
      front->find(c, &ahead);
    }
    ahead.run();
    announced_.clear();
    connections_.run_present();
  }

 private:
  net::DeferredList connections_;
  std::vector<HashValue> announced_;
};

}  // namespace lh::node
