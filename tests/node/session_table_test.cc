#include "node/session_table.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/link/fixture.h"

namespace lh::node {
namespace {

class SessionTableTest : public ::testing::Test {
 protected:
  static constexpr size_t kBytesMax = 1'000;

  struct Fake : Session {
    explicit Fake(std::string* log, std::string name) : log_(log), name_(std::move(name)) {}
    ~Fake() override { say("dies"); }
    void deliver(const core::Message&) override {}
    void tick(base::Instant, base::Duration) override { say("ticks"); }
    void drain() override { say("drains"); }
    size_t unread_bytes(base::Instant) const override { return unread; }
    void close_stalled() override { say("closes"); }
    void say(const char* what) { *log_ += name_ + " " + what + ";"; }

    size_t unread = 0;
    std::string* log_;
    std::string name_;
  };

  static NodeConfig config() {
    NodeConfig config;
    config.result_bytes_max = kBytesMax;
    return config;
  }
  LinkToken open(const std::string& name, size_t unread = 0) {
    shared_.clients.fetch_add(1);
    const LinkToken token = table_.add();
    auto fake = std::make_unique<Fake>(&log_, name);
    fake->unread = unread;
    table_.replace(token, std::move(fake));
    return token;
  }
  std::string said() { return std::exchange(log_, {}); }

  link::testing::QuietLog quiet_;
  std::string log_;
  Shared shared_{config(), "127.0.0.1:7000", 11, 11};
  SessionTable table_{shared_, 3};
};

TEST_F(SessionTableTest, aTokenFindsItsSessionUntilItEnds) {
  const LinkToken a = open("a");
  const LinkToken b = open("b");
  EXPECT_EQ(a.worker, 3u);
  EXPECT_NE(a.slot, b.slot);
  EXPECT_NE(a.slot, 0u) << "that is the front's";
  ASSERT_NE(table_.find(a), nullptr);
  table_.end(a);
  EXPECT_EQ(table_.find(a), nullptr);
  EXPECT_EQ(shared_.clients.load(), 1u);
  table_.end(a);
  EXPECT_EQ(shared_.clients.load(), 1u) << "only once";
  const LinkToken c = open("c");
  EXPECT_EQ(c.slot, a.slot) << "the place is used again";
  EXPECT_EQ(table_.find(a), nullptr);
  EXPECT_EQ(table_.find({3, 99, 0}), nullptr);
}

TEST_F(SessionTableTest, whatEndedOrWasReplacedDiesLater) {
  const LinkToken a = open("a");
  table_.replace(a, std::make_unique<Fake>(&log_, "a2"));
  EXPECT_EQ(said(), "");
  EXPECT_TRUE(table_.has_ended());
  table_.bury();
  EXPECT_EQ(said(), "a dies;");
  table_.end(a);
  table_.bury();
  EXPECT_EQ(said(), "a2 dies;");
  EXPECT_FALSE(table_.has_ended());
}

TEST_F(SessionTableTest, everyoneTicksAndDrains) {
  open("a");
  table_.end(open("b"));
  open("c");
  table_.tick({});
  EXPECT_EQ(said(), "a ticks;c ticks;");
  table_.drain();
  EXPECT_EQ(said(), "a drains;c drains;");
}

TEST_F(SessionTableTest, whoHoldMostForPeersThatDoNotReadAreClosed) {
  open("a", 200);
  open("b", 300);
  table_.tick({});
  EXPECT_EQ(said(), "a ticks;b ticks;") << "together half of what there may be";
  open("c", 100);
  open("d", 350);
  table_.tick({});
  EXPECT_EQ(said(), "a ticks;b ticks;c ticks;d ticks;d closes;b closes;");
}

}  // namespace
}  // namespace lh::node
