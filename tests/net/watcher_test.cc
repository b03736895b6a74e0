#include "net/watcher.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <vector>

#include "tests/net/fixture.h"

namespace lh::net {
namespace {

using testing::kNoWait;
using testing::make_loop;
using testing::make_socket_pair;
using testing::peer_reads;
using testing::peer_writes;
using testing::SocketPair;

// A handler with one watched end of a socket pair, whose behaviour is a function.
class Probe final : public EventHandler {
 public:
  explicit Probe(EventLoop& loop) : watcher(loop, *this) {}
  void on_ready(Ready ready) override {
    ++calls;
    last = ready;
    if (body) body();
  }

  SocketPair pair = make_socket_pair();
  int calls = 0;
  Ready last;
  std::function<void()> body;
  Watcher watcher;
};

class WatcherTest : public ::testing::Test {
 protected:
  std::unique_ptr<Probe> make_probe(Interest interest) {
    auto probe = std::make_unique<Probe>(*loop_);
    EXPECT_TRUE(probe->watcher.open(probe->pair.here.fd(), interest).ok());
    return probe;
  }
  size_t turn() { return loop_->run_once(kNoWait); }

  base::SteadyClock clock_;
  std::unique_ptr<EventLoop> loop_ = make_loop(clock_);
};

TEST_F(WatcherTest, reports_what_is_asked_for) {
  const auto reader = make_probe(Interest::kRead);
  const auto writer = make_probe(Interest::kWrite);
  EXPECT_EQ(1u, turn());
  EXPECT_EQ(0, reader->calls);
  EXPECT_EQ(1, writer->calls);
  EXPECT_TRUE(writer->last.writable);
  EXPECT_FALSE(writer->last.readable);
  peer_writes(reader->pair.there, "x");
  EXPECT_EQ(2u, turn());
  EXPECT_TRUE(reader->last.readable);
  EXPECT_FALSE(reader->last.writable);
  EXPECT_FALSE(reader->last.hung_up);
}

TEST_F(WatcherTest, reports_again_what_was_not_read) {
  const auto probe = make_probe(Interest::kRead);
  peer_writes(probe->pair.there, "x");
  turn();
  turn();
  EXPECT_EQ(2, probe->calls);
  EXPECT_EQ("x", peer_reads(probe->pair.here));
  EXPECT_EQ(0u, turn());
}

TEST_F(WatcherTest, interest_can_change) {
  const auto probe = make_probe(Interest::kNone);
  peer_writes(probe->pair.there, "x");
  EXPECT_EQ(0u, turn());
  probe->watcher.set_interest(Interest::kReadWrite);
  EXPECT_EQ(1u, turn());
  EXPECT_TRUE(probe->last.readable);
  EXPECT_TRUE(probe->last.writable);
  probe->watcher.set_interest(Interest::kNone);
  EXPECT_EQ(0u, turn());
  EXPECT_EQ(Interest::kNone, probe->watcher.interest());
}

TEST_F(WatcherTest, a_peer_that_is_gone_is_reported_without_interest) {
  const auto probe = make_probe(Interest::kNone);
  probe->pair.there.close();
  EXPECT_EQ(1u, turn());
  EXPECT_TRUE(probe->last.hung_up);
}

TEST_F(WatcherTest, a_closed_watcher_is_silent_and_can_be_opened_again) {
  const auto probe = make_probe(Interest::kRead);
  peer_writes(probe->pair.there, "x");
  probe->watcher.close();
  EXPECT_FALSE(probe->watcher.is_open());
  EXPECT_EQ(0u, turn());
  EXPECT_TRUE(probe->watcher.open(probe->pair.here.fd(), Interest::kRead).ok());
  EXPECT_EQ(1u, turn());
  EXPECT_EQ(1, probe->calls);
}

TEST_F(WatcherTest, a_handler_may_destroy_itself) {
  auto probe = make_probe(Interest::kRead);
  peer_writes(probe->pair.there, "x");
  int calls = 0;
  probe->body = [&] {
    ++calls;
    probe.reset();
  };
  turn();
  turn();
  EXPECT_EQ(1, calls);
}

// Whoever comes first destroys the other, whose event was fetched in the same turn.
TEST_F(WatcherTest, a_handler_may_destroy_another_that_is_ready_too) {
  auto a = make_probe(Interest::kRead);
  auto b = make_probe(Interest::kRead);
  peer_writes(a->pair.there, "x");
  peer_writes(b->pair.there, "x");
  int calls = 0;
  a->body = [&] {
    ++calls;
    b.reset();
  };
  b->body = [&] {
    ++calls;
    a.reset();
  };
  EXPECT_EQ(2u, turn());
  EXPECT_EQ(1, calls);
}

// The new descriptor has the number of the closed one, and its handler must not get the old event.
TEST_F(WatcherTest, a_reused_descriptor_does_not_inherit_events) {
  auto a = make_probe(Interest::kRead);
  auto b = make_probe(Interest::kRead);
  std::unique_ptr<Probe> successor;
  const auto replace = [&](std::unique_ptr<Probe>& victim) {
    const int fd = victim->pair.here.fd();
    victim->watcher.close();
    SocketPair fresh = make_socket_pair();
    ASSERT_EQ(fd, ::dup2(fresh.here.fd(), fd));
    successor = std::make_unique<Probe>(*loop_);
    successor->pair.here = std::move(victim->pair.here);
    successor->pair.there = std::move(fresh.there);
    ASSERT_TRUE(successor->watcher.open(fd, Interest::kRead).ok());
  };
  a->body = [&] { replace(b); };
  b->body = [&] { replace(a); };
  peer_writes(a->pair.there, "x");
  peer_writes(b->pair.there, "x");
  EXPECT_EQ(2u, turn());
  EXPECT_EQ(1, a->calls + b->calls);
  ASSERT_NE(nullptr, successor);
  EXPECT_EQ(0, successor->calls);
  a->body = b->body = nullptr;
  peer_writes(successor->pair.there, "y");
  turn();
  EXPECT_EQ(1, successor->calls);
}

TEST_F(WatcherTest, one_wait_fetches_many_events) {
  std::vector<std::unique_ptr<Probe>> probes;
  for (int i = 0; i < 300; ++i) probes.push_back(make_probe(Interest::kWrite));
  EXPECT_EQ(300u, turn());
  for (const auto& probe : probes) EXPECT_EQ(1, probe->calls);
}

TEST_F(WatcherTest, more_events_than_one_wait_fetches_get_their_turn) {
  std::vector<std::unique_ptr<Probe>> probes;
  for (int i = 0; i < 700; ++i) probes.push_back(make_probe(Interest::kWrite));
  turn();
  turn();
  for (const auto& probe : probes) EXPECT_GE(probe->calls, 1);
}

TEST_F(WatcherTest, a_regular_file_cannot_be_watched) {
  const Socket file(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(file.valid());
  Probe probe(*loop_);
  const Status status = probe.watcher.open(file.fd(), Interest::kRead);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ("cannot watch a descriptor: Operation not permitted", status.message());
  EXPECT_FALSE(probe.watcher.is_open());
}

using WatcherDeathTest = WatcherTest;

TEST_F(WatcherDeathTest, a_loop_must_outlive_its_watchers) {
  const auto probe = make_probe(Interest::kRead);
  EXPECT_DEATH(loop_.reset(), "a watcher outlives its loop");
}

}  // namespace
}  // namespace lh::net
