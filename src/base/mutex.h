// Mutex, MutexLock and CondVar: the standard ones, dressed with clang's thread-safety annotations,
// so that "the caller holds mutex_" is a compile error when it is not so (clang -Wthread-safety;
// g++ ignores the words). Every member that a mutex guards says LH_GUARDED_BY(mutex_).
//
// There are few locks here: workers own their data. What is locked is what workers hand to each
// other, and it is locked for a push or a swap, never across a system call.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "base/clock.h"

#if defined(__clang__)
#define LH_THREAD_ANNOTATION(x) __attribute__((x))
#else
#define LH_THREAD_ANNOTATION(x)
#endif

#define LH_CAPABILITY(x) LH_THREAD_ANNOTATION(capability(x))
#define LH_SCOPED_CAPABILITY LH_THREAD_ANNOTATION(scoped_lockable)
#define LH_GUARDED_BY(x) LH_THREAD_ANNOTATION(guarded_by(x))
#define LH_PT_GUARDED_BY(x) LH_THREAD_ANNOTATION(pt_guarded_by(x))
#define LH_REQUIRES(...) LH_THREAD_ANNOTATION(requires_capability(__VA_ARGS__))
#define LH_EXCLUDES(...) LH_THREAD_ANNOTATION(locks_excluded(__VA_ARGS__))
#define LH_ACQUIRE(...) LH_THREAD_ANNOTATION(acquire_capability(__VA_ARGS__))
#define LH_RELEASE(...) LH_THREAD_ANNOTATION(release_capability(__VA_ARGS__))
#define LH_TRY_ACQUIRE(...) LH_THREAD_ANNOTATION(try_acquire_capability(__VA_ARGS__))
#define LH_NO_THREAD_SAFETY_ANALYSIS LH_THREAD_ANNOTATION(no_thread_safety_analysis)

namespace lh::base {

// Not recursive. Lock it through MutexLock.
class LH_CAPABILITY("mutex") Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void lock() LH_ACQUIRE() { mutex_.lock(); }
  bool try_lock() LH_TRY_ACQUIRE(true) { return mutex_.try_lock(); }
  void unlock() LH_RELEASE() { mutex_.unlock(); }

 private:
  friend class CondVar;
  std::mutex mutex_;
};

// Holds the mutex while it lives.
class LH_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) LH_ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
  ~MutexLock() LH_RELEASE() { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

// Waiting gives the mutex up and has it again on return. Wake-ups may be spurious: wait in a loop
// on the condition.
class CondVar {
 public:
  CondVar() = default;
  CondVar(const CondVar&) = delete;
  CondVar& operator=(const CondVar&) = delete;

  void wait(Mutex& mutex) LH_REQUIRES(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    condition_.wait(lock);
    lock.release();
  }

  // False when the time was up first.
  bool wait_for(Mutex& mutex, Duration at_most) LH_REQUIRES(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    const auto status = condition_.wait_for(lock, std::chrono::nanoseconds(at_most.ns()));
    lock.release();
    return status == std::cv_status::no_timeout;
  }

  void notify_one() { condition_.notify_one(); }
  void notify_all() { condition_.notify_all(); }

 private:
  std::condition_variable condition_;
};

}  // namespace lh::base
