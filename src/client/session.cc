#include "client/session.h"

#include <sys/random.h>
#include <sys/socket.h>

#include <algorithm>
#include <type_traits>
#include <utility>
#include <variant>

#include "base/check.h"
#include "base/log.h"
#include "net/socket_address.h"
#include "net/watcher.h"

namespace lh::client {
namespace {

constexpr base::Duration kTickEvery = base::ms(50);
constexpr base::Duration kAskBookEvery = base::ms(100);
constexpr base::Duration kBookMax = base::seconds(1);
// Nodes that may be connected to the listener at a time; beyond it answers take the other way.
constexpr size_t kInboundMax = 4'096;
constexpr uint64_t kCoordinatorLink = 0;

// Not 0.
uint64_t random_number() {
  uint64_t number = 0;
  while (number == 0) {
    LH_CHECK(::getrandom(&number, sizeof number, 0) == sizeof number);
  }
  return number;
}

// This end's address of a connection to `peer`, with port 0. A datagram socket finds the way
// without a packet being sent. Not valid when there is no way.
net::SocketAddress address_towards(const net::SocketAddress& peer) {
  sockaddr_storage storage{};
  const socklen_t size = peer.to_sockaddr(&storage);
  const net::Socket probe(::socket(storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!probe.valid()) return {};
  if (::connect(probe.fd(), reinterpret_cast<const sockaddr*>(&storage), size) != 0) return {};
  return probe.local_address().with_port(0);
}

// Where an answer says whose it is; nullptr for messages that are not answers to a client.
core::ReplyPath* path_of(core::Message& message) {
  return std::visit(
      [](auto& m) -> core::ReplyPath* {
        using M = std::remove_cvref_t<decltype(m)>;
        if constexpr (std::is_same_v<M, core::Reply> || std::is_same_v<M, core::ScanReply> ||
                      std::is_same_v<M, core::FileReply> || std::is_same_v<M, core::BookUpdate>) {
          return &m.to;
        }
        return nullptr;
      },
      message);
}

class ReadableWatch final : private net::EventHandler {
 public:
  explicit ReadableWatch(net::EventLoop& loop) : watcher_(loop, *this) {}
  bool open(int fd) { return watcher_.open(fd, net::Interest::kRead).ok(); }
  bool ready() const { return ready_; }

 private:
  void on_ready(net::Ready) override {
    ready_ = true;
    watcher_.set_interest(net::Interest::kNone);
  }

  bool ready_ = false;
  net::Watcher watcher_;
};

}  // namespace

const base::Clock& session_clock() {
  static const base::SteadyClock clock;
  return clock;
}

// ------------------------------------------------------------------------------------- opening

Result<std::unique_ptr<Session>> Session::open(const SessionOptions& options) {
  std::unique_ptr<net::EventLoop> own_loop;
  if (options.loop == nullptr) {
    Result<std::unique_ptr<net::EventLoop>> loop = net::EventLoop::create(session_clock());
    if (!loop.ok()) return loop.status();
    own_loop = std::move(loop).value();
  }
  std::unique_ptr<Session> session(new Session(std::move(own_loop), options, random_number()));
  if (Status status = session->start(); !status.ok()) return status;
  if (Status status = session->await_welcome(options.welcome_max); !status.ok()) return status;
  return session;
}

Session::Session(std::unique_ptr<net::EventLoop> own_loop, const SessionOptions& options,
                 uint64_t seed)
    : coordinator_name_(options.coordinator),
      own_loop_(std::move(own_loop)),
      loop_(own_loop_ ? *own_loop_ : *options.loop),
      random_(seed),
      core_(random_number(), this),
      listener_(loop_, *this) {
  loop_.add_hook(*this);
}

Session::~Session() {
  loop_.remove_hook(*this);
  loop_.cancel(ticking_);
}

Status Session::start() {
  const Result<net::SocketAddress> address = net::SocketAddress::resolve(coordinator_name_);
  if (!address.ok()) return address.status();
  self_.kind = core::PeerKind::kClient;
  self_.client = core_.id();
  listen_near(address.value());
  core::ReplyPath path;
  path.listener = self_.address;
  core_.set_reply_path(path);
  coordinator_ = make_link(kCoordinatorLink);
  coordinator_->set_address(address.value().to_string());
  coordinator_->connect();
  ticking_ = loop_.call_after(kTickEvery, [this] { tick(); });
  return {};
}

// Without a listener answers come back through the node that was asked.
void Session::listen_near(const net::SocketAddress& coordinator) {
  const net::SocketAddress here = address_towards(coordinator);
  if (!here.valid()) return;
  if (const Status status = listener_.open(here); !status.ok()) {
    LH_LOG(kWarn, "client", "cannot listen").kv("why", status.message());
    return;
  }
  self_.address = listener_.local_address().to_string();
}

std::unique_ptr<link::PeerLink> Session::make_link(uint64_t name) {
  link::LinkHandler& handler = *this;
  return std::make_unique<link::PeerLink>(loop_, group_, handler, self_, name, random_.next());
}

Status Session::await_welcome(base::Duration patience) {
  const base::Instant deadline = session_clock().now() + patience;
  const auto unavailable = [this](std::string_view what) {
    std::string sentence = "the coordinator at " + coordinator_name_;
    return Status(StatusCode::kUnavailable, sentence.append(what));
  };
  while (!core_.configured()) {
    if (!refusal_.empty()) return unavailable(" refused: " + refusal_);
    const bool lost = reconnect_ || (failing_ && connected_);
    if (lost) return unavailable(" closed the connection: is it an lhnode?");
    if (failing_) return unavailable(" cannot be reached");
    const base::Duration left = deadline - session_clock().now();
    if (left <= base::Duration()) return unavailable(" does not answer: is it an lhnode?");
    turn(left);
  }
  return {};
}

// --------------------------------------------------------------------------------------- using

void Session::submit(const core::Operation& asked, uint64_t tag) {
  LH_CHECK(has_room());
  if (free_slots_.empty()) {
    free_slots_.push_back(slots_.size());
    slots_.emplace_back();
  }
  const size_t slot = free_slots_.back();
  free_slots_.pop_back();
  slots_[slot] = {tag, asked.key.size() + asked.value.size()};
  bytes_ += slots_[slot].bytes;
  core_.submit(session_clock().now(), asked, slot, &effects_);
  run_effects();
}

void Session::call(const core::FileRequest& request, uint64_t tag) {
  core_.call(session_clock().now(), request, tag, &effects_);
  run_effects();
}

void Session::wait_readable(int fd) {
  ReadableWatch watch(loop_);
  if (!watch.open(fd)) return;
  while (!watch.ready()) turn(base::seconds(60));
}

bool Session::fetch_book() {
  turn(base::Duration());  // what happened since the last turn may be that the link is down
  const uint64_t books = books_;
  const uint64_t failures = failures_;
  const base::Instant deadline = session_clock().now() + kBookMax;
  while (books_ == books && failures_ == failures && session_clock().now() < deadline) {
    ask_for_book();
    turn(kTickEvery);
  }
  return books_ != books;
}

// ------------------------------------------------------------------------------------- sending

void Session::run_effects() {
  for (const core::Outgoing& outgoing : effects_.sends()) send(outgoing.to, outgoing.message);
  effects_.clear();
}

void Session::send(const core::Destination& to, const core::Message& message) {
  link::PeerLink* link = coordinator_.get();
  if (to.kind != core::Destination::Kind::kCoordinator) {
    LH_CHECK(to.kind == core::Destination::Kind::kBucket, "a client sends nothing else");
    link = link_to(to.node);
  }
  if (link == nullptr) return lose_node(to.node);
  link->send(message, wire::Routing::kDirect);
}

// nullptr when nobody has said yet where the node is.
link::PeerLink* Session::link_to(NodeId node) {
  if (node == entry_) return coordinator_.get();
  const core::NodeEntry* entry = core_.book().node(node);
  if (entry == nullptr || entry->address.empty()) return nullptr;
  Peer& peer = peers_[node];
  if (!peer.link) peer.link = make_link(static_cast<uint64_t>(node));
  if (peer.address != entry->address) {
    peer.address = entry->address;
    const Result<net::SocketAddress> resolved = net::SocketAddress::resolve(peer.address);
    peer.link->set_address(resolved.ok() ? resolved.value().to_string() : peer.address);
  }
  return peer.link.get();
}

void Session::ask_for_book() {
  const base::Instant now = session_clock().now();
  if (book_asked_at_ != base::Instant() && now - book_asked_at_ < kAskBookEvery) return;
  book_asked_at_ = now;
  send(core::Destination::to_coordinator(), core::BookQuery{});
}

// ----------------------------------------------------------------------------------- receiving

void Session::step(const core::Message& message) {
  core_.step(session_clock().now(), message, &effects_);
  run_effects();
}

bool Session::on_link_message(link::PeerLink& link, core::Message& message) {
  const bool of_coordinator = is_coordinator(link);
  // What refuses this client is not its coordinator, or not any more.
  if (of_coordinator && !std::holds_alternative<core::Error>(message)) heard_ = true;
  if (const auto* welcome = std::get_if<core::Welcome>(&message)) {
    on_welcome(*welcome, of_coordinator);
  } else if (const auto* error = std::get_if<core::Error>(&message)) {
    if (of_coordinator) refusal_ = error->text;
  } else if (core::ReplyPath* path = path_of(message); path != nullptr && core_.configured()) {
    // A direct answer has no path: the connection is the path.
    path->client = core_.id();
    step(message);
    if (std::holds_alternative<core::BookUpdate>(message)) ++books_;
  }
  return true;
}

void Session::on_welcome(const core::Welcome& welcome, bool of_coordinator) {
  if (of_coordinator) entry_ = welcome.node;
  if (core_.configured()) return;
  const core::BookPart& book = welcome.book;
  if (book.first != 0 || book.at.empty() || book.at[0] == NodeId::kNone) return;
  core_.configure(welcome.options, book);
  self_.file = welcome.options.id;
}

bool Session::on_message(link::FrameStream& stream, core::Message& message) {
  const auto in = std::find_if(inbound_.begin(), inbound_.end(),
                               [&](const Inbound& i) { return i.stream.get() == &stream; });
  LH_CHECK(in != inbound_.end());
  if (const auto* hello = std::get_if<core::Hello>(&message)) {
    in->greeted = hello->kind == core::PeerKind::kNode && hello->file == self_.file;
  }
  if (!in->greeted) {
    stream.refuse("a client takes answers from nodes only");
    return false;
  }
  // Whoever had this port before may still be sent answers.
  const core::ReplyPath* path = path_of(message);
  if (path != nullptr && path->client == core_.id() && core_.configured()) step(message);
  return true;
}

void Session::on_accept(net::Socket socket, const net::SocketAddress&) {
  if (inbound_.size() >= kInboundMax) return;
  link::FrameHandler& handler = *this;
  auto stream = std::make_unique<link::FrameStream>(loop_, group_, handler);
  if (!stream->open(std::move(socket)).ok()) return;
  inbound_.push_back({std::move(stream), false});
}

void Session::on_closed(link::FrameStream& stream, net::CloseReason) {
  inbound_.remove_if([&](const Inbound& in) { return in.stream.get() == &stream; });
}

// ------------------------------------------------------------------------------------ troubles

NodeId Session::node_of(const link::PeerLink& link) const {
  return is_coordinator(link) ? entry_ : static_cast<NodeId>(link.name());
}

void Session::on_link_up(link::PeerLink& link) {
  if (!is_coordinator(link)) return;
  connected_ = true;
  heard_ = reconnect_ = failing_ = false;
}

void Session::on_link_down(link::PeerLink& link) {
  lose_node(node_of(link));
  if (!is_coordinator(link)) return;
  entry_ = NodeId::kNone;
  reconnect_ = heard_;
  failing_ = !heard_;
  heard_ = false;
  if (failing_) coordinator_lost_ = true;
}

void Session::on_undeliverable(link::PeerLink& link, const core::Message& message) {
  const bool of_coordinator = std::holds_alternative<core::FileQuery>(message) ||
                              std::holds_alternative<core::BookQuery>(message);
  if (!of_coordinator) {
    lose_node(node_of(link));
  } else if (failing_) {
    coordinator_lost_ = true;
  }
}

void Session::lose_node(NodeId node) {
  if (node == NodeId::kNone) return;
  if (std::find(lost_nodes_.begin(), lost_nodes_.end(), node) != lost_nodes_.end()) return;
  lost_nodes_.push_back(node);
}

void Session::tell_troubles() {
  while (has_troubles()) {
    const bool coordinator = std::exchange(coordinator_lost_, false);
    const std::vector<NodeId> nodes = std::exchange(lost_nodes_, {});
    if (coordinator) ++failures_;
    if (!core_.configured()) continue;
    const base::Instant now = session_clock().now();
    for (const NodeId node : nodes) {
      core_.node_unreachable(now, node, &effects_);
      run_effects();
      ask_for_book();  // it may be back at another address
    }
    if (coordinator) {
      core_.coordinator_unreachable(now, &effects_);
      run_effects();
    }
  }
}

void Session::tick() {
  ticking_ = loop_.call_after(kTickEvery, [this] { tick(); });
  if (reconnect_) coordinator_->connect();
  coordinator_->tick();
  for (auto& [node, peer] : peers_) peer.link->tick();
  if (!core_.configured()) return;
  core_.tick(session_clock().now(), &effects_);
  run_effects();
}

// ---------------------------------------------------------------------------------------- sink

void Session::on_done(const core::Completion& done) {
  const Slot slot = slots_[done.tag];
  free_slots_.push_back(done.tag);
  bytes_ -= slot.bytes;
  if (sink_ == nullptr) return;
  core::Completion told = done;
  told.tag = slot.tag;
  sink_->on_done(told);
}

void Session::on_scan_piece(uint64_t tag, const core::ScanReply& piece) {
  if (sink_ != nullptr) sink_->on_scan_piece(tag, piece);
}

void Session::on_call_done(uint64_t tag, const core::FileResult& result) {
  if (sink_ != nullptr) sink_->on_call_done(tag, result);
}

}  // namespace lh::client
