#include "node/inbound.h"

#include <string>
#include <utility>

#include "base/log.h"
#include "node/binary_session.h"
#include "node/resp_session.h"
#include "node/text_session.h"

namespace lh::node {

Inbound::Inbound(Worker& worker, LinkToken token, net::Socket socket)
    : worker_(worker),
      token_(token),
      opened_at_(worker.loop().now()),
      connection_(worker.loop(), worker.new_group(), *this) {
  if (const Status status = connection_.open(std::move(socket)); !status.ok()) {
    LH_LOG_LIMITED(kWarn, "node", "cannot serve a connection", worker.loop().now())
        .kv("why", status.message());
    worker_.loop().post([&worker, token] { worker.sessions().end(token); });
  }
}

void Inbound::on_data(net::Connection& connection) {
  const wire::Sniffed sniffed = wire::sniff(connection.input().view());
  connection.input().consume(sniffed.blank);
  switch (sniffed.protocol) {
    case wire::Protocol::kUndecided:
      return;
    case wire::Protocol::kBinary:  // a node perhaps: its Hello will say
      return hand_over(sniffed.protocol);
    case wire::Protocol::kText:
    case wire::Protocol::kResp:
      if (worker_.sessions().is_refused(token_)) {
        const bool resp = sniffed.protocol == wire::Protocol::kResp;
        return refuse((resp ? "-ERR " : "ERR ") + std::string(kTooManyClients) +
                      (resp ? "\r\n" : "\n"));
      }
      worker_.sessions().admit(token_);
      return hand_over(sniffed.protocol);
    case wire::Protocol::kHttp:
    case wire::Protocol::kTls:
      LH_LOG_LIMITED(kWarn, "node", "protocol not served", worker_.loop().now())
          .kv("peer", connection.socket().peer_address().to_string());
      return refuse(wire::refusal(sniffed.protocol));
  }
}

void Inbound::refuse(std::string_view text) {
  connection_.write(text);
  connection_.close_after_flush();
}

void Inbound::dismiss() { refuse("ERR " + std::string(kTooManyClients) + "\n"); }

void Inbound::refuse_unfinished() {
  worker_.shared().unfinished.fetch_add(1);
  refuse("ERR a line was begun and not finished\n");
}

void Inbound::on_end_of_input(net::Connection& connection) {
  if (worker_.sessions().is_refused(token_)) return dismiss();
  if (!connection.input().empty()) return refuse_unfinished();
  connection.close_after_flush();
}

void Inbound::hand_over(wire::Protocol protocol) {
  std::string unread;
  net::Socket socket = connection_.detach(&unread);
  if (protocol == wire::Protocol::kResp) {
    worker_.sessions().replace(
        token_, std::make_unique<RespSession>(worker_, token_, std::move(socket), unread));
  } else if (protocol == wire::Protocol::kBinary) {
    worker_.sessions().replace(
        token_, std::make_unique<BinarySession>(worker_, token_, std::move(socket), unread));
  } else {
    worker_.sessions().replace(
        token_, std::make_unique<TextSession>(worker_, token_, std::move(socket), unread));
  }
}

void Inbound::on_closed(net::Connection&, net::CloseReason) { worker_.sessions().end(token_); }

void Inbound::tick(base::Instant now, base::Duration idle_max) {
  const bool begun = !connection_.input().empty();
  const base::Instant since = begun ? connection_.last_read_at() : opened_at_;
  const base::Duration patience = begun ? kRequestTimeMax : idle_max;
  if (patience == base::Duration() || now - since <= patience) return;
  begun ? refuse_unfinished() : connection_.close();
}

}  // namespace lh::node
