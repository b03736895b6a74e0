#include "link/peer_link.h"

#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "net/socket_address.h"
#include "wire/frame.h"

namespace lh::link {

namespace {

// A refused connection is tried again no sooner than this: until then the answer is "down".
constexpr base::Duration kTryAgainAfter = base::ms(50);
constexpr base::Duration kConnectMax = base::ms(500);
// Silence, with something outstanding, before a ping; and after the ping before the peer is given
// up. Together they leave time to answer "bucket 3 is down" within a second.
constexpr base::Duration kPingAfter = base::ms(200);
constexpr base::Duration kSilenceMax = base::ms(500);

net::ConnectOptions connect_options() {
  net::ConnectOptions options;
  options.attempt_max = kConnectMax;
  options.attempts_max = 1;
  options.backoff_min = base::ms(1);
  options.backoff_max = base::ms(20);
  return options;
}

}  // namespace

PeerLink::PeerLink(net::EventLoop& loop, net::ConnectionGroup& group, LinkHandler& handler,
                   const Self& self, uint64_t name, uint64_t seed)
    : loop_(loop),
      group_(group),
      handler_(handler),
      self_(self),
      name_(name),
      connector_(loop, *this, connect_options(), seed) {}

PeerLink::~PeerLink() = default;

void PeerLink::set_address(std::string_view address) {
  if (address_ == address) return;
  address_ = address;
  suspect_ = false;
  connector_.reset_backoff();
  if (stream_) {
    moved_ = true;
    return stream_->close();
  }
  connector_.cancel();
  const bool connecting = state_ == State::kConnecting;
  state_ = State::kIdle;
  if (connecting) connect();
}

void PeerLink::connect() {
  if (state_ != State::kIdle && state_ != State::kDown) return;
  const base::Instant now = loop_.now();
  if (state_ == State::kDown && now - down_at_ < kTryAgainAfter) return;
  const Result<net::SocketAddress> address = net::SocketAddress::parse(address_);
  if (!address.ok()) {
    LH_LOG_LIMITED(kWarn, "link", "bad address", now).kv("address", address_);
    return go_down();
  }
  state_ = State::kConnecting;
  connecting_since_ = now;
  connector_.start(address.value());
}

void PeerLink::send(const core::Message& message, wire::Routing routing) {
  used_at_ = loop_.now();
  connect();
  if (is_up()) {
    // What was heard before this says nothing about whether this arrives.
    if (!waiting_ || stream_->last_heard_at() > waiting_since_) waiting_since_ = used_at_;
    waiting_ = true;
    return stream_->send(message, routing);
  }
  if (suspect_ || state_ == State::kDown || backlog_.size() > kBacklogBytesMax) {
    return handler_.on_undeliverable(*this, message);
  }
  wire::encode(message, routing, &backlog_);
}

void PeerLink::on_connected(net::Socket socket) {
  LH_CHECK(state_ == State::kConnecting);
  connector_.reset_backoff();
  FrameHandler& handler = *this;
  stream_ = std::make_unique<FrameStream>(loop_, group_, handler);
  if (const Status status = stream_->open(std::move(socket)); !status.ok()) {
    stream_.reset();
    return go_down();
  }
  say_hello();
  if (!suspect_) return come_up();
  state_ = State::kProving;
  ping();
}

void PeerLink::say_hello() {
  core::Hello hello;
  hello.version = wire::kWireVersion;
  hello.kind = self_.kind;
  hello.client = self_.client;
  hello.node = self_.node;
  hello.file = self_.file;
  hello.listener = self_.address;
  stream_->send(hello, wire::Routing::kDirect);
}

void PeerLink::ping() {
  stream_->send(core::Ping{}, wire::Routing::kDirect);
  pinged_ = true;
  pinged_at_ = loop_.now();
}

void PeerLink::come_up() {
  state_ = State::kUp;
  suspect_ = waiting_ = pinged_ = false;
  handler_.on_link_up(*this);
  if (backlog_.empty()) return;
  stream_->send_frames(backlog_);
  backlog_ = {};
  waiting_ = true;
  waiting_since_ = loop_.now();
}

void PeerLink::on_connect_failed(const Status& status, bool again) {
  LH_CHECK(!again);
  LH_LOG(kDebug, "link", "cannot connect").kv("address", address_).kv("why", status.message());
  suspect_ = loop_.now() - connecting_since_ >= kConnectMax;
  go_down();
}

bool PeerLink::on_message(FrameStream&, core::Message& message) {
  if (state_ == State::kProving) come_up();
  if (const auto* error = std::get_if<core::Error>(&message)) {
    LH_LOG_LIMITED(kWarn, "link", "refused by peer", loop_.now())
        .kv("address", address_)
        .kv("why", error->text);
  }
  return handler_.on_link_message(*this, message);
}

void PeerLink::on_pong(FrameStream&) {
  if (state_ == State::kProving) come_up();
  // What was sent before the ping has arrived, too.
  if (pinged_ && waiting_since_ <= pinged_at_) waiting_ = false;
  pinged_ = false;
}

void PeerLink::on_closed(FrameStream& stream, net::CloseReason reason) {
  LH_CHECK(&stream == stream_.get());
  LH_LOG(kDebug, "link", "closed").kv("address", address_).kv("reason", net::to_string(reason));
  closed_stream_ = std::move(stream_);
  if (!std::exchange(moved_, false)) return go_down();
  state_ = State::kIdle;
  if (!backlog_.empty()) connect();
  handler_.on_link_down(*this);
}

void PeerLink::go_down() {
  state_ = State::kDown;
  down_at_ = loop_.now();
  waiting_ = pinged_ = false;
  give_back_backlog();
  handler_.on_link_down(*this);
}

void PeerLink::give_back_backlog() {
  const std::string frames = std::exchange(backlog_, {});
  std::string_view rest = frames;
  core::Message message;
  while (!rest.empty()) {
    const wire::Frame frame = wire::next_frame(rest);
    LH_CHECK(frame.status == wire::FrameStatus::kFrame, "a frame of our own making");
    const Status status = wire::decode(frame, &message);
    LH_CHECK(status.ok(), status.message());
    handler_.on_undeliverable(*this, message);
    rest.remove_prefix(frame.size);
  }
}

void PeerLink::tick() {
  closed_stream_.reset();
  // What is sent to a suspect before it was heard comes back, so it is not for a sender to find out
  // that a peer is there again: most have one try only.
  if (state_ == State::kDown && suspect_) connect();
  if (!stream_ || !stream_->is_open()) return;
  const base::Instant now = loop_.now();
  const base::Instant heard = stream_->last_heard_at();
  if (pinged_ && now - pinged_at_ >= kSilenceMax && heard <= pinged_at_) {
    if (!std::exchange(suspect_, true)) {
      LH_LOG_LIMITED(kWarn, "link", "peer is silent", now).kv("address", address_);
    }
    return stream_->close();
  }
  if (pinged_ && heard > pinged_at_) pinged_ = false;
  if (waiting_ && heard > waiting_since_) waiting_ = false;
  if (waiting_ && !pinged_ && now - waiting_since_ >= kPingAfter) ping();
}

bool PeerLink::idle_since(base::Instant then) const {
  return used_at_ < then && backlog_.empty() && state_ != State::kConnecting;
}

}  // namespace lh::link
