#include "base/mutex.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace lh::base {
namespace {

// What the annotations are for: clang refuses a method that touches value_ without the lock.
class Counter {
 public:
  void add() LH_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    ++value_;
    changed_.notify_all();
  }

  void wait_until(int value) LH_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    while (value_ < value) changed_.wait(mutex_);
  }

  bool changes_within(Duration at_most) LH_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return changed_.wait_for(mutex_, at_most);
  }

  int value() LH_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return value_;
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  int value_ LH_GUARDED_BY(mutex_) = 0;
};

TEST(MutexTest, excludes) {
  Counter counter;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&counter] {
      for (int i = 0; i < 1000; ++i) counter.add();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(counter.value(), 4000);
}

TEST(MutexTest, tryLockFailsWhenHeld) {
  Mutex mutex;
  const auto can_lock = [&mutex] {
    if (!mutex.try_lock()) return false;
    mutex.unlock();
    return true;
  };
  bool locked_elsewhere = true;
  {
    MutexLock lock(mutex);
    std::thread([&] { locked_elsewhere = can_lock(); }).join();
  }
  EXPECT_FALSE(locked_elsewhere);
  EXPECT_TRUE(can_lock());
}

TEST(CondVarTest, waitSeesWhatAnotherThreadDid) {
  Counter counter;
  std::thread adder([&counter] {
    for (int i = 0; i < 100; ++i) counter.add();
  });
  counter.wait_until(100);
  EXPECT_EQ(counter.value(), 100);
  adder.join();
}

TEST(CondVarTest, waitForGivesUp) {
  Counter counter;
  // Spurious wake-ups are allowed, but not for ever.
  while (counter.changes_within(ms(1))) {
  }
  EXPECT_EQ(counter.value(), 0);
}

}  // namespace
}  // namespace lh::base
