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
  bool empty() const { return *this == Slots(); }
  void add(size_t slot) { words_[slot / 64] |= uint64_t{1} << slot % 64; }
  void add(const Slots& others) {
    for (size_t k = 0; k < words_.size(); ++k) words_[k] |= others.words_[k];
  }
  void remove(size_t slot) { words_[slot / 64] &= ~(uint64_t{1} << slot % 64); }
  void remove(const Slots& others) {
    for (size_t k = 0; k < words_.size(); ++k) words_[k] &= ~others.words_[k];
  }
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

// What the key holds after the event with this outcome; nothing when that cannot happen in this
// state.
std::optional<uint64_t> apply(const KeyEvent& e, Outcome outcome, uint64_t state) {
  const bool there = state != 0;
  if (outcome == Outcome::kExists || outcome == Outcome::kNotFound) {
    return there == (outcome == Outcome::kExists) ? std::optional(state) : std::nullopt;
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
      return outcome == Outcome::kUnknown || e.value == sum ? std::optional(sum) : std::nullopt;
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
    if (e.op == Op::kRead || e.expires != kNever) read.insert(e.value);
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

// What the key holds and which of the open events have happened already.
struct Situation {
  uint64_t state = 0;
  Slots known;
  Slots unknown;
};

// One way in which things may have gone. Before a loss of power that may take something back, also
// what it leaves, once that is decided. Of two configurations that differ only in more unknown
// events having happened, the smaller can do all that the larger can.
struct Configuration {
  Situation now;
  std::optional<Situation> left;  // known: without those that change nothing
};

class Search {
 public:
  // events: in the order in which they were invoked
  explicit Search(const std::vector<KeyEvent>& events) : events_(forget_unread(events)) {
    before_of_.fill(kOpenEventsMax);
    for (const KeyEvent& e : events_) {
      if (e.op == Op::kAdd) sums_ = true;
      if (e.op == Op::kRead) last_read_[e.value] = std::max(last_read_[e.value], e.answered);
      // Expired when it is back, perhaps: that it is there no more may be read.
      if (e.expires != kNever) last_read_[e.value] = kNever;
    }
    add({});
  }

  // False when there is no slot left.
  bool open(size_t event) {
    const size_t slot = take_slot(event);
    if (slot >= kOpenEventsMax) return false;
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

  // The event is open, and the next loss of power comes before its answer: it may have been
  // executed before that as well, with whatever outcome, but then that is taken back.
  bool open_vain_try(size_t event) {
    const size_t slot = take_slot(event);
    if (slot >= kOpenEventsMax) return false;
    unknown_.add(slot);
    vain_.add(slot);
    tried_[slot] = slot_of(event);
    // From here on it is a choice whether one that changes nothing was explained already.
    if (is_pure(events_[event])) {
      for (Configuration& c : take()) {
        add(c);
        c.now.known.remove(tried_[slot]);
        add(std::move(c));
      }
    }
    return true;
  }

  // The event was answered: keeps the configurations in which it has happened. False when there is
  // none.
  bool close(size_t event) {
    const size_t slot = slot_of(event);
    std::vector<Configuration> work = take();
    std::vector<Configuration> done;
    while (!work.empty() && !exhausted()) {
      Configuration c = std::move(work.back());
      work.pop_back();
      if (c.now.known.has(slot)) {
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
      c.now.known.remove(slot);
      if (c.left) c.left->known.remove(slot);
      add(std::move(c));
    }
    return !done.empty();
  }

  // From now on what happens may be taken back by a loss of power at `cut_at`, all of it or the
  // last part. So at any moment it may be that what the key holds then is what will be left.
  void begin_loss(Moment cut_at) {
    cut_at_ = cut_at;
    for (Configuration& c : take()) {
      add(leave(c));
      add(std::move(c));
    }
  }

  // The loss of power. What was executed before it may be answered later, and be taken back all the
  // same; or it is executed again, as far as nobody has its answer.
  void end_loss() {
    cut_at_.reset();
    std::vector<Configuration> work = take();
    for (const Configuration& c : work) insert(&seen_, c);
    std::vector<Configuration> after;
    while (!work.empty() && !exhausted()) {
      const Configuration c = std::move(work.back());
      work.pop_back();
      after.push_back(c);
      if (!c.left) continue;  // whatever else happened is left, too: it may as well happen later
      for (size_t next = 0; next < slots_end_; ++next) {
        if (used_.has(next)) try_event(c, next, &work);
      }
    }
    seen_.clear();
    used_.remove(vain_);
    unknown_.remove(vain_);
    vain_ = {};
    for (const Configuration& c : after) take_back(c);
  }

  // What an event wrote has expired. Whatever is open may have happened before.
  void expire(size_t event) {
    const uint64_t value = events_[event].value;
    std::vector<Configuration> work = take();
    for (const Configuration& c : work) insert(&seen_, c);
    std::vector<Configuration> before;
    while (!work.empty() && !exhausted()) {
      Configuration c = std::move(work.back());
      work.pop_back();
      for (size_t next = 0; next < slots_end_; ++next) {
        if (used_.has(next)) try_event(c, next, &work);
      }
      before.push_back(std::move(c));
    }
    seen_.clear();
    expired_.insert(value);
    for (Configuration& c : before) {
      if (c.now.state == value) c.now.state = 0;
      if (c.left && c.left->state == value) c.left->state = 0;
      add(std::move(c));
    }
  }

  // What it says of the history is worth nothing then.
  bool exhausted() const { return comparisons_ > kComparisonsMax; }

  std::string describe_states() const {
    std::string out;
    uint64_t last = kNever;
    for (const auto& [key, antichain] : configurations_) {
      if (key.state == last) continue;
      last = key.state;
      if (!out.empty()) out += ", ";
      out += last == 0            ? "absent"
             : last == kNeverRead ? "a value that nobody read"
                                  : std::to_string(last);
    }
    return out;
  }

 private:
  // What has to be the same in configurations that are compared.
  struct Key {
    uint64_t state = 0;
    Slots known;
    bool has_left = false;
    uint64_t left_state = 0;
    Slots left_known;
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  // Of events without an answer.
  struct Happened {
    Slots now;
    Slots left;
    bool within(const Happened& other) const {
      return now.within(other.now) && left.within(other.left);
    }
  };
  using Table = std::map<Key, std::vector<Happened>>;  // of which none is within another

  // kOpenEventsMax when there is none left.
  size_t take_slot(size_t event) {
    const size_t slot = used_.first_free();
    if (slot >= kOpenEventsMax) return slot;
    used_.add(slot);
    slots_end_ = std::max(slots_end_, slot + 1);
    event_of_[slot] = event;
    before_of_[slot] = kOpenEventsMax;
    return slot;
  }

  // Of the event itself, not of a vain try.
  size_t slot_of(size_t event) const {
    size_t slot = 0;
    while (!used_.has(slot) || vain_.has(slot) || event_of_[slot] != event) ++slot;
    return slot;
  }

  // Of the open events without an answer that are like this one; kOpenEventsMax when there is none.
  size_t latest_like(size_t event) const {
    size_t latest = kOpenEventsMax;
    for (size_t slot = 0; slot < slots_end_; ++slot) {
      if (!unknown_.has(slot) || vain_.has(slot)) continue;
      if (!are_alike(events_[event_of_[slot]], events_[event])) continue;
      if (latest == kOpenEventsMax || event_of_[latest] < event_of_[slot]) latest = slot;
    }
    return latest;
  }

  void settle_pure(Situation* s) const {
    for (size_t slot = 0; slot < slots_end_; ++slot) {
      if (!used_.has(slot) || unknown_.has(slot) || s->known.has(slot)) continue;
      const KeyEvent& e = events_[event_of_[slot]];
      if (is_pure(e) && !is_tried(slot, vain_) && apply(e, e.outcome, s->state)) s->known.add(slot);
    }
  }

  // True when the table had nothing as good yet.
  bool insert(Table* table, const Configuration& c) {
    Key key{c.now.state, c.now.known, c.left.has_value(), 0, {}};
    Happened happened{c.now.unknown, {}};
    if (c.left) {
      key.left_state = c.left->state;
      key.left_known = c.left->known;
      happened.left = c.left->unknown;
    }
    std::vector<Happened>& antichain = (*table)[key];
    comparisons_ += antichain.size() + 1;
    for (const Happened& other : antichain) {
      if (other.within(happened)) return false;
    }
    std::erase_if(antichain, [&](const Happened& other) { return happened.within(other); });
    antichain.push_back(happened);
    return true;
  }

  void add(Configuration c) {
    settle_pure(&c.now);
    insert(&configurations_, c);
  }

  std::vector<Configuration> take() {
    std::vector<Configuration> all;
    for (const auto& [key, antichain] : configurations_) {
      for (const Happened& happened : antichain) {
        Configuration& c = all.emplace_back();
        c.now = {key.state, key.known, happened.now};
        if (key.has_left) c.left = {key.left_state, key.left_known, happened.left};
      }
    }
    configurations_.clear();
    return all;
  }

  // The same, and it is decided that this will be left.
  Configuration leave(const Configuration& c) const {
    Configuration decided{c.now, c.now};
    Situation& left = *decided.left;
    for (size_t slot = 0; slot < slots_end_; ++slot) {
      if (left.known.has(slot) && is_pure(events_[event_of_[slot]])) left.known.remove(slot);
    }
    // A value that nobody reads when it is back is like any other.
    const auto read = last_read_.find(left.state);
    const bool matters =
        sums_ || left.state == 0 || (read != last_read_.end() && read->second > *cut_at_);
    if (!matters) left.state = kNeverRead;
    return decided;
  }

  void take_back(const Configuration& c) {
    if (!c.left) return add(c);
    Situation after = *c.left;
    after.known.add(c.now.known);
    add({after, std::nullopt});
  }

  // Whether there is a vain try of this event among these.
  bool is_tried(size_t slot, const Slots& among) const {
    if (vain_.empty()) return false;
    for (size_t vain = 0; vain < slots_end_; ++vain) {
      if (vain_.has(vain) && tried_[vain] == slot && among.has(vain)) return true;
    }
    return false;
  }

  // An event is not tried twice unless that is taken back in between, as a vain try has to be.
  bool is_ruled_out(const Configuration& from, size_t slot) const {
    if (vain_.has(slot)) return !from.left || from.now.known.has(tried_[slot]);
    return is_tried(slot, from.now.unknown);
  }

  void try_event(const Configuration& from, size_t slot, std::vector<Configuration>* work) {
    if (from.now.known.has(slot) || from.now.unknown.has(slot)) return;
    if (is_ruled_out(from, slot)) return;
    // Of events that are alike the one invoked first goes first.
    if (before_of_[slot] != kOpenEventsMax && !from.now.unknown.has(before_of_[slot])) return;
    const KeyEvent& e = events_[event_of_[slot]];
    const Outcome outcome = vain_.has(slot) ? Outcome::kUnknown : e.outcome;
    std::optional<uint64_t> state = apply(e, outcome, from.now.state);
    if (!state) return;
    if (expired_.contains(*state)) state = 0;
    if (unknown_.has(slot) && *state == from.now.state) return;
    Configuration next = from;
    next.now.state = *state;
    (unknown_.has(slot) ? next.now.unknown : next.now.known).add(slot);
    settle_pure(&next.now);
    if (cut_at_ && !next.left) {
      Configuration decided = leave(next);
      if (insert(&seen_, decided)) work->push_back(std::move(decided));
    }
    if (insert(&seen_, next)) work->push_back(std::move(next));
  }

  const std::vector<KeyEvent> events_;
  Slots used_;
  Slots unknown_;  // of events without an answer: their slots are never free again
  Slots vain_;     // of these: vain tries, whose slots are free after the loss of power
  size_t slots_end_ = 0;
  std::array<size_t, kOpenEventsMax> event_of_{};
  std::array<size_t, kOpenEventsMax> before_of_{};  // the slot of the one like it invoked before
  std::array<size_t, kOpenEventsMax> tried_{};      // of a vain try: the slot of the event
  Table configurations_;
  Table seen_;
  std::optional<Moment> cut_at_;  // of the loss of power that may take back what happens
  uint64_t comparisons_ = 0;
  bool sums_ = false;
  std::set<uint64_t> expired_;            // values
  std::map<uint64_t, Moment> last_read_;  // by value
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
  if (e.expires != kNever) {
    base::append_format(&out, " until %llu", static_cast<unsigned long long>(e.expires));
  }
  out.append(" -> ").append(kOutcomes[static_cast<size_t>(e.outcome)]);
  return e.text.empty() ? out : out + "  " + e.text;
}

std::string report(const std::vector<KeyEvent>& events, const std::vector<PowerCut>& cuts,
                   size_t culprit, const std::string& states) {
  std::string out = "no order explains\n" + describe(events[culprit]) +
                    "\nwhen the key may hold: " + states + "\nafter these events\n";
  constexpr size_t kShown = 24;
  const size_t first = culprit > kShown ? culprit - kShown : 0;
  const Moment until = events[culprit].answered;
  for (size_t k = 0; k < events.size(); ++k) {
    const bool near = k >= first || events[k].outcome == Outcome::kUnknown;
    if (near && k != culprit && events[k].invoked < until) out += describe(events[k]) + "\n";
  }
  for (const PowerCut& cut : cuts) {
    if (cut.at > until) break;
    base::append_format(&out, "  at %llu a loss of power took back what was answered after %llu\n",
                        static_cast<unsigned long long>(cut.at),
                        static_cast<unsigned long long>(cut.since));
  }
  return out;
}

struct Point {
  // In the order in which they count at one moment.
  enum class Kind : uint8_t { kInvoked, kEndLoss, kVainTry, kAnswered, kBeginLoss, kExpired };
  Moment at = 0;
  Kind kind = Kind::kInvoked;
  size_t number = 0;  // of the event, or of the loss
};

std::vector<Point> points_of(const std::vector<KeyEvent>& events,
                             const std::vector<PowerCut>& cuts) {
  using Kind = Point::Kind;
  std::vector<Point> points;
  for (size_t k = 0; k < cuts.size(); ++k) {
    points.push_back({cuts[k].since, Kind::kBeginLoss, k});
    points.push_back({cuts[k].at, Kind::kEndLoss, k});
  }
  for (size_t k = 0; k < events.size(); ++k) {
    const KeyEvent& e = events[k];
    const bool unknown = e.outcome == Outcome::kUnknown;
    if (unknown && e.op == Op::kRead) continue;  // says nothing
    if (e.expires != kNever) points.push_back({e.expires, Kind::kExpired, k});
    for (const PowerCut& cut : cuts) {
      if (unknown || e.op == Op::kRead || e.invoked > cut.at || e.answered < cut.at) continue;
      points.push_back({std::max(e.invoked, cut.since), Kind::kVainTry, k});
    }
    points.push_back({e.invoked, Kind::kInvoked, k});
    if (!unknown) points.push_back({e.answered, Kind::kAnswered, k});
  }
  std::sort(points.begin(), points.end(), [](const Point& a, const Point& b) {
    return std::pair(a.at, a.kind) < std::pair(b.at, b.kind);
  });
  return points;
}

}  // namespace

Explanation explain_history(std::vector<KeyEvent> events, const std::vector<PowerCut>& cuts) {
  const Explanation undecided{{}, false};
  std::stable_sort(events.begin(), events.end(),
                   [](const KeyEvent& a, const KeyEvent& b) { return a.invoked < b.invoked; });
  Search search(events);
  for (const Point& point : points_of(events, cuts)) {
    switch (point.kind) {
      case Point::Kind::kInvoked:
        if (!search.open(point.number)) return undecided;
        break;
      case Point::Kind::kAnswered: {
        const std::string states = search.describe_states();
        const bool explained = search.close(point.number);
        if (search.exhausted()) return undecided;
        if (!explained) return {report(events, cuts, point.number, states)};
        break;
      }
      case Point::Kind::kVainTry:
        if (!search.open_vain_try(point.number)) return undecided;
        break;
      case Point::Kind::kExpired:
        search.expire(point.number);
        break;
      case Point::Kind::kBeginLoss:
        search.begin_loss(cuts[point.number].at);
        break;
      case Point::Kind::kEndLoss:
        search.end_loss();
        break;
    }
    if (search.exhausted()) return undecided;
  }
  return {};
}

}  // namespace lh::sim
