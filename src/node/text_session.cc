#include "node/text_session.h"

#include <memory>
#include <utility>

#include "base/log.h"
#include "wire/text_answers.h"

namespace lh::node {

namespace {

// Of an answer that is printed in portions.
constexpr size_t kPortionBytes = size_t{64} << 10;

}  // namespace

struct TextSession::Listing final : Answer::Work {
  Listing(base::HashMode hash, ResultBudget& budget) : file(hash), share(budget) {}

  link::FileAnswer file;
  ResultShare share;

  static Listing& of(const Answer* answer) { return *static_cast<Listing*>(answer->work.get()); }
};

TextSession::TextSession(Worker& worker, LinkToken token, net::Socket socket,
                         std::string_view unread)
    : PipelinedSession(worker, token, std::move(socket), unread, worker.text_group(), "text") {}

// ------------------------------------------------------------------------------------ commands

size_t TextSession::take(std::string_view unread) {
  const wire::Line line = wire::next_line(unread);
  if (line.status == wire::LineStatus::kNeedMore) {
    starve();
    return 0;
  }
  if (line.status == wire::LineStatus::kBad) {
    log_refusal(line.error);
    answer(std::string(line.error) + "\n");
    quit();
    return 0;
  }
  return execute(parser_.parse(line.text)) ? line.size : 0;
}

bool TextSession::execute(const wire::TextCommand& command) {
  if (answers().is_crowded()) return wait();  // before anything is done: it comes again
  switch (command.verb) {
    case wire::Verb::kBlank:
      return true;
    case wire::Verb::kBad:
      return answer(std::string(command.error) + "\n");
    case wire::Verb::kPing:
      return answer("PONG\n");
    case wire::Verb::kQuit:
      quit();
      return true;
    case wire::Verb::kHelp: {
      text_.clear();
      wire::append_help(&text_);
      return answer(text_);
    }
    default:
      break;
  }
  if (!worker().joined()) return answer("ERR this node has not joined a file yet\n");
  if (const auto op = link::keyed_op(command)) return execute_keyed(command, *op);
  return execute_call(*link::file_request(command));
}

bool TextSession::execute_keyed(const wire::TextCommand& command, core::Op op) {
  const std::optional<HashValue> c = hash(command.key);
  text_.clear();
  if (!c) {
    core::Reply reply;
    reply.code = core::Code::kBadKey;
    wire::append_keyed(&text_, op, reply);
    return answer(text_);
  }
  if (is_held_back(op, *c)) return wait();
  const core::Operation asked{op, *c, command.key, command.value};
  Worker::Lease effects(worker());
  if (core::Bucket* bucket = worker().front().find(*c)) {
    const core::Bucket::Answer said = execute_here(bucket, asked, effects.get());
    const net::OutputBarrier scope(worker().gate(), effects.barrier());
    core::Reply reply;
    reply.code = said.code;
    reply.value = said.value;
    if (op == core::Op::kLocate) {
      wire::append_located(&text_, *c, bucket->mark(), worker().shared().address);
    } else {
      wire::append_keyed(&text_, op, reply);
    }
    return answer(text_);
  }
  if (!worker().front().has_room()) return wait();
  submit(&answers().add(), asked, effects.get());
  return true;
}

bool TextSession::execute_call(const core::FileRequest& request) {
  if (!answers().empty()) return wait();
  call(request,
       std::make_unique<Listing>(worker().server().options().hash, worker().shared().results));
  return true;
}

// ------------------------------------------------------------------------------------- answers

void TextSession::append_done(Answer* answer, const core::Completion& done) {
  link::append_completion(&answer->text, done, worker().front().client().book());
  keep(answer->text.size());
}

void TextSession::append_scan_piece(Answer* answer, const core::ScanReply& piece) {
  Listing& listing = Listing::of(answer);
  listing.file.add(piece);
  if (listing.share.set(listing.file.bytes())) return;
  LH_LOG_LIMITED(kWarn, "text", "a scan was given up", worker().loop().now())
      .kv("why", "other results wait for their readers")
      .kv("bytes", worker().shared().results.used());
  listing.file.give_up("too many results under way: try again later, or narrow the pattern");
  listing.share.set(0);
}

void TextSession::append_call_done(Answer* answer, const core::FileResult& result) {
  Listing::of(answer).file.finish(result, worker().front().client().book());
}

// A question about the file is the first answer for as long as there is one.
size_t TextSession::result_bytes() const {
  const bool lists = !answers().empty() && answers().front().work;
  return lists ? Listing::of(&answers().front()).share.bytes() : 0;
}

bool TextSession::print_rest(Answer* answer) {
  while (answer->work && connection().is_open()) {
    if (connection().output_full()) return false;
    text_.clear();
    const bool more = Listing::of(answer).file.append_some(&text_, kPortionBytes);
    connection().write(text_);
    if (!more) answer->work.reset();
  }
  return true;
}

void TextSession::answer_unfinished() { answer("ERR a line was begun and not finished\n"); }

}  // namespace lh::node
