// PipelinedSession: a connection whose requests come one behind another and are answered in that
// order: what text and RESP have in common. Requests of one connection may be under way together,
// up to a bound, but never two of one key; a question about the whole file, and a request about
// several keys at once, waits for all before it and holds all behind it: what a connection has been
// told is done, its next request sees.
//
// A request that has to wait is not consumed: reading pauses, and it is taken again when it may go
// on. Half a request before the end of input is none; one that is not finished in kRequestTimeMax
// ends the connection.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>

#include "core/effects.h"
#include "net/connection.h"
#include "node/front.h"
#include "node/ordered_answers.h"
#include "node/session.h"
#include "node/worker.h"

namespace lh::node {

class PipelinedSession : public Session, private net::ConnectionHandler, private FrontWaiter {
 public:
  ~PipelinedSession() override;

  void deliver(const core::Message&) final {}  // answers come through the front
  void tick(base::Instant now, base::Duration idle_max) final;
  void drain() final;
  size_t unread_bytes(base::Instant now) const final;
  void close_stalled() final { connection_.close_stalled(); }

 protected:
  // group: of the protocol's connections. name: the protocol's, in the log.
  PipelinedSession(Worker& worker, LinkToken token, net::Socket socket, std::string_view unread,
                   net::ConnectionGroup& group, const char* name);

  // ---- what a protocol adds
  // Executes what `unread` starts with, as far as may_take() says; returns the bytes of input that
  // are done with. Calls starve() when there is no whole request.
  virtual size_t take(std::string_view unread) = 0;
  // A request was begun and not finished: says so to the peer.
  virtual void answer_unfinished() = 0;
  // A keyed request of this answer, or the question that it is, is done.
  virtual void append_done(Answer* answer, const core::Completion& done) = 0;
  virtual void append_call_done(Answer* answer, const core::FileResult& result) = 0;
  virtual void append_scan_piece(Answer*, const core::ScanReply&) {}
  // What follows the text of an answer that is printed. False when there is more and the reader is
  // slow: it is called again when there is room.
  virtual bool print_rest(Answer*) { return true; }

  // Of what is to be printed, beside texts.
  virtual size_t result_bytes() const { return 0; }

  // ---- what protocols use
  Worker& worker() const { return worker_; }
  net::Connection& connection() { return connection_; }
  OrderedAnswers& answers() { return answers_; }
  const OrderedAnswers& answers() const { return answers_; }
  bool may_take() const {
    return !quit_ && !waiting_ && !starved_ && connection_.is_open() && !connection_.output_full();
  }
  void starve() { starved_ = true; }
  // Takes no more requests; closes when all is answered.
  void quit() { quit_ = true; }
  // What the peer sent makes no sense and ends the connection, when it was told why.
  void log_refusal(std::string_view why);
  // The request has to wait and is taken again later. False, always.
  bool wait();

  // Goes out at once when nothing is under way, and in its turn otherwise. True, always.
  bool answer(std::string_view text) {
    if (!answers_.empty()) return answer_in_turn(text);
    connection_.write(text);
    return true;
  }
  // Counts bytes that were added to an answer; closes the connection when they are too many.
  void keep(size_t bytes);

  std::optional<HashValue> hash(std::string_view key) const {
    return base::hash_key(worker_.server().options().hash, key);
  }
  // Whether a request has to wait for what is under way, or for the log.
  bool is_held_back(core::Op op, HashValue c) const {
    return alone_ || (!keys_.empty() && (keys_.contains(c) || core::concerns_several(op))) ||
           (core::is_mutation(op) && !worker_.log_has_room());
  }
  // Bound: the bucket is Front::find(c).
  core::Bucket::Answer execute_here(core::Bucket* bucket, const core::Operation& asked,
                                    core::Effects* effects) {
    worker_.count_request();
    return worker_.server().execute(worker_.loop().now(), bucket, asked, effects);
  }
  // Of this answer; append_done() comes later. Bounds: not held back, and the front has room.
  void submit(Answer* answer, const core::Operation& asked, core::Effects* effects);
  // Bound: no answers are owed.
  void call(const core::FileRequest& request, std::unique_ptr<Answer::Work> work);
  // The same once more for an answer whose call is done.
  void call_again(Answer* answer, const core::FileRequest& request);
  // An answer that was not complete may be done now.
  void print_due();

 private:
  void on_data(net::Connection& connection) override;
  void on_end_of_input(net::Connection& connection) override;
  void on_closed(net::Connection& connection, net::CloseReason reason) override;
  void on_done(uint64_t ticket, const core::Completion& done) override;
  void on_scan_piece(uint64_t ticket, const core::ScanReply& piece) override;
  void on_call_done(uint64_t ticket, const core::FileResult& result) override;

  bool answer_in_turn(std::string_view text);
  void close_if_greedy();
  bool print(Answer* answer);
  bool worth_another_try();
  void settle(bool forced);
  void end_if_due();

  Worker& worker_;
  LinkToken token_;
  const char* name_;
  OrderedAnswers answers_;
  std::unordered_set<HashValue> keys_;  // under way
  bool alone_ = false;                  // what is under way ends before anything else is begun
  bool waiting_ = false;                // reading is paused until something is done
  bool starved_ = true;                 // the last look at the input found no whole request
  bool draining_ = false;
  bool quit_ = false;
  base::Instant opened_at_;
  net::Connection connection_;
};

}  // namespace lh::node
