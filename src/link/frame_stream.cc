#include "link/frame_stream.h"

#include <string>
#include <utility>

#include "net/lifeline.h"

namespace lh::link {

void FrameHandler::on_end_of_input(FrameStream& stream) { stream.close_after_flush(); }

FrameStream::FrameStream(net::EventLoop& loop, net::ConnectionGroup& group, FrameHandler& handler)
    : handler_(handler), connection_(loop, group, *this) {}

Status FrameStream::open(net::Socket socket, std::string_view unread) {
  return connection_.open(std::move(socket), unread);
}

void FrameStream::send(const core::Message& message, wire::Routing routing) {
  char* p = connection_.reserve_output(wire::frame_bytes_max(message, routing));
  if (p == nullptr) return;
  connection_.commit_output(static_cast<size_t>(wire::encode_to(p, message, routing) - p));
}

void FrameStream::send(const core::Reply& reply, wire::Routing routing) {
  char* p = connection_.reserve_output(wire::frame_bytes_max(reply, routing));
  if (p == nullptr) return;
  connection_.commit_output(static_cast<size_t>(wire::encode_to(p, reply, routing) - p));
}

void FrameStream::refuse(std::string_view why) {
  // A peer that does not read would gather one explanation after the other.
  if (!connection_.is_open() || !refusal_.empty()) return;
  refusal_ = why;
  send(core::Error{why}, wire::Routing::kDirect);
  connection_.close_after_flush();
}

void FrameStream::on_announced(net::Connection& connection) {
  announced_ = connection.input().view();
  parsed_ = batch_.parse(announced_);
  if (parsed_ == wire::FrameStatus::kFrame && batch_.size() == 1) {
    handler_.on_announced(batch_[0].message);
  }
}

wire::FrameStatus FrameStream::parse(std::string_view unread) {
  const std::string_view announced = std::exchange(announced_, {});
  const bool same =
      !announced.empty() && unread.data() == announced.data() && unread.size() == announced.size();
  return same ? parsed_ : batch_.parse(unread);
}

void FrameStream::on_data(net::Connection& connection) {
  const net::LifelineGuard guard(lifeline_);
  // Consumed once for all: the messages borrow from the buffer.
  size_t consumed = 0;
  bool goes_on = true;
  while (goes_on && connection.is_open() && !is_paused()) {
    const wire::FrameStatus status = parse(connection.input().view().substr(consumed));
    if (status == wire::FrameStatus::kBad) refuse(batch_.error());
    if (status != wire::FrameStatus::kFrame) break;
    handler_.look_ahead(batch_);
    for (size_t k = 0; k < batch_.size() && goes_on && !is_paused(); ++k) {
      consumed += batch_[k].size;
      goes_on = take(&batch_[k]);
      if (guard.cut()) return;
      goes_on &= connection.is_open();
    }
  }
  // Whatever the answers wait for: a slow disk is no dead node. All together, because those that
  // wait are moved for it.
  if (refusal_.empty()) connection_.write_unheld(pongs_);
  pongs_.clear();
  if (consumed > 0 && consumed <= connection.input().size()) connection.input().consume(consumed);
}

bool FrameStream::take(wire::FrameBatch::Entry* entry) {
  routing_ = entry->routing;
  if (const auto* ping = std::get_if<core::Ping>(&entry->message)) {
    wire::encode(core::Pong{ping->token}, wire::Routing::kDirect, &pongs_);
    return true;
  }
  if (std::holds_alternative<core::Pong>(entry->message)) {
    handler_.on_pong(*this);
    return true;
  }
  return handler_.on_message(*this, entry->message);
}

void FrameStream::on_end_of_input(net::Connection&) { handler_.on_end_of_input(*this); }

void FrameStream::on_closed(net::Connection&, net::CloseReason reason) {
  handler_.on_closed(*this, reason);
}

}  // namespace lh::link
