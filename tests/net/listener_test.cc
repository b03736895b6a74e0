#include "net/listener.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <functional>
#include <string>
#include <vector>

#include "base/log.h"
#include "tests/net/fixture.h"

namespace lh::net {
namespace {

using testing::kNoWait;
using testing::make_loop;
using testing::peer_reads;
using testing::peer_sees_end;
using testing::peer_writes;
using testing::turn_until;

class ListenerTest : public ::testing::Test, public AcceptHandler {
 protected:
  void open() {
    const Status status = listener_->open(SocketAddress::ipv4_loopback(0));
    ASSERT_TRUE(status.ok()) << status.message();
    address_ = listener_->local_address();
  }

  void on_accept(Socket socket, const SocketAddress& peer) override {
    accepted_.push_back(std::move(socket));
    peers_.push_back(peer);
    if (body_) body_();
  }

  // A client whose connection waits in the listener's backlog.
  Socket connect() {
    Result<Socket> socket = Socket::connect(address_);
    EXPECT_TRUE(socket.ok()) << socket.status().message();
    pollfd waiting{socket.value().fd(), POLLOUT, 0};
    EXPECT_EQ(1, ::poll(&waiting, 1, 10'000));
    return std::move(socket).value();
  }

  base::ManualClock clock_;
  std::unique_ptr<EventLoop> loop_ = make_loop(clock_);
  std::unique_ptr<Listener> listener_ = std::make_unique<Listener>(*loop_, *this);
  SocketAddress address_;
  std::vector<Socket> accepted_;
  std::vector<SocketAddress> peers_;
  std::function<void()> body_;
};

TEST_F(ListenerTest, hands_over_each_connection_with_its_peer) {
  open();
  const Socket client = connect();
  EXPECT_TRUE(turn_until(*loop_, [this] { return accepted_.size() == 1; }));
  EXPECT_EQ(client.local_address(), peers_[0]);
  peer_writes(client, "hello");
  EXPECT_EQ("hello", peer_reads(accepted_[0]));
  EXPECT_EQ(1u, listener_->accepted());
}

TEST_F(ListenerTest, accepts_in_bounded_batches) {
  open();
  std::vector<Socket> clients;
  for (int i = 0; i < 100; ++i) clients.push_back(connect());
  loop_->run_once(kNoWait);
  EXPECT_GT(accepted_.size(), 1u);
  EXPECT_LE(accepted_.size(), 64u);
  EXPECT_TRUE(turn_until(*loop_, [this] { return accepted_.size() == 100; }));
}

TEST_F(ListenerTest, a_dropped_socket_is_a_closed_connection) {
  open();
  const Socket client = connect();
  body_ = [this] { accepted_.clear(); };
  EXPECT_TRUE(turn_until(*loop_, [this] { return listener_->accepted() == 1; }));
  EXPECT_TRUE(peer_sees_end(client));
}

TEST_F(ListenerTest, the_handler_may_close_it) {
  open();
  const Socket a = connect();
  const Socket b = connect();
  body_ = [this] { listener_->close(); };
  EXPECT_TRUE(turn_until(*loop_, [this] { return !listener_->is_open(); }));
  EXPECT_EQ(1u, accepted_.size());
  loop_->run_once(kNoWait);
  // And it can be opened again, on the same port.
  body_ = nullptr;
  EXPECT_TRUE(listener_->open(address_).ok());
  const Socket c = connect();
  EXPECT_TRUE(turn_until(*loop_, [this] { return accepted_.size() == 2; }));
}

TEST_F(ListenerTest, the_handler_may_destroy_it) {
  open();
  const Socket a = connect();
  const Socket b = connect();
  body_ = [this] { listener_.reset(); };
  EXPECT_TRUE(turn_until(*loop_, [this] { return listener_ == nullptr; }));
  EXPECT_EQ(1u, accepted_.size());
}

TEST_F(ListenerTest, a_port_in_use_is_a_status) {
  open();
  Listener second(*loop_, *this);
  const Status status = second.open(address_);
  EXPECT_EQ("cannot listen on " + address_.to_string() + ": Address already in use",
            status.message());
  EXPECT_FALSE(second.is_open());
}

// ---------------------------------------------------------------------------------------------
// Without descriptors. The limit is that of the whole process, so a child has it.

class NullSink final : public base::LogSink {
 public:
  void write(base::LogLevel, std::string_view body) override { lines.emplace_back(body); }
  std::vector<std::string> lines;
};

class ListenerOutOfDescriptorsTest : public ListenerTest {
 protected:
  void SetUp() override {
#if defined(__SANITIZE_ADDRESS__)
    GTEST_SKIP() << "the sanitizer needs descriptors itself, to look at virtual tables";
#endif
    ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  }

  // The first descriptor that the process may not have is the next one that it would get.
  static void allow_no_more() {
    const Socket next(::dup(0));
    set_limit(static_cast<rlim_t>(next.fd()));
  }
  static void set_limit(rlim_t soft) {
    rlimit limit{};
    ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &limit));
    limit.rlim_cur = soft;
    ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
  }
  [[noreturn]] static void end_child() { _exit(HasFailure() ? 1 : 0); }

  NullSink sink_;
};

TEST_F(ListenerOutOfDescriptorsTest, waiting_connections_are_refused_at_once) {
  const auto child = [this] {
    base::set_log_sink(&sink_);
    open();
    std::vector<Socket> clients;
    for (int i = 0; i < 100; ++i) clients.push_back(connect());
    allow_no_more();
    EXPECT_TRUE(turn_until(*loop_, [this] { return listener_->refused() == 100; }));
    EXPECT_EQ(0u, listener_->accepted());
    for (const Socket& client : clients) EXPECT_TRUE(peer_sees_end(client));
    // Nothing is left to report: the loop does not spin.
    EXPECT_EQ(0u, loop_->run_once(kNoWait));
    EXPECT_EQ(1u, sink_.lines.size());
    // With descriptors again it serves again.
    clients.clear();
    const Socket client = connect();
    EXPECT_TRUE(turn_until(*loop_, [this] { return listener_->accepted() == 1; }));
    end_child();
  };
  EXPECT_EXIT(child(), ::testing::ExitedWithCode(0), "");
}

// The reserve is lost to someone else: the listener pauses, and goes on when its time comes.
TEST_F(ListenerOutOfDescriptorsTest, without_a_reserve_it_pauses) {
  const auto child = [this] {
    base::set_log_sink(&sink_);
    open();
    const Socket a = connect();
    const Socket b = connect();
    rlimit before{};
    getrlimit(RLIMIT_NOFILE, &before);
    // Not even the descriptor that the reserve gives up may be used.
    set_limit(3);
    loop_->run_once(kNoWait);
    EXPECT_EQ(0u, loop_->run_once(kNoWait));
    EXPECT_EQ(0u, listener_->refused());
    set_limit(before.rlim_cur);
    EXPECT_EQ(0u, loop_->run_once(kNoWait));
    clock_.advance(base::ms(100));
    EXPECT_TRUE(turn_until(*loop_, [this] { return accepted_.size() == 2; }));
    end_child();
  };
  EXPECT_EXIT(child(), ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace lh::net
