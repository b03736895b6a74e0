#include "base/thread.h"

#include <utility>

#include "base/check.h"
#include "base/os_error.h"

namespace lh::base {

Thread::~Thread() { LH_CHECK(!is_running_, name_); }

Status Thread::start(std::string name, std::function<void()> body) {
  LH_CHECK(!is_running_);
  name_ = std::move(name);
  body_ = std::move(body);
  const int error = pthread_create(&thread_, nullptr, &Thread::run, this);
  if (error != 0) {
    return os_error("cannot start the thread " + name_, error, StatusCode::kRefused);
  }
  is_running_ = true;
  return {};
}

void Thread::join() {
  LH_CHECK(is_running_);
  LH_CHECK(pthread_join(thread_, nullptr) == 0);
  is_running_ = false;
}

void* Thread::run(void* self) {
  const Thread& thread = *static_cast<Thread*>(self);
  // One that is refused costs nothing but itself.
  pthread_setname_np(pthread_self(), thread.name_.c_str());
  thread.body_();
  return nullptr;
}

}  // namespace lh::base
