#include "client/output.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>

#include "base/os_error.h"

namespace lh::client {
namespace {

// True when it is worth trying again: a terminal may be shared with a program that left it
// non-blocking.
bool wait_writable(int fd, int error) {
  if (error == EINTR) return true;
  if (error != EAGAIN) return false;
  pollfd waiting{fd, POLLOUT, 0};
  return ::poll(&waiting, 1, -1) >= 0 || errno == EINTR;
}

}  // namespace

void Output::flush() {
  std::string_view rest = text_;
  while (!rest.empty() && status_.ok()) {
    const ssize_t written = ::write(fd_, rest.data(), rest.size());
    if (written >= 0) {
      rest.remove_prefix(static_cast<size_t>(written));
    } else if (const int error = errno; !wait_writable(fd_, error)) {
      status_ = base::os_error("cannot write", error);
    }
  }
  text_.clear();
}

}  // namespace lh::client
