#include "net/worker_pool.h"

#include <gtest/gtest.h>
#include <pthread.h>

#include <atomic>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "tests/net/fixture.h"

namespace lh::net {
namespace {

using testing::make_socket_pair;
using testing::peer_reads;
using testing::SocketPair;

constexpr size_t kMailMax = 1 << 20;

// What threads tell the test.
class Story {
 public:
  void add(const std::string& line) {
    const base::MutexLock lock(mutex_);
    lines_.push_back(line);
    changed_.notify_all();
  }
  std::vector<std::string> wait_for(size_t count) {
    const base::MutexLock lock(mutex_);
    while (lines_.size() < count) {
      if (!changed_.wait_for(mutex_, testing::kPatience)) break;
    }
    return lines_;
  }

 private:
  base::Mutex mutex_;
  base::CondVar changed_;
  std::vector<std::string> lines_ LH_GUARDED_BY(mutex_);
};

class WorkerPoolTest : public ::testing::Test {
 protected:
  std::unique_ptr<WorkerPool> make_pool(size_t workers) {
    Result<std::unique_ptr<WorkerPool>> pool = WorkerPool::create(workers, kMailMax, clock_);
    EXPECT_TRUE(pool.ok()) << pool.status().message();
    return std::move(pool).value();
  }

  base::SteadyClock clock_;
  Story story_;
};

TEST_F(WorkerPoolTest, each_worker_runs_its_own_loop_in_its_own_named_thread) {
  const auto pool = make_pool(3);
  ASSERT_TRUE(pool->start().ok());
  for (size_t i = 0; i < pool->size(); ++i) {
    pool->post(i, [&, i] {
      char name[16];
      EXPECT_EQ(0, pthread_getname_np(pthread_self(), name, sizeof name));
      EXPECT_EQ(&pool->loop(i), EventLoop::current());
      pool->loop(i).assert_in_loop_thread();
      story_.add(name);
    });
    EXPECT_EQ("lh-w" + std::to_string(i), story_.wait_for(i + 1).back());
  }
  pool->stop();
}

TEST_F(WorkerPoolTest, what_is_posted_before_the_start_runs_first) {
  const auto pool = make_pool(1);
  pool->post(0, [this] { story_.add("early"); });
  ASSERT_TRUE(pool->start().ok());
  pool->post(0, [this] { story_.add("late"); });
  EXPECT_EQ((std::vector<std::string>{"early", "late"}), story_.wait_for(2));
}

TEST_F(WorkerPoolTest, stops_starts_again_and_stops_by_itself) {
  const auto pool = make_pool(2);
  pool->stop();
  for (size_t round = 1; round <= 3; ++round) {
    ASSERT_TRUE(pool->start().ok());
    pool->post(1, [this] { story_.add("ran"); });
    EXPECT_EQ(round, story_.wait_for(round).size());
    pool->stop();
    pool->stop();
  }
  ASSERT_TRUE(pool->start().ok());
}

TEST_F(WorkerPoolTest, after_stop_the_loops_are_the_callers) {
  const auto pool = make_pool(1);
  ASSERT_TRUE(pool->start().ok());
  pool->stop();
  bool ran = false;
  pool->post(0, [&ran] { ran = true; });
  pool->loop(0).run_once(base::Duration());
  EXPECT_TRUE(ran);
}

class Forwarder final : public MailHandler {
 public:
  Forwarder(WorkerPool& pool, size_t self, Story& story) : pool_(pool), self_(self), story_(story) {
    pool.mailbox(self).set_handler(*this);
  }
  void on_mail(size_t from, std::string_view frames) override {
    const std::string trace = std::string(frames) + ">" + std::to_string(self_);
    const size_t next = self_ + 1;
    EXPECT_EQ(&pool_.loop(self_), EventLoop::current());
    EXPECT_LE(from, self_);
    next < pool_.size() ? pool_.mailbox(self_).push(next, trace) : story_.add(trace);
  }
  void on_mail_room(size_t) override {}

 private:
  WorkerPool& pool_;
  const size_t self_;
  Story& story_;
};

TEST_F(WorkerPoolTest, mail_goes_from_worker_to_worker) {
  const auto pool = make_pool(4);
  std::vector<std::unique_ptr<Forwarder>> forwarders;
  for (size_t i = 0; i < pool->size(); ++i) {
    forwarders.push_back(std::make_unique<Forwarder>(*pool, i, story_));
  }
  ASSERT_TRUE(pool->start().ok());
  pool->post(0, [&] { pool->mailbox(0).push(0, "letter"); });
  EXPECT_EQ("letter>0>1>2>3", story_.wait_for(1).back());
  pool->stop();
}

TEST_F(WorkerPoolTest, a_socket_can_be_handed_to_a_worker) {
  const auto pool = make_pool(2);
  ASSERT_TRUE(pool->start().ok());
  SocketPair pair = make_socket_pair();
  pool->post(1, [this, socket = std::move(pair.here)] {
    testing::peer_writes(socket, "from worker 1");
    story_.add("sent");
  });
  story_.wait_for(1);
  EXPECT_EQ("from worker 1", peer_reads(pair.there));
}

}  // namespace
}  // namespace lh::net
