#include "sim/history.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/prng.h"
#include "base/strings.h"

namespace lh::sim {

namespace {

using Kind = core::FileRequest::Kind;
using Outcome = core::FileResult::Outcome;

KeyEvent::Op event_op(core::Op op) {
  switch (op) {
    case core::Op::kInsert:
      return KeyEvent::Op::kInsert;
    case core::Op::kUpdate:
      return KeyEvent::Op::kUpdate;
    case core::Op::kPut:
    case core::Op::kSet:
      return KeyEvent::Op::kPut;
    case core::Op::kDelete:
      return KeyEvent::Op::kDelete;
    case core::Op::kRead:
    case core::Op::kLocate:
    case core::Op::kLength:
    case core::Op::kExpiry:
      return KeyEvent::Op::kRead;
    case core::Op::kIncrement:
    case core::Op::kAppend:
      return KeyEvent::Op::kAdd;
    default:
      break;
  }
  LH_UNREACHABLE("not asked for in the simulator");
}

KeyEvent::Outcome event_outcome(const History::Operation& o) {
  if (!o.answered || o.code == core::Code::kDown) return KeyEvent::Outcome::kUnknown;
  if (o.code == core::Code::kExists) return KeyEvent::Outcome::kExists;
  if (o.code == core::Code::kNotFound) return KeyEvent::Outcome::kNotFound;
  return KeyEvent::Outcome::kOk;
}

// Whether the operation put something there, took it away, or may have.
bool may_write(const KeyEvent& e) {
  return e.op != KeyEvent::Op::kRead && e.op != KeyEvent::Op::kDelete &&
         e.op != KeyEvent::Op::kClear &&
         (e.outcome == KeyEvent::Outcome::kOk || e.outcome == KeyEvent::Outcome::kUnknown);
}
bool is_erase(const KeyEvent& e) {
  return (e.op == KeyEvent::Op::kDelete || e.op == KeyEvent::Op::kClear) &&
         (e.outcome == KeyEvent::Outcome::kOk || e.outcome == KeyEvent::Outcome::kUnknown);
}
// Or wrote what goes by itself.
bool may_erase(const KeyEvent& e) { return is_erase(e) || e.expires != kNever; }
using PowerCuts = std::vector<PowerCut>;
bool is_sure(const KeyEvent& e, const PowerCuts& cuts) {
  const bool may_be_gone = std::any_of(cuts.begin(), cuts.end(), [&](const PowerCut& cut) {
    return e.answered > cut.since && e.invoked < cut.at;
  });
  return e.outcome == KeyEvent::Outcome::kOk && !may_be_gone;
}

// The record was there from `begin` to `end`, whatever the order.
bool surely_there(const std::vector<KeyEvent>& events, const PowerCuts& cuts, Moment begin,
                  Moment end) {
  return std::any_of(events.begin(), events.end(), [&](const KeyEvent& write) {
    if (!may_write(write) || !is_sure(write, cuts) || write.answered > begin) return false;
    if (write.expires != kNever) return false;
    return std::none_of(events.begin(), events.end(), [&](const KeyEvent& erase) {
      return may_erase(erase) && erase.invoked < end && erase.answered > write.invoked;
    });
  });
}

// There is an order in which the record was there at some moment from `begin` to `end`.
bool maybe_there(const std::vector<KeyEvent>& events, const PowerCuts& cuts, Moment begin,
                 Moment end) {
  return std::any_of(events.begin(), events.end(), [&](const KeyEvent& write) {
    if (!may_write(write) || write.invoked > end) return false;
    return std::none_of(events.begin(), events.end(), [&](const KeyEvent& erase) {
      return is_erase(erase) && is_sure(erase, cuts) && is_sure(write, cuts) &&
             erase.invoked > write.answered && erase.answered < begin;
    });
  });
}

}  // namespace

std::string make_value(uint64_t id, size_t size) {
  std::string value = std::to_string(id);
  if (value.size() + 12 > size) return value;
  base::append_format(&value, ":%zu:", size);
  uint64_t state = id;
  while (value.size() < size) {
    const uint64_t word = base::splitmix64(&state);
    value.append(reinterpret_cast<const char*>(&word), std::min(sizeof word, size - value.size()));
  }
  return value;
}

KeyUse use_of_key(size_t key) {
  constexpr size_t kEvery = 8;
  if (key % kEvery == kEvery - 1) return KeyUse::kText;
  return key % kEvery == kEvery - 2 ? KeyUse::kCounter : KeyUse::kValue;
}

uint64_t delta_of(uint64_t id) { return 1 + id % 7; }

std::optional<uint64_t> read_value(std::string_view value) {
  if (!value.empty() && value.find_first_not_of(kLetter) == std::string_view::npos) {
    return value.size();
  }
  const size_t digits = std::min(value.find(':'), value.size());
  const std::optional<uint64_t> id = base::parse_u64(value.substr(0, digits));
  if (!id || *id == 0 || make_value(*id, digits == value.size() ? 0 : value.size()) != value) {
    return std::nullopt;
  }
  return id;
}

History::History(std::vector<std::string> keys)
    : keys_(std::move(keys)), cuts_(keys_.size()), wipes_(keys_.size()) {
  for (size_t k = 0; k < keys_.size(); ++k) key_numbers_[keys_[k]] = k;
}

std::optional<size_t> History::find_key(std::string_view key) const {
  const auto it = key_numbers_.find(key);
  return it == key_numbers_.end() ? std::nullopt : std::optional(it->second);
}

uint64_t History::begin(uint32_t client, core::Op op, size_t key, Moment at, base::Instant now,
                        uint64_t file_version) {
  Operation& o = operations_.emplace_back();
  o.client = client;
  o.op = op;
  o.key = key;
  o.invoked_at = at;
  o.submitted_at = now;
  o.file_version = file_version;
  return operations_.size();
}

void History::end(uint64_t id, core::Code code, std::string_view value, Moment at, bool repeated) {
  Operation& o = operations_[id - 1];
  o.repeated = repeated;
  o.answered = true;
  o.code = code;
  o.answered_at = at;
  if (!core::answers_value(o.op) || code != core::Code::kOk) return;
  const std::optional<uint64_t> read =
      o.op == core::Op::kRead ? read_value(value) : base::parse_u64(value);
  if (!read && malformed_.empty()) {
    malformed_ = "an answer about " + keys_[o.key] + " returned a value that nobody wrote";
  }
  o.read = read.value_or(~uint64_t{0});
}

size_t History::begin_call(uint32_t client, const core::FileRequest& request, Moment at) {
  Call& c = calls_.emplace_back();
  c.client = client;
  c.request = request;
  c.begun_at = at;
  return calls_.size() - 1;
}

void History::add_record(size_t call, std::string_view key, std::string_view value) {
  const std::optional<size_t> number = find_key(key);
  const std::optional<uint64_t> id = read_value(value);
  if ((!number || !id) && malformed_.empty()) {
    malformed_ = "a scan returned a record that nobody wrote";
  }
  if (number && id) calls_[call].records.push_back({*number, *id});
}

void History::end_call(size_t call, const core::FileResult& result, Moment at,
                       std::function<bool(size_t key)> expects) {
  calls_[call].ended_at = at;
  calls_[call].outcome = result.outcome;
  calls_[call].count = result.records;
  calls_[call].expects = std::move(expects);
}

// What came back after one loss of power is there for good.
void History::add_power_cut(Moment since, Moment at, const std::function<bool(size_t key)>& had) {
  for (size_t key = 0; key < keys_.size(); ++key) {
    if (!had(key)) continue;
    std::vector<PowerCut>& cuts = cuts_[key];
    cuts.push_back({cuts.empty() ? since : std::max(since, cuts.back().at), at});
  }
}

// ------------------------------------------------------------------------------------- checking

void History::add_wipe(Moment since, Moment at, const std::function<bool(size_t key)>& had) {
  for (size_t key = 0; key < keys_.size(); ++key) {
    if (had(key)) wipes_[key].push_back({since, at});
  }
}

// A copy of a request that was answered long ago may still be on its way. It is harmless as long as
// the bucket knows what it answered; what takes back records takes back that as well.
void History::add_late_copy(const Operation& o, const KeyEvent& e,
                            std::vector<KeyEvent>* events) const {
  if (e.op == KeyEvent::Op::kRead || (o.answered && !o.repeated)) return;
  const auto is_before = [&e](const PowerCut& wipe) { return e.invoked < wipe.at; };
  const PowerCuts& wipes = wipes_[o.key];
  const bool wiped = std::any_of(wipes.begin(), wipes.end(), is_before);
  const bool known = e.outcome != KeyEvent::Outcome::kUnknown;
  const bool cut =
      known &&
      !is_sure({e.op, KeyEvent::Outcome::kOk, 0, e.invoked, e.answered, {}, 0}, cuts_[o.key]);
  if (!wiped && !cut) return;
  KeyEvent copy = e;
  copy.outcome = KeyEvent::Outcome::kUnknown;
  copy.answered = kNever;
  copy.text += ", once more";
  events->push_back(std::move(copy));
}

History::Events History::events() const {
  Events events(keys_.size());
  for (uint64_t id = 1; id <= operations_.size(); ++id) {
    const Operation& o = operation(id);
    if (o.op == core::Op::kLocate) continue;
    if (o.answered && o.code == core::Code::kNoSpace) continue;  // and never was
    KeyEvent e;
    e.op = event_op(o.op);
    e.outcome = event_outcome(o);
    if (e.op == KeyEvent::Op::kAdd) e.delta = delta_of(id);
    e.value = core::answers_value(o.op) ? o.read : e.op == KeyEvent::Op::kDelete ? 0 : id;
    e.invoked = o.invoked_at;
    e.expires = o.expires;
    e.answered = e.outcome == KeyEvent::Outcome::kUnknown ? kNever : o.answered_at;
    e.text = base::format("client %u, key %s", o.client, keys_[o.key].c_str());
    add_late_copy(o, e, &events[o.key]);
    events[o.key].push_back(std::move(e));
  }
  for (const Call& call : calls_) {
    if (call.request.kind == Kind::kClear) add_clear(call, &events);
  }
  for (size_t key = 0; key < keys_.size(); ++key) {
    for (const PowerCut& wipe : wipes_[key]) {
      KeyEvent e;
      e.op = KeyEvent::Op::kClear;
      e.invoked = wipe.since;
      e.answered = wipe.at;
      e.text = "its bucket was lost with the coordinator";
      events[key].push_back(std::move(e));
    }
  }
  return events;
}

// Each bucket erases what it has at one moment of its own, so each key is erased at some moment
// while the call is under way. One that failed, or was never answered, may have got anywhere.
void History::add_clear(const Call& call, Events* events) const {
  KeyEvent e;
  e.op = KeyEvent::Op::kClear;
  const bool known = call.ended_at != kNever && call.outcome == Outcome::kOk;
  e.outcome = known ? KeyEvent::Outcome::kOk : KeyEvent::Outcome::kUnknown;
  e.invoked = call.begun_at;
  e.answered = known ? call.ended_at : kNever;
  e.text = base::format("clear of client %u", call.client);
  for (std::vector<KeyEvent>& of_key : *events) of_key.push_back(e);
}

// A scan must not see a key twice. What it saw or missed, it saw at some moment between its begin
// and its end, as if it had read key by key: that becomes part of the keys' histories.
std::optional<std::string> History::check_scan(const Call& call, Events* events) const {
  std::map<size_t, uint64_t> seen;
  for (const auto& [key, id] : call.records) {
    if (!seen.insert({key, id}).second) {
      return base::format("scan [%llu, %llu] of client %u saw key %s twice",
                          static_cast<unsigned long long>(call.begun_at),
                          static_cast<unsigned long long>(call.ended_at), call.client,
                          keys_[key].c_str());
    }
  }
  for (size_t key = 0; key < keys_.size(); ++key) {
    const auto it = seen.find(key);
    const bool missing = it == seen.end();
    if (missing && (call.outcome != Outcome::kOk || !call.expects(key))) continue;
    KeyEvent e;
    e.outcome = missing ? KeyEvent::Outcome::kNotFound : KeyEvent::Outcome::kOk;
    e.value = missing ? 0 : it->second;
    e.invoked = call.begun_at;
    e.answered = call.ended_at;
    e.text = base::format("scan of client %u, key %s", call.client, keys_[key].c_str());
    (*events)[key].push_back(std::move(e));
  }
  return std::nullopt;
}

std::optional<std::string> History::check_count(const Call& call, const Events& events) const {
  if (call.outcome != Outcome::kOk) return std::nullopt;
  uint64_t least = 0;
  uint64_t most = 0;
  for (size_t key = 0; key < events.size(); ++key) {
    const auto is = [&](auto there) {
      return there(events[key], cuts_[key], call.begun_at, call.ended_at) ? 1 : 0;
    };
    least += is(surely_there);
    most += is(maybe_there);
  }
  if (least <= call.count && call.count <= most) return std::nullopt;
  return base::format("count [%llu, %llu] of client %u is %llu, not %llu to %llu",
                      static_cast<unsigned long long>(call.begun_at),
                      static_cast<unsigned long long>(call.ended_at), call.client,
                      static_cast<unsigned long long>(call.count),
                      static_cast<unsigned long long>(least),
                      static_cast<unsigned long long>(most));
}

History::Findings History::check() const {
  if (!malformed_.empty()) return {malformed_};
  const Events asked = events();
  Events all = asked;
  for (const Call& call : calls_) {
    if (call.ended_at == kNever) continue;
    std::optional<std::string> violation;
    if (call.request.kind == Kind::kCount) violation = check_count(call, asked);
    if (call.request.kind == Kind::kScan || call.request.kind == Kind::kBucket) {
      violation = check_scan(call, &all);
    }
    if (violation) return {violation};
  }
  Findings findings;
  for (size_t key = 0; key < all.size(); ++key) {
    const Explanation found = explain_history(std::move(all[key]), cuts_[key]);
    if (found.violation) return {found.violation};
    if (!found.decided) ++findings.undecided;
  }
  return findings;
}

std::map<size_t, core::Code> History::last_codes(uint32_t client) const {
  std::map<size_t, core::Code> codes;
  for (const Operation& o : operations_) {
    if (o.client == client && o.answered && o.code != core::Code::kDown) codes[o.key] = o.code;
  }
  return codes;
}

}  // namespace lh::sim
