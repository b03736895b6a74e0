#include "node/resp_session.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>
#include <vector>

#include "base/check.h"
#include "core/limits.h"
#include "node/resp_keys.h"
#include "wire/resp_operation.h"

namespace lh::node {

namespace {

using core::Code;
using core::Op;
using wire::RespArgs;
using wire::RespCommand;
using wire::RespVerb;
using Kind = core::FileRequest::Kind;

// Whether the word ends a connection: a browser made to talk to a store by a page it shows.
bool is_of_http(std::string_view word) {
  return wire::same_word(word, "post") || wire::same_word(word, "host:");
}

bool is_of_transactions(RespVerb verb) {
  return verb == RespVerb::kMulti || verb == RespVerb::kExec || verb == RespVerb::kDiscard ||
         verb == RespVerb::kUnwatch;
}

bool has_several_keys(const wire::RespBatch::Entry& entry) {
  return entry.command->of_each_key && entry.command->plain_args != entry.args.size();
}

std::string_view first_key(const wire::RespBatch::Entry& entry) {
  return entry.args[static_cast<size_t>(entry.command->first_key)];
}

}  // namespace

struct RespSession::Many final : Answer::Work {
  explicit Many(const RespCommand& spec) : command(spec) {}

  static Many* of(const Answer& answer) { return static_cast<Many*>(answer.work.get()); }
  bool wants_values() const { return *command.op == Op::kRead; }
  bool wants_versions() const { return *command.op == Op::kWatch; }
  bool keeps_order() const { return wants_values() || wants_versions(); }

  const RespCommand& command;
  int64_t sum = 0;    // of records that were there
  std::string error;  // a whole answer
  // Of values: those before the first that had to be waited for are in the answer's text, the
  // others here, with the tickets by which they come.
  std::vector<std::string> parts;
  std::vector<std::string> keys;                     // whose versions are wanted
  std::vector<std::pair<uint64_t, size_t>> tickets;  // to the place in `parts`
};

struct RespSession::Info final : Answer::Work {
  explicit Info(RespAdmin::Words words) : sections(std::move(words)) {}

