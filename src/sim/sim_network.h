// SimNetwork: connections between simulated processes, and everything that can happen to them.
//
// A connection has two lanes, each first in, first out; every message takes a random time, so that
// messages on different connections overtake each other. What a lane loses is always a suffix of
// what was under way. A process may be
//   frozen   it does nothing; its connections stay, what is sent to it waits, and whoever waits for
//            700 ms with something under way gives the connection up (SIGSTOP)
//   down     its connections break, new ones are refused; its memory is kept, unless it is killed
// and a path between two processes may be blocked in either direction (what is sent stalls, and
// 700 ms later its sender gives up) or slow.
//
// A process learns of a connection's end some time after it: until then what it sends is lost. What
// it sent to a peer that it then finds to be unreachable is given back to it, as far as it had not
// arrived; now and then also when it had, for nobody can tell. Nothing calls back from within
// dial() or send().
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "sim/event_queue.h"
#include "sim/world.h"

namespace lh::sim {

using ProcessId = uint32_t;  // in the order of add(), from 1 on
using LinkId = uint64_t;     // of one connection; never used again
inline constexpr LinkId kFirstLink = 1'000;

class Process {
 public:
  virtual ~Process() = default;
  virtual const std::string& name() const = 0;

  // Somebody connected. False refuses it.
  virtual bool on_accepted(LinkId link, ProcessId from) = 0;
  virtual void on_connected(LinkId link) = 0;  // what was dialed
  virtual void on_frame(LinkId link, std::string_view frame) = 0;

  struct Closed {
    bool unreachable = false;         // as far as can be told
    std::vector<std::string> unsent;  // frames that come back, oldest first
  };
  virtual void on_closed(LinkId link, const Closed& closed) = 0;
};

class SimNetwork {
 public:
  explicit SimNetwork(World* world) : world_(world) {}

  // The process outlives the network.
  ProcessId add(Process* process);

  // Frames may be sent at once: they wait for the connection.
  LinkId dial(ProcessId from, ProcessId to);
  void send(LinkId link, ProcessId from, std::string frame);
  // Whether `side` still believes in the connection.
  bool is_open(LinkId link, ProcessId side) const;

  // Runs the action now, or when the process runs again: for its timers.
  void run_in(ProcessId process, Action action);
  bool is_running(ProcessId process) const { return node(process).state == State::kRunning; }
  // Since then the process ran for so long in all: what it does in that time it has done.
  base::Instant ran_since(ProcessId process, base::Duration time) const;

  // ---- faults
  void break_link(LinkId link);
  void block(ProcessId from, ProcessId to) { ++blocked_[{from, to}]; }
  void unblock(ProcessId from, ProcessId to);
  // delay: zero ends it.
  void clog(ProcessId from, ProcessId to, base::Duration delay);
  void freeze(ProcessId process);
  void crash(ProcessId process);
  void resume(ProcessId process);
  // Down, and what it was about to do is forgotten: heal() and resume() pass it over.
  void kill(ProcessId process);
  // After kill(): the process is another one now.
  void revive(ProcessId process);
  std::vector<LinkId> links() const;
  bool is_busy(LinkId link) const;                                 // something is under way
  bool connects(LinkId link, ProcessId from, ProcessId to) const;  // dialed by `from`
  // Everybody runs, nothing is blocked or slow, or will be.
  void heal();

 private:
  enum class State : uint8_t { kRunning, kFrozen, kDown };
  struct Node {
    Process* process = nullptr;
    State state = State::kRunning;
    bool killed = false;
    std::deque<Action> waiting;
    std::vector<std::pair<base::Instant, base::Instant>> stood_still;  // from, until
  };
  struct Flight {
    base::Instant at;
    std::string frame;
  };
  struct Lane {
    std::deque<Flight> flights;
    base::Instant last_at;
    base::Instant wake_at = base::Instant::never();
    base::Instant silent_since = base::Instant::never();
    std::vector<std::string> unacknowledged;  // arrived, but the way back is blocked
  };
  // Side and lane 0 are those of who dialed.
  struct Link {
    ProcessId end[2] = {0, 0};
    bool open[2] = {true, false};
    bool connected = false;
    bool accepted = false;
    bool broken = false;  // what is sent from now on is lost
    bool noticing[2] = {false, false};
    bool orderly = false;  // what is under way arrives before the end is noticed
    Lane lane[2];
  };
  using Pair = std::pair<ProcessId, ProcessId>;

  Node& node(ProcessId id) { return nodes_[id - 1]; }
  const Node& node(ProcessId id) const { return nodes_[id - 1]; }
  Link* find(LinkId id);
  bool is_blocked(ProcessId from, ProcessId to) const { return blocked_.contains({from, to}); }
  base::Duration delay(ProcessId from, ProcessId to, size_t bytes);

  void try_connect(LinkId id);
  void fail_dial(LinkId id);
  void wake(LinkId id, int lane, base::Instant at);
  void pump(LinkId id, int lane);
  bool deliver_one(LinkId id, int lane);
  bool accept(LinkId id, Link* link);
  void stall(LinkId id, int lane);
  void silence(LinkId id, int lane, base::Instant since);
  void notice_soon(LinkId id, int side, base::Duration within);
  void notice(LinkId id, int side);
  void close_side(LinkId id, int side, Process::Closed closed);
  void keep_prefix(Lane* lane);
  void snag(LinkId id, int side);
  void pump_all();
  void forget_if_over(LinkId id);

  World* world_;
  std::deque<Node> nodes_;
  std::map<LinkId, std::unique_ptr<Link>> links_;
  LinkId next_link_ = kFirstLink;
  bool healed_ = false;
  std::map<Pair, int> blocked_;
  std::map<Pair, base::Duration> clogged_;
  std::map<Pair, base::Instant> floor_;  // nothing sent later arrives earlier
};

}  // namespace lh::sim
