// Thread: a POSIX thread with a name, for top, gdb and perf. Started and joined by one thread.
#pragma once

#include <pthread.h>

#include <functional>
#include <string>

#include "lh/status.h"

namespace lh::base {

class Thread {
 public:
  Thread() = default;
  ~Thread();  // joined, if it was started
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;

  // The name has 15 bytes at most. kRefused: the system has no thread for us.
  Status start(std::string name, std::function<void()> body);
  void join();

  bool is_running() const { return is_running_; }

 private:
  static void* run(void* self);

  std::string name_;
  std::function<void()> body_;
  pthread_t thread_{};
  bool is_running_ = false;
};

}  // namespace lh::base
