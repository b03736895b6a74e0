#include "node/binary_session.h"

#include <utility>

#include "base/log.h"
#include "core/limits.h"
#include "wire/message_type.h"

namespace lh::node {

namespace {

// Answers to a client may go another way, straight to its own port. When none came for this long, a
// session that is to end does not wait for more.
constexpr base::Duration kAnswerMax = base::ms(300);
constexpr std::string_view kOtherFile = "this node is of another file";

// Where a client's message has the way back to the client, or nullptr.
core::ReplyPath* path_of(core::Message& message) {
  if (auto* m = std::get_if<core::Request>(&message)) return &m->from;
  if (auto* m = std::get_if<core::Scan>(&message)) return &m->client;
  if (auto* m = std::get_if<core::FileQuery>(&message)) return &m->from;
  if (auto* m = std::get_if<core::BookQuery>(&message)) return &m->from;
  return nullptr;
}

}  // namespace

BinarySession::BinarySession(Worker& worker, LinkToken token, net::Socket socket,
                             std::string_view unread)
    : worker_(worker),
      token_(token),
      stream_(worker.loop(), worker.binary_group(), *this),
      opened_at_(worker.loop().now()) {
  if (const Status status = stream_.open(std::move(socket), unread); !status.ok()) {
    LH_LOG_LIMITED(kWarn, "node", "cannot serve a connection", opened_at_)
        .kv("why", status.message());
    worker_.loop().post([&worker, token] { worker.sessions().end(token); });
  }
}

core::ReplyPath BinarySession::path() const {
  return {client_, worker_.server().self(), token_.packed(), listener_};
}

bool BinarySession::refuse(std::string_view why) {
  stream_.refuse(why);
  return false;
}

bool BinarySession::mark_as_own(core::Message* message) const {
  if (core::ReplyPath* back = path_of(*message)) {
    *back = path();
    return true;
  }
  auto* more = std::get_if<core::ScanMore>(message);
  if (more != nullptr) more->client = client_;
  return more != nullptr;
}

bool BinarySession::on_message(link::FrameStream& stream, core::Message& message) {
  if (const auto* hello = std::get_if<core::Hello>(&message)) return on_hello(*hello);
  if (!greeted_) return refuse("the first message has to be Hello");
  if (const auto* error = std::get_if<core::Error>(&message)) {
    LH_LOG_LIMITED(kWarn, "node", "refused by peer", worker_.loop().now()).kv("why", error->text);
    return true;
  }
  if (kind_ == core::PeerKind::kClient) {
    const bool direct = stream.routing() == wire::Routing::kDirect;
    if (!direct || !mark_as_own(&message)) return refuse("only a node may send that");
    owed_ += std::holds_alternative<core::Request>(message) ? 1 : 0;
  } else if (auto* m = std::get_if<core::Register>(&message)) {
    if (!worker_.has_coordinator()) return refuse("this node is not the coordinator");
    m->from = path();
  }
  const bool goes_on = worker_.accept(message);
  // Nodes pass on what was let in elsewhere, and what they promise each other must not wait.
  const bool is_held_back = kind_ == core::PeerKind::kClient && !worker_.log_has_room();
  if (!goes_on || is_held_back) {
    stream_.pause_reading();
    worker_.wait_for_room(token_);
  }
  return true;
}

void BinarySession::on_announced(core::Message& message) {
  auto* request = std::get_if<core::Request>(&message);
  if (request == nullptr || !worker_.joined()) return;
  request->c = base::hash_key(worker_.server().options().hash, request->key);
  if (request->c) worker_.inputs().announce(*request->c);
}

bool BinarySession::on_hello(const core::Hello& hello) {
  if (greeted_) return refuse("a second Hello");
  if (hello.version != wire::kWireVersion) {
    return refuse("this node speaks version 1 of the protocol");
  }
  const bool by_node = hello.kind == core::PeerKind::kNode;
  if (!by_node && !worker_.joined()) return refuse("this node has not joined a file yet");
  if (!by_node && worker_.sessions().is_refused(token_)) return refuse(kTooManyClients);
  file_ = hello.file;
  if (worker_.joined() && of_another_file()) return refuse(kOtherFile);
  if (!by_node && hello.client == 0) return refuse("a client needs a number");
  greeted_ = true;
  worker_.sessions().admit(token_);
  kind_ = hello.kind;
  client_ = hello.client;
  listener_ = hello.listener;
  if (by_node) {
    worker_.shared().peers.fetch_add(1);
  } else {
    welcome();
  }
  // Other nodes hear of this one before its workers do; what they say then must not be lost.
  // What a coordinator has to hear that asks them is what they say.
  if (by_node && !everyone_joined() && !worker_.shared().config.rebuild) {
    early_ = true;
    stream_.pause_reading();
  }
  return true;
}

// A node or client that goes by an address which was once that of a node of its file.
bool BinarySession::of_another_file() const {
  return file_ != 0 && file_ != worker_.server().options().id;
}

bool BinarySession::everyone_joined() const {
  return worker_.shared().joined.load() == worker_.shared().config.workers;
}

void BinarySession::welcome() {
  const core::Server& server = worker_.server();
  core::Welcome welcome;
  welcome.node = server.self();
  welcome.options = server.options();
  welcome.book = server.book().part_from(0, 1);
  stream_.send(welcome, wire::Routing::kDirect);
}

void BinarySession::deliver(const core::Message& message) {
  // A client knows who it is; a node needs the path to pass the answer on.
  stream_.send(message,
               kind_ == core::PeerKind::kClient ? wire::Routing::kDirect : wire::Routing::kRouted);
  moved_at_ = worker_.loop().now();
  if (owed_ > 0 && std::holds_alternative<core::Reply>(message)) --owed_;
  if (draining_) close_when_answered();
}

void BinarySession::resume() {
  if (!draining_ || is_node()) stream_.resume_reading();
}

size_t BinarySession::unread_bytes(base::Instant now) const {
  return stream_.stalled_for(now) < kStallTightMax ? 0 : stream_.output_size();
}

void BinarySession::drain() {
  draining_ = true;
  moved_at_ = worker_.loop().now();
  if (is_node()) return;
  stream_.pause_reading();
  close_when_answered();
}

void BinarySession::close_when_answered() {
  if (is_node()) return;
  if (owed_ == 0 || worker_.loop().now() - moved_at_ >= kAnswerMax) stream_.close_after_flush();
}

void BinarySession::on_closed(link::FrameStream& stream, net::CloseReason reason) {
  if (!stream.refusal().empty() || reason == net::CloseReason::kOutputLimit ||
      reason == net::CloseReason::kInputLimit) {
    LH_LOG_LIMITED(kWarn, "node", "connection closed", worker_.loop().now())
        .kv("peer", stream.socket().peer_address().to_string())
        .kv("reason", net::to_string(reason))
        .kv("why", stream.refusal());
  }
  if (is_node()) worker_.shared().peers.fetch_sub(1);
  worker_.sessions().end(token_);
}

void BinarySession::tick(base::Instant now, base::Duration idle_max) {
  if (stream_.stalled_for(now) > kStallMax) return close_stalled();
  if (early_ && everyone_joined()) {
    early_ = false;
    if (of_another_file()) return stream_.refuse(kOtherFile);
    stream_.resume_reading();
  }
  const bool begun = stream_.unread_bytes() > 0 && !stream_.is_paused();
  const base::Instant since = std::max(stream_.last_heard_at(), opened_at_);
  if (begun && now - since > kRequestTimeMax) {
    worker_.shared().unfinished.fetch_add(1);
    stream_.refuse("a frame was begun and not finished");
  } else if (draining_) {
    close_when_answered();
  } else if (!is_node() && idle_max > base::Duration() && now - since > idle_max) {
    stream_.close_after_flush();
  }
}

}  // namespace lh::node
