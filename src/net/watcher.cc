#include "net/watcher.h"

#include "base/check.h"
#include "net/event_loop.h"

namespace lh::net {

Status Watcher::open(int fd, Interest interest) {
  LH_CHECK(!is_open());
  LH_CHECK(fd >= 0);
  Status status = loop_.watch(fd, handler_, interest);
  if (!status.ok()) return status;
  fd_ = fd;
  interest_ = interest;
  return {};
}

void Watcher::change_interest(Interest interest) {
  loop_.change_interest(fd_, interest);
  interest_ = interest;
}

void Watcher::close() {
  if (!is_open()) return;
  loop_.unwatch(fd_);
  fd_ = -1;
}

}  // namespace lh::net
