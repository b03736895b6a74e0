#include "node/text_session.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "wire/text_answers.h"

namespace lh::node {

namespace {

constexpr size_t kSlotsMax = 1'024;
// Of an answer that is printed in portions.
constexpr size_t kPortionBytes = size_t{64} << 10;

core::FileRequest file_request(const wire::TextCommand& command) {
  using Kind = core::FileRequest::Kind;
  core::FileRequest request;
  switch (command.verb) {
    case wire::Verb::kScan:
      request.kind = Kind::kScan;
      request.match = command.scan.match;
      request.pattern = command.scan.pattern;
      break;
    case wire::Verb::kCount:
      request.kind = Kind::kCount;
      break;
    case wire::Verb::kFile:
      request.kind = Kind::kFile;
      break;
    case wire::Verb::kBuckets:
      request.kind = Kind::kBuckets;
      break;
    case wire::Verb::kBucket:
      request.kind = Kind::kBucket;
      request.bucket = command.bucket;
      break;
    case wire::Verb::kNodes:
      request.kind = Kind::kNodes;
      break;
    case wire::Verb::kSettle:
      request.kind = Kind::kSettle;
      break;
    default:
      LH_UNREACHABLE();
  }
  return request;
}

std::optional<core::Op> keyed_op(wire::Verb verb) {
  for (const wire::CommandSpec& spec : wire::commands()) {
    if (spec.verb == verb) return spec.op;
  }
  return std::nullopt;
}

}  // namespace

TextSession::TextSession(Worker& worker, LinkToken token, net::Socket socket,
                         std::string_view unread)
    : worker_(worker),
      token_(token),
      opened_at_(worker.loop().now()),
      connection_(worker.loop(), worker.text_group(), *this) {
  if (const Status status = connection_.open(std::move(socket), unread); !status.ok()) {
    LH_LOG_LIMITED(kWarn, "node", "cannot serve a connection", opened_at_)
        .kv("why", status.message());
    worker_.loop().post([&worker, token] { worker.end_session(token); });
  }
}

TextSession::~TextSession() {
  for (const Slot& slot : slots_) {
    if (!slot.done) worker_.front().forget(slot.ticket);
  }
}

// ------------------------------------------------------------------------------------ commands

void TextSession::on_data(net::Connection& connection) {
  print_due();
  starved_ = false;
  size_t consumed = 0;
  while (connection.is_open() && !quit_ && !waiting_ && !connection.output_full()) {
    const wire::Line line = wire::next_line(connection.input().view().substr(consumed));
    if (line.status == wire::LineStatus::kNeedMore) {
      starved_ = true;
      break;
    }
    if (line.status == wire::LineStatus::kBad) {
      LH_LOG_LIMITED(kWarn, "text", "connection refused", worker_.loop().now())
          .kv("why", line.error);
      answer(std::string(line.error) + "\n");
      quit_ = true;
      break;
    }
    if (!execute(parser_.parse(line.text))) break;
    consumed += line.size;
  }
  connection.input().consume(consumed);
  end_if_due();
}

bool TextSession::execute(const wire::TextCommand& command) {
  if (slots_.size() >= kSlotsMax) return wait();  // before anything is done: it comes again
  switch (command.verb) {
    case wire::Verb::kBlank:
      return true;
    case wire::Verb::kBad:
      return answer(std::string(command.error) + "\n");
    case wire::Verb::kPing:
      return answer("PONG\n");
    case wire::Verb::kQuit:
      quit_ = true;
      return true;
    case wire::Verb::kHelp: {
      text_.clear();
      wire::append_help(&text_);
      return answer(text_);
    }
    default:
      break;
  }
  if (!worker_.joined()) return answer("ERR this node has not joined a file yet\n");
  if (const std::optional<core::Op> op = keyed_op(command.verb)) {
    return execute_keyed(command, *op);
  }
  return execute_call(command);
}

bool TextSession::execute_keyed(const wire::TextCommand& command, core::Op op) {
  if (core::is_mutation(op) && !worker_.log_has_room()) return wait();
  core::Server& server = worker_.server();
  const std::optional<HashValue> c = base::hash_key(server.options().hash, command.key);
  if (c && (calls_ > 0 || keys_.contains(*c))) return wait();
  core::Reply reply;
  text_.clear();
  if (!c) {
    reply.code = core::Code::kBadKey;
    wire::append_keyed(&text_, op, reply);
    return answer(text_);
  }
  const base::Instant now = worker_.loop().now();
  Worker::Lease effects(worker_);
  if (const auto local =
          worker_.front().execute(now, op, *c, command.key, command.value, effects.get())) {
    worker_.count_request();
    const net::OutputBarrier scope(worker_.gate(), effects.barrier());
    reply.code = local->answer.code;
    reply.value = local->answer.value;
    if (op == core::Op::kLocate) {
      wire::append_located(&text_, *c, local->bucket, worker_.shared().address);
    } else {
      wire::append_keyed(&text_, op, reply);
    }
    return answer(text_);
  }
  if (!worker_.front().has_room()) return wait();
  Slot& slot = slots_.emplace_back();
  slot.c = *c;
  keys_.insert(*c);
  slot.ticket = worker_.front().submit(now, op, command.key, command.value, this, effects.get());
  return true;
}

bool TextSession::execute_call(const wire::TextCommand& command) {
  if (!slots_.empty()) return wait();
  Worker::Lease effects(worker_);
  Slot& slot = slots_.emplace_back();
  slot.file = std::make_unique<link::FileAnswer>();
  ++calls_;
  slot.ticket =
      worker_.front().call(worker_.loop().now(), file_request(command), this, effects.get());
  return true;
}

bool TextSession::answer(std::string_view text) {
  if (slots_.empty()) {
    connection_.write(text);
    return true;
  }
  Slot slot;
  slot.ticket = slots_.back().ticket;
  slot.done = true;
  slot.text = text;
  slot.barrier = worker_.gate().barrier();
  slots_.push_back(std::move(slot));
  return true;
}

bool TextSession::wait() {
  waiting_ = true;
  connection_.pause_reading();
  return false;
}

// ------------------------------------------------------------------------------------- answers

TextSession::Slot* TextSession::find(uint64_t ticket) {
  const auto it =
      std::lower_bound(slots_.begin(), slots_.end(), ticket,
                       [](const Slot& slot, uint64_t wanted) { return slot.ticket < wanted; });
  return it != slots_.end() && it->ticket == ticket ? &*it : nullptr;
}

void TextSession::on_done(uint64_t ticket, const core::Completion& done) {
  Slot* slot = find(ticket);
  LH_CHECK(slot != nullptr);
  link::append_completion(&slot->text, done, worker_.front().client().book());
  slot->done = true;
  keys_.erase(slot->c);
  settle();
}

void TextSession::on_scan_piece(uint64_t ticket, const core::ScanReply& piece) {
  Slot* slot = find(ticket);
  LH_CHECK(slot != nullptr);
  slot->file->add(piece);
}

void TextSession::on_call_done(uint64_t ticket, const core::FileResult& result) {
  Slot* slot = find(ticket);
  LH_CHECK(slot != nullptr);
  slot->file->finish(result, worker_.server().options().hash, worker_.front().client().book());
  slot->done = true;
  --calls_;
  settle();
}

// False when there is more and the reader is slow: on_data() comes again when there is room.
bool TextSession::print(Slot* slot) {
  if (connection_.output_full()) return false;
  const net::OutputBarrier scope(worker_.gate(), slot->barrier);
  connection_.write(slot->text);
  slot->text.clear();
  while (slot->file && connection_.is_open()) {
    if (connection_.output_full()) return false;
    text_.clear();
    const bool more = slot->file->append_some(&text_, kPortionBytes);
    connection_.write(text_);
    if (!more) slot->file.reset();
  }
  return true;
}

void TextSession::print_due() {
  while (!slots_.empty() && slots_.front().done && print(&slots_.front())) slots_.pop_front();
}

// Lines that were sent before the end are answered; half a line is not a command.
void TextSession::end_if_due() {
  if (starved_ && (draining_ || connection_.input_ended())) quit_ = true;
  if (quit_ && slots_.empty()) connection_.close_after_flush();
}

// After something was done: prints what is due and lets a command that waits try again. Not for
// nothing: while it has to wait it would be tried in every turn.
void TextSession::settle() {
  print_due();
  if (waiting_ && (slots_.size() < kSlotsMax / 2 || slots_.front().done)) {
    waiting_ = false;
    connection_.resume_reading();
  }
  end_if_due();
}

// ----------------------------------------------------------------------------------------- end

void TextSession::on_end_of_input(net::Connection& connection) { on_data(connection); }

void TextSession::on_closed(net::Connection&, net::CloseReason reason) {
  if (reason == net::CloseReason::kOutputLimit || reason == net::CloseReason::kInputLimit) {
    LH_LOG_LIMITED(kWarn, "text", "connection closed", worker_.loop().now())
        .kv("reason", net::to_string(reason));
  }
  worker_.end_session(token_);
}

void TextSession::drain() {
  draining_ = true;
  on_data(connection_);
}

void TextSession::tick(base::Instant now, base::Duration idle_max) {
  if (connection_.stalled_for(now) > kStallMax) return connection_.close_stalled();
  if (waiting_) settle();  // there may be room in the front's window now
  if (!slots_.empty() || quit_ || connection_.output_size() > 0) return;
  const base::Duration quiet = now - std::max(connection_.last_read_at(), opened_at_);
  if (!connection_.input().empty()) {
    if (!starved_ || quiet <= kRequestTimeMax) return;
    answer("ERR a line was begun and not finished\n");
    quit_ = true;
    settle();
  } else if (idle_max > base::Duration() && quiet > idle_max) {
    connection_.close();
  }
}

}  // namespace lh::node