  RespAdmin::Words sections;
};

RespSession::RespSession(Worker& worker, LinkToken token, net::Socket socket,
                         std::string_view unread)
    : PipelinedSession(worker, token, std::move(socket), unread, worker.resp_group(), "resp"),
      admin_(worker.shared(), token.packed()) {}

RespSession::~RespSession() {
  for (const Answer& answer : answers()) {
    if (answer.open == 0) continue;
    if (const auto* many = dynamic_cast<const Many*>(answer.work.get())) {
      for (const auto& [ticket, place] : many->tickets) worker().front().forget(ticket);
    }
  }
}

// ------------------------------------------------------------------------------------- requests

// When it is about one key, and was not hashed before.
inline void RespSession::hash_key_of(Entry* entry) const {
  if (entry->c || entry->command == nullptr || !entry->command->op) return;
  if (!takes(*entry->command, entry->args.size()) || has_several_keys(*entry)) return;
  entry->c = hash(first_key(*entry));
}

// A request alone has nothing in its own pipeline to overlap its cache misses with, but perhaps in
// other connections.
void RespSession::on_announced(net::Connection& connection) {
  if (!worker().joined()) return;
  announced_ = connection.input().view();
  parsed_ = batch_.parse(announced_);
  if (parsed_ != wire::RespStatus::kRequest || batch_.size() > 1) return;
  hash_key_of(&batch_[0]);
  if (batch_[0].c) worker().inputs().announce(*batch_[0].c);
}

size_t RespSession::take(std::string_view unread) {
  const std::string_view announced = std::exchange(announced_, {});
  const bool same =
      !announced.empty() && unread.data() == announced.data() && unread.size() == announced.size();
  const wire::RespStatus status = same ? parsed_ : batch_.parse(unread);
  if (status == wire::RespStatus::kNeedMore) {
    starve();
    return 0;
  }
  if (status == wire::RespStatus::kBad) {
    log_refusal(batch_.error());
    answer_error(batch_.error());
    quit();
    return 0;
  }
  return execute_batch();
}

// All with the same effects: what leaves the worker because of them leaves behind the last.
size_t RespSession::execute_batch() {
  Buckets buckets;
  // One request alone has nothing to overlap with.
  bool looked = batch_.size() > 1 && worker().joined();
  if (looked) look_ahead(&buckets);
  Worker::Lease effects(worker());
  size_t bytes = 0;
  size_t done = 0;
  for (; done < batch_.size() && may_take(); ++done) {
    const Entry& entry = batch_[done];
    // Other commands may have had the server told something.
    looked = looked && entry.command != nullptr && entry.command->op;
    if (!execute(entry, looked ? buckets[done] : nullptr, effects)) break;
    bytes += entry.size;
  }
  batch_.executed(done);
  return bytes;
}

void RespSession::look_ahead(Buckets* buckets) {
  table::LookAhead ahead;
  for (size_t k = 0; k < batch_.size(); ++k) {
    Entry& entry = batch_[k];
    hash_key_of(&entry);
    (*buckets)[k] = entry.c ? worker().front().find(*entry.c, &ahead) : nullptr;
  }
  ahead.run();
}

void RespSession::look_ahead(std::span<const HashValue> keys, Buckets* buckets) {
  table::LookAhead ahead;
  for (size_t k = 0; k < keys.size(); ++k) {
    (*buckets)[k] = worker().front().find(keys[k], &ahead);
  }
  ahead.run();
}

bool RespSession::execute(const Entry& entry, core::Bucket* bucket, Worker::Lease& effects) {
  const RespArgs& args = entry.args;
  const RespCommand* command = entry.command;
  if (command != nullptr && command->plain_args == args.size() && answers().empty() &&
      worker().joined() && !transaction_.is_open()) [[likely]] {
    return execute_plain(entry, bucket, effects);
  }
  if (args.size() == 0) return true;
  const bool begun = !answers().empty() && !answers().back().complete;
  if (!begun && answers().is_crowded()) return wait();
  text_.clear();
  if (command == nullptr) {
    if (is_of_http(args[0])) {
      connection().close();
      return false;
    }
    transaction_.spoil();
    writer(&text_).unknown_command(args);
    return answer(text_);
  }
  if (!takes(*command, args.size())) {
    if (command->verb == RespVerb::kExec && transaction_.is_open()) {
      transaction_.end();
      return answer_error(
          "EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' "
          "command");
    }
    transaction_.spoil();
    writer(&text_).wrong_arguments(command->name);
    return answer(text_);
  }
  if (command->verb == RespVerb::kQuit) {
    quit();
    return answer("+OK\r\n");
  }
  const bool ends = command->verb == RespVerb::kExec || command->verb == RespVerb::kDiscard;
  if (transaction_.is_open() && !ends) return enqueue(entry);
  if (RespAdmin::is_admin(command->verb)) {
    admin_.execute(*command, args, &text_);
    return answer(text_);
  }
  if (!worker().joined()) return answer_error("LOADING this node has not joined a file yet");
  if (command->op) return execute_keyed(entry, bucket, effects);
  if (is_of_transactions(command->verb)) return execute_transaction(entry, effects);
  if (command->verb == RespVerb::kInfo) return execute_info(entry);
  if (command->verb == RespVerb::kDbsize) return execute_call(Kind::kCount);
  if (is_about_keys(command->verb)) return execute_keys(entry);
  if (args.size() > 2 || (args.size() == 2 && !wire::same_word(args[1], "async") &&
                          !wire::same_word(args[1], "sync"))) {
    return answer_error("ERR syntax error");
  }
  return execute_call(Kind::kClear);
}

bool RespSession::execute_plain(const Entry& entry, core::Bucket* bucket, Worker::Lease& effects) {
  const RespArgs& args = entry.args;
  const std::string_view value = args.size() > 2 ? args[2] : std::string_view();
  return execute_one(entry, bucket, {*entry.command->op, 0, first_key(entry), value}, effects);
}

bool RespSession::execute_keyed(const Entry& entry, core::Bucket* bucket, Worker::Lease& effects) {
  const RespArgs& args = entry.args;
  const RespCommand& command = *entry.command;
  if (command.plain_args == args.size()) return execute_plain(entry, bucket, effects);
  if (has_several_keys(entry)) return execute_many(entry, effects);
  const core::ExpiryMs now = worker().server().unix_ms(worker().loop().now());
  const wire::RespOperation asked = wire::read_operation(command, args, now);
  if (!asked.error.empty()) return answer_error(asked.error);
  return execute_one(entry, bucket, {asked.op, 0, first_key(entry), asked.value(), asked.args},
                     effects);
}

bool RespSession::execute_one(const Entry& entry, core::Bucket* bucket, core::Operation asked,
                              Worker::Lease& effects) {
  if (refuse_key(asked.key, entry.c, &asked.c)) return true;
  if (is_held_back(asked.op, asked.c)) return wait();
  if (bucket == nullptr) bucket = worker().front().find(asked.c);
  if (bucket == nullptr) {
    if (!worker().front().has_room()) return wait();
    submit(&answers().add(), asked, effects.get());
    return true;
  }
  const core::Bucket::Answer said = execute_here(bucket, asked, effects.get());
  const net::OutputBarrier scope(worker().gate(), effects.barrier());
  if (asked.op == Op::kRead && said.code == Code::kOk) {
    answer_value(said.value);
  } else if (asked.op == Op::kPut && said.code == Code::kOk) {
    answer("+OK\r\n");
  } else {
    text_.clear();
    writer(&text_).said(asked.op, said.code, bucket->mark().a, said.value);
    answer(text_);
  }
  return true;
}

// ---------------------------------------------------------------------------------------- keys

bool RespSession::refuse_key(std::string_view key, std::optional<HashValue> known, HashValue* c) {
  if (key.size() > core::kKeyBytesMax) return answer_error("ERR key too long");
  if (!known) known = hash(key);
  if (!known) return answer_error("ERR key is not an integer");
  *c = *known;
  return false;
}

bool RespSession::refuse_keys(const Entry& entry) {
  const RespArgs& args = entry.args;
  const auto step = static_cast<size_t>(entry.command->key_step);
  const auto first = static_cast<size_t>(entry.command->first_key);
  const size_t end = has_several_keys(entry) ? args.size() : first + 1;
  if (has_several_keys(entry) && (end - first) % step != 0) {
    text_.clear();
    writer(&text_).wrong_arguments(entry.command->name);
    return answer(text_);
  }
  many_c_.clear();
  for (size_t k = first; k < end; k += step) {
    if (refuse_key(args[k], std::nullopt, &many_c_.emplace_back())) return true;
  }
  return false;
}

bool RespSession::execute_many(const Entry& entry, Worker::Lease& effects) {
  const RespArgs& args = entry.args;
  if (answers().empty() || answers().back().complete) {
    if (refuse_keys(entry)) return true;
    Answer& fresh = answers().add();
    fresh.complete = false;
    fresh.work = std::make_unique<Many>(*entry.command);
    if (Many::of(fresh)->wants_values()) writer(&fresh.text).array(args.size() - 1);
    if (Many::of(fresh)->wants_versions()) {
      for (size_t k = 1; k < args.size(); ++k) Many::of(fresh)->keys.emplace_back(args[k]);
    }
    many_next_ = 0;
  }
  Answer* answer = &answers().back();
  const auto step = static_cast<size_t>(entry.command->key_step);
  Buckets buckets;
  while (many_next_ < many_c_.size()) {
    const size_t first = many_next_;
    const size_t end = std::min(many_c_.size(), first + buckets.size());
    look_ahead(std::span(many_c_).subspan(first, end - first), &buckets);
    for (; many_next_ < end; ++many_next_) {
      const size_t at = 1 + many_next_ * step;
      const std::string_view value = step == 2 ? args[at + 1] : std::string_view();
      const core::Operation asked{*entry.command->op, many_c_[many_next_], args[at], value};
      if (!execute_key(answer, asked, buckets[many_next_ - first], effects)) return wait();
    }
  }
  answer->complete = true;
  if (answer->done()) finish(answer);
  print_due();
  return true;
}

bool RespSession::execute_key(Answer* answer, const core::Operation& asked, core::Bucket* bucket,
                              Worker::Lease& effects) {
  Many* many = Many::of(*answer);
  if (is_held_back(asked.op, asked.c)) return false;
  const bool keeps_order = many->keeps_order();
  if (bucket != nullptr) {
    const core::Bucket::Answer said = execute_here(bucket, asked, effects.get());
    answer->barrier = std::max(answer->barrier, effects.barrier());
    const bool in_order = many->parts.empty();
    std::string* part = &answer->text;
    if (keeps_order && !in_order) part = &many->parts.emplace_back();
    add_said(many, {said.code, bucket->mark().a, said.value}, part);
    return true;
  }
  if (!worker().front().has_room()) return false;
  submit(answer, asked, effects.get());
  many->tickets.push_back({answer->ticket, many->parts.size()});
  if (keeps_order) many->parts.emplace_back();
  return true;
}

// ---------------------------------------------------------------------------------- transactions

bool RespSession::execute_transaction(const Entry& entry, Worker::Lease& effects) {
  const RespVerb verb = entry.command->verb;
  if (verb == RespVerb::kMulti) {
    transaction_.begin();
    return answer("+OK\r\n");
  }
  // Versions that are on their way belong to it.
  if (!answers().empty()) return wait();
  if (verb == RespVerb::kUnwatch) {
    transaction_.forget_watches();
    return answer("+OK\r\n");
  }
  if (!transaction_.is_open()) {
    return answer_error(verb == RespVerb::kExec ? "ERR EXEC without MULTI"
                                                : "ERR DISCARD without MULTI");
  }
  if (verb == RespVerb::kExec && !transaction_.is_spoilt()) return execute_queued(effects);
  transaction_.end();
  if (verb == RespVerb::kDiscard) return answer("+OK\r\n");
  return answer_error("EXECABORT Transaction discarded because of previous errors.");
}

bool RespSession::enqueue(const Entry& entry) {
  const RespArgs& args = entry.args;
  const RespCommand& command = *entry.command;
  const auto refuse = [this](std::string_view why) {
    transaction_.spoil();
    return answer_error(why);
  };
  // These two leave the transaction as it is, as Redis has it.
  if (command.verb == RespVerb::kMulti) return answer_error("ERR MULTI calls can not be nested");
  if (command.verb == RespVerb::kWatch) {
    return answer_error("ERR WATCH inside MULTI is not allowed");
  }
  if (command.op) {
    if (refuse_keys(entry)) {
      transaction_.spoil();
      return true;
    }
  } else if (!RespAdmin::is_admin(command.verb) && command.verb != RespVerb::kUnwatch) {
    return refuse("ERR Command not allowed inside a transaction");
  }
  if (!transaction_.add(command, args)) return refuse("ERR the transaction is too large");
  return answer("+QUEUED\r\n");
}

bool RespSession::execute_queued(Worker::Lease& effects) {
  const std::optional<std::string_view> key = transaction_.key();
  const HashValue c = key ? *hash(*key) : 0;
  core::Bucket* bucket = key ? worker().front().find(c) : nullptr;
  if (key) {
    if (is_held_back(Op::kTransact, c)) return wait();
    if (bucket == nullptr && !worker().front().has_room()) return wait();
  }
  std::string value;
  const core::ExpiryMs now = worker().server().unix_ms(worker().loop().now());
  std::unique_ptr<RespParts> parts = transaction_.compile(now, &admin_, &value);
  const core::Operation asked{Op::kTransact, c, key.value_or(std::string_view()), value};
  if (key && bucket == nullptr) {
    Answer& answer = answers().add();
    answer.work = std::move(parts);
    submit(&answer, asked, effects.get());
  } else {
    core::Bucket::Answer said;
    if (key) said = execute_here(bucket, asked, effects.get());
    const net::OutputBarrier scope(worker().gate(), effects.barrier());
    text_.clear();
    parts->append(said.code, key ? bucket->mark().a : 0, said.value, writer(&text_), &text_);
    answer(text_);
  }
  transaction_.end();
  return true;
}

bool RespSession::take_watches(const Many& many, std::string_view versions) {
  base::Reader reader(versions);
  for (const std::string& key : many.keys) {
    if (!transaction_.watch(key, core::read_version(&reader)) || !reader.ok()) return false;
  }
  return true;
}

// -------------------------------------------------------------------------------- the whole file

bool RespSession::execute_call(Kind kind, std::unique_ptr<Answer::Work> work) {
  if (!answers().empty()) return wait();
  core::FileRequest request;
  request.kind = kind;
  call(request, std::move(work));
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
    admin_.info(words, {}, &text_);
    return answer(text_);
  }
  return execute_call(Kind::kCount, std::make_unique<Info>(std::move(words)));
}

