#include "net/event_loop.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <limits>
#include <utility>

#include "base/os_error.h"

namespace lh::net {
namespace {

// The tag of the eventfd's events; no registration has it, as no fd is that large.
constexpr uint64_t kWakeTag = ~uint64_t{0};

uint64_t make_tag(uint32_t generation, int fd) {
  return uint64_t{generation} << 32 | static_cast<uint32_t>(fd);
}

uint32_t epoll_bits(Interest interest) {
  const auto bits = static_cast<uint8_t>(interest);
  uint32_t events = 0;
  if (bits & static_cast<uint8_t>(Interest::kRead)) events |= EPOLLIN;
  if (bits & static_cast<uint8_t>(Interest::kWrite)) events |= EPOLLOUT;
  return events;
}

Ready ready_from(uint32_t events) {
  return {.readable = (events & EPOLLIN) != 0,
          .writable = (events & EPOLLOUT) != 0,
          .hung_up = (events & (EPOLLHUP | EPOLLERR)) != 0};
}

// Sleeps to the nanosecond where the system can (epoll_pwait2, since Linux 5.11; a sandbox may not
// know it), else to the millisecond, rounded up: rounded down the loop would spin through the last
// part of each.
int wait_for_events(int epoll_fd, epoll_event* events, int max, base::Duration wait) {
  static std::atomic<bool> precise{true};
  if (wait.ns() > 0 && precise.load(std::memory_order_relaxed)) {
    const timespec time{wait.ns() / base::seconds(1).ns(), wait.ns() % base::seconds(1).ns()};
    const int count = epoll_pwait2(epoll_fd, events, max, &time, nullptr);
    if (count >= 0 || (errno != ENOSYS && errno != EPERM)) return count;
    precise.store(false, std::memory_order_relaxed);
  }
  const int64_t wait_ms = (wait + base::ms(1) - base::ns(1)).ms();
  const bool for_ever = wait_ms > std::numeric_limits<int>::max();
  return epoll_wait(epoll_fd, events, max, for_ever ? -1 : static_cast<int>(wait_ms));
}

}  // namespace

// Makes the thread the owner of the loop while it lives.
class EventLoop::RunScope {
 public:
  explicit RunScope(EventLoop& loop) : loop_(loop) {
    LH_CHECK(current_ == nullptr, "a thread runs one loop at a time");
    LH_CHECK(!loop.running_.exchange(true), "a loop runs in one thread at a time");
    current_ = &loop;
  }
  ~RunScope() {
    current_ = nullptr;
    loop_.running_.store(false);
  }
  RunScope(const RunScope&) = delete;
  RunScope& operator=(const RunScope&) = delete;

 private:
  EventLoop& loop_;
};

Result<std::unique_ptr<EventLoop>> EventLoop::create(const base::Clock& clock) {
  const int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  if (epoll_fd < 0) return base::os_error("cannot create an event loop", errno);
  const int wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  // Edge-triggered: each write is one event, and nobody ever has to read the counter back to zero.
  epoll_event event{.events = EPOLLIN | EPOLLET, .data = {.u64 = kWakeTag}};
  if (wake_fd < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, wake_fd, &event) != 0) {
    const int error = errno;
    if (wake_fd >= 0) ::close(wake_fd);
    ::close(epoll_fd);
    return base::os_error("cannot create an event loop", error);
  }
  return std::unique_ptr<EventLoop>(new EventLoop(clock, epoll_fd, wake_fd));
}

EventLoop::EventLoop(const base::Clock& clock, int epoll_fd, int wake_fd)
    : clock_(clock), epoll_fd_(epoll_fd), wake_fd_(wake_fd), now_(clock.now()) {}

EventLoop::~EventLoop() {
  LH_CHECK(!running_.load());
  LH_CHECK(hooks_.empty(), "a hook outlives its loop");
  for (const Slot& slot : slots_) LH_CHECK(slot.generation == 0, "a watcher outlives its loop");
  ::close(wake_fd_);
  ::close(epoll_fd_);
}

void EventLoop::run() {
  const RunScope scope(*this);
  while (!stop_.load(std::memory_order_relaxed)) turn(base::Duration(INT64_MAX));
  stop_.store(false);
}

size_t EventLoop::run_once(base::Duration timeout) {
  const RunScope scope(*this);
  return turn(timeout);
}

void EventLoop::stop() {
  stop_.store(true);
  wake_if_sleeping();
}

void EventLoop::post(Task task) {
  LH_CHECK(static_cast<bool>(task));
  {
    const base::MutexLock lock(mutex_);
    posted_.push_back(std::move(task));
    has_posted_.store(true);
  }
  wake_if_sleeping();
}

void EventLoop::wake_if_sleeping() {
  // The load spares the shared cache line when the loop is awake. Of several threads that find it
  // asleep the one that clears the flag writes.
  if (!sleeping_.load() || !sleeping_.exchange(false)) return;
  const uint64_t one = 1;
  LH_CHECK(::write(wake_fd_, &one, sizeof one) == sizeof one);
}

