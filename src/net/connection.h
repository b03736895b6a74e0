// Connection: one stream socket of a loop, with a buffer for each direction and a bound on
// everything.
//
// A turn of a connection: read what has come (bounded) -> on_data(), which consumes complete
// requests from input() and leaves a partial one -> answers are appended by write() -> one send at
// the end of the turn for all of them. Nothing is sent or closed inside the calls of the owner: a
// handler that runs on_data() finds its buffers as it left them whatever it calls.
//
// Limits (ConnectionLimits):
// - A connection reads at most read_turn_max bytes a turn, so that a busy one cannot starve others.
// - While more than output_soft_max bytes of output wait it does not read (backpressure); below
//   half of that it goes on. A handler with a long pipeline looks at output_full() between requests
//   and returns; on_data() is called again, perhaps without any bytes, when there is room.
// - Output beyond output_max closes it, and so does a request that input_max bytes do not complete.
// - Output that was written behind a barrier of the group's gate waits there (output_gate.h).
//
// The peer ends its half (shutdown, or it is gone): on_end_of_input(); what is owed can still be
// sent. Closing, whatever the cause, is reported by on_closed() exactly once, from the loop at the
// end of the turn. Destroying an open connection closes it without a report. The handler may
// destroy the connection in any of its calls.
//
// One loop, one thread. An idle connection holds no buffer memory. To move a connection to another
// loop: detach() here, post the socket, open() there.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "lh/status.h"
#include "net/buffer.h"
#include "net/deferred.h"
#include "net/event_loop.h"
#include "net/lifeline.h"
#include "net/output_gate.h"
#include "net/socket.h"
#include "net/watcher.h"

namespace lh::net {

class Connection;

enum class CloseReason : uint8_t {
  kPeerClosed,   // the peer ended its half, and what was owed to it is sent
  kPeerFailed,   // reset, unreachable: the system reported an error
  kLocal,        // close() or close_after_flush()
  kInputLimit,   // input_max bytes without a complete request
  kOutputLimit,  // the peer does not read
};
inline constexpr size_t kCloseReasons = 5;

std::string_view to_string(CloseReason reason);

class ConnectionHandler {
 public:
  // There may be something to do with connection.input().
  virtual void on_data(Connection& connection) = 0;

  // There is: on_data() follows when the group's inputs are run. Only to be looked at until then.
  virtual void on_announced(Connection&) {}

  // No more input will come. A handler that still owes answers lets it stay open and calls
  // close_after_flush() when it has written the last one; this default owes none.
  virtual void on_end_of_input(Connection& connection);

  // Closed; nothing will be called any more. The socket still knows who the peer was.
  virtual void on_closed(Connection& connection, CloseReason reason) = 0;

 protected:
  ~ConnectionHandler() = default;
};

// Bytes. Relations: 0 < read_turn_max; output_soft_max <= output_max.
struct ConnectionLimits {
  size_t input_max = size_t{16} << 20;
  size_t read_turn_max = size_t{256} << 10;
  size_t output_soft_max = size_t{1} << 20;
  size_t output_max = size_t{64} << 20;
};

struct ConnectionStats {
  uint64_t bytes_in = 0;
  uint64_t bytes_out = 0;
  uint64_t reads = 0;  // system calls
  uint64_t writes = 0;
};

// What the connections of one kind in one loop have in common: their limits, and the sums over all
// of them, dead ones included. Belongs to the loop's thread and outlives the connections.
struct ConnectionGroup {
  ConnectionLimits limits;
  OutputGate* gate = nullptr;  // none: nothing is held back
  // Where small input waits to be delivered, for the owner of the list to run it within the turn,
  // by run_present(). None: all input is delivered as it comes.
  DeferredList* inputs = nullptr;
  ConnectionStats stats;
  uint64_t opened = 0;
  std::array<uint64_t, kCloseReasons> closed{};  // by CloseReason
};

class Connection final : private EventHandler {
 public:
  // All three must outlive the connection.
  Connection(EventLoop& loop, ConnectionGroup& group, ConnectionHandler& handler);

  // Takes the socket over, with the bytes that another connection had read from it (at most
  // input_max): on_data() is called for those in the next turn. Once in a connection's life.
  Status open(Socket socket, std::string_view unread = {});

  // Open, and not about to be closed.
  bool is_open() const { return watcher_.is_open() && !doomed_; }

  // The bytes that have come and are not consumed.
  Buffer& input() { return input_; }

