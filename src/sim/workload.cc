#include "sim/workload.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/check.h"
#include "base/hash.h"
#include "base/strings.h"
#include "core/change.h"
#include "core/limits.h"
#include "core/transaction.h"

namespace lh::sim {

namespace {

using base::Duration;
using base::format;
using base::ms;
using core::Code;
using core::Op;
using Kind = core::FileRequest::Kind;
using Outcome = core::FileResult::Outcome;
using Ull = unsigned long long;

// Requests of unknown outcome for one key; beyond it the key is left alone.
constexpr uint64_t kUnknownMax = 40;
// Of a key that is added to: any of those that may have happened can be in a sum, and their subsets
// are what has to be searched.
constexpr uint64_t kUnsettledAddsMax = 8;
constexpr size_t kCallsMax = 2;
// Keyed requests that are asked to be refused have this id: no history knows them.
constexpr uint64_t kBadKeyId = 0;

// Twice the mean at most.
Duration random_around(base::Prng* prng, Duration mean) {
  return Duration(static_cast<int64_t>(prng->below(static_cast<uint64_t>(mean.ns()) * 2 + 1)));
}

bool is_legal(Op op, Code code) {
  switch (code) {
    case Code::kOk:
    case Code::kDown:
      return true;
    case Code::kExists:
      return op == Op::kInsert;
    case Code::kNotFound:
      return op == Op::kUpdate || op == Op::kRead || op == Op::kDelete || op == Op::kLength;
    case Code::kNoSpace:
      return core::is_mutation(op);
    default:
      return false;
  }
}

// What becomes of an operation on a key that is added to.
Op op_for(size_t key, Op op) {
  const KeyUse use = use_of_key(key);
  if (use == KeyUse::kValue || op == Op::kRead || op == Op::kDelete) return op;
  if (op == Op::kLocate) return use == KeyUse::kText ? Op::kLength : op;
  return use == KeyUse::kText ? Op::kAppend : Op::kIncrement;
}

std::string value_for(Op op, uint64_t id, size_t size) {
  if (op == Op::kIncrement) return std::to_string(delta_of(id));
  if (op == Op::kAppend) return std::string(delta_of(id), kLetter);
  return core::traits(op).grows ? make_value(id, size) : std::string();
}

}  // namespace

std::vector<std::string> make_keys(const Options& options) {
  std::vector<std::string> keys;
  for (uint64_t k = 0; k < options.keys; ++k) {
    keys.push_back(options.hash == base::HashMode::kInteger
                       ? std::to_string(k * options.key_stride)
                       : format("key:%llu", static_cast<Ull>(k)));
  }
  return keys;
}

// -------------------------------------------------------------------------------------- workload

Workload::Workload(World* world, FileChecker* checker)
    : world_(world),
      checker_(checker),
      prng_(world->options.seed ^ 0x776f726b),
      history_(make_keys(world->options)),
      left_(world->options.ops),
      open_(world->options.keys),
      unknown_(world->options.keys) {}

Driver* Workload::add(ClientPort* port, bool sleeper) {
  const auto number = static_cast<uint32_t>(drivers_.size() + 1);
  drivers_.push_back(std::make_unique<Driver>(this, port, number, sleeper));
  if (sleeper) world_->counters.add(Count::kSleepers);
  return drivers_.back().get();
}

bool Workload::is_idle() const {
  return std::all_of(drivers_.begin(), drivers_.end(),
                     [](const auto& driver) { return driver->outstanding() == 0; });
}

bool Workload::is_free(size_t key) const {
  if (use_of_key(key) != KeyUse::kValue && open_[key] + unknown_[key] >= kUnsettledAddsMax) {
    return false;
  }
  return open_[key] < world_->options.open_per_key && unknown_[key] < kUnknownMax;
}

void Workload::on_end(size_t key, bool known) {
  --open_[key];
  if (!known) ++unknown_[key];
}

// ---------------------------------------------------------------------------------------- asking

Driver::Driver(Workload* workload, ClientPort* port, uint32_t number, bool sleeper)
    : workload_(workload),
      world_(workload->world()),
      port_(port),
      number_(number),
      sleeper_(sleeper) {
  port->set_sink(this);
}

void Driver::start() {
  world_->events.after(random_around(&workload_->prng(), ms(20)), [this] { pulse(); });
}

void Driver::pulse() {
  if (abandoned_ || workload_->asked_all()) return;
  base::Prng& prng = workload_->prng();
  const bool room = asked_.size() < world_->options.depth && calls_.size() < kCallsMax;
  if (room && is_ready()) ask_something();
  Duration wait = random_around(&prng, world_->options.think);
  if (sleeper_ && burst_left_-- == 0) {
    burst_left_ = prng.below(20);
    wait = ms(static_cast<int64_t>(prng.between(300, 3'000)));
  }
  world_->events.after(wait, [this] { pulse(); });
}

void Driver::ask_something() {
  base::Prng& prng = workload_->prng();
  const Options& o = world_->options;
  if (!workload_->take_one()) return;
  if (prng.chance(o.calls_permille, 1'000)) return ask_call();
  if (o.hash == base::HashMode::kInteger && prng.chance(1, 200)) return ask_bad_key();
  size_t key = 0;
  if (!pick_key(&key)) return;
  uint64_t place =
      prng.below(std::accumulate(std::begin(o.weights), std::end(o.weights), uint64_t{0}));
  size_t op = 0;
  while (place >= o.weights[op]) place -= o.weights[op++];
  const uint64_t size = prng.chance(1, 4) ? o.value_max : prng.below(o.value_max + 1);
  const bool expires = static_cast<Op>(op) == Op::kPut && prng.chance(o.expiring_of_100, 100);
  submit(expires ? Op::kSet : static_cast<Op>(op), key, size);
}

bool Driver::pick_key(size_t* key) {
  base::Prng& prng = workload_->prng();
  const uint64_t keys = world_->options.keys;
  for (int attempt = 0; attempt < 8; ++attempt) {
    *key = prng.below(prng.chance(1, 4) ? keys / 8 + 1 : keys);
    if (workload_->is_free(*key)) return true;
  }
  return false;
}

void Driver::submit(Op wanted, size_t key, size_t value_size) {
  const Op op = op_for(key, wanted);
  History& history = workload_->history();
  const uint64_t version = workload_->checker()->version();
  const uint64_t id =
      history.begin(number_, op, key, world_->next_moment(), world_->now(), version);
  asked_[id] = {op, key, version, world_->now()};
  workload_->on_begin(key);
  world_->counters.add(Count::kOps);
  const std::string value = value_for(op, id, value_size);
  core::SetArgs set;
  if (op == Op::kSet) set.expiry = pick_expiry(id);
  const std::string args = op == Op::kSet ? set.encode() : std::string();
  const bool fits = value.size() <= core::kValueBytesMax / 4;
  if (op == Op::kPut && fits && workload_->prng().chance(1, 8)) return transact(id, value);
  port_->submit({op, 0, history.keys()[key], value, args}, id);
}

// The same in several parts: the key without a record is what nobody may ever see, whatever dies.
void Driver::transact(uint64_t id, const std::string& value) {
  Asked& asked = asked_.at(id);
  asked.transacted = value;
  const std::string& key = workload_->history().keys()[asked.key];
  std::string parts;
  core::TransactionWriter writer(&parts, 0);
  writer.add({Op::kDelete, 0, key});
  writer.add({Op::kPut, 0, key, value});
  writer.add({Op::kRead, 0, key});
  world_->counters.add(Count::kTransactions);
  port_->submit({Op::kTransact, 0, key, parts}, id);
}

void Driver::check_parts(const Asked& asked, std::string_view answer) {
  base::Reader reader(answer);
  Code code = Code::kOk;
  std::string_view value;
  for (size_t parts = 0; core::read_part(&reader, &code, &value); ++parts) {
    const bool fine = parts == 0 || code == Code::kOk;
    if (!fine || (parts == 2 && value != asked.transacted)) fail("a part of a transaction failed");
  }
  if (!reader.ok()) fail("the answer to a transaction makes no sense");
}

// Soon enough for what the operation writes to expire within the run, and to expire while it is
// moved, written again or lost; and, now and then, before it is written.
core::ExpiryMs Driver::pick_expiry(uint64_t id) {
  base::Prng& prng = workload_->prng();
  const core::ExpiryMs expiry = world_->unix_ms() + 1 + prng.below(prng.chance(1, 3) ? 20 : 2'000);
  const base::Instant at = base::Instant() + base::ms(static_cast<int64_t>(expiry)) - kUnixOffset;
  world_->events.at(at, [this, id, at] {
    world_->counters.add(Count::kExpired);
    workload_->history().expire(id, world_->moment_by(at - base::ns(1)));
  });
  return expiry;
}

void Driver::ask_bad_key() {
  asked_[kBadKeyId] = {Op::kPut, 0, 0, world_->now()};
  port_->submit({Op::kPut, 0, "007", "x"}, kBadKeyId);
}

void Driver::ask_call() {
  static constexpr Kind kKinds[] = {Kind::kScan,    Kind::kScan,   Kind::kScan,   Kind::kCount,
                                    Kind::kCount,   Kind::kSettle, Kind::kSettle, Kind::kFile,
                                    Kind::kBuckets, Kind::kBucket, Kind::kBucket, Kind::kNodes};
  base::Prng& prng = workload_->prng();
  core::FileRequest request;
  request.kind = kKinds[prng.below(std::size(kKinds))];
  if (prng.chance(world_->options.clears_of_100, 100)) request.kind = Kind::kClear;
  request.bucket = prng.below(workload_->checker()->version() + 1);
  if (request.kind == Kind::kScan && prng.chance(1, 3)) {
    request.match = core::ScanMatch::kKeyGlob;
    request.pattern = format("*%llu*", static_cast<Ull>(prng.below(10)));
  }
  call(request);
}

void Driver::call(const core::FileRequest& request) {
  const uint64_t tag = next_call_++;
  const size_t number = workload_->history().begin_call(number_, request, world_->next_moment());
  FileChecker* checker = workload_->checker();
  calls_[tag] = {number, checker->version(), checker->collisions(), checker->deaths(),
                 world_->now()};
  port_->call(request, tag);
}

// --------------------------------------------------------------------------------------- answers

void Driver::fail(const std::string& what) { world_->fail(format("client %u: ", number_) + what); }

void Driver::on_done(const core::Completion& done) {
  if (abandoned_) return;
  const auto it = asked_.find(done.tag);
  if (it == asked_.end()) return fail("an answer to what was never asked, or asked once");
  const Asked asked = it->second;
  asked_.erase(it);
  if (done.tag == kBadKeyId) {
    if (done.code != Code::kBadKey) fail("a key that is no integer was accepted");
    return;
  }
  if (done.code == Code::kOk && !asked.transacted.empty()) check_parts(asked, done.value);
  workload_->history().end(done.tag, done.code, done.value, world_->next_moment(), done.repeated);
  workload_->on_end(asked.key, done.code != Code::kDown);
  world_->counters.add(done.code == Code::kDown ? Count::kUnknown : Count::kAnswered);
  check_answer(asked, done);
  check_stray(asked, done);
}

void Driver::on_port_lost() {
  for (const auto& [id, asked] : std::exchange(asked_, {})) {
    if (id == kBadKeyId) continue;
    workload_->on_end(asked.key, false);
    world_->counters.add(Count::kUnknown);
  }
  calls_.clear();
  strays_.clear();  // the front that takes its place knows nothing
}

void Driver::check_answer(const Asked& asked, const core::Completion& done) {
  if (!is_legal(asked.op, done.code)) {
    fail(core::to_string(asked.op) + " was answered " + core::to_string(done.code));
  }
  if (done.code == Code::kDown) {
    if (asked.at > world_->trouble_until) fail("a bucket was called down and nothing was wrong");
    return;
  }
  if (done.code == Code::kNoSpace) return world_->counters.add(Count::kNoSpace);
  static constexpr Count kHops[] = {Count::kHops0, Count::kHops1, Count::kHops2};
  if (done.hops >= std::size(kHops)) return fail("more than two forwards");
  world_->counters.add(kHops[done.hops]);
  if (done.hops > 0) world_->counters.add(Count::kIams);
  if (forward_address(done.bucket, done.c)) {
    fail("bucket " + core::to_string(done.bucket) + " answered for a key that is not its own");
  }
}

// In a file that stands still the same request does not go astray twice.
void Driver::check_stray(const Asked& asked, const core::Completion& done) {
  if (done.code == Code::kDown || done.code == Code::kNoSpace || done.hops == 0) return;
  const uint64_t version = workload_->checker()->version();
  if (done.first >= version) return;  // the file was rebuilt smaller than images are
  const Stray stray{asked.file_version, world_->now()};
  const auto [it, first] = strays_.try_emplace(asked.key, stray);
  const Stray before = std::exchange(it->second, stray);
  if (first || before.file_version != version || asked.at <= before.at) return;
  fail(format("key %s went astray twice in a file that did not change: sent to %llu, image ",
              std::string(done.key).c_str(), static_cast<Ull>(done.first)) +
       core::to_string(done.image) + ", answered by " + core::to_string(done.bucket) + ", IAM " +
       core::to_string(done.iam));
}

void Driver::on_scan_piece(uint64_t tag, const core::ScanReply& piece) {
  if (abandoned_) return;
  const auto it = calls_.find(tag);
  if (it == calls_.end()) return fail("a piece of a scan that is over");
  if (piece.more) world_->counters.add(Count::kScanPieces);
  core::ChangeReader reader(piece.matches);
  core::Change change;
  while (reader.next(&change)) {
    workload_->history().add_record(it->second.number, change.key, change.value);
  }
  if (!reader.ok()) fail("a piece of a scan cannot be read");
}

void Driver::on_call_done(uint64_t tag, const core::FileResult& result) {
  if (abandoned_) return;
  const auto it = calls_.find(tag);
  if (it == calls_.end()) return fail("a call ended twice");
  const CallMade made = it->second;
  calls_.erase(it);
  last_result_ = result;
  has_result_ = true;
  const core::FileRequest& request = result.request;
  const History& history = workload_->history();
  std::function<bool(size_t)> expects = [](size_t) { return true; };
  if (request.kind == Kind::kBucket) {
    // The interval of a bucket only ever shrinks.
    const FileState state = workload_->checker()->state();
    const Interval part = interval_of({request.bucket, level_of(state, request.bucket)});
    expects = [&history, part, hash = world_->options.hash](size_t key) {
      return part.contains(reverse64(*base::hash_key(hash, history.keys()[key])));
    };
  } else if (request.match == core::ScanMatch::kKeyGlob) {
    expects = [&history, pattern = request.pattern](size_t key) {
      return base::glob_match(pattern, history.keys()[key]);
    };
  }
  workload_->history().end_call(made.number, result, world_->next_moment(), std::move(expects));
  check_result(made, result);
}

void Driver::check_result(const CallMade& made, const core::FileResult& result) {
  const FileChecker* checker = workload_->checker();
  const uint64_t version = checker->version();
  const bool trouble = made.at <= world_->trouble_until;
  const bool nobody_died = made.deaths == checker->deaths();
  const auto count = [this](Count what) { world_->counters.add(what); };
  const Kind kind = result.request.kind;
  if (kind == Kind::kScan) count(Count::kScans);
  if (kind == Kind::kCount) count(Count::kCountCalls);
  if (kind == Kind::kClear) count(Count::kClears);
  switch (result.outcome) {
    case Outcome::kBucketDown:
    case Outcome::kNoCoordinator:
      count(Count::kScansFailed);
      if (!trouble) fail("a call failed and nothing was wrong");
      return;
    case Outcome::kNoSuchBucket:
      // A hand-over that was not on the disk yet may have been undone.
      if (result.request.bucket < made.file_version && nobody_died) {
        fail("a bucket that exists was not found");
      }
      return;
    case Outcome::kOk:
      break;
  }
  if (kind == Kind::kSettle) {
    count(result.file.error.empty() ? Count::kSettled : Count::kUnsettled);
    if (result.file.error.empty() && version < made.collisions + 1 && nobody_died) {
      fail(format("settled with %llu buckets after %llu collisions", static_cast<Ull>(version),
                  static_cast<Ull>(made.collisions)));
    }
  }
  if (kind == Kind::kFile && bucket_count(result.file.state) > version) {
    fail("FILE told of buckets that are not there");
  }
  // A split that a death undid, and that was done again, leaves as many buckets as there were.
  const bool stood_still = made.file_version == version && nobody_died;
  if (kind == Kind::kBuckets && stood_still) check_buckets(made, result);
}

void Driver::check_buckets(const CallMade& made, const core::FileResult& result) {
  const FileState state = workload_->checker()->state();
  bool fine = result.buckets.size() == made.file_version;
  for (const auto& [a, line] : result.buckets) {
    fine = fine && a < made.file_version && line.mark == BucketMark{a, level_of(state, a)};
  }
  if (!fine) fail("BUCKETS does not show the file as it is");
}

}  // namespace lh::sim