void EventLoop::add_hook(LoopHook& hook) {
  assert_in_loop_thread();
  LH_CHECK(std::find(hooks_.begin(), hooks_.end(), &hook) == hooks_.end());
  hooks_.push_back(&hook);
}

void EventLoop::remove_hook(LoopHook& hook) {
  assert_in_loop_thread();
  const auto found = std::find(hooks_.begin(), hooks_.end(), &hook);
  LH_CHECK(found != hooks_.end());
  hooks_.erase(found);
}

TimerId EventLoop::call_at(base::Instant deadline, Task task) {
  assert_in_loop_thread();
  return timers_.add(deadline, std::move(task));
}

TimerId EventLoop::call_after(base::Duration delay, Task task) {
  // Between turns nobody keeps now_ fresh, and from a stale one the timer would fire early.
  if (current_ != this) now_ = clock_.now();
  return call_at(now_ + delay, std::move(task));
}

bool EventLoop::cancel(TimerId id) {
  assert_in_loop_thread();
  return timers_.cancel(id);
}

Status EventLoop::watch(int fd, EventHandler& handler, Interest interest) {
  assert_in_loop_thread();
  const auto index = static_cast<size_t>(fd);
  if (index >= slots_.size()) slots_.resize(std::max(index + 1, slots_.size() * 2));
  LH_CHECK(slots_[index].generation == 0, "an fd is watched once");
  const uint32_t generation = next_generation_++;
  if (next_generation_ == 0) next_generation_ = 1;
  epoll_event event{.events = epoll_bits(interest), .data = {.u64 = make_tag(generation, fd)}};
  if (epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event) != 0) {
    return base::os_error("cannot watch a descriptor", errno);
  }
  slots_[index] = {&handler, generation};
  return {};
}

void EventLoop::change_interest(int fd, Interest interest) {
  assert_in_loop_thread();
  const uint32_t generation = slots_[static_cast<size_t>(fd)].generation;
  LH_CHECK(generation != 0);
  epoll_event event{.events = epoll_bits(interest), .data = {.u64 = make_tag(generation, fd)}};
  LH_CHECK(epoll_ctl(epoll_fd_, EPOLL_CTL_MOD, fd, &event) == 0);
}

void EventLoop::unwatch(int fd) {
  assert_in_loop_thread();
  Slot& slot = slots_[static_cast<size_t>(fd)];
  LH_CHECK(slot.generation != 0);
  slot = {};
  LH_CHECK(epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, fd, nullptr) == 0);
}

size_t EventLoop::turn(base::Duration timeout) {
  const int count = sleep(timeout);
  now_ = clock_.now();
  ++stats_.turns;
  dispatch(count);
  next_turn_.run_present();
  timers_.run_expired(now_);
  run_posted();
  for (LoopHook* hook : hooks_) hook->take_in();
  run_before_sleep();
  return static_cast<size_t>(count);
}

int EventLoop::sleep(base::Duration timeout) {
  base::Duration wait = time_to_sleep(timeout);
  if (wait.ns() > 0) {
    // First announce the sleep, then look for work: another thread first hands work over, then
    // looks for a sleeper. All four are sequentially consistent, so one of the two sees the other.
    sleeping_.store(true);
    if (has_work()) wait = {};
  }
  const int count = wait_for_events(epoll_fd_, events_.data(), kEventsMax, wait);
  sleeping_.store(false, std::memory_order_relaxed);
  LH_CHECK(count >= 0 || errno == EINTR);
  return std::max(count, 0);
}

bool EventLoop::has_work() const {
  if (stop_.load() || has_posted_.load() || !next_turn_.empty() || !before_sleep_.empty()) {
    return true;
  }
  return std::any_of(hooks_.begin(), hooks_.end(), [](const LoopHook* h) { return h->has_work(); });
}

base::Duration EventLoop::time_to_sleep(base::Duration timeout) const {
  base::Duration wait = timeout;
  if (const base::Instant deadline = timers_.next_deadline(); deadline != base::Instant::never()) {
    wait = std::min(wait, deadline - clock_.now());
  }
  return std::max(wait, base::Duration());
}

void EventLoop::dispatch(int count) {
  stats_.events += static_cast<uint64_t>(count);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events_[static_cast<size_t>(i)];
    if (event.data.u64 == kWakeTag) {
      ++stats_.wakeups;
      continue;
    }
    const Slot& slot = slots_[static_cast<uint32_t>(event.data.u64)];
    const bool alive = slot.generation == event.data.u64 >> 32;
    if (alive) slot.handler->on_ready(ready_from(event.events));
  }
}

void EventLoop::run_posted() {
  if (!has_posted_.load(std::memory_order_relaxed)) return;
  {
    const base::MutexLock lock(mutex_);
    running_tasks_.swap(posted_);
    has_posted_.store(false, std::memory_order_relaxed);
  }
  stats_.tasks += running_tasks_.size();
  for (Task& task : running_tasks_) task();
  running_tasks_.clear();
}

void EventLoop::run_before_sleep() {
  for (auto hook = hooks_.rbegin(); hook != hooks_.rend(); ++hook) (*hook)->before_sleep();
  before_sleep_.run_all();
}

}  // namespace lh::net
