#include "client/due_timer.h"

#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/check.h"
#include "base/os_error.h"

namespace lh::client {

Status DueTimer::open() {
  timer_ = net::Socket(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
  if (!timer_.valid()) return base::os_error("cannot make a timer", errno);
  return watcher_.open(timer_.fd(), net::Interest::kRead);
}

void DueTimer::set(base::Instant at) {
  constexpr int64_t kSecond = 1'000'000'000;
  const int64_t ns = std::max<int64_t>(at.ns(), 1);  // 0 would stop it
  itimerspec when{};
  when.it_value = {ns / kSecond, ns % kSecond};
  LH_CHECK(::timerfd_settime(timer_.fd(), TFD_TIMER_ABSTIME, &when, nullptr) == 0);
}

// Read, so that it is not ready for ever. It may have been set anew in between: then there is
// nothing to read yet.
void DueTimer::on_ready(net::Ready) {
  uint64_t expirations = 0;
  const ssize_t got = ::read(timer_.fd(), &expirations, sizeof expirations);
  LH_CHECK(got == sizeof expirations || errno == EAGAIN);
}

}  // namespace lh::client
