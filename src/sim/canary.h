// Canaries: bugs planted on purpose, to see that the checkers sing. A canary sits between a node's
// core and the encoder and tampers with what the core says, as a core with that bug would say it;
// the core itself is not touched. Some are bugs of a shell.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "core/effects.h"
#include "core/message.h"

namespace lh::sim {

class Canary {
 public:
  virtual ~Canary() = default;

  // A node is about to send *message. May change it (views then point into the canary and hold
  // until the next call), add messages that are sent after it, or drop it (false).
  virtual bool tamper(NodeId, core::Message*, std::vector<core::Outgoing>*) { return true; }

  // A shell with a bug: what tells of state that is not on the disk leaves all the same.
  virtual bool is_hasty() const { return false; }
  // A shell with a bug: what nodes promise each other waits for no more than what users are told.
  virtual bool is_rash() const { return false; }
  // A log thread with a bug: the time for a sync never comes; only what is urgent has one.
  virtual bool puts_syncs_off() const { return false; }
  // A shell with a bug: when the last record of a log is one of changes, it is not taken in at a
  // restart.
  virtual bool forgets_last_record() const { return false; }
};

struct CanaryKind {
  std::string_view name;
  std::string_view bug;  // in words
};
std::span<const CanaryKind> canary_kinds();

// nullptr when there is no such canary.
std::unique_ptr<Canary> make_canary(std::string_view name);

}  // namespace lh::sim
