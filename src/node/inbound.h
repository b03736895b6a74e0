// Inbound: a connection that has not yet said which protocol it speaks. The first bytes decide;
// then a session of that protocol takes the socket over, with what was read. A protocol that is
// not served is refused in its own syntax, and so is a client beyond --max-clients.
#pragma once

#include "node/session.h"
#include "node/worker.h"
#include "wire/sniff.h"

namespace lh::node {

class Inbound final : public Session, private net::ConnectionHandler {
 public:
  Inbound(Worker& worker, LinkToken token, net::Socket socket);

  void deliver(const core::Message&) override {}  // it has asked for nothing yet
  void tick(base::Instant now, base::Duration idle_max) override;
  void drain() override { connection_.close(); }
  void dismiss() override;

 private:
  void on_data(net::Connection& connection) override;
  void on_end_of_input(net::Connection& connection) override;
  void on_closed(net::Connection& connection, net::CloseReason reason) override;
  void hand_over(wire::Protocol protocol);
  void refuse(std::string_view text);
  void refuse_unfinished();

  Worker& worker_;
  LinkToken token_;
  base::Instant opened_at_;
  net::Connection connection_;
};

}  // namespace lh::node
