#include "node/node.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "net/socket.h"
#include "tests/node/flags.h"

namespace lh::node {
namespace {

// A node in a process of its own. What it prints, and what it complains of, comes by one pipe.
class Process {
 public:
  explicit Process(std::vector<std::string> args) {
    int ends[2] = {-1, -1};
    EXPECT_EQ(0, ::pipe(ends));
    std::fflush(stdout);
    std::fflush(stderr);
    pid_ = ::fork();
    if (pid_ == 0) {
      constexpr unsigned kSecondsMax = 20;  // whatever happens to the test
      ::alarm(kSecondsMax);
      ::dup2(ends[1], STDOUT_FILENO);
      ::dup2(ends[1], STDERR_FILENO);
      ::close(ends[0]);
      ::_exit(run(testing::parse(std::move(args))));
    }
    ::close(ends[1]);
    output_ = ends[0];
  }
  ~Process() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
    ::close(output_);
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  // The next line with this in it; nothing when the process ended before.
  std::string line_with(const std::string& words) {
    for (;;) {
      std::string line;
      char c = 0;
      while (::read(output_, &c, 1) == 1 && c != '\n') line += c;
      if (line.find(words) != line.npos || line.empty()) return line;
    }
  }
  void tell(int signal) { ::kill(pid_, signal); }
  int exit_status() {
    int status = 0;
    ::waitpid(std::exchange(pid_, 0), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  pid_t pid_ = 0;
  int output_ = -1;
};

std::string listen_of(const std::string& ready) {
  const size_t at = ready.find("listen=");
  if (at == ready.npos) return {};
  return ready.substr(at + 7, ready.find(' ', at) - at - 7);
}

TEST(NodeTest, ACoordinatorIsReadyAndStopsWhenItIsToldTo) {
  for (const int signal : {SIGTERM, SIGINT}) {
    Process node({"--role=coordinator", "--listen=127.0.0.1:0", "--workers=2"});
    EXPECT_TRUE(node.line_with("ready ").starts_with("ready role=coordinator listen=127.0.0.1:"));
    node.tell(signal);
    EXPECT_EQ(0, node.exit_status());
  }
}

TEST(NodeTest, ABucketNodeIsReadyWhenItHasJoined) {
  Process coordinator({"--role=coordinator", "--listen=127.0.0.1:0", "--workers=1"});
  const std::string address = listen_of(coordinator.line_with("ready "));
  ASSERT_NE("", address);
  Process bucket({"--role=bucket", "--coordinator=" + address, "--workers=1"});
  EXPECT_TRUE(bucket.line_with("ready ").starts_with("ready role=bucket listen=127.0.0.1:"));
  bucket.tell(SIGTERM);
  EXPECT_EQ(0, bucket.exit_status());
}

TEST(NodeTest, ABucketNodeThatWaitsForItsCoordinatorCanBeStopped) {
  Result<net::Socket> silent = net::Socket::listen(net::SocketAddress::ipv4_loopback(0));
  ASSERT_TRUE(silent.ok());
  const std::string address = silent.value().local_address().to_string();
  Process bucket({"--role=bucket", "--coordinator=" + address, "--workers=1"});
  EXPECT_NE("", bucket.line_with("starting"));
  bucket.tell(SIGTERM);
  EXPECT_EQ("", bucket.line_with("ready "));
  EXPECT_EQ(0, bucket.exit_status());
}

TEST(NodeTest, APortThatIsTakenIsAnErrorOfUsage) {
  Result<net::Socket> taken = net::Socket::listen(net::SocketAddress::ipv4_loopback(0));
  ASSERT_TRUE(taken.ok());
  const std::string address = taken.value().local_address().to_string();
  Process node({"--role=coordinator", "--listen=" + address});
  EXPECT_NE(std::string::npos, node.line_with("lhnode: ").find(address));
  EXPECT_EQ(2, node.exit_status());
}

TEST(NodeTest, AConfigurationThatCannotWorkIsAnErrorOfUsage) {
  Process node({"--role=coordinator", "--listen=192.0.2.1:0"});
  EXPECT_TRUE(node.line_with("lhnode: ").starts_with("lhnode: "));
  EXPECT_EQ(2, node.exit_status());
}

}  // namespace
}  // namespace lh::node
