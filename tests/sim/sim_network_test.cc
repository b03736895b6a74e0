#include "sim/sim_network.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "base/strings.h"

namespace lh::sim {
namespace {

using base::ms;
using base::seconds;

// Writes down what happens to it.
class Scribe final : public Process {
 public:
  explicit Scribe(std::string name) : name_(std::move(name)) {}
  const std::string& name() const override { return name_; }
  bool on_accepted(LinkId link, ProcessId from) override {
    if (refuses) return false;
    accepted_from = from;
    last_link = link;
    return true;
  }
  void on_connected(LinkId) override { ++connected; }
  void on_frame(LinkId link, std::string_view frame) override {
    last_link = link;
    frames.emplace_back(frame);
  }
  void on_closed(LinkId, const Closed& closed) override {
    ++closings;
    unreachable = closed.unreachable;
    unsent = closed.unsent;
  }

  bool refuses = false;
  ProcessId accepted_from = 0;
  LinkId last_link = 0;
  int connected = 0;
  int closings = 0;
  bool unreachable = false;
  std::vector<std::string> frames;
  std::vector<std::string> unsent;

 private:
  std::string name_;
};

class SimNetworkTest : public testing::Test {
 protected:
  SimNetworkTest() { build(1, false); }

  void build(uint64_t seed, bool overtaking) {
    Options options;
    options.seed = seed;
    options.overtaking = overtaking;
    options.delay_min = base::us(50);
    options.delay_max = ms(5);
    world_ = std::make_unique<World>(options);
    network_ = std::make_unique<SimNetwork>(world_.get());
    a_ = std::make_unique<Scribe>("a");
    b_ = std::make_unique<Scribe>("b");
    network_->add(a_.get());
    network_->add(b_.get());
  }
  void run(base::Duration time) {
    const base::Instant end = world_->now() + time;
    while (!world_->events.empty() && world_->events.next_at() <= end) world_->events.run_next();
    world_->events.at(end, [] {});
    world_->events.run_next();
  }
  void send(LinkId link, int from, int count) {
    for (int k = 0; k < count; ++k) {
      network_->send(link, kA, base::format("%d", from + k));
    }
  }
  // Three frames each, the second three while the first may be on their way.
  void send_on_two_connections(uint64_t seed, bool overtaking) {
    build(seed, overtaking);
    const LinkId first = network_->dial(kA, kB);
    run(seconds(1));
    send(first, 0, 3);
    const LinkId second = network_->dial(kA, kB);
    send(second, 3, 3);
    run(seconds(1));
  }
  // Whether `frames` are the first of 0, 1, 2, ...
  static bool is_prefix(const std::vector<std::string>& frames) {
    for (size_t k = 0; k < frames.size(); ++k) {
      if (frames[k] != std::to_string(k)) return false;
    }
    return true;
  }

