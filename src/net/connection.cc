#include "net/connection.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/check.h"

namespace lh::net {

std::string_view to_string(CloseReason reason) {
  switch (reason) {
    case CloseReason::kPeerClosed:
      return "peer closed";
    case CloseReason::kPeerFailed:
      return "peer failed";
    case CloseReason::kLocal:
      return "closed here";
    case CloseReason::kInputLimit:
      return "input limit";
    case CloseReason::kOutputLimit:
      return "output limit";
  }
  LH_UNREACHABLE();
}

void ConnectionHandler::on_end_of_input(Connection& connection) { connection.close_after_flush(); }

Connection::Connection(EventLoop& loop, ConnectionGroup& group, ConnectionHandler& handler)
    : loop_(loop),
      group_(group),
      handler_(handler),
      input_(loop.buffers(), group.limits.input_max),
      output_(loop.buffers(), group.limits.output_max),
      watcher_(loop, *this) {
  LH_CHECK(group.limits.read_turn_max > 0);
  LH_CHECK(group.limits.output_soft_max <= group.limits.output_max);
}

Status Connection::open(Socket socket, std::string_view unread) {
  LH_CHECK(!socket_.valid());
  LH_CHECK(socket.valid());
  Status status = watcher_.open(socket.fd(), wants_input() ? Interest::kRead : Interest::kNone);
  if (!status.ok()) return status;
  socket_ = std::move(socket);
  last_read_at_ = loop_.now();
  ++group_.opened;
  LH_CHECK(input_.append(unread));
  if (!unread.empty()) loop_.call_next_turn(redeliver_call_);
  return {};
}

char* Connection::reserve_output(size_t n) {
  if (!is_open()) return nullptr;
  char* to = output_.reserve(n);
  if (to == nullptr) doom(CloseReason::kOutputLimit);
  return to;
}

void Connection::write_unheld(std::string_view bytes) {
  if (bytes.empty()) return;
  char* to = reserve_output(bytes.size());
  if (to == nullptr) return;
  char* const held = to - held_bytes_;
  std::memmove(held + bytes.size(), held, held_bytes_);
  std::memcpy(held, bytes.data(), bytes.size());
  output_.commit(bytes.size());
  want_flush();
}

void Connection::pause_reading() {
  paused_by_handler_ = true;
  schedule_flush();
}

void Connection::resume_reading() {
  paused_by_handler_ = false;
  schedule_flush();
  if (!input_.empty()) loop_.call_next_turn(redeliver_call_);
}

void Connection::close_after_flush() {
  closing_ = true;
  schedule_flush();
}

Socket Connection::detach(std::string* unread) {
  LH_CHECK(is_open());
  LH_CHECK(output_.empty());
  unread->assign(input_.view());
  input_.clear();
  flush_call_.unlink();
  redeliver_call_.unlink();
  watcher_.close();
  return std::move(socket_);
}

// ---------------------------------------------------------------------------------------------
// Input.

bool Connection::wants_input() const {
  return !doomed_ && !input_ended_ && !closing_ && !paused_by_output_ && !paused_by_handler_;
}

void Connection::on_ready(Ready ready) {
  if (ready.writable && send_blocked_) {
    send_blocked_ = false;
    loop_.call_before_sleep(flush_call_);
  }
  if (redeliver_call_.linked()) return;  // first what is here, then what has come
  if (wants_input()) {
    if (ready.readable || ready.hung_up) read_available();
  } else if (ready.hung_up) {
    // The kernel reports this for ever, and nothing that is still owed can arrive.
    fail(socket_.take_error());
  }
}

void Connection::read_available() {
  for (size_t left = group_.limits.read_turn_max; left > 0;) {
    size_t asked = left;
    const ptrdiff_t got = read_once(&asked);
    if (got < 0) return;
    if (got == 0) return end_input();
    reads_little_ = group_.inputs != nullptr && input_.size() <= kAnnouncedMax;
    if (reads_little_ && static_cast<size_t>(got) < asked) {
      input_.trim();  // many may wait at the same time, each with its block
      group_.inputs->push_back(redeliver_call_);
      return handler_.on_announced(*this);
    }
    if (!deliver()) return;
    // A short read emptied the socket: the call that would say so is saved.
    if (static_cast<size_t>(got) < asked) break;
    if (!wants_input()) break;
    left -= static_cast<size_t>(got);
  }
  input_.trim();
}

size_t Connection::read_chunk() const {
  if (reads_little_) return BufferPool::kBlockMin;
  return input_.empty() ? kReadChunk : kReadChunk / 4;
}

// One recv of at most *asked bytes, which it changes to what there was room for. Returns the bytes
// that came, 0 at the end of input, -1 when there is nothing to deliver.
ptrdiff_t Connection::read_once(size_t* asked) {
  const size_t room = std::min(read_chunk(), input_.size_max() - input_.size());
  if (room == 0) {
    doom(CloseReason::kInputLimit);
    return -1;
  }
  char* to = input_.reserve(room);
  *asked = std::min(*asked, input_.space());
  const ptrdiff_t got = ::recv(socket_.fd(), to, *asked, 0);
  ++stats_.reads;
  ++group_.stats.reads;
  if (got > 0) {
    input_.commit(static_cast<size_t>(got));
    stats_.bytes_in += static_cast<uint64_t>(got);
    group_.stats.bytes_in += static_cast<uint64_t>(got);
    last_read_at_ = loop_.now();
    return got;
  }
  if (got < 0 && errno != EAGAIN && errno != EINTR) fail(errno);
  input_.trim();
  return got;
}

// False when the connection takes no more input, or is no more.
bool Connection::deliver() {
  const LifelineGuard guard(lifeline_);
  handler_.on_data(*this);
  return !guard.cut() && is_open();
}

void Connection::end_input() {
  input_ended_ = true;
  schedule_flush();
  handler_.on_end_of_input(*this);
}

void Connection::redeliver() {
  if (doomed_ || closing_ || paused_by_output_ || paused_by_handler_) return;
  if (deliver()) input_.trim();
}

// ---------------------------------------------------------------------------------------------
// Output, and the end.

// When there is something for flush() to do besides sending.
void Connection::schedule_flush() {
  if (watcher_.is_open()) loop_.call_before_sleep(flush_call_);
}

void Connection::flush() {
  if (!doomed_ && !output_.empty() && !send_blocked_) send_output();
  if (!doomed_ && closing_ && output_.empty()) {
    doom(input_ended_ ? CloseReason::kPeerClosed : CloseReason::kLocal);
  }
  doomed_ ? finish_close() : update_flow();
}

// The bytes just committed wait behind those before them, or for the barrier of the moment.
void Connection::hold(size_t n) {
  const uint64_t barrier = group_.gate->barrier();
  if (holds_.empty() || holds_.back().barrier < barrier) {
    holds_.push_back({0, barrier});
  }
  holds_.back().bytes += n;
  held_bytes_ += n;
}

// How much of the output may leave; waits for the gate when there is more.
size_t Connection::sendable() {
  if (held_bytes_ == 0) return output_.size();
  auto first = holds_.begin();
  for (; first != holds_.end() && first->barrier <= group_.gate->released(); ++first) {
    held_bytes_ -= first->bytes;
  }
  holds_.erase(holds_.begin(), first);
  if (held_bytes_ > 0) group_.gate->wait(released_call_);
  return output_.size() - held_bytes_;
}

void Connection::send_output() {
  const size_t size = sendable();
  if (size == 0) return;
  const ptrdiff_t sent = ::send(socket_.fd(), output_.data(), size, MSG_NOSIGNAL);
  ++stats_.writes;
  ++group_.stats.writes;
  if (sent < 0) {
    if (errno != EAGAIN && errno != EINTR) return fail(errno);
    send_blocked_ = true;
    return;
  }
  output_.consume(static_cast<size_t>(sent));
  last_sent_at_ = loop_.now();
  stats_.bytes_out += static_cast<uint64_t>(sent);
  group_.stats.bytes_out += static_cast<uint64_t>(sent);
  send_blocked_ = static_cast<size_t>(sent) < size;
  output_.trim();
}

// Brings backpressure and the interest in line with the buffers.
void Connection::update_flow() {
  if (paused_by_output_ && output_.size() <= group_.limits.output_soft_max / 2) {
    paused_by_output_ = false;
    // The handler may have stopped with requests left, or in the middle of an answer.
    loop_.call_next_turn(redeliver_call_);
  }
  const Interest read = wants_input() ? Interest::kRead : Interest::kNone;
  const Interest write = send_blocked_ ? Interest::kWrite : Interest::kNone;
  watcher_.set_interest(read | write);
}

void Connection::fail(int error) {
  error_ = error;
  doom(CloseReason::kPeerFailed);
}

void Connection::doom(CloseReason reason) {
  if (doomed_ || !watcher_.is_open()) return;
  doomed_ = true;
  reason_ = reason;
  schedule_flush();
}

// Closing a socket with unread bytes makes the kernel send a reset, which may destroy the answer
// that has just been sent: an error message, say, to a peer that sent too much.
void Connection::discard_unread() {
  input_.clear();
  char* to = input_.reserve(std::min(kReadChunk, input_.size_max()));
  ++stats_.reads;
  ++group_.stats.reads;
  [[maybe_unused]] const ptrdiff_t unread = ::recv(socket_.fd(), to, input_.space(), 0);
}

void Connection::finish_close() {
  if (reason_ == CloseReason::kLocal && closing_) discard_unread();
  flush_call_.unlink();
  redeliver_call_.unlink();
  released_call_.unlink();
  watcher_.close();
  input_.clear();
  output_.clear();
  ++group_.closed[static_cast<size_t>(reason_)];
  const LifelineGuard guard(lifeline_);
  handler_.on_closed(*this, reason_);
  if (!guard.cut()) socket_.close();
}

}  // namespace lh::net
