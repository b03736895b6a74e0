#include "net/connector.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "base/prng.h"
#include "tests/net/fixture.h"

namespace lh::net {
namespace {

using base::Duration;
using testing::kNoWait;
using testing::make_loop;
using testing::peer_reads;
using testing::peer_writes;
using testing::turn_until;

class ConnectorTest : public ::testing::Test, public ConnectHandler {
 protected:
  void on_connected(Socket socket) override {
    connected_.push_back(std::move(socket));
    if (body_) body_();
  }
  void on_connect_failed(const Status& status, bool again) override {
    EXPECT_EQ(StatusCode::kUnavailable, status.code());
    failures_.push_back(std::string(status.message()) + (again ? ", again" : ", the last"));
    if (body_) body_();
  }

  void make_connector(const ConnectOptions& options) {
    connector_ = std::make_unique<Connector>(*loop_, *this, options, 1);
  }
  Socket listen() {
    Result<Socket> socket = Socket::listen(SocketAddress::ipv4_loopback(0));
    EXPECT_TRUE(socket.ok()) << socket.status().message();
    return std::move(socket).value();
  }
  // A port that nobody listens on.
  SocketAddress refusing() { return listen().local_address(); }
  bool turn_until_failures(size_t n) {
    return turn_until(*loop_, [this, n] { return failures_.size() >= n; });
  }

