#include "tests/link/fixture.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "wire/frame.h"

namespace lh::link::testing {

bool Peer::pump() {
  if (!socket_.valid()) return false;
  bool moved = false;
  while (!out_.empty()) {
    const ssize_t n = ::send(socket_.fd(), out_.data(), out_.size(), MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN) out_.clear();  // nobody is there to take it
    if (n <= 0) break;
    out_.erase(0, static_cast<size_t>(n));
    moved = true;
  }
  std::vector<char> block(std::min(portion_, size_t{1} << 16));
  for (size_t left = portion_; reads_ && !ended_ && left > 0;) {
    const ssize_t n = ::recv(socket_.fd(), block.data(), std::min(left, block.size()), 0);
    if (n < 0 && errno == EAGAIN) break;
    moved = true;
    if (n <= 0) {
      ended_ = true;
      break;
    }
    in_.append(block.data(), static_cast<size_t>(n));
    left -= static_cast<size_t>(n);
  }
  return moved;
}

void Peer::half_close() {
  pump();
  ASSERT_TRUE(out_.empty());
  ASSERT_EQ(0, ::shutdown(socket_.fd(), SHUT_WR));
}

std::string Peer::take_line() {
  const size_t end = in_.find('\n');
  if (end == std::string::npos) return {};
  std::string line = in_.substr(0, end + 1);
  in_.erase(0, end + 1);
  return line;
}

size_t Peer::lines() const { return static_cast<size_t>(std::count(in_.begin(), in_.end(), '\n')); }

void send_message(Peer& peer, const core::Message& message, wire::Routing routing) {
  std::string frame;
  wire::encode(message, routing, &frame);
  peer.send(frame);
}

std::unique_ptr<Received> take_message(Peer& peer) {
  std::string& in = peer.received();
  const size_t size = wire::next_frame(in).size;
  if (wire::next_frame(in).status != wire::FrameStatus::kFrame) return nullptr;
  auto received = std::make_unique<Received>();
  received->bytes = in.substr(0, size);
  in.erase(0, size);
  const Status status = wire::decode(wire::next_frame(received->bytes), &received->message);
  EXPECT_TRUE(status.ok()) << status.message();
  return received;
}

core::Hello client_hello(core::ClientId client, std::string_view listener) {
  core::Hello hello;
  hello.version = wire::kWireVersion;
  hello.kind = core::PeerKind::kClient;
  hello.client = client;
  hello.listener = listener;
  return hello;
}

core::Hello node_hello(NodeId node, std::string_view address) {
  core::Hello hello;
  hello.version = wire::kWireVersion;
  hello.kind = core::PeerKind::kNode;
  hello.node = node;
  hello.listener = address;
  return hello;
}

core::Request request(uint64_t seq, core::Op op, BucketNo to, std::string_view key,
                      std::string_view value) {
  core::Request m;
  m.seq = seq;
  m.acked = seq;
  m.op = op;
  m.to = to;
  m.known = 1;
  m.key = key;
  m.value = value;
  return m;
}

bool RestProbe::turn(bool patient) {
  patient_ = patient;
  asked_ = false;
  const size_t events = loop_.run_once(base::ms(1));
  return asked_ && events == 0;
}

bool RestProbe::has_work() const {
  asked_ = true;
  return !patient_;
}

}  // namespace lh::link::testing
