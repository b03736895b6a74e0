// Linearizability of what happened to one key: is there an order of the operations, compatible with
// their times, in which a plain map would have given these answers? Wing and Gong's question, with
// Lowe's just-in-time search: an operation is put in its place only when its answer forces it.
//
// An operation whose outcome is not known (the client was told that the bucket is down, or never
// anything) may have happened at any moment after it was sent, or never.
//
// A loss of power may take back what was answered a short while before, but only the last of it:
// the key then holds what it held at some moment of that while. What was taken back may be executed
// again if it was not answered yet, and does not come back by itself. One case is not allowed for
// and would be a false alarm: the answer to what was taken back arrives although it was executed
// again since, and otherwise. Pure; knows nothing of buckets, splits or messages.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace lh::sim {

// A moment of a run: the place of an invocation or answer among all of them.
using Moment = uint64_t;
inline constexpr Moment kNever = ~Moment{0};

struct KeyEvent {
  enum class Op : uint8_t { kInsert, kUpdate, kPut, kRead, kDelete, kAdd, kClear };
  enum class Outcome : uint8_t {
    kOk,
    kExists,    // kInsert
    kNotFound,  // kUpdate, kRead, kDelete
    kUnknown,
  };
  Op op = Op::kRead;  // kClear: the key is absent afterwards, whatever was there
  Outcome outcome = Outcome::kOk;
  uint64_t value = 0;  // written, read, or the sum; never 0 for those that have one
  Moment invoked = 0;
  Moment answered = kNever;  // kNever goes with kUnknown
  std::string text;          // for the report: who it was; may be empty
  uint64_t delta = 0;        // kAdd: what is added; an absent key counts as 0
  // kPut: behind this moment a key that has the value has none. Not in a history with kAdd.
  Moment expires = kNever;
};

// A loss of power at moment `at`, which no event has: what was answered by `since` stays. Such
// times do not overlap.
struct PowerCut {
  Moment since = 0;
  Moment at = 0;
};

struct Explanation {
  // A report: the events around the first answer that no order explains.
  std::optional<std::string> violation;
  // Not so: too much was possible at a time (the bounds below) for anyone to tell.
  bool decided = true;
  bool holds() const { return decided && !violation; }
};

// The key is absent at first.
Explanation explain_history(std::vector<KeyEvent> events, const std::vector<PowerCut>& cuts = {});

// How many events of one key may be under way or unknown at a time.
inline constexpr size_t kOpenEventsMax = 256;
// Comparisons of what may have been. What can be told at all mostly takes thousands; the bound is
// seconds, and some hundred MiB.
inline constexpr uint64_t kComparisonsMax = 50'000'000;

}  // namespace lh::sim
