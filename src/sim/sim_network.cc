#include "sim/sim_network.h"

#include <algorithm>

#include "base/check.h"

namespace lh::sim {

namespace {

using base::Duration;
using base::Instant;
using base::ms;
using base::us;

constexpr Duration kDialMax = ms(500);
constexpr Duration kSilenceMax = ms(700);
constexpr Duration kNoticeMax = ms(50);
constexpr Duration kReconnectMin = us(100);
constexpr Duration kLateMax = ms(1'500);

}  // namespace

ProcessId SimNetwork::add(Process* process) {
  nodes_.emplace_back().process = process;
  return static_cast<ProcessId>(nodes_.size());
}

SimNetwork::Link* SimNetwork::find(LinkId id) {
  const auto it = links_.find(id);
  return it == links_.end() ? nullptr : it->second.get();
}

bool SimNetwork::is_open(LinkId id, ProcessId side) const {
  const auto it = links_.find(id);
  if (it == links_.end()) return false;
  const Link& link = *it->second;
  return link.open[link.end[0] == side ? 0 : 1];
}

std::vector<LinkId> SimNetwork::links() const {
  std::vector<LinkId> all;
  for (const auto& [id, link] : links_) {
    if (link->connected && !link->broken) all.push_back(id);
  }
  return all;
}

bool SimNetwork::is_busy(LinkId id) const {
  const auto it = links_.find(id);
  return it != links_.end() &&
         !(it->second->lane[0].flights.empty() && it->second->lane[1].flights.empty());
}

bool SimNetwork::connects(LinkId id, ProcessId from, ProcessId to) const {
  const auto it = links_.find(id);
  return it != links_.end() && it->second->end[0] == from && it->second->end[1] == to;
}

Duration SimNetwork::delay(ProcessId from, ProcessId to, size_t bytes) {
  const Options& o = world_->options;
  Duration d = o.delay_min + random_up_to(&world_->prng, o.delay_max - o.delay_min);
  if (!healed_ && o.spikes_permille > 0 && world_->prng.chance(o.spikes_permille, 1'000)) {
    d = d + random_up_to(&world_->prng, o.spike_max);
  }
  d = d + Duration(o.ns_per_kib) * static_cast<int64_t>(bytes >> 10);
  const auto clog = clogged_.find({from, to});
  return clog == clogged_.end() ? d : d + random_up_to(&world_->prng, clog->second);
}

// ------------------------------------------------------------------------------- connections

LinkId SimNetwork::dial(ProcessId from, ProcessId to) {
  LH_CHECK(from != to);
  const LinkId id = next_link_++;
  auto fresh = std::make_unique<Link>();
  fresh->end[0] = from;
  fresh->end[1] = to;
  if (!world_->options.overtaking) {
    // Later than what was sent before, if only just: at one instant they could come either way.
    fresh->lane[0].last_at = floor_[{from, to}] + Duration(1);
    fresh->lane[1].last_at = floor_[{to, from}] + Duration(1);
  }
  links_.emplace(id, std::move(fresh));
  const Duration there = kReconnectMin + delay(from, to, 0);
  world_->events.after(there, [this, id] { try_connect(id); });
  world_->events.after(kDialMax, [this, id] {
    if (const Link* link = find(id); link && !link->connected) fail_dial(id);
  });
  return id;
}

void SimNetwork::try_connect(LinkId id) {
  Link* link = find(id);
  if (link == nullptr || link->connected || link->broken) return;
  if (is_blocked(link->end[0], link->end[1]) || is_blocked(link->end[1], link->end[0])) return;
  if (node(link->end[1]).state == State::kDown) {
    world_->counters.add(Count::kRefused);
    return fail_dial(id);
  }
  // A frozen process has a kernel that takes the connection for it.
  if (node(link->end[1]).state == State::kRunning && !accept(id, link)) return;
  link->connected = true;
  link->open[1] = true;
  world_->counters.add(Count::kConnections);
  const ProcessId from = link->end[0];
  run_in(from, [this, id, from] {
    if (is_open(id, from)) node(from).process->on_connected(id);
  });
  pump(id, 0);
}

bool SimNetwork::accept(LinkId id, Link* link) {
  if (link->accepted) return true;
  link->accepted = true;
  if (node(link->end[1]).process->on_accepted(id, link->end[0])) return true;
  world_->counters.add(Count::kRefused);
  link->accepted = false;
  fail_dial(id);
  return false;
}

void SimNetwork::fail_dial(LinkId id) {
  Link* link = find(id);
  Process::Closed closed{true, {}};
  for (Flight& flight : link->lane[0].flights) closed.unsent.push_back(std::move(flight.frame));
  link->lane[0].flights.clear();
  link->broken = true;
  link->open[1] = false;
  if (link->open[0]) {
    close_side(id, 0, std::move(closed));
  } else {
    forget_if_over(id);
  }
}

void SimNetwork::send(LinkId id, ProcessId from, std::string frame) {
  Link* link = find(id);
  if (link == nullptr) return;
  const int side = link->end[0] == from ? 0 : 1;
  if (!link->open[side]) return;
  if (link->broken) return notice_soon(id, side, Duration());
  Lane& lane = link->lane[side];
  const ProcessId to = link->end[1 - side];
  const Instant at = std::max(lane.last_at, world_->now() + delay(from, to, frame.size()));
  lane.last_at = at;
  Instant& floor = floor_[{from, to}];
  floor = std::max(floor, at);
  lane.flights.push_back({at, std::move(frame)});
  if (link->connected && lane.flights.size() == 1) wake(id, side, at);
  const uint64_t snags = healed_ ? 0 : world_->options.snags_permille;
  if (snags > 0 && link->connected && world_->prng.chance(snags, 1'000)) snag(id, side);
}

// ------------------------------------------------------------------------------------ delivery

void SimNetwork::wake(LinkId id, int side, Instant at) {
  Lane& lane = find(id)->lane[side];
  if (lane.wake_at <= at) return;
  lane.wake_at = at;
  world_->events.at(at, [this, id, side] {
    Link* link = find(id);
    if (link == nullptr) return;
    link->lane[side].wake_at = Instant::never();
    pump(id, side);
  });
}

void SimNetwork::pump(LinkId id, int side) {
  while (deliver_one(id, side)) {
  }
}

// True when there may be more that is due.
bool SimNetwork::deliver_one(LinkId id, int side) {
  Link* link = find(id);
  if (link == nullptr || !link->connected) return false;
  Lane& lane = link->lane[side];
  if (lane.flights.empty()) return false;
  if (lane.flights.front().at > world_->now()) {
    wake(id, side, lane.flights.front().at);
    return false;
  }
  const ProcessId from = link->end[side];
  const ProcessId to = link->end[1 - side];
  if (!link->open[1 - side]) {
    lane.flights.clear();
    return false;
  }
  if (is_blocked(from, to) || node(to).state != State::kRunning) {
    stall(id, side);
    return false;
  }
  if (side == 0 && !accept(id, link)) return false;
  const std::string frame = std::move(lane.flights.front().frame);
  lane.flights.pop_front();
  if (is_blocked(to, from) && link->open[side]) {
    lane.unacknowledged.push_back(frame);
    stall(id, side);
  }
  world_->counters.add(Count::kMessages);
  Process* receiver = node(to).process;
  world_->transcript.delivered(world_->now(), node(from).process->name(), receiver->name(), frame);
  receiver->on_frame(id, frame);
  return true;
}

// Nothing is heard of what is under way: the sender will wait for so long and no longer.
void SimNetwork::stall(LinkId id, int side) {
  Link* link = find(id);
  Lane& lane = link->lane[side];
  if (lane.silent_since != Instant::never() || !link->open[side]) return;
  const Instant since = world_->now();
  lane.silent_since = since;
  world_->events.after(kSilenceMax + random_up_to(&world_->prng, kNoticeMax),
                       [this, id, side, since] { silence(id, side, since); });
}

void SimNetwork::silence(LinkId id, int side, Instant since) {
  Link* link = find(id);
  if (link == nullptr || link->lane[side].silent_since != since || !link->open[side]) return;
  if (!is_running(link->end[side])) return;  // it is not watching; resume() looks again
  world_->counters.add(Count::kSilenced);
  Lane& lane = link->lane[side];
  Process::Closed closed{true, {}};
  if (world_->prng.chance(1, 2)) {
    closed.unsent = lane.unacknowledged;
    for (const Flight& flight : lane.flights) closed.unsent.push_back(flight.frame);
  }
  // What a kernel has taken in for a frozen process will be read by it.
  if (is_blocked(link->end[side], link->end[1 - side])) {
    lane.flights.clear();
  } else {
    keep_prefix(&lane);
  }
  link->lane[1 - side].flights.clear();
  link->broken = true;
  notice_soon(id, 1 - side, ms(300));
  close_side(id, side, std::move(closed));
}

void SimNetwork::keep_prefix(Lane* lane) {
  const size_t kept = world_->prng.below(lane->flights.size() + 1);
  lane->flights.resize(kept);
  if (!world_->options.overtaking) return;
  // It lies in the buffers of a connection that its reader has not come to yet.
  const Duration late = random_up_to(&world_->prng, kLateMax);
  for (Flight& flight : lane->flights) flight.at = flight.at + late;
}

// ------------------------------------------------------------------------------- end of a link

void SimNetwork::notice_soon(LinkId id, int side, Duration within) {
  Link* link = find(id);
  if (link->noticing[side]) return;
  link->noticing[side] = true;
  world_->events.after(random_up_to(&world_->prng, within), [this, id, side] {
    const Link* l = find(id);
    if (l == nullptr) return;
    run_in(l->end[side], [this, id, side] { notice(id, side); });
  });
}

void SimNetwork::notice(LinkId id, int side) {
  Link* link = find(id);
  if (link == nullptr || !link->open[side]) return;
  // What came before the end is read before it, or lost with it.
  Lane& inbound = link->lane[1 - side];
  if (!inbound.flights.empty() && (link->orderly || world_->prng.chance(1, 2))) {
    const Instant last = inbound.flights.back().at;
    if (last > world_->now()) {
      link->noticing[side] = false;
      world_->events.at(last, [this, id, side] {
        if (find(id) != nullptr) notice_soon(id, side, Duration());
      });
      return;
    }
    pump(id, 1 - side);
    if (find(id) == nullptr) return;
  }
  close_side(id, side, {world_->prng.chance(1, 2), {}});
}

void SimNetwork::close_side(LinkId id, int side, Process::Closed closed) {
  Link* link = find(id);
  link->open[side] = false;
  link->lane[1 - side].flights.clear();
  const ProcessId process = link->end[side];
  const bool told = side == 0 || link->accepted;
  forget_if_over(id);
  if (!told) return;
  run_in(process, [this, id, process, closed = std::move(closed)] {
    node(process).process->on_closed(id, closed);
  });
}

void SimNetwork::forget_if_over(LinkId id) {
  const Link* link = find(id);
  if (!link->open[0] && !link->open[1]) links_.erase(id);
}

// Everything sent so far will arrive, but late; the sender goes on with another connection.
void SimNetwork::snag(LinkId id, int side) {
  Link* link = find(id);
  if (link->broken) return;
  world_->counters.add(Count::kSnagged);
  link->broken = link->orderly = true;
  const Duration late = random_up_to(&world_->prng, kLateMax);
  for (Flight& flight : link->lane[side].flights) flight.at = flight.at + late;
  for (int each = 0; each < 2; ++each) notice_soon(id, each, Duration());
}

void SimNetwork::break_link(LinkId id) {
  Link* link = find(id);
  if (link == nullptr || link->broken) return;
  link->broken = true;
  for (Lane& lane : link->lane) keep_prefix(&lane);
  for (int side = 0; side < 2; ++side) notice_soon(id, side, kNoticeMax);
}

// --------------------------------------------------------------------------------------- faults

void SimNetwork::unblock(ProcessId from, ProcessId to) {
  const auto it = blocked_.find({from, to});
  if (it == blocked_.end()) return;
  if (--it->second > 0) return;
  blocked_.erase(it);
  pump_all();
}

void SimNetwork::clog(ProcessId from, ProcessId to, Duration delay) {
  if (delay > Duration() && !healed_) {
    clogged_[{from, to}] = delay;
  } else {
    clogged_.erase({from, to});
  }
}

void SimNetwork::pump_all() {
  std::vector<LinkId> all;
  for (const auto& [id, link] : links_) all.push_back(id);
  for (const LinkId id : all) {
    try_connect(id);
    for (int side = 0; side < 2; ++side) {
      Link* link = find(id);
      if (link == nullptr) break;
      const ProcessId from = link->end[side];
      const ProcessId to = link->end[1 - side];
      const bool passes = !is_blocked(from, to) && !is_blocked(to, from);
      if (passes && is_running(to)) {
        link->lane[side].silent_since = Instant::never();
        link->lane[side].unacknowledged.clear();
      }
      pump(id, side);
    }
  }
}

void SimNetwork::freeze(ProcessId id) {
  Node& n = node(id);
  if (n.state != State::kRunning) return;
  n.state = State::kFrozen;
  n.stood_still.push_back({world_->now(), base::Instant::never()});
}

base::Instant SimNetwork::ran_since(ProcessId id, Duration time) const {
  const auto& stops = node(id).stood_still;
  base::Instant end = world_->now();
  for (auto stop = stops.rbegin(); stop != stops.rend(); ++stop) {
    const Duration ran = end - std::min(stop->second, end);
    if (ran >= time) break;
    time = time - ran;
    end = stop->first;
  }
  return std::max(base::Instant(), end - time);
}

void SimNetwork::crash(ProcessId id) {
  if (node(id).state == State::kDown) return;
  node(id).state = State::kDown;
  for (const auto& [link_id, link] : links_) {
    const int side = link->end[0] == id ? 0 : 1;
    if (link->end[side] != id || (!link->connected && side == 1)) continue;
    link->broken = true;
    link->lane[1 - side].flights.clear();
    if (link->connected) {
      keep_prefix(&link->lane[side]);
    } else {
      link->lane[side].flights.clear();
    }
    notice_soon(link_id, side, Duration());
    notice_soon(link_id, 1 - side, kNoticeMax);
  }
}

void SimNetwork::kill(ProcessId id) {
  crash(id);
  node(id).killed = true;
  node(id).waiting.clear();
  std::vector<LinkId> its;
  for (const auto& [link_id, link] : links_) {
    if (link->end[0] == id || link->end[1] == id) its.push_back(link_id);
  }
  for (const LinkId link_id : its) {
    Link* link = find(link_id);
    const int side = link->end[0] == id ? 0 : 1;
    if (!link->connected && side == 1) continue;  // somebody dials it
    link->open[side] = false;
    link->lane[1 - side].flights.clear();
    forget_if_over(link_id);
  }
}

void SimNetwork::revive(ProcessId id) {
  if (!node(id).killed) return;
  node(id).killed = false;
  node(id).stood_still.clear();
  resume(id);
}

void SimNetwork::run_in(ProcessId id, Action action) {
  Node& n = node(id);
  if (n.killed) return;
  if (n.state == State::kRunning && n.waiting.empty()) return action();
  n.waiting.push_back(std::move(action));
}

void SimNetwork::resume(ProcessId id) {
  Node& n = node(id);
  if (n.state == State::kRunning || n.killed) return;
  if (n.state == State::kFrozen) n.stood_still.back().second = world_->now();
  n.state = State::kRunning;
  // First what the kernel kept or first what the process was about to do.
  if (world_->prng.chance(1, 2)) pump_all();
  while (!n.waiting.empty()) {
    const Action action = std::move(n.waiting.front());
    n.waiting.pop_front();
    action();
  }
  pump_all();
}

void SimNetwork::heal() {
  blocked_.clear();
  clogged_.clear();
  healed_ = true;
  for (ProcessId id = 1; id <= nodes_.size(); ++id) resume(id);
  pump_all();
}

}  // namespace lh::sim
