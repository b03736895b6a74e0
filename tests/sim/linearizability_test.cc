#include "sim/linearizability.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/prng.h"

namespace lh::sim {
namespace {

using Op = KeyEvent::Op;
using Outcome = KeyEvent::Outcome;

KeyEvent event(Op op, Outcome outcome, uint64_t value, Moment invoked, Moment answered) {
  return {op, outcome, value, invoked, answered, {}};
}
KeyEvent put(uint64_t value, Moment invoked, Moment answered) {
  return event(Op::kPut, Outcome::kOk, value, invoked, answered);
}
KeyEvent insert(uint64_t value, Moment invoked, Moment answered) {
  return event(Op::kInsert, Outcome::kOk, value, invoked, answered);
}
KeyEvent exists(uint64_t value, Moment invoked, Moment answered) {
  return event(Op::kInsert, Outcome::kExists, value, invoked, answered);
}
KeyEvent update(uint64_t value, Moment invoked, Moment answered) {
  return event(Op::kUpdate, Outcome::kOk, value, invoked, answered);
}
KeyEvent read(uint64_t value, Moment invoked, Moment answered) {
  return event(Op::kRead, Outcome::kOk, value, invoked, answered);
}
KeyEvent missing(Op op, uint64_t value, Moment invoked, Moment answered) {
  return event(op, Outcome::kNotFound, value, invoked, answered);
}
KeyEvent erase(Moment invoked, Moment answered) {
  return event(Op::kDelete, Outcome::kOk, 0, invoked, answered);
}
KeyEvent unknown(Op op, uint64_t value, Moment invoked) {
  return event(op, Outcome::kUnknown, value, invoked, kNever);
}

bool fine(std::vector<KeyEvent> events) { return explain_history(std::move(events)).holds(); }

TEST(LinearizabilityTest, oneAfterTheOther) {
  EXPECT_TRUE(fine({}));
  EXPECT_TRUE(fine({insert(1, 0, 1), read(1, 2, 3), update(2, 4, 5), read(2, 6, 7), erase(8, 9),
                    missing(Op::kRead, 0, 10, 11), insert(3, 12, 13), exists(4, 14, 15)}));
}

KeyEvent add(uint64_t delta, uint64_t sum, Moment invoked, Moment answered) {
  KeyEvent e = event(Op::kAdd, Outcome::kOk, sum, invoked, answered);
  e.delta = delta;
  return e;
}

TEST(LinearizabilityTest, sumsTellInWhichOrderWasAdded) {
  EXPECT_TRUE(
      fine({add(2, 2, 0, 1), add(3, 5, 2, 3), read(5, 4, 5), erase(6, 7), add(4, 4, 8, 9)}));
  EXPECT_TRUE(fine({add(2, 5, 0, 9), add(3, 3, 1, 8), read(3, 2, 7)}));
  EXPECT_FALSE(fine({add(2, 2, 0, 1), add(3, 3, 2, 3)})) << "one was lost";
  EXPECT_FALSE(fine({add(2, 2, 0, 1), read(4, 2, 3)})) << "one was done twice";
  KeyEvent lost = unknown(Op::kAdd, 0, 0);
  lost.delta = 7;
  EXPECT_TRUE(fine({lost, add(1, 1, 1, 2), read(8, 3, 4)}));
  EXPECT_FALSE(fine({lost, add(1, 1, 1, 2), read(15, 3, 4)}));
}

TEST(LinearizabilityTest, lostWriteIsFound) {
  EXPECT_FALSE(fine({put(1, 0, 1), missing(Op::kRead, 0, 2, 3)}));
  EXPECT_FALSE(fine({put(1, 0, 1), put(2, 2, 3), read(1, 4, 5)}));
  EXPECT_FALSE(fine({insert(1, 0, 1), insert(2, 2, 3)}));
  EXPECT_FALSE(fine({insert(1, 0, 1), missing(Op::kUpdate, 2, 2, 3)}));
  EXPECT_FALSE(fine({insert(1, 0, 1), missing(Op::kDelete, 0, 2, 3)}));
}

TEST(LinearizabilityTest, resurrectionIsFound) {
  EXPECT_FALSE(fine({put(1, 0, 1), erase(2, 3), read(1, 4, 5)}));
  EXPECT_FALSE(fine({put(1, 0, 1), erase(2, 3), erase(4, 5)}));
  EXPECT_FALSE(fine({put(1, 0, 1), erase(2, 3), exists(2, 4, 5)}));
  EXPECT_FALSE(fine({put(1, 0, 1), erase(2, 3), update(2, 4, 5)}));
}

TEST(LinearizabilityTest, insertToldOfItselfIsFound) {
  // What a retried insert gets when its first answer was forgotten.
  EXPECT_FALSE(fine({exists(1, 0, 1), read(1, 2, 3)}));
}

TEST(LinearizabilityTest, concurrentOperationsMayGoEitherWay) {
  EXPECT_TRUE(fine({put(1, 0, 10), put(2, 0, 10), read(1, 11, 12)}));
  EXPECT_TRUE(fine({put(1, 0, 10), put(2, 0, 10), read(2, 11, 12)}));
  EXPECT_FALSE(fine({put(1, 0, 10), put(2, 0, 10), read(1, 11, 12), read(2, 13, 14)}));
  EXPECT_TRUE(fine({put(1, 0, 10), missing(Op::kRead, 0, 1, 2), read(1, 3, 4)}));
  EXPECT_FALSE(fine({put(1, 0, 10), read(1, 1, 2), missing(Op::kRead, 0, 3, 4)}));
}

TEST(LinearizabilityTest, unknownOutcomesExplainWhatTheyCan) {
  EXPECT_TRUE(fine({unknown(Op::kPut, 1, 0), read(1, 1, 2)}));
  EXPECT_TRUE(fine({unknown(Op::kPut, 1, 0), missing(Op::kRead, 0, 1, 2), read(1, 8, 9)}));
  EXPECT_TRUE(fine({unknown(Op::kPut, 1, 0), missing(Op::kRead, 0, 1, 2)}));
  EXPECT_TRUE(fine({put(1, 0, 1), unknown(Op::kDelete, 0, 2), missing(Op::kRead, 0, 3, 4)}));
  EXPECT_TRUE(fine({put(1, 0, 1), unknown(Op::kDelete, 0, 2), read(1, 3, 4)}));
  // Once it has happened it has happened.
  EXPECT_FALSE(fine({unknown(Op::kPut, 1, 0), read(1, 1, 2), missing(Op::kRead, 0, 3, 4)}));
  EXPECT_FALSE(
      fine({put(1, 0, 1), unknown(Op::kDelete, 0, 2), missing(Op::kRead, 0, 3, 4), read(1, 5, 6)}));
  // Not before it was sent.
  EXPECT_FALSE(fine({read(1, 0, 1), unknown(Op::kPut, 1, 2)}));
  // One deletion of unknown outcome explains one disappearance, not two.
  EXPECT_FALSE(fine({put(1, 0, 1), unknown(Op::kDelete, 0, 2), missing(Op::kRead, 0, 3, 4),
                     put(2, 5, 6), missing(Op::kRead, 0, 7, 8)}));
}

KeyEvent until(Moment moment, KeyEvent e) {
  e.expires = moment;
  return e;
}

TEST(LinearizabilityTest, whatExpiresIsThereUntilThenAndNotLater) {
  const KeyEvent timed = until(10, put(1, 0, 1));
  EXPECT_TRUE(fine({timed, read(1, 2, 9)}));
  EXPECT_TRUE(fine({timed, missing(Op::kRead, 0, 11, 12)}));
  EXPECT_FALSE(fine({timed, read(1, 11, 12)})) << "late";
  EXPECT_FALSE(fine({timed, missing(Op::kRead, 0, 2, 9)})) << "early";
  EXPECT_TRUE(fine({timed, read(1, 9, 12)})) << "under way, it may be either";
  EXPECT_TRUE(fine({timed, missing(Op::kRead, 0, 9, 12)}));
  EXPECT_FALSE(fine({timed, missing(Op::kRead, 0, 8, 12), read(1, 13, 14)}));
  EXPECT_TRUE(fine({timed, insert(2, 11, 12), read(2, 13, 14)}));
  EXPECT_FALSE(fine({timed, update(2, 11, 12)}));
  EXPECT_TRUE(fine({timed, missing(Op::kUpdate, 2, 11, 12), missing(Op::kDelete, 0, 13, 14)}));
}

TEST(LinearizabilityTest, whatWasOverwrittenDoesNotExpire) {
  EXPECT_TRUE(fine({until(10, put(1, 0, 1)), put(2, 2, 3), read(2, 11, 12)}));
  EXPECT_FALSE(fine({until(10, put(1, 0, 1)), put(2, 2, 3), missing(Op::kRead, 0, 11, 12)}));
  EXPECT_TRUE(fine({until(10, put(1, 0, 1)), until(20, put(2, 2, 3)), read(2, 11, 12),
                    missing(Op::kRead, 0, 21, 22)}));
}

TEST(LinearizabilityTest, whatIsWrittenAfterItExpiredErases) {
  EXPECT_TRUE(fine({put(1, 0, 1), until(10, put(2, 9, 12)), missing(Op::kRead, 0, 13, 14)}));
  EXPECT_FALSE(fine({put(1, 0, 1), until(10, put(2, 9, 12)), read(1, 13, 14)}));
  const KeyEvent lost = until(10, unknown(Op::kPut, 2, 2));
  EXPECT_TRUE(fine({put(1, 0, 1), lost, read(1, 11, 12), missing(Op::kRead, 0, 13, 14)}));
  EXPECT_FALSE(fine({put(1, 0, 1), lost, read(2, 11, 12)}));
}

TEST(LinearizabilityTest, aLossOfPowerBringsNothingBackThatHasExpired) {
  const KeyEvent timed = until(10, put(1, 0, 1));
  const std::vector<KeyEvent> events{timed, put(2, 6, 7)};
  const auto after = [&events](const KeyEvent& e) {
    std::vector<KeyEvent> all = events;
    all.push_back(e);
    return explain_history(all, {{5, 12}}).holds();
  };
  EXPECT_TRUE(after(read(2, 13, 14)));
  EXPECT_TRUE(after(missing(Op::kRead, 0, 13, 14))) << "it was taken back, and what was has gone";
  EXPECT_FALSE(after(read(1, 13, 14)));
}

TEST(LinearizabilityTest, manyUnknownOutcomesAreNoBurden) {
  std::vector<KeyEvent> events;
  for (uint64_t k = 1; k <= 100; ++k) {
    events.push_back(unknown(k % 3 == 0 ? Op::kDelete : Op::kPut, k % 3 == 0 ? 0 : k, k));
  }
  for (uint64_t k = 0; k < 200; ++k) {
    const Moment at = 1'000 + 10 * k;
    events.push_back(put(1'000 + k, at, at + 3));
    events.push_back(read(1'000 + k, at + 4, at + 6));
  }
  EXPECT_TRUE(fine(events));
  events.push_back(read(1'000, 9'000, 9'001));
  EXPECT_FALSE(fine(events));
}

TEST(LinearizabilityTest, eventsThatAreAlikeAreNoBurden) {
  // Any of the deletions may have happened at any time, and any of the values that nobody reads may
  // have been there.
  std::vector<KeyEvent> events;
  for (uint64_t k = 1; k <= 60; ++k) {
    const Moment at = 10 * k;
    events.push_back(unknown(k % 2 == 0 ? Op::kDelete : Op::kClear, 0, at));
    events.push_back(unknown(Op::kPut, k, at));
    events.push_back(missing(Op::kRead, 0, at + 1, at + 2));
    events.push_back(exists(1'000 + k, at + 3, at + 4));
  }
  EXPECT_TRUE(fine(events));
  events.push_back(read(1'001, 1'000, 1'001));
  EXPECT_FALSE(fine(events)) << "a refused insert's value";
}

TEST(LinearizabilityTest, reportNamesTheCulprit) {
  std::vector<KeyEvent> events = {put(1, 0, 1), erase(2, 3), read(1, 4, 5)};
  events[2].text = "client 7";
  const std::optional<std::string> report = explain_history(events).violation;
  ASSERT_TRUE(report);
  EXPECT_NE(report->find("read 1 -> ok  client 7"), std::string::npos) << *report;
  EXPECT_NE(report->find("may hold: absent"), std::string::npos) << *report;
}

TEST(LinearizabilityTest, tooManyAtOnceIsSaid) {
  std::vector<KeyEvent> events;
  for (uint64_t k = 0; k <= kOpenEventsMax; ++k) events.push_back(unknown(Op::kPut, k + 1, k));
  EXPECT_FALSE(explain_history(events).decided);
  EXPECT_FALSE(explain_history(events).violation);
}

TEST(LinearizabilityTest, tooMuchToTryIsSaid) {
  std::vector<KeyEvent> events;
  for (uint64_t k = 0; k < 40; ++k) {
    KeyEvent e = unknown(Op::kAdd, 0, k);
    e.delta = uint64_t{1} << k;
    events.push_back(e);
  }
  events.push_back(read(uint64_t{1} << 41, 50, 51));
  EXPECT_FALSE(explain_history(events).decided);
  EXPECT_FALSE(explain_history(events).violation);
}

// Against a dumb version that tries every order, on small random histories.
class DumbChecker {
 public:
  explicit DumbChecker(const std::vector<KeyEvent>& events)
      : events_(events), placed_(events.size()) {}

  bool fine(uint64_t state = 0) {
    bool done = true;
    Moment first_answer = kNever;
    for (size_t k = 0; k < events_.size(); ++k) {
      if (placed_[k] || events_[k].outcome == Outcome::kUnknown) continue;
      done = false;
      first_answer = std::min(first_answer, events_[k].answered);
    }
    if (done) return true;
    for (size_t k = 0; k < events_.size(); ++k) {
      if (placed_[k] || events_[k].invoked > first_answer) continue;
      uint64_t next = state;
      if (!happens(events_[k], &next)) continue;
      placed_[k] = true;
      if (fine(next)) return true;
      placed_[k] = false;
    }
    return false;
  }

 private:
  static bool happens(const KeyEvent& e, uint64_t* state) {
    std::map<int, uint64_t> model;
    if (*state != 0) model[0] = *state;
    const bool there = !model.empty();
    if (e.outcome == Outcome::kExists) return there;
    if (e.outcome == Outcome::kNotFound) return !there;
    if (e.op == Op::kInsert && there) return false;
    if (e.op == Op::kUpdate && !there) return false;
    if (e.op == Op::kDelete && !there) return false;
    if (e.op == Op::kRead) return there && *state == e.value;
    *state = e.op == Op::kDelete ? 0 : e.value;
    return true;
  }

  const std::vector<KeyEvent>& events_;
  std::vector<bool> placed_;
};

KeyEvent random_event(base::Prng* prng, uint64_t number) {
  KeyEvent e;
  e.op = static_cast<Op>(prng->below(5));
  e.invoked = prng->below(24);
  e.answered = e.invoked + 1 + prng->below(6);
  e.value = e.op == Op::kDelete ? 0 : e.op == Op::kRead ? 1 + prng->below(6) : number;
  if (prng->chance(1, 3) && e.op != Op::kPut) {
    e.outcome = e.op == Op::kInsert ? Outcome::kExists : Outcome::kNotFound;
  }
  if (e.op != Op::kRead && prng->chance(1, 6)) {
    e.outcome = Outcome::kUnknown;
    e.answered = kNever;
  }
  return e;
}

TEST(LinearizabilityTest, agreesWithTryingEveryOrder) {
  base::Prng prng(20);
  size_t good = 0;
  constexpr size_t kRuns = 20'000;
  for (size_t run = 0; run < kRuns; ++run) {
    std::vector<KeyEvent> events;
    const uint64_t count = 1 + prng.below(6);
    for (uint64_t k = 1; k <= count; ++k) events.push_back(random_event(&prng, k));
    const bool expected = DumbChecker(events).fine();
    good += expected ? 1 : 0;
    ASSERT_EQ(fine(events), expected) << "run " << run;
  }
  EXPECT_GT(good, kRuns / 20);
  EXPECT_LT(good, kRuns * 19 / 20);
}

// ------------------------------------------------------------------------------- losses of power

bool fine(std::vector<KeyEvent> events, std::vector<PowerCut> cuts) {
  return explain_history(std::move(events), cuts).holds();
}

TEST(LinearizabilityTest, aLossOfPowerTakesBackTheLastThatWasAnswered) {
  const std::vector<PowerCut> cut = {{4, 10}};
  for (const uint64_t left : {2, 3, 4}) {
    EXPECT_TRUE(fine({put(1, 0, 1), put(2, 2, 3), put(3, 5, 6), read(3, 7, 7), put(4, 8, 9),
                      read(left, 11, 12), read(left, 13, 14)},
                     cut))
        << left;
  }
  EXPECT_TRUE(fine({put(1, 5, 6), missing(Op::kRead, 0, 11, 12)}, cut));
  EXPECT_TRUE(fine({put(1, 0, 1), erase(5, 6), read(1, 11, 12)}, cut));
}

TEST(LinearizabilityTest, whatWasAnsweredBeforeTheBoundStays) {
  const std::vector<PowerCut> cut = {{4, 10}};
  const std::vector<KeyEvent> before = {put(1, 0, 1), put(2, 2, 3), put(3, 5, 6)};
  const auto then = [&](const KeyEvent& e) {
    std::vector<KeyEvent> events = before;
    events.push_back(e);
    return fine(events, cut);
  };
  EXPECT_FALSE(then(read(1, 11, 12)));
  EXPECT_FALSE(then(missing(Op::kRead, 0, 11, 12)));
  EXPECT_FALSE(then(read(9, 11, 12))) << "nobody wrote that";
  EXPECT_FALSE(then(read(2, 8, 9))) << "the power was still there";
  // Who was shown something before the bound is not told that it never was.
  EXPECT_FALSE(fine({put(1, 0, kNever - 1), read(1, 2, 3), missing(Op::kRead, 0, 11, 12)}, cut));
}

TEST(LinearizabilityTest, whatWasTakenBackDoesNotComeBackByItself) {
  const std::vector<PowerCut> cut = {{4, 10}};
  EXPECT_FALSE(fine({put(1, 0, 1), put(2, 5, 6), read(1, 11, 12), read(2, 13, 14)}, cut));
  EXPECT_FALSE(
      fine({put(1, 0, 1), put(2, 5, 6), put(3, 7, 8), read(2, 11, 12), read(1, 13, 14)}, cut));
  // But who has no answer yet asks again.
  EXPECT_TRUE(
      fine({put(1, 0, 1), put(2, 5, 20), read(2, 6, 7), read(1, 11, 12), read(2, 13, 14)}, cut));
  EXPECT_FALSE(fine({put(1, 0, 1), put(2, 5, 20), read(2, 6, 7), read(1, 11, 12), read(2, 13, 14),
                     read(1, 15, 16)},
                    cut));
}

TEST(LinearizabilityTest, anAnswerUnderWayMayTellOfWhatWasTakenBack) {
  const std::vector<PowerCut> cut = {{4, 10}};
  EXPECT_TRUE(fine({put(1, 0, 1), put(2, 5, 20), read(1, 21, 22)}, cut));
  EXPECT_TRUE(fine({add(2, 2, 0, 1), add(3, 5, 5, 20), read(2, 21, 22)}, cut));
  // Executed with another outcome first, seen by others, and then once more.
  EXPECT_TRUE(fine(
      {add(2, 2, 0, 1), add(4, 6, 5, 6), add(1, 3, 5, 20), read(7, 7, 8), read(3, 21, 22)}, cut));
  EXPECT_FALSE(fine(
      {add(2, 2, 0, 1), add(4, 6, 5, 6), add(1, 3, 5, 20), read(7, 7, 8), read(4, 21, 22)}, cut));
}

TEST(LinearizabilityTest, oneLossOfPowerAfterTheOther) {
  const std::vector<PowerCut> cuts = {{2, 6}, {6, 10}};
  EXPECT_TRUE(fine({put(1, 0, 1), put(2, 3, 4), read(2, 7, 8), read(2, 11, 12)}, cuts));
  EXPECT_TRUE(fine({put(1, 0, 1), put(2, 3, 4), put(3, 7, 8), read(1, 11, 12)}, cuts));
  EXPECT_FALSE(fine({put(1, 0, 1), put(2, 3, 4), read(2, 7, 8), read(1, 11, 12)}, cuts))
      << "what was back after the first is there for good";
}

// One loss of power: executes whatever is open whenever it can, and then goes back to every state
// since the bound.
class DumbPowerChecker {
 public:
  DumbPowerChecker(const std::vector<KeyEvent>& events, const PowerCut& cut)
      : events_(events), cut_(cut) {}

  bool fine() { return go({0, std::vector<Status>(events_.size()), {}}, 0); }

 private:
  enum class Status : uint8_t { kOpen, kDone, kVain };
  using Snapshot = std::pair<uint64_t, std::vector<Status>>;
  struct World {
    uint64_t state;
    std::vector<Status> status;
    std::vector<Snapshot> since;  // the bound
  };
  static constexpr Moment kEnd = 40;

  bool go(World world, Moment now) {
    if (now == kEnd) return true;
    for (size_t k = 0; k < events_.size(); ++k) {
      const KeyEvent& e = events_[k];
      if (world.status[k] != Status::kOpen || e.invoked > now || e.answered < now) continue;
      for (const Status status : {Status::kDone, Status::kVain}) {
        if (status == Status::kVain && (now >= cut_.at || e.outcome == Outcome::kUnknown)) continue;
        World next = world;
        if (!apply(e, status == Status::kVain, &next.state)) continue;
        next.status[k] = status;
        if (!next.since.empty()) next.since.push_back({next.state, next.status});
        if (go(next, now)) return true;
      }
    }
    for (size_t k = 0; k < events_.size(); ++k) {
      const bool must = events_[k].answered == now && events_[k].outcome != Outcome::kUnknown;
      if (must && world.status[k] != Status::kDone) return false;
    }
    if (now == cut_.since) world.since = {{world.state, world.status}};
    if (now + 1 != cut_.at) return go(world, now + 1);
    return std::any_of(world.since.begin(), world.since.end(),
                       [&](const Snapshot& left) { return go_on(world, left); });
  }

  bool go_on(const World& before, const Snapshot& left) {
    World after{left.first, left.second, {}};
    for (size_t k = 0; k < events_.size(); ++k) {
      if (left.second[k] == Status::kVain) return false;  // its answer is another one
      const bool told =
          before.status[k] == Status::kDone && events_[k].outcome != Outcome::kUnknown;
      if (told) after.status[k] = Status::kDone;
    }
    return go(after, cut_.at);
  }

  static bool apply(const KeyEvent& e, bool whatever, uint64_t* state) {
    const bool there = *state != 0;
    const Outcome outcome = whatever ? Outcome::kUnknown : e.outcome;
    if (outcome == Outcome::kExists) return there;
    if (outcome == Outcome::kNotFound) return !there;
    if (e.op == Op::kInsert && there) return false;
    if ((e.op == Op::kUpdate || e.op == Op::kDelete) && !there) return false;
    if (e.op == Op::kRead) return outcome == Outcome::kUnknown || *state == e.value;
    *state = e.op == Op::kDelete ? 0 : e.value;
    return true;
  }

  const std::vector<KeyEvent>& events_;
  const PowerCut cut_;
};

TEST(LinearizabilityTest, agreesAboutALossOfPowerWithTryingEverything) {
  base::Prng prng(21);
  size_t good = 0;
  size_t excused = 0;
  constexpr size_t kRuns = 20'000;
  for (size_t run = 0; run < kRuns; ++run) {
    std::vector<KeyEvent> events;
    const uint64_t count = 1 + prng.below(4);
    for (uint64_t k = 1; k <= count; ++k) {
      KeyEvent e = random_event(&prng, k);
      e.invoked *= 2;  // the cut has a moment of its own
      if (e.answered != kNever) e.answered *= 2;
      if (e.invoked < 38 && (e.answered < 38 || e.answered == kNever)) events.push_back(e);
    }
    const PowerCut cut{2 * prng.below(8), 2 * (8 + prng.below(8)) + 1};
    const bool expected = DumbPowerChecker(events, cut).fine();
    good += expected ? 1 : 0;
    ASSERT_EQ(fine(events, {cut}), expected) << "run " << run;
    excused += expected && !fine(events) ? 1 : 0;
  }
  EXPECT_GT(good, kRuns / 20);
  EXPECT_LT(good, kRuns * 19 / 20);
  EXPECT_GT(excused, kRuns / 200);
}

}  // namespace
}  // namespace lh::sim
