#include "base/clock.h"

#include <time.h>

#include "base/check.h"

namespace lh::base {

Instant SteadyClock::now() const {
  timespec t{};
  LH_CHECK(clock_gettime(CLOCK_MONOTONIC, &t) == 0);
  return Instant::from_ns(int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec);
}

Instant ManualClock::now() const {
  return Instant::from_ns(now_ns_.load(std::memory_order_relaxed));
}

void ManualClock::advance(Duration d) { set(now() + d); }

void ManualClock::set(Instant at) {
  LH_CHECK(at >= now(), "a steady clock does not go back");
  now_ns_.store(at.ns(), std::memory_order_relaxed);
}

int64_t wall_clock_ms() {
  timespec t{};
  LH_CHECK(clock_gettime(CLOCK_REALTIME, &t) == 0);
  return int64_t{t.tv_sec} * 1'000 + t.tv_nsec / 1'000'000;
}

Duration unix_offset() {
  timespec t{};
  LH_CHECK(clock_gettime(CLOCK_REALTIME, &t) == 0);
  const Instant wall = Instant::from_ns(int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec);
  return wall - SteadyClock().now();
}

}  // namespace lh::base
