// HeldQueue: messages that tell of state which the log does not have yet, as a shell keeps them:
// they leave, in the order in which they came, when the log is as far. What users are told may wait
// for less than what parties promise each other (core/mail_order.h): it does not wait behind that.
// A message to a destination for which another one waits waits behind it, so that the order of a
// link or mailbox is kept; which destinations share a lane is the shell's business. `Held` is the
// shell's own copy of one.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <iterator>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace lh::core {

// How far a log has come: the records up to `written` survive the process, those up to `durable`,
// which are no more, the loss of power.
struct LogProgress {
  uint64_t written = 0;
  uint64_t durable = 0;
};

// What a message waits for: the log's record `place`, and how safe it is to be. Place 0 is none.
struct Wait {
  uint64_t place = 0;
  bool durable = false;

  bool is_over(const LogProgress& log) const {
    return place <= (durable ? log.durable : log.written);
  }
};

template <typename Held>
class HeldQueue {
 public:
  // Within release() too: what is not sent yet still waits.
  bool empty() const { return lanes_.empty(); }
  // Whether something for the lane waits.
  bool holds(uint64_t lane) const { return !lanes_.empty() && lanes_.contains(lane); }

  // Waits for its turn, and for those of its lane that came before it to have left.
  void add(uint64_t lane, const Wait& wait, Held held) {
    entries_.push_back({lane, wait, std::move(held)});
    ++lanes_[lane];
  }

  // Hands what may leave to send(Held), oldest first; send() may add more.
  template <typename Send>
  void release(const LogProgress& log, Send send) {
    if (entries_.empty()) return;
    std::deque<Entry> before = std::exchange(entries_, {});
    std::deque<Entry> kept;
    std::unordered_set<uint64_t> blocked;
    for (Entry& entry : before) {
      if (!entry.wait.is_over(log) || blocked.contains(entry.lane)) {
        blocked.insert(entry.lane);
        kept.push_back(std::move(entry));
        continue;
      }
      const auto lane = lanes_.find(entry.lane);
      if (--lane->second == 0) lanes_.erase(lane);
      send(std::move(entry.held));
    }
    if (kept.empty()) return;
    std::move(entries_.begin(), entries_.end(), std::back_inserter(kept));
    entries_ = std::move(kept);
  }

 private:
  struct Entry {
    uint64_t lane;
    Wait wait;
    Held held;
  };
  std::deque<Entry> entries_;
  std::unordered_map<uint64_t, size_t> lanes_;  // how many of each wait
};

}  // namespace lh::core