  base::ManualClock clock_;
  std::unique_ptr<EventLoop> loop_ = make_loop(clock_);
  std::unique_ptr<Connector> connector_ =
      std::make_unique<Connector>(*loop_, *this, ConnectOptions{}, 1);
  std::vector<Socket> connected_;
  std::vector<std::string> failures_;
  std::function<void()> body_;
};

TEST_F(ConnectorTest, connects) {
  const Socket listening = listen();
  connector_->start(listening.local_address());
  EXPECT_FALSE(connector_->idle());
  EXPECT_TRUE(connected_.empty());  // never from within start()
  EXPECT_TRUE(turn_until(*loop_, [this] { return connected_.size() == 1; }));
  EXPECT_TRUE(connector_->idle());
  Socket accepted;
  SocketAddress peer;
  ASSERT_EQ(0, listening.accept(&accepted, &peer));
  peer_writes(connected_[0], "hello");
  EXPECT_EQ("hello", peer_reads(accepted));
}

TEST_F(ConnectorTest, a_refusal_is_told_and_tried_again_after_a_delay) {
  const SocketAddress address = refusing();
  connector_->start(address);
  ASSERT_TRUE(turn_until_failures(1));
  EXPECT_EQ("cannot connect to " + address.to_string() + ": Connection refused, again",
            failures_[0]);
  EXPECT_FALSE(connector_->idle());
  // The delay is at least half of backoff_min and at most all of it.
  clock_.advance(base::ms(24));
  loop_->run_once(kNoWait);
  loop_->run_once(kNoWait);
  EXPECT_EQ(1u, failures_.size());
  clock_.advance(base::ms(26));
  EXPECT_TRUE(turn_until_failures(2));
}

TEST_F(ConnectorTest, connects_once_the_peer_is_there) {
  const SocketAddress address = refusing();
  connector_->start(address);
  ASSERT_TRUE(turn_until_failures(1));
  const Result<Socket> listening = Socket::listen(address);
  ASSERT_TRUE(listening.ok()) << listening.status().message();
  clock_.advance(base::ms(50));
  EXPECT_TRUE(turn_until(*loop_, [this] { return connected_.size() == 1; }));
}

TEST_F(ConnectorTest, gives_up_after_the_last_attempt) {
  make_connector({.attempts_max = 2});
  connector_->start(refusing());
  ASSERT_TRUE(turn_until_failures(1));
  EXPECT_TRUE(failures_[0].ends_with(", again"));
  clock_.advance(base::seconds(1));
  ASSERT_TRUE(turn_until_failures(2));
  EXPECT_TRUE(failures_[1].ends_with(", the last"));
  EXPECT_TRUE(connector_->idle());
}

TEST_F(ConnectorTest, an_attempt_has_a_time_limit) {
  // A backlog that is full drops the connections beyond it, as a dead machine does.
  const Socket listening(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_storage storage;
  const socklen_t size = SocketAddress::ipv4_loopback(0).to_sockaddr(&storage);
  ASSERT_EQ(0, ::bind(listening.fd(), reinterpret_cast<sockaddr*>(&storage), size));
  ASSERT_EQ(0, ::listen(listening.fd(), 0));
  const SocketAddress address = listening.local_address();
  const Result<Socket> filler = Socket::connect(address);
  ASSERT_TRUE(filler.ok());
  pollfd waiting{filler.value().fd(), POLLOUT, 0};
  ASSERT_EQ(1, ::poll(&waiting, 1, 10'000));

  make_connector({.attempt_max = base::ms(700), .attempts_max = 1});
  connector_->start(address);
  loop_->run_once(kNoWait);
  clock_.advance(base::ms(699));
  loop_->run_once(kNoWait);
  EXPECT_TRUE(failures_.empty());
  clock_.advance(base::ms(1));
  ASSERT_TRUE(turn_until_failures(1));
  EXPECT_EQ("cannot connect to " + address.to_string() + ": Connection timed out, the last",
            failures_[0]);
  EXPECT_TRUE(connected_.empty());
}

TEST_F(ConnectorTest, an_impossible_address_is_told_from_the_loop) {
  make_connector({.attempts_max = 1});
  // A broadcast address: connect() itself refuses.
  connector_->start(SocketAddress::parse("255.255.255.255:1").value());
  EXPECT_TRUE(failures_.empty());
  ASSERT_TRUE(turn_until_failures(1));
  EXPECT_EQ(0u, failures_[0].find("cannot connect to 255.255.255.255:1: "));
  EXPECT_TRUE(connector_->idle());
}

TEST_F(ConnectorTest, cancel_ends_each_state_in_silence) {
  const Socket listening = listen();
  connector_->start(listening.local_address());  // connecting
  connector_->cancel();
  EXPECT_TRUE(connector_->idle());

  connector_->reset_backoff();
  connector_->start(refusing());
  ASSERT_TRUE(turn_until_failures(1));  // waiting
  connector_->cancel();

  connector_->reset_backoff();
  connector_->start(SocketAddress::parse("255.255.255.255:1").value());  // failing
  connector_->cancel();

  clock_.advance(base::seconds(100));
  for (int i = 0; i < 5; ++i) loop_->run_once(kNoWait);
  EXPECT_EQ(1u, failures_.size());
  EXPECT_TRUE(connected_.empty());
}

TEST_F(ConnectorTest, the_handler_may_cancel_restart_and_destroy) {
  const Socket listening = listen();
  body_ = [this] { connector_->cancel(); };
  connector_->start(refusing());
  ASSERT_TRUE(turn_until_failures(1));
  EXPECT_TRUE(connector_->idle());

  body_ = [&] {
    connector_->cancel();
    connector_->reset_backoff();
    body_ = nullptr;
    connector_->start(listening.local_address());
  };
  connector_->reset_backoff();
  connector_->start(refusing());
  EXPECT_TRUE(turn_until(*loop_, [this] { return connected_.size() == 1; }));

  body_ = [this] { connector_.reset(); };
  connector_->reset_backoff();
  connector_->start(refusing());
  EXPECT_TRUE(turn_until(*loop_, [this] { return connector_ == nullptr; }));
}

TEST_F(ConnectorTest, a_link_that_dies_at_once_backs_off_until_it_proves_alive) {
  const Socket listening = listen();
  connector_->start(listening.local_address());
  EXPECT_TRUE(turn_until(*loop_, [this] { return connected_.size() == 1; }));
  connector_->start(listening.local_address());
  loop_->run_once(kNoWait);
  loop_->run_once(kNoWait);
  EXPECT_EQ(1u, connected_.size());
  clock_.advance(base::ms(50));
  EXPECT_TRUE(turn_until(*loop_, [this] { return connected_.size() == 2; }));
  connector_->reset_backoff();
  connector_->start(listening.local_address());
  EXPECT_TRUE(turn_until(*loop_, [this] { return connected_.size() == 3; }));
}

TEST(ConnectorBackoffTest, doubles_up_to_its_bound_and_leaves_out_up_to_half) {
  const ConnectOptions options{.backoff_min = base::ms(50), .backoff_max = base::ms(1000)};
  base::Prng random(3);
  const int64_t expected_ms[] = {50, 100, 200, 400, 800, 1000, 1000};
  EXPECT_EQ(Duration(), Connector::backoff(options, 0, &random));
  for (uint32_t failures = 1; failures <= 7; ++failures) {
    const Duration full = base::ms(expected_ms[failures - 1]);
    bool varied = false;
    const Duration first = Connector::backoff(options, failures, &random);
    for (int i = 0; i < 100; ++i) {
      const Duration delay = Connector::backoff(options, failures, &random);
      ASSERT_LE(delay, full);
      ASSERT_GE(delay, full / 2);
      varied |= delay != first;
    }
    EXPECT_TRUE(varied);
  }
  EXPECT_LE(Connector::backoff(options, UINT32_MAX, &random), base::ms(1000));
}

TEST(ConnectorBackoffTest, equal_seeds_give_equal_delays) {
  base::Prng a(5);
  base::Prng b(5);
  for (uint32_t failures = 1; failures < 20; ++failures) {
    EXPECT_EQ(Connector::backoff({}, failures, &a), Connector::backoff({}, failures, &b));
  }
}

}  // namespace
}  // namespace lh::net
