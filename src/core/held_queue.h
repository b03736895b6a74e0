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
#include <unordered_map>
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
  bool empty() const { return written_.entries.empty() && durable_.entries.empty(); }
  // Whether something for the lane waits.
  bool holds(uint64_t lane) const { return written_.holds(lane) || durable_.holds(lane); }

  // Waits for its turn, and for those of its lane that came before it.
  void add(uint64_t lane, const Wait& wait, Held held) {
    Line& line = wait.durable || durable_.holds(lane) ? durable_ : written_;
    const uint64_t before = line.entries.empty() ? 0 : line.entries.back().place;
    line.entries.push_back({lane, std::max(wait.place, before), std::move(held)});
    ++line.lanes[lane];
  }

  // Hands what may leave to send(Held), a lane's oldest first.
  template <typename Send>
  void release(const LogProgress& log, Send send) {
    // What is durable is written: nothing overtakes what came before it in the first line.
    written_.release(log.written, send);
    durable_.release(log.durable, send);
  }

 private:
  struct Entry {
    uint64_t lane;
    uint64_t place;
    Held held;
  };
  struct Line {
    std::deque<Entry> entries;                   // places never shrink
    std::unordered_map<uint64_t, size_t> lanes;  // how many of each wait

    bool holds(uint64_t lane) const { return !lanes.empty() && lanes.contains(lane); }
    template <typename Send>
    void release(uint64_t place, Send& send) {
      while (!entries.empty() && entries.front().place <= place) {
        Entry entry = std::move(entries.front());
        entries.pop_front();
        const auto lane = lanes.find(entry.lane);
        if (--lane->second == 0) lanes.erase(lane);
        send(std::move(entry.held));
      }
    }
  };

  Line written_;
  Line durable_;
};

}  // namespace lh::core
