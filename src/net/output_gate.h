// OutputGate: holds answers back until what they tell of is durable. Whoever writes to connections
// sets `barrier` first, a number that only grows (a position in a log); bytes that are committed
// while it is beyond `released` stay in their connection's buffer, in order, until release() has
// come as far. Other connections go on meanwhile, and so does what was written to this one before.
//
// One a worker, lent to its ConnectionGroups; used in the loop's thread. Outlives the connections.
#pragma once

#include <cstdint>

#include "base/check.h"
#include "net/deferred.h"

namespace lh::net {

class OutputGate {
 public:
  OutputGate() = default;
  OutputGate(const OutputGate&) = delete;
  OutputGate& operator=(const OutputGate&) = delete;

  // Of what is written now. 0: it need not wait for anything.
  uint64_t barrier() const { return barrier_; }
  bool is_holding() const { return barrier_ > released_; }
  uint64_t released() const { return released_; }

  // Everything up to `barrier` may leave: the connections that wait send what they can.
  void release(uint64_t barrier) {
    LH_CHECK(barrier >= released_);
    released_ = barrier;
    waiting_.run_present();
  }

  // For connections: to be called when more is released.
  void wait(Deferred& call) { waiting_.push_back(call); }

 private:
  friend class OutputBarrier;
  uint64_t barrier_ = 0;
  uint64_t released_ = 0;
  DeferredList waiting_;
};

// What is written in its scope waits for `barrier`. Scopes nest; the inner one counts.
class OutputBarrier {
 public:
  OutputBarrier(OutputGate& gate, uint64_t barrier) : gate_(gate), before_(gate.barrier_) {
    gate_.barrier_ = barrier;
  }
  ~OutputBarrier() { gate_.barrier_ = before_; }
  OutputBarrier(const OutputBarrier&) = delete;
  OutputBarrier& operator=(const OutputBarrier&) = delete;

 private:
  OutputGate& gate_;
  uint64_t before_;
};

}  // namespace lh::net
