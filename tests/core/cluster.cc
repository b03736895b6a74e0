#include "tests/core/cluster.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "core/change.h"
#include "lh/address.h"

namespace lh::core::testing {

namespace {

constexpr base::Duration kTick = base::ms(50);
constexpr base::Duration kLinkSilenceMax = base::ms(700);
constexpr char kCoordinatorParty[] = "sc";

// The client that an answer is for; 0 when the message is no answer to a client.
ClientId addressee(const Message& message) {
  if (const auto* m = std::get_if<Reply>(&message)) return m->to.client;
  if (const auto* m = std::get_if<ScanReply>(&message)) return m->to.client;
  if (const auto* m = std::get_if<FileReply>(&message)) return m->to.client;
  if (const auto* m = std::get_if<BookUpdate>(&message)) return m->to.client;
  return 0;
}

}  // namespace

Party party_of(NodeId node) { return "n" + std::to_string(static_cast<uint32_t>(node)); }

Cluster::Cluster(const FileOptions& options, uint64_t buckets_max) {
  auto node = std::make_unique<Node>();
  node->name = party_of(Coordinator::kSelf);
  node->incarnation = ++incarnations_;
  node->address = "host-1:1";
  coordinator_.emplace(options, node->address, node->incarnation, buckets_max, now_);
  node->member.emplace(node->incarnation, Coordinator::kSelf);
  node->server.configure(Coordinator::kSelf, options);
  node->server.book().learn(coordinator_->book().part_from(0, 1));
  node->server.create_bucket({0, 0});
  node_names_.push_back(node->name);
  nodes_[node->name] = std::move(node);
}

Party Cluster::add_node(uint64_t buckets_max, const std::string& address) {
  auto node = std::make_unique<Node>();
  node->incarnation = ++incarnations_;
  const std::string number = std::to_string(node_names_.size() + 1);
  node->name = "n" + number;
  node->address = address.empty() ? "host-" + number + ":1" : address;
  node->member.emplace(node->incarnation, node->address, buckets_max);
  const Party name = node->name;
  node_names_.push_back(name);
  nodes_[name] = std::move(node);
  connect(nodes_.at(name).get());
  return name;
}

Party Cluster::add_client(const Party& name) {
  const ClientId id = 1000 + clients_.size();
  auto client = std::make_unique<Client>(this, name, id);
  BookPart part = coordinator_->book().part_from(0, 1);
  client->core.configure(coordinator_->options(), part);
  client_names_[id] = name;
  clients_[name] = std::move(client);
  return name;
}

std::vector<Party> Cluster::nodes() const { return node_names_; }

// --------------------------------------------------------------------------------- the users' side

void Cluster::submit(const Party& name, Op op, const std::string& key, const std::string& value) {
  Client& client = *clients_.at(name);
  step(name, 1, [&](Effects* effects) {
    client.core.submit(now_, {op, 0, key, value}, 0, effects);
  });
}

void Cluster::call(const Party& name, const FileRequest& request) {
  Client& client = *clients_.at(name);
  step(name, 1, [&](Effects* effects) { client.core.call(now_, request, 0, effects); });
}

void Cluster::execute(Op op, const std::string& key, const std::string& value) {
  const std::optional<HashValue> c = base::hash_key(coordinator_->options().hash, key);
  LH_CHECK(c.has_value());
  Request m;
  m.op = op;
  m.key = key;
  m.value = value;
  m.to = address(coordinator_->state(), *c);
  const Party name = party_of(coordinator_->book().locate(m.to));
  Node& node = *nodes_.at(name);
  step(name, 1, [&](Effects* effects) { node.server.step(now_, m, effects); });
}

void Cluster::grow_to(uint64_t buckets) {
  uint64_t keys = 0;
  while (bucket_count(coordinator_->state()) < buckets) {
    execute(Op::kInsert, std::to_string(keys++));
    run();
  }
  while (keys > 0) execute(Op::kDelete, std::to_string(--keys));
  run();
}

// ------------------------------------------------------------------------------------------ links

template <typename Step>
void Cluster::step(const Party& party, unsigned depth, Step step) {
  const auto client = clients_.find(party);
  if (client != clients_.end()) client->second->image = client->second->core.image();
  Effects effects;
  step(&effects);
  for (const Outgoing& outgoing : effects.sends()) {
    const Party to = receiver_of(party, outgoing);
    if (!to.empty()) in_flight_.push_back({party, to, Parcel(outgoing.message), depth, now_});
  }
  const auto node = nodes_.find(party);
  if (node != nodes_.end()) node->second->turn_wanted |= effects.turn_wanted();
}

Party Cluster::receiver_of(const Party& from, const Outgoing& outgoing) const {
  const Destination& to = outgoing.to;
  if (to.kind == Destination::Kind::kCoordinator) return kCoordinatorParty;
  if (to.kind != Destination::Kind::kReply) return party_of(to.node);
  if (const auto* m = std::get_if<Registered>(&outgoing.message)) {
    return "n" + std::to_string(m->to.link);
  }
  const auto client = client_names_.find(addressee(outgoing.message));
  LH_CHECK(!from.empty());
  return client == client_names_.end() ? Party() : client->second;
}

bool Cluster::deliver_one(const Party& from, const Party& to) {
  const auto it = std::find_if(in_flight_.begin(), in_flight_.end(), [&](const Envelope& e) {
    return (from.empty() || e.from == from) && (to.empty() || e.to == to) && !is_paused(e.to) &&
           !is_paused(e.from) && !held_links_.contains({e.from, e.to});
  });
  if (it == in_flight_.end()) return false;
  const Envelope envelope = std::move(*it);
  in_flight_.erase(it);
  if (is_up(envelope.to)) {
    if (watcher_) watcher_(envelope, Fate::kDelivered);
    deliver(envelope);
  } else {
    come_back(envelope, Fate::kRefused);
  }
  return true;
}

void Cluster::deliver(const Envelope& envelope) {
  const Message& message = envelope.message();
  step(envelope.to, envelope.depth + 1, [&](Effects* effects) {
    if (envelope.to == kCoordinatorParty) return coordinator_->step(now_, message, effects);
    const auto client = clients_.find(envelope.to);
    if (client != clients_.end()) return client->second->core.step(now_, message, effects);
    receive(nodes_.at(envelope.to).get(), message, effects);
  });
}

void Cluster::receive(Node* node, const Message& message, Effects* effects) {
  const auto* registered = std::get_if<Registered>(&message);
  if (std::holds_alternative<BookUpdate>(message)) node->member->on_answer();
  if (registered == nullptr) return node->server.step(now_, message, effects);
  const Member::Outcome outcome = node->member->on_registered(*registered);
  if (outcome == Member::Outcome::kRefused) return;
  if (outcome == Member::Outcome::kJoined) {
    node->server.configure(registered->id, registered->options);
  }
  node->server.book().learn(registered->book);
}

void Cluster::come_back(const Envelope& envelope, Fate fate) {
  if (watcher_) watcher_(envelope, fate);
  if (!is_up(envelope.from)) return;
  const unsigned depth = envelope.depth + 1;
  if (const auto it = clients_.find(envelope.from); it != clients_.end()) {
    ClientCore& core = it->second->core;
    step(envelope.from, depth, [&](Effects* effects) {
      if (envelope.to == kCoordinatorParty) return core.coordinator_unreachable(now_, effects);
      const auto number = static_cast<uint32_t>(std::stoul(envelope.to.substr(1)));
      core.node_unreachable(now_, NodeId{number}, effects);
    });
  } else if (const auto sender = nodes_.find(envelope.from); sender != nodes_.end()) {
    Server& server = sender->second->server;
    step(envelope.from, depth,
         [&](Effects* effects) { server.undeliverable(now_, envelope.message(), effects); });
  }
}

void Cluster::lose(const Party& from, const Party& to, size_t count) {
  for (size_t k = in_flight_.size(); k > 0 && count > 0; --k) {
    const auto it = in_flight_.begin() + static_cast<std::ptrdiff_t>(k - 1);
    if (it->from != from || it->to != to) continue;
    if (watcher_) watcher_(*it, Fate::kLost);
    in_flight_.erase(it);
    --count;
  }
}

// --------------------------------------------------------------------------------- turns and time

bool Cluster::turn(const Party& name) {
  Node& node = *nodes_.at(name);
  if (!is_up(name) || is_paused(name) || !std::exchange(node.turn_wanted, false)) return false;
  step(name, 1, [&](Effects* effects) { node.server.turn(now_, effects); });
  return true;
}

bool Cluster::quiet_step() {
  if (deliver_one()) return true;
  return std::any_of(node_names_.begin(), node_names_.end(),
                     [this](const Party& name) { return turn(name); });
}

void Cluster::run() {
  constexpr int kStepsMax = 10'000'000;
  int steps = 0;
  while (quiet_step()) LH_CHECK(++steps < kStepsMax, "the cluster never comes to rest");
}

void Cluster::tick() {
  now_ = now_ + kTick;
  if (is_up(kCoordinatorParty) && !is_paused(kCoordinatorParty)) {
    step(kCoordinatorParty, 1, [this](Effects* effects) { coordinator_->tick(now_, effects); });
  }
  for (const Party& name : node_names_) {
    if (!is_up(name) || is_paused(name)) continue;
    Node& node = *nodes_.at(name);
    step(name, 1, [&](Effects* effects) {
      node.server.tick(now_, effects);
      node.member->tick(now_, node.server.book().known(), node.server.stats(), effects);
    });
  }
  for (const auto& [name, client] : clients_) {
    if (is_paused(name)) continue;
    step(name, 1, [&](Effects* effects) { client->core.tick(now_, effects); });
  }
  return_overdue();
}

// What waits for a paused party comes back when the link was silent for too long.
void Cluster::return_overdue() {
  for (size_t k = 0; k < in_flight_.size();) {
    const auto it = in_flight_.begin() + static_cast<std::ptrdiff_t>(k);
    if (!is_paused(it->to) || now_ - it->sent_at < kLinkSilenceMax) {
      ++k;
      continue;
    }
    const Envelope envelope = std::move(*it);
    in_flight_.erase(it);
    come_back(envelope, Fate::kRefused);
  }
}

void Cluster::pass(base::Duration time) {
  for (base::Duration passed; passed < time; passed = passed + kTick) tick();
}

void Cluster::run_for(base::Duration time) {
  run();
  for (base::Duration passed; passed < time; passed = passed + kTick) {
    tick();
    run();
  }
}

// ---------------------------------------------------------------------------------------- trouble

void Cluster::connect(Node* node) {
  step(node->name, 1, [&](Effects* effects) {
    Effects said;
    node->member->on_connected(now_, &said);
    for (const Outgoing& outgoing : said.sends()) {
      Register m = std::get<Register>(outgoing.message);
      m.from.link = std::stoul(node->name.substr(1));  // as the entry node names connections
      m.address = node->address;
      effects->send(outgoing.to, m);
    }
  });
}

void Cluster::stop(const Party& party) { stopped_.insert(party); }

void Cluster::bring_back(const Party& party, const std::string& address) {
  stopped_.erase(party);
  if (party == kCoordinatorParty) {
    for (const Party& name : node_names_) {
      if (name != party_of(Coordinator::kSelf)) connect(nodes_.at(name).get());
    }
    return;
  }
  Node& node = *nodes_.at(party);
  if (!address.empty()) node.address = address;
  if (party != party_of(Coordinator::kSelf)) connect(&node);
}

Party Cluster::restart(const Party& name) {
  stop(name);
  return add_node(0, nodes_.at(name)->address);
}

// ------------------------------------------------------------------------------------ invariants

std::string Cluster::violation() const {
  // Where each part of the key space is served: first point -> bucket.
  std::map<ReversedHash, BucketMark> served;
  const auto serve = [&served](BucketMark mark) {
    const auto [it, fresh] = served.emplace(interval_of(mark).first, mark);
    return fresh ? std::string() : to_string(mark) + " and " + to_string(it->second) + " overlap";
  };
  std::map<BucketNo, int> handed_over;
  for (const auto& [name, node] : nodes_) {
    for (const auto& [a, bucket] : node->server.buckets()) {
      if (!bucket->live()) continue;
      if (std::string wrong = serve(bucket->mark()); !wrong.empty()) return wrong;
      if (bucket->split() != nullptr && bucket->split()->handed_over()) {
        ++handed_over[bucket->split()->target()];
      }
      std::string stray;
      const Interval mine = interval_of(bucket->mark());
      bucket->table().walk(mine.first, mine.last, ~size_t{0},
                           [&](HashValue c, const table::Record& record) {
                             if (!mine.contains(reverse64(c)))
                               stray = "key " + std::string(record.key) + " is astray";
                           });
      if (!stray.empty()) return stray;
    }
  }
  ReversedHash next = 0;
  bool whole = false;
  for (const auto& [first, mark] : served) {
    while (!whole && next < first) {  // somebody is to have it
      const auto owed = std::find_if(handed_over.begin(), handed_over.end(),
                                     [&](const auto& h) { return reverse64(h.first) == next; });
      if (owed == handed_over.end()) return "nobody serves what follows " + to_string(mark);
      next = first;
    }
    if (whole || next != first) return to_string(mark) + " overlaps what is before it";
    whole = interval_of(mark).last == ~ReversedHash{0};
    next = interval_of(mark).last + 1;
  }
  const bool end_owed = std::any_of(handed_over.begin(), handed_over.end(),
                                    [&](const auto& h) { return reverse64(h.first) == next; });
  return whole || end_owed ? std::string() : "nobody serves the end of the key space";
}

// ----------------------------------------------------------------------------------------- clients

void Cluster::Client::on_done(const Completion& done) {
  std::string text = to_string(done.op) + " " + std::string(done.key) + " " + to_string(done.code);
  if (!done.value.empty()) text += " " + std::string(done.value);
  text += ", sent to " + std::to_string(done.first) + ", ";
  text += done.code == Code::kDown ? "not answered by " : "answered by ";
  text += std::to_string(done.bucket.a);
  if (done.hops > 0) text += ", forwards=" + std::to_string(done.hops);
  if (done.image != image) text += ", image " + to_string(image) + " -> " + to_string(done.image);
  say(text);
}

void Cluster::Client::on_scan_piece(uint64_t, const ScanReply& piece) {
  std::string text = "from " + to_string(piece.bucket) + ":";
  ChangeReader reader(piece.matches);
  Change change;
  while (reader.next(&change)) text += " " + std::string(change.key);
  if (piece.matches.empty()) text += " " + std::to_string(piece.records) + " records";
  say(text);
}

void Cluster::Client::on_call_done(uint64_t, const FileResult& result) {
  using Outcome = FileResult::Outcome;
  switch (result.outcome) {
    case Outcome::kOk:
      break;
    case Outcome::kBucketDown:
      return say("bucket " + std::to_string(result.down) + " is down");
    case Outcome::kNoCoordinator:
      return say("the coordinator cannot be reached");
    case Outcome::kNoSuchBucket:
      return say("there is no such bucket");
  }
  std::string text = "done: " + std::to_string(result.records) + " records in " +
                     std::to_string(result.buckets.size()) + " buckets";
  using Kind = FileRequest::Kind;
  const Kind kind = result.request.kind;
  if (kind == Kind::kFile) text += ", file " + to_string(result.file.state);
  if (kind == Kind::kSettle) {
    text = result.file.error.empty() ? "settled" : "not settled: " + result.file.error;
  }
  if (kind == Kind::kNodes) {
    for (const NodeReport& node : result.file.nodes) {
      text += "; " + party_of(node.id) + (node.up ? " up " : " down ") +
              std::to_string(node.stats.buckets) + " buckets";
    }
  }
  say(text);
}

}  // namespace lh::core::testing
