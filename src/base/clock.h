// Time as values: Instant (a point), Duration (a distance) and the Clock that hands Instants out.
//
// Core code never reads a clock: it gets the Instant of the turn as an argument, so that a test or
// the simulator decides what time it is. Only the shell owns a Clock. Both types count nanoseconds
// in 64 bits (292 years) and are distinct types: an Instant plus an Instant does not compile.
// Arithmetic saturates: Instant::never() plus anything is still never.
#pragma once

#include <atomic>
#include <compare>
#include <cstdint>
#include <limits>

namespace lh::base {

namespace internal {

constexpr int64_t saturating_add(int64_t a, int64_t b) {
  int64_t sum = 0;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return b < 0 ? std::numeric_limits<int64_t>::min() : std::numeric_limits<int64_t>::max();
}

constexpr int64_t saturating_multiply(int64_t a, int64_t b) {
  int64_t product = 0;
  if (!__builtin_mul_overflow(a, b, &product)) return product;
  return (a < 0) == (b < 0) ? std::numeric_limits<int64_t>::max()
                            : std::numeric_limits<int64_t>::min();
}

constexpr int64_t saturating_subtract(int64_t a, int64_t b) {
  int64_t difference = 0;
  if (!__builtin_sub_overflow(a, b, &difference)) return difference;
  return b < 0 ? std::numeric_limits<int64_t>::max() : std::numeric_limits<int64_t>::min();
}

}  // namespace internal

// A distance in time; may be negative. Made by ns(), us(), ms() and seconds() below.
class Duration {
 public:
  constexpr Duration() = default;
  constexpr explicit Duration(int64_t nanoseconds) : ns_(nanoseconds) {}

  constexpr int64_t ns() const { return ns_; }
  constexpr int64_t us() const { return ns_ / 1'000; }
  constexpr int64_t ms() const { return ns_ / 1'000'000; }
  constexpr double seconds() const { return static_cast<double>(ns_) * 1e-9; }

  friend constexpr auto operator<=>(Duration, Duration) = default;
  friend constexpr Duration operator+(Duration a, Duration b) {
    return Duration(internal::saturating_add(a.ns_, b.ns_));
  }
  friend constexpr Duration operator-(Duration a, Duration b) {
    return Duration(internal::saturating_subtract(a.ns_, b.ns_));
  }
  friend constexpr Duration operator*(Duration a, int64_t factor) {
    return Duration(internal::saturating_multiply(a.ns_, factor));
  }
  friend constexpr Duration operator/(Duration a, int64_t divisor) {
    return Duration(a.ns_ / divisor);
  }

 private:
  int64_t ns_ = 0;
};

constexpr Duration ns(int64_t count) { return Duration(count); }
constexpr Duration us(int64_t count) { return Duration(1'000) * count; }
constexpr Duration ms(int64_t count) { return Duration(1'000'000) * count; }
constexpr Duration seconds(int64_t count) { return Duration(1'000'000'000) * count; }

// A point of a steady clock. Its zero is arbitrary: only differences and order mean something, and
// only between Instants of the same clock.
class Instant {
 public:
  constexpr Instant() = default;
  static constexpr Instant from_ns(int64_t ns) { return Instant(ns); }
  static constexpr Instant never() { return Instant(std::numeric_limits<int64_t>::max()); }

  constexpr int64_t ns() const { return ns_; }

  friend constexpr auto operator<=>(Instant, Instant) = default;
  friend constexpr Instant operator+(Instant at, Duration d) {
    return at == never() ? at : Instant(internal::saturating_add(at.ns_, d.ns()));
  }
  friend constexpr Instant operator-(Instant at, Duration d) {
    return at == never() ? at : Instant(internal::saturating_subtract(at.ns_, d.ns()));
  }
  friend constexpr Duration operator-(Instant a, Instant b) {
    return Duration(internal::saturating_subtract(a.ns_, b.ns_));
  }

 private:
  constexpr explicit Instant(int64_t ns) : ns_(ns) {}
  int64_t ns_ = 0;
};

// Where Instants come from. Implementations are safe to read from several threads.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant now() const = 0;
};

// CLOCK_MONOTONIC: never goes back, does not count the time of a suspended machine.
class SteadyClock final : public Clock {
 public:
  Instant now() const override;
};

// A clock that stands still until it is told otherwise; for tests and the simulator.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Instant start = Instant::from_ns(0)) : now_ns_(start.ns()) {}
  Instant now() const override;

  // d >= 0: this clock is as steady as the real one.
  void advance(Duration d);
  // at >= now().
  void set(Instant at);

 private:
  std::atomic<int64_t> now_ns_;
};

// Milliseconds since 1970-01-01 UTC. For people to read (log lines, file names); never for
// intervals, as an operator or NTP may set it back.
int64_t wall_clock_ms();
// What to add to an Instant of a SteadyClock to have nanoseconds since then, as the wall clock has
// it now.
Duration unix_offset();

}  // namespace lh::base