  // Appends to what is sent at the end of the turn. On a connection that is about to be closed the
  // bytes are dropped.
  void write(std::string_view bytes) {
    if (bytes.empty()) return;
    char* to = reserve_output(bytes.size());
    if (to == nullptr) return;
    std::memcpy(to, bytes.data(), bytes.size());
    commit_output(bytes.size());
  }

  // The same, but ahead of what the gate holds back: for what tells of nothing. Bound: what was
  // written before came in whole pieces, between which this may be put. Moves what is held back.
  void write_unheld(std::string_view bytes);

  // The same for writers that encode in place: room for n > 0 bytes, of which commit_output() takes
  // what was written. nullptr when the connection is about to be closed, for lack of room too.
  char* reserve_output(size_t n);
  void commit_output(size_t n) {
    output_.commit(n);
    if (held_bytes_ > 0 || (group_.gate != nullptr && group_.gate->is_holding())) hold(n);
    want_flush();
  }

  size_t output_size() const { return output_.size(); }
  bool output_full() const { return output_.size() > group_.limits.output_soft_max; }

  // For a handler that cannot take more input, for a full mailbox say. on_data() is called in the
  // turn after resume_reading() if input is left.
  void pause_reading();
  void resume_reading();

  // Closes at the end of the turn; unsent output is lost.
  void close() { doom(CloseReason::kLocal); }

  // For how long the peer has taken none of the output that it could have; nothing when none waits
  // for it. What is held back by the gate does not count.
  base::Duration stalled_for(base::Instant now) const {
    return send_blocked_ ? now - last_sent_at_ : base::Duration();
  }
  // The owner's patience with that has ended: closes, for kOutputLimit.
  void close_stalled() { doom(CloseReason::kOutputLimit); }

  // Takes no more input, sends what is owed, then closes.
  void close_after_flush();

  // Gives the socket away, and the unread input, without a call to the handler. Precondition: open,
  // no unsent output.
  Socket detach(std::string* unread);

  bool input_ended() const { return input_ended_; }
  const Socket& socket() const { return socket_; }
  const ConnectionStats& stats() const { return stats_; }
  base::Instant last_read_at() const { return last_read_at_; }

  // The errno behind kPeerFailed.
  int error() const { return error_; }

 private:
  // Asked of the kernel at once; a quarter when there is a partial request, so that it still fits
  // the same block; much less when what came the last time was announced.
  static constexpr size_t kReadChunk = size_t{64} << 10;
  // Waits to be delivered at most.
  static constexpr size_t kAnnouncedMax = 512;

  // The next bytes of the output that wait, and for what.
  struct Hold {
    size_t bytes;
    uint64_t barrier;
  };

  void on_ready(Ready ready) override;
  void read_available();
  size_t read_chunk() const;
  ptrdiff_t read_once(size_t* asked);
  bool deliver();
  void end_input();
  void redeliver();
  void flush();
  void schedule_flush();
  // There is more output.
  void want_flush() {
    // Whoever looks at output_full() and stops is called again, so flush() has to know.
    if (output_full()) paused_by_output_ = true;
    loop_.call_before_sleep(flush_call_);
  }
  void hold(size_t n);
  size_t sendable();
  void send_output();
  void update_flow();
  bool wants_input() const;
  void fail(int error);
  void doom(CloseReason reason);
  void discard_unread();
  void finish_close();

  EventLoop& loop_;
  ConnectionGroup& group_;
  ConnectionHandler& handler_;
  Socket socket_;
  Buffer input_;
  Buffer output_;
  std::vector<Hold> holds_;  // by barrier, growing; few, one for each time that a log is synced
  size_t held_bytes_ = 0;    // their sum: the end of output_
  ConnectionStats stats_;
  base::Instant last_read_at_;
  base::Instant last_sent_at_;  // something, however little
  int error_ = 0;
  CloseReason reason_ = CloseReason::kLocal;
  bool reads_little_ = false;  // the last read was announced
  bool doomed_ = false;        // to be closed at the end of the turn, for reason_
  bool input_ended_ = false;   // the peer's half is closed
  bool closing_ = false;       // close_after_flush()
  bool send_blocked_ = false;  // the kernel takes no more: wait until writable
  bool paused_by_output_ = false;
  bool paused_by_handler_ = false;
  DeferredMember<Connection, &Connection::flush> flush_call_{*this};
  DeferredMember<Connection, &Connection::redeliver> redeliver_call_{*this};
  DeferredMember<Connection, &Connection::schedule_flush> released_call_{*this};
  Lifeline lifeline_;
  Watcher watcher_;  // last: dies first
};

}  // namespace lh::net
