// lhlimit: what a server costs that does nothing: the socket calls alone, to measure others
// against.
//
//   lhlimit [--listen=HOST:PORT] [--value-size=B]
//
// One thread, one epoll. It takes the first bytes of a connection for one whole request and all
// that follow for requests of the same size: it counts them by dividing, and answers each with
// fixed bytes, all of a turn in one write. A first request that starts with *2 (a GET) gets values,
// any other gets +OK. So redis-benchmark can talk to it, one kind of request at a time, with -P
// too: then the first bytes are looked through for where the second request starts.
//
// Prints the ready line of a node, and runs until it is killed. For benchmarks on loopback only: it
// believes its peers.
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/flags.h"
#include "net/socket.h"
#include "net/socket_address.h"

namespace {

using lh::base::Flag;
using lh::base::FlagKind;

constexpr Flag kFlags[] = {
    {.name = "listen",
     .kind = FlagKind::kHostPort,
     .default_text = "127.0.0.1:0",
     .help = "where; port 0: any free one"},
    {.name = "value-size",
     .kind = FlagKind::kU64,
     .default_text = "32",
     .value_name = "B",
     .help = "bytes of the value that a GET gets",
     .most = 1'000'000},
    {.name = "help", .kind = FlagKind::kSwitch, .help = "print this text", .stops = true},
};
constexpr lh::base::FlagTable kTable{"lhlimit [flags]", {}, kFlags};

constexpr int kEventsMax = 512;
constexpr size_t kReadMax = size_t{64} << 10;
// Answers that lie ready one behind the other.
constexpr size_t kReadyBytesMin = size_t{64} << 10;

// The size of the first of the requests: they all start alike.
size_t first_size(std::string_view bytes) {
  const size_t second = bytes.find(bytes.substr(0, 4), 1);
  return second == std::string_view::npos ? bytes.size() : second;
}

// Answers of one kind. What is owed is a number of bytes: where the next one comes from follows.
struct Answers {
  explicit Answers(std::string_view answer) : size(answer.size()) {
    while (bytes.size() < kReadyBytesMin + size) bytes.append(answer);
  }
  size_t size;
  std::string bytes;
};

class Peer {
 public:
  explicit Peer(lh::net::Socket socket) : socket_(std::move(socket)) {}

  int fd() const { return socket_.fd(); }
  bool owes() const { return owed_ > 0; }

  // False when the peer is gone.
  bool read(const Answers& ok, const Answers& value) {
    static char buffer[kReadMax];
    const ssize_t got = ::recv(fd(), buffer, sizeof buffer, 0);
    if (got <= 0) return got < 0 && errno == EAGAIN;
    const std::string_view bytes(buffer, static_cast<size_t>(got));
    if (request_size_ == 0) {
      request_size_ = first_size(bytes);
      answers_ = bytes.starts_with("*2") ? &value : &ok;
    }
    const size_t whole = begun_ + bytes.size();
    begun_ = whole % request_size_;
    owed_ += whole / request_size_ * answers_->size;
    return write();
  }

  bool write() {
    while (owed_ > 0) {
      const size_t part = std::min(owed_, kReadyBytesMin);
      const ssize_t sent = ::send(fd(), answers_->bytes.data() + at_, part, MSG_NOSIGNAL);
      if (sent < 0) return errno == EAGAIN;
      owed_ -= static_cast<size_t>(sent);
      at_ = (at_ + static_cast<size_t>(sent)) % answers_->size;
    }
    return true;
  }

 private:
  lh::net::Socket socket_;
  const Answers* answers_ = nullptr;
  size_t request_size_ = 0;
  size_t begun_ = 0;  // bytes of a request whose rest has not come
  size_t owed_ = 0;   // bytes of answers
  size_t at_ = 0;     // where in an answer the next byte is
};

class Limit {
 public:
  Limit(lh::net::Socket listener, size_t value_size)
      : listener_(std::move(listener)),
        value_("$" + std::to_string(value_size) + "\r\n" + std::string(value_size, 'x') + "\r\n") {
    watch(EPOLL_CTL_ADD, listener_.fd(), EPOLLIN);
  }

  [[noreturn]] void run() {
    epoll_event events[kEventsMax];
    for (;;) {
      const int count = ::epoll_wait(epoll_.fd(), events, kEventsMax, -1);
      for (int k = 0; k < count; ++k) {
        const int fd = events[k].data.fd;
        if (fd == listener_.fd()) {
          accept();
        } else {
          serve(fd, events[k].events);
        }
      }
    }
  }

 private:
  void watch(int what, int fd, uint32_t interest) {
    epoll_event event{};
    event.events = interest;
    event.data.fd = fd;
    LH_CHECK(::epoll_ctl(epoll_.fd(), what, fd, &event) == 0);
  }

  void accept() {
    lh::net::Socket socket;
    lh::net::SocketAddress from;
    while (listener_.accept(&socket, &from) == 0) {
      const auto fd = static_cast<size_t>(socket.fd());
      if (peers_.size() <= fd) peers_.resize(fd + 1);
      watch(EPOLL_CTL_ADD, socket.fd(), EPOLLIN);
      peers_[fd] = std::make_unique<Peer>(std::move(socket));
    }
  }

  // A peer that does not read its answers is not read from.
  void serve(int fd, uint32_t events) {
    std::unique_ptr<Peer>& peer = peers_[static_cast<size_t>(fd)];
    const bool owed = peer->owes();
    const bool writable = (events & EPOLLOUT) != 0;
    if (!(writable ? peer->write() : peer->read(ok_, value_))) {
      peer.reset();
    } else if (peer->owes() != owed) {
      watch(EPOLL_CTL_MOD, fd, owed ? EPOLLIN : EPOLLOUT);
    }
  }

  const lh::net::Socket epoll_{::epoll_create1(EPOLL_CLOEXEC)};
  const lh::net::Socket listener_;
  const Answers ok_{"+OK\r\n"};
  const Answers value_;
  std::vector<std::unique_ptr<Peer>> peers_;  // by descriptor
};

int usage(std::string_view why) {
  std::fprintf(stderr, "lhlimit: %.*s\n", static_cast<int>(why.size()), why.data());
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> args(argv + 1, argv + argc);
  const lh::Result<lh::base::FlagValues> values = lh::base::parse_flags(kTable, args);
  if (!values.ok()) return usage(values.status().message());
  if (values.value().on("help")) {
    std::fputs(lh::base::flag_help(kTable).c_str(), stdout);
    return 0;
  }
  if (!values.value().words().empty()) return usage("it takes flags only");
  const auto address = lh::net::SocketAddress::resolve(values.value().text("listen"));
  if (!address.ok()) return usage(address.status().message());
  lh::Result<lh::net::Socket> listener = lh::net::Socket::listen(address.value());
  if (!listener.ok()) return usage(listener.status().message());
  std::printf("ready role=limit listen=%s pid=%d\n",
              listener.value().local_address().to_string().c_str(), ::getpid());
  std::fflush(stdout);
  Limit(std::move(listener).value(), values.value().u64("value-size")).run();
}
