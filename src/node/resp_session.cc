#include "node/resp_session.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "base/check.h"
#include "base/log.h"
#include "core/limits.h"

namespace lh::node {

namespace {

using core::Code;
using core::Op;
using wire::RespArgs;
using wire::RespCommand;
using wire::RespVerb;
using Kind = core::FileRequest::Kind;

constexpr size_t kSlotsMax = 1'024;
// Bytes of answers that wait for earlier ones: nothing new is begun, and, as the values that were
// asked for may be large, the connection is closed.
constexpr size_t kKeptSoft = size_t{4} << 20;
constexpr size_t kKeptMax = size_t{64} << 20;
// A request over many keys that ran out of room goes on when so few of its keys are under way.
constexpr size_t kManyResume = 1'024;

// Whether the word ends a connection: a browser made to talk to a store by a page it shows.
bool is_of_http(std::string_view word) {
  return wire::same_word(word, "post") || wire::same_word(word, "host:");
}

bool answers_values(RespVerb verb) { return verb == RespVerb::kGet || verb == RespVerb::kMget; }

}  // namespace

RespSession::RespSession(Worker& worker, LinkToken token, net::Socket socket,
                         std::string_view unread)
    : worker_(worker),
      token_(token),
      admin_(worker.shared(), token.packed()),
      opened_at_(worker.loop().now()),
      connection_(worker.loop(), worker.resp_group(), *this) {
  if (const Status status = connection_.open(std::move(socket), unread); !status.ok()) {
    LH_LOG_LIMITED(kWarn, "node", "cannot serve a connection", opened_at_)
        .kv("why", status.message());
    worker_.loop().post([&worker, token] { worker.end_session(token); });
  }
}

RespSession::~RespSession() {
  for (const Slot& slot : slots_) {
    if (slot.open == 0) continue;
    if (!slot.many) worker_.front().forget(slot.ticket);
    for (const auto& [ticket, place] : slot.tickets) worker_.front().forget(ticket);
  }
}

// ------------------------------------------------------------------------------------- requests

void RespSession::on_data(net::Connection& connection) {
  print_due();
  starved_ = false;
  size_t consumed = 0;
  while (connection.is_open() && !quit_ && !waiting_ && !connection.output_full()) {
    const wire::RespStatus status = batch_.parse(connection.input().view().substr(consumed));
    if (status == wire::RespStatus::kNeedMore) {
      starved_ = true;
      break;
    }
    if (status == wire::RespStatus::kBad) {
      LH_LOG_LIMITED(kWarn, "resp", "connection refused", worker_.loop().now())
          .kv("why", batch_.error());
      answer_error(batch_.error());
      quit_ = true;
      break;
    }
    consumed += execute_batch();
  }
  connection.input().consume(consumed);
  end_if_due();
}

size_t RespSession::execute_batch() {
  look_ahead();
  size_t bytes = 0;
  size_t done = 0;
  for (; done < batch_.size(); ++done) {
    if (quit_ || !connection_.is_open() || connection_.output_full()) break;
    if (!execute(batch_[done])) break;
    bytes += batch_[done].size;
  }
  batch_.executed(done);
  return bytes;
}

// One request alone has nothing to overlap with.
void RespSession::look_ahead() {
  if (batch_.size() < 2 || !worker_.joined()) return;
  std::array<const table::HashTable*, wire::RespBatch::kRequestsMax> tables{};
  for (size_t k = 0; k < batch_.size(); ++k) {
    Entry& entry = batch_[k];
    if (entry.command == nullptr || !entry.command->op || entry.args.size() < 2) continue;
    entry.c = hash(entry.args[1]);
    if (!entry.c) continue;
    tables[k] = worker_.front().table_of(*entry.c);
    if (tables[k] != nullptr) tables[k]->prefetch_slot(*entry.c);
  }
  for (size_t k = 0; k < batch_.size(); ++k) {
    if (tables[k] != nullptr) tables[k]->prefetch(*batch_[k].c);
  }
}

std::optional<HashValue> RespSession::hash(std::string_view key) const {
  return base::hash_key(worker_.server().options().hash, key);
}

bool RespSession::execute(Entry& entry) {
  const RespArgs& args = entry.args;
  if (args.size() == 0) return true;
  const RespCommand* command = entry.command;
  if (command != nullptr && command->op && slots_.empty() && takes(*command, args.size()) &&
      worker_.joined()) [[likely]] {
    return execute_keyed(entry);
  }
  const bool begun = !slots_.empty() && !slots_.back().complete;
  if (!begun && (slots_.size() >= kSlotsMax || kept_bytes_ >= kKeptSoft)) return wait();
  text_.clear();
  if (command == nullptr) {
    if (is_of_http(args[0])) {
      connection_.close();
      return false;
    }
    writer(&text_).unknown_command(args);
    return answer(text_);
  }
  if (!takes(*command, args.size())) {
    writer(&text_).wrong_arguments(command->name);
    return answer(text_);
  }
  if (command->verb == RespVerb::kQuit) {
    quit_ = true;
    return answer("+OK\r\n");
  }
  if (RespAdmin::is_admin(command->verb)) {
    admin_.execute(*command, args, &text_);
    return answer(text_);
  }
  if (!worker_.joined()) return answer_error("LOADING this node has not joined a file yet");
  if (command->op) return execute_keyed(entry);
  if (command->verb == RespVerb::kInfo) return execute_info(entry);
  if (command->verb == RespVerb::kDbsize) return execute_call(entry, Kind::kCount);
  if (args.size() > 2 || (args.size() == 2 && !wire::same_word(args[1], "async") &&
                          !wire::same_word(args[1], "sync"))) {
    return answer_error("ERR syntax error");
  }
  return execute_call(entry, Kind::kClear);
}

bool RespSession::execute_keyed(const Entry& entry) {
  const RespArgs& args = entry.args;
  const RespCommand& command = *entry.command;
  switch (command.verb) {
    case RespVerb::kGet:
    case RespVerb::kStrlen:
      return execute_one(entry, *command.op, {});
    case RespVerb::kAppend:
      return execute_one(entry, *command.op, args[2]);
    case RespVerb::kIncr:
      return execute_one(entry, *command.op, "1");
    case RespVerb::kDecr:
      return execute_one(entry, *command.op, "-1");
    case RespVerb::kIncrby:
      return execute_one(entry, *command.op, args[2]);
    case RespVerb::kDecrby: {
      const std::optional<int64_t> number = base::parse_i64(args[2]);
      if (!number) return answer_error("ERR value is not an integer or out of range");
      if (*number == std::numeric_limits<int64_t>::min()) {
        return answer_error("ERR decrement would overflow");
      }
      return execute_one(entry, *command.op, std::to_string(-*number));
    }
    case RespVerb::kSet:
      if (args.size() == 3) return execute_one(entry, Op::kPut, args[2]);
      if (args.size() > 4) return answer_error("ERR syntax error");
      if (wire::same_word(args[3], "nx")) return execute_one(entry, Op::kInsert, args[2]);
      if (wire::same_word(args[3], "xx")) return execute_one(entry, Op::kUpdate, args[2]);
      return answer_error("ERR syntax error");
    default:
      return execute_many(entry);
  }
}

bool RespSession::execute_one(const Entry& entry, Op op, std::string_view value) {
  if (!worker_.log_has_room() && core::is_mutation(op)) return wait();
  const std::string_view key = entry.args[1];
  if (key.size() > core::kKeyBytesMax) return answer_error("ERR key too long");
  const std::optional<HashValue> c = entry.c ? entry.c : hash(key);
  if (!c) return answer_error("ERR key is not an integer");
  if (call_ || (!keys_.empty() && keys_.contains(*c))) return wait();
  const base::Instant now = worker_.loop().now();
  Worker::Lease effects(worker_);
  if (const auto local = worker_.front().execute(now, op, *c, key, value, effects.get())) {
    worker_.count_request();
    const net::OutputBarrier scope(worker_.gate(), effects.barrier());
    const core::Bucket::Answer& said = local->answer;
    if (op == Op::kRead && said.code == Code::kOk) {
      answer_value(said.value);
    } else if (op == Op::kPut) {
      answer("+OK\r\n");
    } else {
      text_.clear();
      append_said(*entry.command, {said.code, local->bucket.a, said.value}, &text_);
      answer(text_);
    }
    return true;
  }
  if (slots_.size() >= kSlotsMax || !worker_.front().has_room()) return wait();
  Slot& slot = new_slot(entry.command);
  slot.complete = true;
  slot.open = 1;
  keys_.insert(*c);
  slot.ticket = worker_.front().submit(now, op, key, value, this, effects.get());
  return true;
}

// ------------------------------------------------------------------------------ several keys

// All keys are looked at before the first is worked on.
bool RespSession::refuse_keys(const Entry& entry) {
  const RespArgs& args = entry.args;
  const auto step = static_cast<size_t>(entry.command->key_step);
  if ((args.size() - 1) % step != 0) {
    text_.clear();
    writer(&text_).wrong_arguments(entry.command->name);
    return answer(text_);
  }
  for (size_t k = 1; k < args.size(); k += step) {
    if (args[k].size() > core::kKeyBytesMax) return answer_error("ERR key too long");
    if (!hash(args[k])) return answer_error("ERR key is not an integer");
  }
  return false;
}

bool RespSession::execute_many(const Entry& entry) {
  const RespArgs& args = entry.args;
  if (slots_.empty() || slots_.back().complete) {
    if (call_ || slots_.size() >= kSlotsMax) return wait();
    if (refuse_keys(entry)) return true;
    Slot& slot = new_slot(entry.command);
    slot.many = true;
    if (answers_values(entry.command->verb)) writer(&slot.text).array(args.size() - 1);
    many_next_ = 1;
  }
  Slot* slot = &slots_.back();
  const auto step = static_cast<size_t>(entry.command->key_step);
  for (; many_next_ < args.size(); many_next_ += step) {
    const std::string_view value = step == 2 ? args[many_next_ + 1] : std::string_view();
    if (!execute_key(slot, *entry.command->op, args[many_next_], value)) return wait();
  }
  slot->complete = true;
  if (slot->done()) finish(slot);
  print_due();
  return true;
}

bool RespSession::execute_key(Slot* slot, Op op, std::string_view key, std::string_view value) {
  const HashValue c = *hash(key);
  if (keys_.contains(c) || (!worker_.log_has_room() && core::is_mutation(op))) return false;
  const base::Instant now = worker_.loop().now();
  Worker::Lease effects(worker_);
  const bool keeps_order = answers_values(slot->command->verb);
  if (const auto local = worker_.front().execute(now, op, c, key, value, effects.get())) {
    worker_.count_request();
    slot->barrier = std::max(slot->barrier, effects.barrier());
    const bool in_order = slot->parts.empty();
    std::string* part = &slot->text;
    if (keeps_order && !in_order) part = &slot->parts.emplace_back();
    add_said(slot, {local->answer.code, local->bucket.a, local->answer.value}, part);
    return true;
  }
  if (!worker_.front().has_room()) return false;
  slot->ticket = worker_.front().submit(now, op, key, value, this, effects.get());
  slot->tickets.push_back({slot->ticket, slot->parts.size()});
  if (keeps_order) slot->parts.emplace_back();
  ++slot->open;
  keys_.insert(c);
  return true;
}

// -------------------------------------------------------------------------------- the whole file

bool RespSession::execute_call(const Entry& entry, Kind kind) {
  if (!slots_.empty()) return wait();
  core::FileRequest request;
  request.kind = kind;
  Worker::Lease effects(worker_);
  Slot& slot = new_slot(entry.command);
  slot.complete = true;
  slot.open = 1;
  call_ = true;
  slot.ticket = worker_.front().call(worker_.loop().now(), request, this, effects.get());
  return true;
}

bool RespSession::execute_info(const Entry& entry) {
  RespAdmin::Words words;
  constexpr size_t kWordsMax = 64;
  for (size_t k = 1; k < std::min(entry.args.size(), kWordsMax); ++k) {
    words.emplace_back(entry.args[k].substr(0, 64));
  }
  if (!RespAdmin::info_counts(words)) {
    text_.clear();
    admin_.info(words, 0, &text_);
    return answer(text_);
  }
  if (!execute_call(entry, Kind::kCount)) return false;
  slots_.back().sections = std::move(words);
  return true;
}

// -------------------------------------------------------------------------------------- answers

bool RespSession::answer(std::string_view text) {
  if (slots_.empty()) {
    connection_.write(text);
    return true;
  }
  if (!slots_.back().done()) {
    Slot& slot = new_slot(nullptr);
    slot.complete = true;
  }
  Slot& last = slots_.back();
  last.barrier = std::max(last.barrier, worker_.gate().barrier());
  last.text.append(text);
  keep(text.size());
  return true;
}

bool RespSession::answer_error(std::string_view text) {
  std::string line;
  writer(&line).error(text);
  return answer(line);
}

void RespSession::answer_value(std::string_view value) {
  if (slots_.empty()) {
    char* to = connection_.reserve_output(wire::bulk_room(value.size()));
    if (to == nullptr) return;
    connection_.commit_output(static_cast<size_t>(wire::put_bulk(to, value) - to));
    return;
  }
  text_.clear();
  writer(&text_).bulk(value);
  answer(text_);
}

void RespSession::append_said(const RespCommand& command, const Said& said,
                              std::string* out) const {
  wire::RespWriter w = writer(out);
  if (said.code == Code::kExists) return w.null();
  if (said.code == Code::kNotFound) {
    return command.verb == RespVerb::kStrlen ? w.integer(0) : w.null();
  }
  if (said.code != Code::kOk) return w.failure(said.code, said.bucket);
  if (answers_values(command.verb)) return w.bulk(said.value);
  if (command.verb == RespVerb::kSet) return w.simple("OK");
  out->append(":").append(said.value).append("\r\n");
}

// Of a request over several keys: `part` is where the value goes if it asked for any.
void RespSession::add_said(Slot* slot, const Said& said, std::string* part) {
  const bool fine = said.code == Code::kOk || said.code == Code::kNotFound;
  if (!fine) {
    if (slot->error.empty()) writer(&slot->error).failure(said.code, said.bucket);
    return;
  }
  if (said.code == Code::kOk) ++slot->sum;
  if (!answers_values(slot->command->verb)) return;
  const size_t before = part->size();
  append_said(*slot->command, said, part);
  keep(part->size() - before);
}

void RespSession::finish(Slot* slot) {
  if (!slot->many) return;
  const size_t before = slot->text.size();
  if (!slot->error.empty()) {
    slot->text = std::move(slot->error);
  } else if (answers_values(slot->command->verb)) {
    for (const std::string& part : slot->parts) slot->text.append(part);
    slot->parts = {};
    return;  // counted before
  } else if (slot->command->verb == RespVerb::kMset) {
    slot->text = "+OK\r\n";
  } else {
    writer(&slot->text).integer(slot->sum);
  }
  if (slot->text.size() > before) keep(slot->text.size() - before);
}

RespSession::Slot& RespSession::new_slot(const RespCommand* command) {
  const uint64_t ticket = slots_.empty() ? 0 : slots_.back().ticket;
  Slot& slot = slots_.emplace_back();
  slot.ticket = ticket;
  slot.command = command;
  return slot;
}

RespSession::Slot* RespSession::find(uint64_t ticket) {
  const auto it =
      std::lower_bound(slots_.begin(), slots_.end(), ticket,
                       [](const Slot& slot, uint64_t wanted) { return slot.ticket < wanted; });
  LH_CHECK(it != slots_.end() && it->open > 0);
  return &*it;
}

void RespSession::keep(size_t bytes) {
  kept_bytes_ += bytes;
  if (kept_bytes_ <= kKeptMax) return;
  LH_LOG_LIMITED(kWarn, "resp", "connection closed", worker_.loop().now())
      .kv("reason", "more answers under way than a connection may have");
  connection_.close();
}

void RespSession::on_done(uint64_t ticket, const core::Completion& done) {
  Slot* slot = find(ticket);
  const Said said{done.code, done.bucket.a, done.value};
  keys_.erase(done.c);
  --slot->open;
  if (slot->many) {
    std::string* part = &slot->text;
    if (answers_values(slot->command->verb)) {
      const auto it =
          std::lower_bound(slot->tickets.begin(), slot->tickets.end(), ticket,
                           [](const auto& entry, uint64_t wanted) { return entry.first < wanted; });
      part = &slot->parts[it->second];
    }
    add_said(slot, said, part);
    if (slot->done()) finish(slot);
  } else {
    append_said(*slot->command, said, &slot->text);
    keep(slot->text.size());
  }
  settle(false);
}

void RespSession::on_call_done(uint64_t ticket, const core::FileResult& result) {
  Slot* slot = find(ticket);
  --slot->open;
  call_ = false;
  wire::RespWriter w = writer(&slot->text);
  if (result.outcome != core::FileResult::Outcome::kOk) {
    w.failure(Code::kDown, result.down);
  } else if (slot->command->verb == RespVerb::kDbsize) {
    w.integer(static_cast<int64_t>(result.records));
  } else if (slot->command->verb == RespVerb::kInfo) {
    admin_.info(slot->sections, result.records, &slot->text);
  } else {
    w.simple("OK");
  }
  keep(slot->text.size());
  settle(false);
}

// -------------------------------------------------------------------------------- what waits

bool RespSession::wait() {
  waiting_ = true;
  connection_.pause_reading();
  return false;
}

void RespSession::print_due() {
  while (!slots_.empty() && slots_.front().done() && !connection_.output_full()) {
    const std::string& text = slots_.front().text;
    const net::OutputBarrier scope(worker_.gate(), slots_.front().barrier);
    connection_.write(text);
    kept_bytes_ -= std::min(kept_bytes_, text.size());
    slots_.pop_front();
  }
  if (slots_.empty()) kept_bytes_ = 0;
}

// After something was done: prints what is due and lets a request that waits try again. Not for
// nothing: while it has to wait it would be tried in every turn.
void RespSession::settle(bool forced) {
  print_due();
  if (waiting_) {
    const bool many = !slots_.empty() && !slots_.back().complete;
    const bool worth = many ? slots_.back().open < kManyResume : slots_.size() < kSlotsMax / 2;
    if (forced || worth) {
      waiting_ = false;
      connection_.resume_reading();
    }
  }
  end_if_due();
}

// Requests that were sent before the end are answered; half a request is none.
void RespSession::end_if_due() {
  if (starved_ && (draining_ || connection_.input_ended())) quit_ = true;
  if (quit_ && slots_.empty()) connection_.close_after_flush();
}

// ------------------------------------------------------------------------------------------ end

void RespSession::on_end_of_input(net::Connection& connection) { on_data(connection); }

void RespSession::on_closed(net::Connection&, net::CloseReason reason) {
  if (reason == net::CloseReason::kOutputLimit || reason == net::CloseReason::kInputLimit) {
    LH_LOG_LIMITED(kWarn, "resp", "connection closed", worker_.loop().now())
        .kv("reason", net::to_string(reason));
  }
  worker_.end_session(token_);
}

void RespSession::drain() {
  draining_ = true;
  on_data(connection_);
}

void RespSession::tick(base::Instant now, base::Duration idle_max) {
  if (connection_.stalled_for(now) > kStallMax) return connection_.close_stalled();
  if (waiting_) settle(true);  // there may be room in the front's window now
  if (!slots_.empty() || quit_ || connection_.output_size() > 0) return;
  const base::Duration quiet = now - std::max(connection_.last_read_at(), opened_at_);
  if (!connection_.input().empty()) {
    if (!starved_ || quiet <= kRequestTimeMax) return;
    answer_error("ERR a request was begun and not finished");
    quit_ = true;
    settle(false);
  } else if (idle_max > base::Duration() && quiet > idle_max) {
    connection_.close();
  }
}

}  // namespace lh::node