  static constexpr ProcessId kA = 1;
  static constexpr ProcessId kB = 2;
  std::unique_ptr<World> world_;
  std::unique_ptr<SimNetwork> network_;
  std::unique_ptr<Scribe> a_;
  std::unique_ptr<Scribe> b_;
};

TEST_F(SimNetworkTest, framesArriveInOrder) {
  const LinkId link = network_->dial(kA, kB);
  send(link, 0, 50);
  run(seconds(1));
  EXPECT_EQ(a_->connected, 1);
  EXPECT_EQ(b_->accepted_from, kA);
  EXPECT_EQ(b_->frames.size(), 50u);
  EXPECT_TRUE(is_prefix(b_->frames));
  network_->send(b_->last_link, kB, "back");
  run(seconds(1));
  EXPECT_EQ(a_->frames, std::vector<std::string>{"back"});
}

TEST_F(SimNetworkTest, aBrokenConnectionLosesASuffix) {
  size_t lost_some = 0;
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    build(seed, false);
    const LinkId link = network_->dial(kA, kB);
    run(seconds(1));
    send(link, 0, 20);
    run(ms(2));
    network_->break_link(link);
    run(seconds(1));
    EXPECT_TRUE(is_prefix(b_->frames));
    lost_some += b_->frames.size() < 20 ? 1 : 0;
    EXPECT_EQ(a_->closings, 1);
    EXPECT_EQ(b_->closings, 1);
    EXPECT_FALSE(network_->is_open(link, kA));
  }
  EXPECT_GT(lost_some, 10u);
}

TEST_F(SimNetworkTest, whatIsSentOnABrokenConnectionIsLost) {
  const LinkId link = network_->dial(kA, kB);
  run(seconds(1));
  network_->break_link(link);
  send(link, 0, 3);
  run(seconds(1));
  EXPECT_TRUE(b_->frames.empty());
  EXPECT_EQ(a_->closings, 1);
}

TEST_F(SimNetworkTest, aStoppedProcessRefusesAndGivesBack) {
  network_->crash(kB);
  const LinkId link = network_->dial(kA, kB);
  send(link, 0, 3);
  run(seconds(1));
  EXPECT_EQ(a_->closings, 1);
  EXPECT_TRUE(a_->unreachable);
  EXPECT_EQ(a_->unsent, (std::vector<std::string>{"0", "1", "2"}));
  EXPECT_EQ(world_->counters[Count::kRefused], 1u);
}

TEST_F(SimNetworkTest, aProcessMayRefuse) {
  b_->refuses = true;
  const LinkId link = network_->dial(kA, kB);
  send(link, 0, 1);
  run(seconds(1));
  EXPECT_TRUE(a_->unreachable);
  EXPECT_EQ(a_->unsent.size(), 1u);
  EXPECT_EQ(b_->closings, 0);
}

TEST_F(SimNetworkTest, aCrashBreaksConnectionsOnBothSides) {
  const LinkId link = network_->dial(kA, kB);
  run(seconds(1));
  network_->crash(kB);
  run(seconds(1));
  EXPECT_EQ(a_->closings, 1);
  EXPECT_EQ(b_->closings, 0) << "it is down and notices nothing";
  network_->resume(kB);
  run(seconds(1));
  EXPECT_EQ(b_->closings, 1);
  EXPECT_FALSE(network_->is_open(link, kB));
}

TEST_F(SimNetworkTest, aShortPauseCostsNothing) {
  const LinkId link = network_->dial(kA, kB);
  run(seconds(1));
  network_->freeze(kB);
  send(link, 0, 5);
  run(ms(600));
  EXPECT_TRUE(b_->frames.empty());
  network_->resume(kB);
  run(ms(100));
  EXPECT_EQ(b_->frames.size(), 5u);
  EXPECT_TRUE(is_prefix(b_->frames));
  EXPECT_EQ(a_->closings, 0);
}

TEST_F(SimNetworkTest, aProcessThatStandsStillDoesNotRun) {
  const base::Instant start = world_->now();
  const auto ran_since = [&](base::Duration time) { return network_->ran_since(kB, time) - start; };
  run(ms(500));
  EXPECT_EQ(ran_since(ms(200)), ms(300));
  network_->freeze(kB);
  run(ms(2'000));
  EXPECT_EQ(ran_since(ms(200)), ms(300)) << "still";
  network_->resume(kB);
  run(ms(100));
  EXPECT_EQ(ran_since(ms(100)), ms(2'500));
  EXPECT_EQ(ran_since(ms(300)), ms(300));
}

TEST_F(SimNetworkTest, aLongPauseIsTakenForDeath) {
  size_t read_some = 0;
  size_t gave_back = 0;
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    build(seed, false);
    const LinkId link = network_->dial(kA, kB);
    run(seconds(1));
    network_->freeze(kB);
    send(link, 0, 5);
    run(seconds(1));
    EXPECT_EQ(a_->closings, 1);
    EXPECT_TRUE(a_->unreachable);
    gave_back += a_->unsent.empty() ? 0 : 1;
    network_->resume(kB);
    run(seconds(1));
    EXPECT_TRUE(is_prefix(b_->frames));
    read_some += b_->frames.empty() ? 0 : 1;
    EXPECT_EQ(b_->closings, 1);
  }
  EXPECT_GT(read_some, 5u) << "what a kernel took in is read later";
  EXPECT_GT(gave_back, 5u);
}

TEST_F(SimNetworkTest, silenceWithNothingUnderWayIsNoSilence) {
  network_->dial(kA, kB);
  run(seconds(1));
  network_->freeze(kB);
  run(seconds(5));
  EXPECT_EQ(a_->closings, 0);
}

TEST_F(SimNetworkTest, aBlockedPathStallsThenBreaks) {
  const LinkId link = network_->dial(kA, kB);
  run(seconds(1));
  network_->block(kA, kB);
  send(link, 0, 1);
  run(ms(500));
  EXPECT_EQ(a_->closings, 0);
  network_->unblock(kA, kB);
  run(ms(100));
  EXPECT_EQ(b_->frames.size(), 1u);
  network_->block(kA, kB);
  send(link, 1, 1);
  run(seconds(1));
  EXPECT_EQ(a_->closings, 1);
  EXPECT_TRUE(a_->unreachable);
  EXPECT_EQ(b_->frames.size(), 1u);
}

TEST_F(SimNetworkTest, oneWayTheOtherWayDeliversAndStillLooksDead) {
  network_->dial(kA, kB);
  run(seconds(1));
  const LinkId link = network_->dial(kA, kB);
  run(seconds(1));
  network_->block(kB, kA);
  send(link, 0, 1);
  run(ms(100));
  EXPECT_EQ(b_->frames.size(), 1u);
  run(seconds(1));
  EXPECT_EQ(a_->closings, 1) << "no acknowledgement came back";
}

TEST_F(SimNetworkTest, blocksNest) {
  network_->block(kA, kB);
  network_->block(kA, kB);
  network_->unblock(kA, kB);
  const LinkId link = network_->dial(kA, kB);
  send(link, 0, 1);
  run(ms(100));
  EXPECT_TRUE(b_->frames.empty());
  network_->unblock(kA, kB);
  run(ms(100));
  EXPECT_EQ(b_->frames.size(), 1u);
}

TEST_F(SimNetworkTest, aDialThatGoesNowhereEnds) {
  network_->block(kA, kB);
  const LinkId link = network_->dial(kA, kB);
  send(link, 0, 2);
  run(seconds(1));
  EXPECT_EQ(a_->closings, 1);
  EXPECT_EQ(a_->unsent.size(), 2u);
}

TEST_F(SimNetworkTest, aSecondConnectionDoesNotOvertakeTheFirst) {
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    send_on_two_connections(seed, false);
    EXPECT_EQ(b_->frames.size(), 6u);
    EXPECT_TRUE(is_prefix(b_->frames)) << "seed " << seed;
  }
}

TEST_F(SimNetworkTest, unlessThatIsAllowed) {
  size_t overtaken = 0;
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    send_on_two_connections(seed, true);
    overtaken += is_prefix(b_->frames) ? 0 : 1;
  }
  EXPECT_GT(overtaken, 3u);
}

TEST_F(SimNetworkTest, aClogMakesOneDirectionSlow) {
  const LinkId link = network_->dial(kA, kB);
  run(seconds(1));
  network_->clog(kA, kB, seconds(100));
  send(link, 0, 1);
  run(ms(100));
  EXPECT_TRUE(b_->frames.empty());
  network_->send(link, kB, "back");
  run(ms(100));
  EXPECT_EQ(a_->frames.size(), 1u);
}

TEST_F(SimNetworkTest, timersOfAStoppedProcessWait) {
  network_->freeze(kA);
  std::string order;
  network_->run_in(kA, [&] { order += '1'; });
  network_->run_in(kA, [&] { order += '2'; });
  EXPECT_EQ(order, "");
  network_->resume(kA);
  EXPECT_EQ(order, "12");
  network_->run_in(kA, [&] { order += '3'; });
  EXPECT_EQ(order, "123");
}

TEST_F(SimNetworkTest, healingMendsAllButTheDead) {
  network_->block(kA, kB);
  network_->crash(kA);
  network_->kill(kB);
  network_->heal();
  EXPECT_TRUE(network_->is_running(kA));
  EXPECT_FALSE(network_->is_running(kB));
  bool ran = false;
  network_->run_in(kB, [&] { ran = true; });
  EXPECT_FALSE(ran);
}

TEST_F(SimNetworkTest, whoIsRevivedRemembersNothing) {
  network_->crash(kB);
  bool ran = false;
  network_->run_in(kB, [&] { ran = true; });
  network_->kill(kB);
  network_->resume(kB);
  EXPECT_FALSE(network_->is_running(kB));
  network_->revive(kB);
  EXPECT_TRUE(network_->is_running(kB));
  EXPECT_FALSE(ran);
}

}  // namespace
}  // namespace lh::sim
