#include "node/pipelined_session.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace lh::node {

namespace {

// A request over many keys that ran out of room goes on when so few of its keys are under way.
constexpr size_t kManyResume = 1'024;

}  // namespace

PipelinedSession::PipelinedSession(Worker& worker, LinkToken token, net::Socket socket,
                                   std::string_view unread, net::ConnectionGroup& group,
                                   const char* name)
    : worker_(worker),
      token_(token),
      name_(name),
      opened_at_(worker.loop().now()),
      connection_(worker.loop(), group, *this) {
  if (const Status status = connection_.open(std::move(socket), unread); !status.ok()) {
    LH_LOG_LIMITED(kWarn, "node", "cannot serve a connection", opened_at_)
        .kv("why", status.message());
    worker_.loop().post([&worker, token] { worker.sessions().end(token); });
  }
}

PipelinedSession::~PipelinedSession() {
  for (const Answer& answer : answers_) {
    if (answer.open > 0) worker_.front().forget(answer.ticket);
  }
}

// ------------------------------------------------------------------------------------- requests

void PipelinedSession::on_data(net::Connection& connection) {
  print_due();
  starved_ = false;
  net::Buffer& input = connection.input();
  std::string_view unread = input.view();
  while (may_take()) unread.empty() ? starve() : unread.remove_prefix(take(unread));
  input.consume(input.size() - unread.size());
  end_if_due();
}

void PipelinedSession::log_refusal(std::string_view why) {
  LH_LOG_LIMITED(kWarn, name_, "connection refused", worker_.loop().now())
      .kv("peer", connection_.socket().peer_address().to_string())
      .kv("why", why);
}

bool PipelinedSession::wait() {
  waiting_ = true;
  connection_.pause_reading();
  return false;
}

void PipelinedSession::submit(Answer* answer, const core::Operation& asked,
                              core::Effects* effects) {
  answer->ticket = worker_.front().submit(worker_.loop().now(), asked, this, effects);
  ++answer->open;
  keys_.insert(asked.c);
  alone_ |= core::concerns_several(asked.op);
}

void PipelinedSession::call(const core::FileRequest& request, std::unique_ptr<Answer::Work> work) {
  Answer& answer = answers_.add();
  answer.work = std::move(work);
  call_again(&answer, request);
}

void PipelinedSession::call_again(Answer* answer, const core::FileRequest& request) {
  Worker::Lease effects(worker_);
  answer->open = 1;
  alone_ = true;
  answer->ticket = worker_.front().call(worker_.loop().now(), request, this, effects.get());
}

// -------------------------------------------------------------------------------------- answers

bool PipelinedSession::answer_in_turn(std::string_view text) {
  answers_.append(text, worker_.gate().barrier());
  close_if_greedy();
  return true;
}

void PipelinedSession::keep(size_t bytes) {
  answers_.keep(bytes);
  close_if_greedy();
}

void PipelinedSession::close_if_greedy() {
  if (answers_.kept_bytes() <= OrderedAnswers::kBytesMax) return;
  LH_LOG_LIMITED(kWarn, name_, "connection closed", worker_.loop().now())
      .kv("peer", connection_.socket().peer_address().to_string())
      .kv("reason", "more answers under way than a connection may have");
  connection_.close();
}

void PipelinedSession::on_done(uint64_t ticket, const core::Completion& done) {
  Answer& answer = answers_.find(ticket);
  keys_.erase(done.c);
  if (core::concerns_several(done.op)) alone_ = false;
  --answer.open;
  append_done(&answer, done);
  settle(false);
}

void PipelinedSession::on_scan_piece(uint64_t ticket, const core::ScanReply& piece) {
  append_scan_piece(&answers_.find(ticket), piece);
}

void PipelinedSession::on_call_done(uint64_t ticket, const core::FileResult& result) {
  Answer& answer = answers_.find(ticket);
  --answer.open;
  alone_ = false;
  append_call_done(&answer, result);
  settle(false);
}

bool PipelinedSession::print(Answer* answer) {
  if (connection_.output_full()) return false;
  const net::OutputBarrier scope(worker_.gate(), answer->barrier);
  connection_.write(answer->text);
  answers_.release(answer->text.size());
  answer->text.clear();
  return print_rest(answer);
}

void PipelinedSession::print_due() {
  while (!answers_.empty() && answers_.front().done() && print(&answers_.front())) answers_.pop();
}

// Whether a request that waits may find what it waits for.
bool PipelinedSession::worth_another_try() {
  if (answers_.empty() || answers_.front().done()) return true;
  const Answer& last = answers_.back();
  return last.complete ? answers_.has_ample_room() : last.open < kManyResume;
}

// After something was done: prints what is due and lets a request that waits try again. Not for
// nothing: while it has to wait it would be tried in every turn.
void PipelinedSession::settle(bool forced) {
  print_due();
  if (waiting_ && (forced || worth_another_try())) {
    waiting_ = false;
    connection_.resume_reading();
  }
  end_if_due();
}

// Requests that were sent before the end are answered; half a request is none.
void PipelinedSession::end_if_due() {
  if (starved_ && (draining_ || connection_.input_ended())) quit_ = true;
  if (quit_ && answers_.empty()) connection_.close_after_flush();
}

// ------------------------------------------------------------------------------------------ end

void PipelinedSession::on_end_of_input(net::Connection& connection) { on_data(connection); }

void PipelinedSession::on_closed(net::Connection& connection, net::CloseReason reason) {
  if (reason == net::CloseReason::kOutputLimit || reason == net::CloseReason::kInputLimit) {
    LH_LOG_LIMITED(kWarn, name_, "connection closed", worker_.loop().now())
        .kv("peer", connection.socket().peer_address().to_string())
        .kv("reason", net::to_string(reason));
  }
  worker_.sessions().end(token_);
}

size_t PipelinedSession::unread_bytes(base::Instant now) const {
  if (connection_.stalled_for(now) < kStallTightMax) return 0;
  return connection_.output_size() + answers_.kept_bytes() + result_bytes();
}

void PipelinedSession::drain() {
  draining_ = true;
  on_data(connection_);
}

void PipelinedSession::tick(base::Instant now, base::Duration idle_max) {
  if (connection_.stalled_for(now) > kStallMax) return close_stalled();
  if (waiting_) settle(true);  // there may be room in the front's window now
  if (!answers_.empty() || quit_ || connection_.output_size() > 0) return;
  const base::Duration quiet = now - std::max(connection_.last_read_at(), opened_at_);
  if (!connection_.input().empty()) {
    if (!starved_ || quiet <= kRequestTimeMax) return;
    worker_.shared().unfinished.fetch_add(1);
    answer_unfinished();
    quit_ = true;
    settle(false);
  } else if (idle_max > base::Duration() && quiet > idle_max) {
    connection_.close();
  }
}

}  // namespace lh::node
