#include "sim/linearizability.h"

#include <algorithm>
#include <array>
#include <bit>
#include <compare>
#include <map>
#include <set>
#include <utility>

#include "base/strings.h"

namespace lh::sim {

namespace {

using Op = KeyEvent::Op;
using Outcome = KeyEvent::Outcome;

// A set of slots; a slot stands for an event that is open.
class Slots {
 public:
  bool has(size_t slot) const { return (words_[slot / 64] >> slot % 64 & 1) != 0; }
  void add(size_t slot) { words_[slot / 64] |= uint64_t{1} << slot % 64; }
  void remove(size_t slot) { words_[slot / 64] &= ~(uint64_t{1} << slot % 64); }
  bool within(const Slots& other) const {
    for (size_t k = 0; k < words_.size(); ++k) {
      if ((words_[k] & ~other.words_[k]) != 0) return false;
    }
    return true;
  }
  // The lowest slot that is not in the set; kOpenEventsMax when all are.
  size_t first_free() const {
    size_t k = 0;
    while (k < words_.size() && words_[k] == ~uint64_t{0}) ++k;
    return k < words_.size() ? k * 64 + static_cast<size_t>(std::countr_one(words_[k]))
                             : kOpenEventsMax;
  }
  friend auto operator<=>(const Slots&, const Slots&) = default;

 private:
  std::array<uint64_t, kOpenEventsMax / 64> words_{};
};

// What the key holds after the event; nothing when the event cannot happen in this state.
std::optional<uint64_t> apply(const KeyEvent& e, uint64_t state) {
  const bool there = state != 0;
  if (e.outcome == Outcome::kExists || e.outcome == Outcome::kNotFound) {
    return there == (e.outcome == Outcome::kExists) ? std::optional(state) : std::nullopt;
  }
  switch (e.op) {
    case Op::kInsert:
      return there ? std::nullopt : std::optional(e.value);
    case Op::kUpdate:
      return there ? std::optional(e.value) : std::nullopt;
    case Op::kPut:
      return e.value;
    case Op::kRead:
      return state == e.value ? std::optional(state) : std::nullopt;
    case Op::kDelete:
      return there ? std::optional(uint64_t{0}) : std::nullopt;
    case Op::kClear:
      return uint64_t{0};
    case Op::kAdd: {
      const uint64_t sum = state + e.delta;
      return e.outcome == Outcome::kUnknown || e.value == sum ? std::optional(sum) : std::nullopt;
    }
  }
  return std::nullopt;
}

// Whether the event, once its outcome is known, leaves the key as it is. Such an event can be put
// in its place as soon as the state allows it: that never rules out anything.
bool is_pure(const KeyEvent& e) {
  return e.op == Op::kRead || e.outcome == Outcome::kExists || e.outcome == Outcome::kNotFound;
}

// Stands for every value that nobody read: which of them a key holds tells two histories apart no
// better than their order does.
constexpr uint64_t kNeverRead = kNever - 1;

// What a search needs to know of the events. Sums are read by those that add to them.
std::vector<KeyEvent> forget_unread(std::vector<KeyEvent> events) {
  std::set<uint64_t> read{0};
  for (const KeyEvent& e : events) {
    if (e.op == Op::kAdd) return events;
    if (e.op == Op::kRead) read.insert(e.value);
  }
  for (KeyEvent& e : events) {
    if (!read.contains(e.value)) e.value = kNeverRead;
  }
  return events;
}

// Whether it makes no difference which of two events without an answer has happened.
bool are_alike(const KeyEvent& a, const KeyEvent& b) {
  const auto op = [](const KeyEvent& e) { return e.op == Op::kClear ? Op::kDelete : e.op; };
  return op(a) == op(b) && a.value == b.value && a.delta == b.delta;
}

// One way in which things may have gone: what the key holds and which of the open events have
// happened already. Of two configurations that differ only in more unknown events having happened,
// the smaller can do all that the larger can.
struct Configuration {
  uint64_t state = 0;
  Slots known;
  Slots unknown;
};

class Search {
 public:
  // events: in the order in which they were invoked
  explicit Search(const std::vector<KeyEvent>& events) : events_(forget_unread(events)) {
    before_of_.fill(kOpenEventsMax);
    add({});
  }

