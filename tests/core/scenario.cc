#include "tests/core/scenario.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "base/strings.h"
#include "lh/address.h"

namespace lh::core::testing {

namespace {

bool is_pulse(const Message& message) {
  if (std::holds_alternative<Heartbeat>(message)) return true;
  const auto* update = std::get_if<BookUpdate>(&message);
  return update != nullptr && update->book.at.empty() && update->to.client == 0 &&
         std::all_of(update->book.nodes.begin(), update->book.nodes.end(),
                     [](const NodeEntry& node) { return node.up; });
}

// Long runs of one character, from values made by `fill`, are cut to three.
std::string shorten(const std::string& line) {
  std::string out;
  for (size_t k = 0; k < line.size();) {
    const size_t end = std::min(line.find_first_not_of(line[k], k), line.size());
    out.append(end - k > 30 ? std::string(3, line[k]) + "..." : line.substr(k, end - k));
    k = end;
  }
  return out;
}

std::string keys_of(const Bucket& bucket) {
  std::vector<std::pair<uint64_t, std::string>> keys;
  const Interval mine = interval_of(bucket.mark());
  bucket.table().walk(mine.first, mine.last, ~size_t{0},
                      [&](HashValue, const table::Record& record) {
                        std::string text(record.key);
                        if (!record.value.empty() && record.value.size() < 100)
                          text.append("=").append(record.value);
                        keys.emplace_back(base::parse_u64(record.key).value_or(0), text);
                      });
  std::sort(keys.begin(), keys.end());
  std::string out;
  for (const auto& [number, text] : keys) out += " " + text;
  return out;
}

}  // namespace

const std::map<std::string, Scenario::Handler>& Scenario::handlers() {
  static const std::map<std::string, Handler> all = {
      {"file", &Scenario::file},         {"node", &Scenario::node},
      {"client", &Scenario::client},     {"insert", &Scenario::request},
      {"update", &Scenario::request},    {"put", &Scenario::request},
      {"delete", &Scenario::request},    {"read", &Scenario::request},
      {"locate", &Scenario::request},    {"fill", &Scenario::fill},
      {"scan", &Scenario::scan},         {"count", &Scenario::call},
      {"whole-file", &Scenario::call},   {"buckets-of", &Scenario::call},
      {"nodes-of", &Scenario::call},     {"bucket", &Scenario::call},
      {"settle", &Scenario::call},       {"run", &Scenario::run},
      {"deliver", &Scenario::deliver},   {"turn", &Scenario::turn},
      {"tick", &Scenario::tick},         {"lose", &Scenario::lose},
      {"hold", &Scenario::link},         {"release", &Scenario::link},
      {"grow", &Scenario::grow},         {"stop", &Scenario::trouble},
      {"return", &Scenario::trouble},    {"restart", &Scenario::trouble},
      {"pause", &Scenario::trouble},     {"resume", &Scenario::trouble},
      {"flight", &Scenario::flight},     {"file-state", &Scenario::file_state},
      {"buckets", &Scenario::buckets},   {"image", &Scenario::image},
      {"messages", &Scenario::messages}, {"book", &Scenario::book},
  };
  return all;
}

std::string Scenario::execute(const Command& command) {
  printed_.clear();
  const auto it = handlers().find(command.name());
  if (it == handlers().end()) {
    ADD_FAILURE() << command.where << ": unknown command " << command.name();
    return {};
  }
  if (command.name() != "file" && !cluster_) {
    ADD_FAILURE() << command.where << ": a script starts with `file`";
    return {};
  }
  (this->*it->second)(command);
  flush_news();
  EXPECT_EQ(cluster_->violation(), "") << command.where;
  return printed_;
}

void Scenario::say(const std::string& line) { printed_ += shorten(line) + "\n"; }

void Scenario::flush_news() {
  for (const std::string& line : cluster_->take_news()) say(line);
}

void Scenario::show(const Envelope& envelope, Cluster::Fate fate) {
  if (quiet_) return;
  flush_news();  // of the message before
  if (is_pulse(envelope.message())) return;
  std::string line = envelope.from + "->" + envelope.to + " " + to_string(envelope.message());
  if (fate == Cluster::Fate::kRefused) line += "  REFUSED";
  if (fate == Cluster::Fate::kLost) line += "  LOST";
  say(line);
}

// ------------------------------------------------------------------------------------------ set-up

void Scenario::file(const Command& c) {
  FileOptions options;
  options.capacity = c.number("capacity", 3);
  options.hash = c.text("hash") == "mixed" ? base::HashMode::kMixed : base::HashMode::kInteger;
  cluster_.emplace(options, c.number("own-max-buckets"));
  quiet_ = true;
  cluster_->watch([this](const Envelope& envelope, Cluster::Fate fate) { show(envelope, fate); });
  for (uint64_t k = 1; k < c.number("nodes", 1); ++k) {
    cluster_->add_node(c.number("max-buckets"));
    cluster_->run();
  }
  grow(c);
  quiet_ = true;
  cluster_->run_for(base::ms(400));
  quiet_ = false;
}

void Scenario::node(const Command& c) { cluster_->add_node(c.number("max-buckets")); }

void Scenario::grow(const Command& c) {
  quiet_ = true;
  cluster_->grow_to(bucket_count({static_cast<Level>(c.number("i")), c.number("n")}));
  quiet_ = false;
}

void Scenario::client(const Command& c) {
  cluster_->add_client(c.word(1));
  if (!c.has("i")) return;
  // The mark that makes this image of any smaller one (A3 backwards).
  const auto i = static_cast<Level>(c.number("i"));
  const BucketNo n = c.number("n");
  const BucketMark mark = n > 0   ? BucketMark{n - 1, static_cast<Level>(i + 1)}
                          : i > 0 ? BucketMark{(BucketNo{1} << (i - 1)) - 1, i}
                                  : BucketMark{};
  ClientCore& core = cluster_->client(c.word(1));
  core.learn_mark(mark);
  const uint64_t known = c.number("map", bucket_count({i, n}));
  core.book().learn(cluster_->coordinator().book().part_from(0, known));
  if (c.has("child"))
    core.book().set(bucket_count({i, n}) - 1, NodeId{static_cast<uint32_t>(c.number("child"))});
}

// ------------------------------------------------------------------------------------ users' calls

void Scenario::request(const Command& c) {
  static const std::map<std::string, Op> ops = {{"insert", Op::kInsert}, {"update", Op::kUpdate},
                                                {"put", Op::kPut},       {"delete", Op::kDelete},
                                                {"read", Op::kRead},     {"locate", Op::kLocate}};
  cluster_->submit(c.word(1), ops.at(c.name()), c.text("key"), c.text("value"));
}

void Scenario::fill(const Command& c) {
  const std::string value = c.has("bytes") ? std::string(c.number("bytes"), 'x') : c.text("value");
  quiet_ = true;
  std::istringstream ranges(c.text("keys"));
  for (std::string range; std::getline(ranges, range, ',');) {
    const size_t dots = range.find("..");
    const uint64_t first = base::parse_u64(range.substr(0, dots)).value_or(0);
    const uint64_t last =
        dots == range.npos ? first : base::parse_u64(range.substr(dots + 2)).value_or(0);
    for (uint64_t key = first; key <= last; ++key) fill_one(c.word(1), key, value);
  }
  quiet_ = false;
}

void Scenario::fill_one(const Party& client, uint64_t key, const std::string& value) {
  const FileState before = cluster_->coordinator().state();
  cluster_->submit(client, Op::kInsert, std::to_string(key), value);
  cluster_->run();
  for (const std::string& line : cluster_->take_news()) {
    if (line.find(" Ok") == std::string::npos) say(line);
  }
  const FileState after = cluster_->coordinator().state();
  if (after == before) return;
  say("key " + std::to_string(key) + ": " + to_string(before) + " -> " + to_string(after));
}

void Scenario::scan(const Command& c) {
  FileRequest request{FileRequest::Kind::kScan, ScanMatch::kAll, {}, 0};
  const std::pair<const char*, ScanMatch> matches[] = {{"key", ScanMatch::kKeyGlob},
                                                       {"value", ScanMatch::kValueGlob},
                                                       {"contains", ScanMatch::kValueContains}};
  for (const auto& [arg, match] : matches) {
    if (c.has(arg)) request.match = match, request.pattern = c.text(arg);
  }
  cluster_->call(c.word(1), request);
}

void Scenario::call(const Command& c) {
  using Kind = FileRequest::Kind;
  static const std::map<std::string, Kind> kinds = {
      {"count", Kind::kCount},    {"whole-file", Kind::kFile}, {"buckets-of", Kind::kBuckets},
      {"nodes-of", Kind::kNodes}, {"bucket", Kind::kBucket},   {"settle", Kind::kSettle}};
  cluster_->call(c.word(1), FileRequest{kinds.at(c.name()), ScanMatch::kAll, {}, c.number("n")});
}

// ------------------------------------------------------------------------------ what moves, and
// when

void Scenario::run(const Command& c) {
  quiet_ = c.words.back() == "quietly";
  cluster_->run_for(base::ms(static_cast<int64_t>(c.number("ms"))));
  quiet_ = false;
}

void Scenario::deliver(const Command& c) {
  const auto matches = [&](const Envelope& e) {
    return (!c.has("from") || e.from == c.text("from")) && (!c.has("to") || e.to == c.text("to"));
  };
  const auto& flight = cluster_->in_flight();
  uint64_t left = static_cast<uint64_t>(std::count_if(flight.begin(), flight.end(), matches));
  for (left = std::min(left, c.number("count", left)); left > 0; --left) {
    cluster_->deliver_one(c.text("from"), c.text("to"));
  }
}

void Scenario::turn(const Command& c) { cluster_->turn(c.word(1)); }

void Scenario::tick(const Command& c) {
  cluster_->pass(base::ms(static_cast<int64_t>(c.number("ms"))));
}

void Scenario::lose(const Command& c) {
  cluster_->lose(c.text("from"), c.text("to"), c.number("count", ~uint64_t{0}));
}

void Scenario::link(const Command& c) {
  if (c.name() == "hold") cluster_->hold(c.text("from"), c.text("to"));
  if (c.name() == "release") cluster_->release(c.text("from"), c.text("to"));
}

void Scenario::trouble(const Command& c) {
  const Party party = c.word(1);
  if (c.name() == "stop") cluster_->stop(party);
  if (c.name() == "return") cluster_->bring_back(party, c.text("address"));
  if (c.name() == "restart") cluster_->restart(party);
  if (c.name() == "pause") cluster_->pause(party);
  if (c.name() == "resume") cluster_->resume(party);
}

// ------------------------------------------------------------------------------------ a look
// inside

void Scenario::flight(const Command&) {
  for (const Envelope& e : cluster_->in_flight()) {
    if (!is_pulse(e.message())) say(e.from + "->" + e.to + " " + to_string(e.message()));
  }
}

void Scenario::file_state(const Command&) {
  const Coordinator& coordinator = cluster_->coordinator();
  say("file " + to_string(coordinator.state()) + ", " + std::to_string(coordinator.splits_owed()) +
      " splits owed");
}

void Scenario::buckets(const Command&) {
  std::map<BucketNo, std::string> all;
  for (const Party& name : cluster_->nodes()) {
    for (const auto& [a, bucket] : cluster_->server(name).buckets()) {
      std::string line = to_string(bucket->mark()) + " at " + name;
      line += bucket->live() ? ":" + keys_of(*bucket) : " waits for its parent";
      if (const SplitSource* split = bucket->split()) {
        line += split->handed_over() ? ", handed over to " : ", splits to ";
        line += std::to_string(split->target()) + " at " + party_of(split->target_node());
      }
      all[a] += line + "\n";
    }
  }
  for (const auto& [a, lines] : all) printed_ += shorten(lines);
}

void Scenario::image(const Command& c) {
  say(c.word(1) + " image " + to_string(cluster_->client(c.word(1)).image()));
}

void Scenario::messages(const Command& c) {
  const ClientCore::Counters& n = cluster_->client(c.word(1)).counters();
  say(base::format(
      "%s: %llu operations, %llu messages, %llu forwards, %llu iams, %llu retries",
      c.word(1).c_str(), static_cast<unsigned long long>(n.ops),
      static_cast<unsigned long long>(n.messages()), static_cast<unsigned long long>(n.forwards),
      static_cast<unsigned long long>(n.iams), static_cast<unsigned long long>(n.retries)));
}

void Scenario::book(const Command& c) {
  const Party party = c.word(1);
  const AddressBook& book = party == "sc"     ? cluster_->coordinator().book()
                            : party[0] == 'n' ? cluster_->server(party).book()
                                              : cluster_->client(party).book();
  std::string line = party + " knows";
  for (BucketNo a = 0; a < book.known(); ++a) {
    line += " " + std::to_string(a) + "@" + party_of(book.locate(a));
  }
  for (const auto& [id, entry] : book.nodes()) {
    line += ", " + party_of(id) + "=" + entry.address + (entry.up ? "" : " down");
  }
  say(line);
}

}  // namespace lh::core::testing
