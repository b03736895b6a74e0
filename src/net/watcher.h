// Watcher: the interest of a handler in one file descriptor, registered with a loop as long as the
// Watcher lives.
//
// The registration is an object apart from its handler so that it can die first: a handler has its
// Watcher as a member, and from that member's destruction on no call reaches it, not even for an
// event that the loop fetched in the same turn. A handler may therefore destroy itself, or any
// other handler, inside on_ready().
//
// Level-triggered: what is not read or written now is reported again in the next turn. Used in the
// loop's thread only.
#pragma once

#include <cstdint>

#include "base/check.h"
#include "lh/status.h"

namespace lh::net {

class EventLoop;

enum class Interest : uint8_t { kNone = 0, kRead = 1, kWrite = 2, kReadWrite = 3 };

constexpr Interest operator|(Interest a, Interest b) {
  return static_cast<Interest>(static_cast<uint8_t>(a) | static_cast<uint8_t>(b));
}

// What epoll reported. It may be stale by the time the handler sees it (an earlier handler of the
// same turn changed the interest or emptied the socket): a handler must live with EAGAIN.
struct Ready {
  bool readable = false;
  bool writable = false;
  bool hung_up = false;  // an error, or both directions are closed: reported whatever the interest
};

class EventHandler {
 public:
  virtual void on_ready(Ready ready) = 0;

 protected:
  ~EventHandler() = default;
};

class Watcher {
 public:
  // Both must outlive the Watcher.
  Watcher(EventLoop& loop, EventHandler& handler) : loop_(loop), handler_(handler) {}
  ~Watcher() { close(); }
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  // Registers fd, which stays the caller's and must outlive the registration. Fails when the system
  // has no room for it, or when fd is a regular file. Precondition: not open.
  Status open(int fd, Interest interest);

  // Costs a system call only when the interest changes. Precondition: open.
  void set_interest(Interest interest) {
    LH_CHECK(is_open());
    if (interest != interest_) change_interest(interest);
  }

  // Ends the registration; nothing happens when there is none.
  void close();

  bool is_open() const { return fd_ >= 0; }
  Interest interest() const { return interest_; }

 private:
  void change_interest(Interest interest);

  EventLoop& loop_;
  EventHandler& handler_;
  int fd_ = -1;
  Interest interest_ = Interest::kNone;
};

}  // namespace lh::net