// -------------------------------------------------------------------------------------- answers

bool RespSession::answer_error(std::string_view text) {
  std::string line;
  writer(&line).error(text);
  return answer(line);
}

void RespSession::answer_value(std::string_view value) {
  if (answers().empty()) {
    char* to = connection().reserve_output(wire::bulk_room(value.size()));
    if (to == nullptr) return;
    connection().commit_output(static_cast<size_t>(wire::put_bulk(to, value) - to));
    return;
  }
  text_.clear();
  writer(&text_).bulk(value);
  answer(text_);
}

// `part` is where the value goes if any is wanted.
void RespSession::add_said(Many* many, const Said& said, std::string* part) {
  const bool fine = said.code == Code::kOk || said.code == Code::kNotFound;
  if (!fine) {
    if (many->error.empty()) writer(&many->error).failure(said.code, said.bucket);
    return;
  }
  if (said.code == Code::kOk) ++many->sum;
  if (!many->keeps_order()) return;
  const size_t before = part->size();
  if (many->wants_versions()) {
    part->append(said.value);
  } else {
    writer(part).said(Op::kRead, said.code, said.bucket, said.value);
  }
  keep(part->size() - before);
}

void RespSession::finish(Answer* answer) {
  Many* many = Many::of(*answer);
  const size_t before = answer->text.size();
  if (!many->error.empty()) {
    answer->text = std::move(many->error);
  } else if (many->keeps_order()) {
    for (const std::string& part : many->parts) answer->text.append(part);
    many->parts = {};
    if (many->wants_values()) return;  // counted before
    const bool fine = take_watches(*many, answer->text);
    answer->text.clear();
    if (fine) {
      writer(&answer->text).simple("OK");
    } else {
      writer(&answer->text).error("ERR too many watched keys");
    }
  } else if (many->command.verb == RespVerb::kMset) {
    answer->text = "+OK\r\n";
  } else {
    writer(&answer->text).integer(many->sum);
  }
  if (answer->text.size() > before) keep(answer->text.size() - before);
}

