// BinarySession: a connection that speaks frames: a native client, or another node.
//
// The first frame is a Hello. A client gets a Welcome with the file's options and where bucket 0
// is; what it sends is marked with the way back to it. What only nodes may send is refused from a
// client.
#pragma once

#include <string>

#include "link/frame_stream.h"
#include "node/look_ahead.h"
#include "node/session.h"
#include "node/worker.h"

namespace lh::node {

class BinarySession final : public Session, private link::FrameHandler {
 public:
  BinarySession(Worker& worker, LinkToken token, net::Socket socket, std::string_view unread);

  void deliver(const core::Message& message) override;
  void resume() override;
  void tick(base::Instant now, base::Duration idle_max) override;
  // A connection of another node stays: it brings the answers that other sessions wait for.
  void drain() override;
  size_t unread_bytes(base::Instant now) const override;
  void close_stalled() override { stream_.close_stalled(); }
  void dismiss() override { stream_.refuse(kTooManyClients); }

 private:
  bool on_message(link::FrameStream& stream, core::Message& message) override;
  void look_ahead(wire::FrameBatch& batch) override { node::look_ahead(&worker_.server(), &batch); }
  void on_announced(core::Message& message) override;
  void on_closed(link::FrameStream& stream, net::CloseReason reason) override;
  bool on_hello(const core::Hello& hello);
  bool refuse(std::string_view why);
  void welcome();
  bool is_node() const { return greeted_ && kind_ == core::PeerKind::kNode; }
  void close_when_answered();
  bool everyone_joined() const;
  bool of_another_file() const;
  core::ReplyPath path() const;
  // Writes into a client's message whose it is, whatever it claims. False: clients send no such
  // message.
  bool mark_as_own(core::Message* message) const;

  Worker& worker_;
  LinkToken token_;
  link::FrameStream stream_;
  bool greeted_ = false;
  bool early_ = false;  // a node that has to wait until all workers of this one have joined
  core::PeerKind kind_ = core::PeerKind::kClient;
  core::ClientId client_ = 0;
  uint64_t file_ = 0;  // of the peer
  std::string listener_;
  bool draining_ = false;
  uint64_t owed_ = 0;  // requests of a client, less the answers that came this way
  base::Instant opened_at_;
  base::Instant moved_at_;  // the last answer, or the begin of draining
};

}  // namespace lh::node
