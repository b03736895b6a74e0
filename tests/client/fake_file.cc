#include "tests/client/fake_file.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <utility>

#include "base/check.h"
#include "wire/codec.h"
#include "wire/frame.h"

namespace lh::client::testing {
namespace {

constexpr base::Duration kTickEvery = base::ms(20);
constexpr uint64_t kIncarnation = 1'000;

// The path that an answer takes; nullptr when the message is none.
const core::ReplyPath* path_of(const core::Message& message) {
  if (const auto* m = std::get_if<core::Reply>(&message)) return &m->to;
  if (const auto* m = std::get_if<core::ScanReply>(&message)) return &m->to;
  if (const auto* m = std::get_if<core::FileReply>(&message)) return &m->to;
  if (const auto* m = std::get_if<core::BookUpdate>(&message)) return &m->to;
  return nullptr;
}

}  // namespace

// One node: its server, its port, the clients that came to it and the links to clients' listeners.
class FakeFile::Node final : private net::AcceptHandler,
                             private link::FrameHandler,
                             private link::LinkHandler {
 public:
  Node(FakeFile& file, NodeId id) : file_(file), id_(id), listener_(*file.loop_, *this) {
    self_ = {core::PeerKind::kNode, 0, id, 0, {}};
  }

  void open() {
    const Status status = listener_.open(net::SocketAddress::ipv4_loopback(0));
    EXPECT_TRUE(status.ok()) << status.message();
    address_ = self_.address = listener_.local_address().to_string();
  }

  void close() {
    listener_.close();
    clients_.clear();
    links_.clear();
  }
  void drop_clients() { clients_.clear(); }
  // Not even pings are answered from here on.
  void fall_silent() {
    alive = false;
    for (const auto& client : clients_) client->stream.pause_reading();
  }

  const std::string& address() const { return address_; }
  NodeId id() const { return id_; }
  bool is_up() const { return alive && listener_.is_open(); }

  // An answer to a client of this node.
  void answer_client(const core::ReplyPath& path, const core::Message& message) {
    for (const auto& client : clients_) {
      if (client->number == path.link) client->stream.send(message, wire::Routing::kDirect);
    }
  }

  void answer_listener(const core::ReplyPath& path, const core::Message& message) {
    std::unique_ptr<link::PeerLink>& link = links_[std::string(path.listener)];
    if (!link) {
      link::LinkHandler& handler = *this;
      link = std::make_unique<link::PeerLink>(*file_.loop_, file_.group_, handler, self_, 0, 1);
      link->set_address(path.listener);
    }
    link->send(message, wire::Routing::kRouted);
  }

  core::Server server;
  bool alive = true;

 private:
  struct Client {
    Client(FakeFile& file, link::FrameHandler& handler, uint64_t name)
        : number(name), stream(*file.loop_, file.group_, handler) {}
    uint64_t number;
    core::ClientId id = 0;
    std::string listener;
    link::FrameStream stream;
  };

  void on_accept(net::Socket socket, const net::SocketAddress&) override {
    if (!alive) return unheard_.push_back(std::move(socket));
    link::FrameHandler& handler = *this;
    auto client = std::make_unique<Client>(file_, handler, next_client_++);
    EXPECT_TRUE(client->stream.open(std::move(socket)).ok());
    clients_.push_back(std::move(client));
  }

  bool on_message(link::FrameStream& stream, core::Message& message) override {
    Client& client = *find(stream);
    if (const auto* hello = std::get_if<core::Hello>(&message)) {
      client.id = hello->client;
      client.listener = hello->listener;
      stream.send(core::Welcome{id_, server.options(), server.book().part_from(0, 1)},
                  wire::Routing::kDirect);
      return true;
    }
    take(client, message);
    return true;
  }

  void take(const Client& client, core::Message& message) {
    const core::ReplyPath path{client.id, id_, client.number, client.listener};
    const size_t here = file_.index(id_);
    if (auto* m = std::get_if<core::FileQuery>(&message)) {
      m->from = path;
      file_.post(Parcel::Kind::kCoordinator, here, 0, message);
    } else {
      if (auto* request = std::get_if<core::Request>(&message)) request->from = path;
      if (auto* scan = std::get_if<core::Scan>(&message)) scan->client = path;
      if (auto* query = std::get_if<core::BookQuery>(&message)) query->from = path;
      if (auto* more = std::get_if<core::ScanMore>(&message)) more->client = client.id;
      file_.step_server(here, message);
    }
    file_.pump();
  }

  void on_closed(link::FrameStream& stream, net::CloseReason) override {
    clients_.remove_if([&](const auto& client) { return &client->stream == &stream; });
  }

  Client* find(const link::FrameStream& stream) {
    for (const auto& client : clients_) {
      if (&client->stream == &stream) return client.get();
    }
    LH_UNREACHABLE();
  }

  bool on_link_message(link::PeerLink&, core::Message&) override { return true; }
  void on_link_down(link::PeerLink&) override {}
  void on_undeliverable(link::PeerLink&, const core::Message&) override {}

  FakeFile& file_;
  const NodeId id_;
  link::PeerLink::Self self_;
  std::string address_;
  net::Listener listener_;
  uint64_t next_client_ = 1;
  std::list<std::unique_ptr<Client>> clients_;
  std::vector<net::Socket> unheard_;
  std::map<std::string, std::unique_ptr<link::PeerLink>> links_;  // by the listener's address
};

// ------------------------------------------------------------------------------- start and end

FakeFile::FakeFile(const FakeSetup& setup) : straight_(setup.straight) {
  Result<std::unique_ptr<net::EventLoop>> loop = net::EventLoop::create(clock_);
  EXPECT_TRUE(loop.ok());
  loop_ = std::move(loop).value();
  // Under a sanitizer a turn of thousands of requests would take so long that it looks silent.
  group_.limits.read_turn_max = 4'096;
  found(setup);
  thread_ = std::thread([this] { loop_->run(); });
}

FakeFile::~FakeFile() {
  loop_->stop();
  thread_.join();
  nodes_.clear();
}

void FakeFile::found(const FakeSetup& setup) {
  for (size_t k = 0; k < setup.nodes; ++k) {
    nodes_.push_back(std::make_unique<Node>(*this, NodeId{static_cast<uint32_t>(k) + 1}));
    nodes_.back()->open();
    addresses_.push_back(nodes_.back()->address());
  }
  coordinator_.emplace(setup.options, addresses_[0], kIncarnation, 0, clock_.now());
  core::Server& first = nodes_[0]->server;
  first.configure(core::Coordinator::kSelf, setup.options);
  first.book().learn(coordinator_->book().part_from(0, 1));
  first.create_bucket({0, 0});
  for (size_t k = 1; k < setup.nodes; ++k) join(k);
  loop_->call_after(kTickEvery, [this] { tick(); });
}

void FakeFile::join(size_t node) {
  core::Register m;
  m.incarnation = kIncarnation + node;
  m.address = nodes_[node]->address();
  core::Effects effects;
  coordinator_->step(clock_.now(), m, &effects);
  core::Server& server = nodes_[node]->server;
  for (const core::Outgoing& outgoing : effects.sends()) {
    if (const auto* registered = std::get_if<core::Registered>(&outgoing.message)) {
      ASSERT_EQ(registered->id, nodes_[node]->id());
      server.configure(registered->id, registered->options);
      server.book().learn(registered->book);
    } else if (const auto* update = std::get_if<core::BookUpdate>(&outgoing.message)) {
      nodes_[index(outgoing.to.node)]->server.book().learn(update->book);
    }
  }
}

void FakeFile::run(const std::function<void()>& call) {
  std::promise<void> done;
  loop_->post([&] {
    call();
    done.set_value();
  });
  done.get_future().wait();
}

void FakeFile::kill(size_t node) {
  run([&] {
    nodes_[node]->alive = false;
    nodes_[node]->close();
  });
}

void FakeFile::silence(size_t node) {
  run([&] { nodes_[node]->fall_silent(); });
}

void FakeFile::drop_clients(size_t node) {
  run([&] { nodes_[node]->drop_clients(); });
}

void FakeFile::move(size_t node) {
  run([&] {
    nodes_[node]->close();
    nodes_[node]->open();
    join(node);
  });
}

uint64_t FakeFile::answers_to_listeners() {
  uint64_t count = 0;
  run([&] { count = answers_to_listeners_; });
  return count;
}

uint64_t FakeFile::splits() {
  uint64_t count = 0;
  run([&] { count = coordinator_->counters().splits; });
  return count;
}

// ------------------------------------------------------------------------------------ messages

void FakeFile::tick() {
  loop_->call_after(kTickEvery, [this] { tick(); });
  const base::Instant now = loop_->now();
  for (size_t k = 0; k < nodes_.size(); ++k) {
    Node& node = *nodes_[k];
    if (!node.alive) continue;
    core::Effects effects;
    node.server.tick(now, &effects);
    run_effects(k, effects);
    post(Parcel::Kind::kCoordinator, k, 0,
         core::Heartbeat{node.id(), kIncarnation + k, node.server.book().known(),
                         node.server.stats()});
  }
  core::Effects effects;
  coordinator_->tick(now, &effects);
  run_effects(0, effects);
  pump();
}

void FakeFile::run_effects(size_t from, const core::Effects& effects) {
  for (const core::Outgoing& outgoing : effects.sends()) {
    switch (outgoing.to.kind) {
      case core::Destination::Kind::kBucket:
      case core::Destination::Kind::kNode:
        post(Parcel::Kind::kServer, from, index(outgoing.to.node), outgoing.message);
        break;
      case core::Destination::Kind::kCoordinator:
        post(Parcel::Kind::kCoordinator, from, 0, outgoing.message);
        break;
      case core::Destination::Kind::kReply:
        answer(from, outgoing.message);
        break;
    }
  }
}

void FakeFile::answer(size_t from, const core::Message& message) {
  const core::ReplyPath* path = path_of(message);
  if (path == nullptr || path->entry == NodeId::kNone) return;
  const size_t entry = index(path->entry);
  if (entry == from) {
    nodes_[from]->answer_client(*path, message);
  } else if (straight_ && !path->listener.empty()) {
    ++answers_to_listeners_;
    nodes_[from]->answer_listener(*path, message);
  } else {
    post(Parcel::Kind::kClient, from, entry, message);
  }
}

void FakeFile::post(Parcel::Kind kind, size_t from, size_t to, const core::Message& message) {
  Parcel parcel{kind, from, to, {}};
  wire::encode(message, wire::Routing::kRouted, &parcel.frame);
  parcels_.push_back(std::move(parcel));
}

void FakeFile::pump() {
  if (std::exchange(pumping_, true)) return;
  while (!parcels_.empty()) {
    const Parcel parcel = std::move(parcels_.front());
    parcels_.pop_front();
    deliver(parcel);
  }
  pumping_ = false;
}

void FakeFile::deliver(const Parcel& parcel) {
  core::Message message;
  const Status status = wire::decode(wire::next_frame(parcel.frame), &message);
  ASSERT_TRUE(status.ok()) << status.message();
  if (!nodes_[parcel.to]->alive) {
    core::Effects effects;
    nodes_[parcel.from]->server.undeliverable(clock_.now(), message, &effects);
    return run_effects(parcel.from, effects);
  }
  switch (parcel.kind) {
    case Parcel::Kind::kServer:
      return step_server(parcel.to, message);
    case Parcel::Kind::kCoordinator:
      return step_coordinator(message);
    case Parcel::Kind::kClient:
      return nodes_[parcel.to]->answer_client(*path_of(message), message);
  }
}

void FakeFile::step_server(size_t node, const core::Message& message) {
  core::Server& server = nodes_[node]->server;
  core::Effects effects;
  server.step(clock_.now(), message, &effects);
  run_effects(node, effects);
  for (bool again = effects.turn_wanted(); again;) {
    core::Effects turn;
    server.turn(clock_.now(), &turn);
    run_effects(node, turn);
    again = turn.turn_wanted();
  }
}

void FakeFile::step_coordinator(const core::Message& message) {
  core::Effects effects;
  coordinator_->step(clock_.now(), message, &effects);
  run_effects(0, effects);
}

}  // namespace lh::client::testing