void RespSession::append_done(Answer* answer, const core::Completion& done) {
  const Said said{done.code, done.bucket.a, done.value};
  if (done.op == Op::kTransact) {
    const auto* parts = static_cast<const RespParts*>(answer->work.get());
    parts->append(said.code, said.bucket, said.value, writer(&answer->text), &answer->text);
    return keep(answer->text.size());
  }
  Many* many = Many::of(*answer);
  if (many == nullptr) {
    writer(&answer->text).said(done.op, said.code, said.bucket, said.value);
    return keep(answer->text.size());
  }
  std::string* part = &answer->text;
  if (many->keeps_order()) {
    const auto it =
        std::lower_bound(many->tickets.begin(), many->tickets.end(), done.tag,
                         [](const auto& entry, uint64_t wanted) { return entry.first < wanted; });
    part = &many->parts[it->second];
  }
  add_said(many, said, part);
  if (answer->done()) finish(answer);
}

void RespSession::append_call_done(Answer* answer, const core::FileResult& result) {
  wire::RespWriter w = writer(&answer->text);
  if (result.outcome != core::FileResult::Outcome::kOk) {
    w.failure(Code::kDown, result.down);
  } else if (append_keys(answer, result)) {
    if (answer->open > 0) return;  // there is more to be asked
  } else if (const auto* info = static_cast<const Info*>(answer->work.get())) {
    admin_.info(info->sections, result, &answer->text);
  } else if (result.request.kind == Kind::kCount) {
    w.integer(static_cast<int64_t>(result.records));
  } else {
    w.simple("OK");
  }
  keep(answer->text.size());
}

void RespSession::answer_unfinished() { answer_error("ERR a request was begun and not finished"); }

}  // namespace lh::node