  // False when there is no slot left.
  bool open(size_t event) {
    const size_t slot = used_.first_free();
    if (slot >= kOpenEventsMax) return false;
    used_.add(slot);
    slots_end_ = std::max(slots_end_, slot + 1);
    event_of_[slot] = event;
    if (events_[event].outcome == Outcome::kUnknown) {
      before_of_[slot] = latest_like(event);
      unknown_.add(slot);
    }
    // An event that changes nothing may be explained by the state as it is.
    if (is_pure(events_[event])) {
      for (Configuration& c : take()) add(std::move(c));
    }
    return true;
  }

  // The event was answered: keeps the configurations in which it has happened. False when there is
  // none.
  bool close(size_t event) {
    const size_t slot = slot_of(event);
    std::vector<Configuration> work = take();
    std::vector<Configuration> done;
    while (!work.empty()) {
      Configuration c = std::move(work.back());
      work.pop_back();
      if (c.known.has(slot)) {
        done.push_back(std::move(c));
        continue;
      }
      for (size_t next = 0; next < slots_end_; ++next) {
        if (used_.has(next)) try_event(c, next, &work);
      }
    }
    seen_.clear();
    used_.remove(slot);
    for (Configuration& c : done) {
      c.known.remove(slot);
      add(std::move(c));
    }
    return !done.empty();
  }

  std::string describe_states() const {
    std::string out;
    uint64_t last = kNever;
    for (const auto& [key, antichain] : configurations_) {
      if (key.first == last) continue;
      last = key.first;
      if (!out.empty()) out += ", ";
      out += last == 0            ? "absent"
             : last == kNeverRead ? "a value that nobody read"
                                  : std::to_string(last);
    }
    return out;
  }

 private:
  // By state and known events; the sets of unknown events, of which none is within another.
  using Table = std::map<std::pair<uint64_t, Slots>, std::vector<Slots>>;

  size_t slot_of(size_t event) const {
    size_t slot = 0;
    while (!used_.has(slot) || event_of_[slot] != event) ++slot;
    return slot;
  }

  // Of the open events without an answer that are like this one; kOpenEventsMax when there is none.
  size_t latest_like(size_t event) const {
    size_t latest = kOpenEventsMax;
    for (size_t slot = 0; slot < slots_end_; ++slot) {
      if (!unknown_.has(slot) || !are_alike(events_[event_of_[slot]], events_[event])) continue;
      if (latest == kOpenEventsMax || event_of_[latest] < event_of_[slot]) latest = slot;
    }
    return latest;
  }

  void settle_pure(Configuration* c) const {
    for (size_t slot = 0; slot < slots_end_; ++slot) {
      if (!used_.has(slot) || unknown_.has(slot) || c->known.has(slot)) continue;
      const KeyEvent& e = events_[event_of_[slot]];
      if (is_pure(e) && apply(e, c->state)) c->known.add(slot);
    }
  }

  // True when the table had nothing as good yet.
  static bool insert(Table* table, const Configuration& c) {
    std::vector<Slots>& antichain = (*table)[{c.state, c.known}];
    for (const Slots& other : antichain) {
      if (other.within(c.unknown)) return false;
    }
    std::erase_if(antichain, [&](const Slots& other) { return c.unknown.within(other); });
    antichain.push_back(c.unknown);
    return true;
  }

  void add(Configuration c) {
    settle_pure(&c);
    insert(&configurations_, c);
  }

  std::vector<Configuration> take() {
    std::vector<Configuration> all;
    for (const auto& [key, antichain] : configurations_) {
      for (const Slots& unknown : antichain) all.push_back({key.first, key.second, unknown});
    }
    configurations_.clear();
    return all;
  }

