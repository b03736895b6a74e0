#include "net/signals.h"

#include <pthread.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>

#include "base/check.h"
#include "base/os_error.h"

namespace lh::net {
namespace {

sigset_t handled_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, number);
  return set;
}

}  // namespace

void block_signals() {
  const sigset_t set = handled_signals();
  LH_CHECK(pthread_sigmask(SIG_BLOCK, &set, nullptr) == 0);
  LH_CHECK(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
}

void unblock_signals() {
  const sigset_t set = handled_signals();
  LH_CHECK(pthread_sigmask(SIG_UNBLOCK, &set, nullptr) == 0);
}

SignalWatcher::SignalWatcher(EventLoop& loop, SignalHandler& handler)
    : handler_(handler), watcher_(loop, *this) {}

Status SignalWatcher::open() {
  LH_CHECK(!signal_fd_.valid());
  const sigset_t set = handled_signals();
  signal_fd_ = Socket(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!signal_fd_.valid()) return base::os_error("cannot receive signals", errno);
  return watcher_.open(signal_fd_.fd(), Interest::kRead);
}

void SignalWatcher::on_ready(Ready) {
  const LifelineGuard guard(lifeline_);
  signalfd_siginfo info;
  while (!guard.cut() && ::read(signal_fd_.fd(), &info, sizeof info) == sizeof info) {
    handler_.on_signal(static_cast<int>(info.ssi_signo));
  }
}

}  // namespace lh::net