  void try_event(const Configuration& from, size_t slot, std::vector<Configuration>* work) {
    if (from.known.has(slot) || from.unknown.has(slot)) return;
    // Of events that are alike the one invoked first goes first.
    if (before_of_[slot] != kOpenEventsMax && !from.unknown.has(before_of_[slot])) return;
    const std::optional<uint64_t> state = apply(events_[event_of_[slot]], from.state);
    if (!state) return;
    if (unknown_.has(slot) && *state == from.state) return;
    Configuration next = from;
    next.state = *state;
    (unknown_.has(slot) ? next.unknown : next.known).add(slot);
    settle_pure(&next);
    if (insert(&seen_, next)) work->push_back(std::move(next));
  }

  const std::vector<KeyEvent> events_;
  Slots used_;
  Slots unknown_;  // of events without an answer: their slots are never free again
  size_t slots_end_ = 0;
  std::array<size_t, kOpenEventsMax> event_of_{};
  std::array<size_t, kOpenEventsMax> before_of_{};  // the slot of the one like it invoked before
  Table configurations_;
  Table seen_;
};

std::string describe(const KeyEvent& e) {
  static constexpr std::string_view kOps[] = {"insert", "update", "put",  "read",
                                              "delete", "add",    "clear"};
  static constexpr std::string_view kOutcomes[] = {"ok", "exists", "not found", "unknown"};
  std::string out = base::format("  [%llu, ", static_cast<unsigned long long>(e.invoked));
  out += e.answered == kNever ? "never] "
                              : base::format("%llu] ", static_cast<unsigned long long>(e.answered));
  out.append(kOps[static_cast<size_t>(e.op)]);
  if (e.value != 0) base::append_format(&out, " %llu", static_cast<unsigned long long>(e.value));
  if (e.delta != 0) base::append_format(&out, " by %llu", static_cast<unsigned long long>(e.delta));
  out.append(" -> ").append(kOutcomes[static_cast<size_t>(e.outcome)]);
  return e.text.empty() ? out : out + "  " + e.text;
}

std::string report(const std::vector<KeyEvent>& events, size_t culprit, const std::string& states) {
  std::string out = "no order explains\n" + describe(events[culprit]) +
                    "\nwhen the key may hold: " + states + "\nafter these events\n";
  constexpr size_t kShown = 24;
  const size_t first = culprit > kShown ? culprit - kShown : 0;
  const Moment until = events[culprit].answered;
  for (size_t k = 0; k < events.size(); ++k) {
    const bool near = k >= first || events[k].outcome == Outcome::kUnknown;
    if (near && k != culprit && events[k].invoked < until) out += describe(events[k]) + "\n";
  }
  return out;
}

struct Point {
  Moment at = 0;
  bool answer = false;
  size_t event = 0;
};

std::vector<Point> points_of(const std::vector<KeyEvent>& events) {
  std::vector<Point> points;
  for (size_t k = 0; k < events.size(); ++k) {
    const KeyEvent& e = events[k];
    const bool unknown = e.outcome == Outcome::kUnknown;
    if (unknown && e.op == Op::kRead) continue;  // says nothing
    points.push_back({e.invoked, false, k});
    if (!unknown) points.push_back({e.answered, true, k});
  }
  std::sort(points.begin(), points.end(), [](const Point& a, const Point& b) {
    return std::pair(a.at, a.answer) < std::pair(b.at, b.answer);
  });
  return points;
}

}  // namespace

std::optional<std::string> explain_history(std::vector<KeyEvent> events) {
  std::stable_sort(events.begin(), events.end(),
                   [](const KeyEvent& a, const KeyEvent& b) { return a.invoked < b.invoked; });
  Search search(events);
  for (const Point& point : points_of(events)) {
    if (!point.answer) {
      if (!search.open(point.event)) return "too many operations at a time on one key to check";
      continue;
    }
    const std::string states = search.describe_states();
    if (!search.close(point.event)) return report(events, point.event, states);
  }
  return std::nullopt;
}

}  // namespace lh::sim
