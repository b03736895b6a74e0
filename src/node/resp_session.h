// RespSession: a connection that speaks RESP. Requests that came together are parsed together, the
// memory of all their keys is asked for before the first is executed, and what this worker has
// itself is executed at once and answered straight into the connection's output. Everything else
// goes through the front. Answers come in the order of the requests; as for text, never two
// requests of one key are under way for one connection, and a request about the whole file waits
// for all before it and holds all behind it.
//
// A request over several keys is one request a key: each is atomic, the whole is not. It is
// answered when all are, and one that waits in the middle, for room in the front, goes on there.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "net/connection.h"
#include "node/front.h"
#include "node/resp_admin.h"
#include "node/session.h"
#include "node/worker.h"
#include "wire/resp_batch.h"

namespace lh::node {

class RespSession final : public Session, private net::ConnectionHandler, private FrontWaiter {
 public:
  RespSession(Worker& worker, LinkToken token, net::Socket socket, std::string_view unread);
  ~RespSession() override;

  void deliver(const core::Message&) override {}  // answers come through the front
  void tick(base::Instant now, base::Duration idle_max) override;
  void drain() override;

 private:
  using Entry = wire::RespBatch::Entry;

  // One request's answer, in the making or waiting for its turn.
  struct Slot {
    uint64_t ticket = 0;  // the last of the front's; slots without one repeat the one before
    const wire::RespCommand* command = nullptr;
    bool many = false;      // over several keys
    bool complete = false;  // all its keys are under way or done
    size_t open = 0;        // requests or calls under way
    uint64_t barrier = 0;   // what the answer tells of is durable behind it
    int64_t sum = 0;        // of records that were there
    std::string error;      // a whole answer
    std::string text;       // of values: those before the first that had to be waited for
    std::vector<std::pair<uint64_t, size_t>> tickets;  // of values, to the place in `parts`
    std::vector<std::string> parts;                    // of values: from that one on
    std::vector<std::string> sections;                 // INFO's words
    bool done() const { return complete && open == 0; }
  };
  // What a bucket said about one key.
  struct Said {
    core::Code code = core::Code::kOk;
    BucketNo bucket = 0;
    std::string_view value;
  };

  void on_data(net::Connection& connection) override;
  void on_end_of_input(net::Connection& connection) override;
  void on_closed(net::Connection& connection, net::CloseReason reason) override;
  void on_done(uint64_t ticket, const core::Completion& done) override;
  void on_scan_piece(uint64_t, const core::ScanReply&) override {}
  void on_call_done(uint64_t ticket, const core::FileResult& result) override;

  // Executes what is parsed; returns how many bytes of input that was.
  size_t execute_batch();
  void look_ahead();
  // False when the request has to wait; it is parsed again later.
  bool execute(Entry& entry);
  bool execute_keyed(const Entry& entry);
  bool execute_one(const Entry& entry, core::Op op, std::string_view value);
  bool execute_many(const Entry& entry);
  bool execute_key(Slot* slot, core::Op op, std::string_view key, std::string_view value);
  bool execute_call(const Entry& entry, core::FileRequest::Kind kind);
  bool execute_info(const Entry& entry);
  bool refuse_keys(const Entry& entry);
  std::optional<HashValue> hash(std::string_view key) const;

  // What goes out at once when nothing is under way, and in its turn otherwise.
  bool answer(std::string_view text);
  bool answer_error(std::string_view text);
  void answer_value(std::string_view value);
  void append_said(const wire::RespCommand& command, const Said& said, std::string* out) const;
  void add_said(Slot* slot, const Said& said, std::string* part);
  void finish(Slot* slot);
  wire::RespWriter writer(std::string* out) const { return {out, admin_.version()}; }

  Slot& new_slot(const wire::RespCommand* command);
  Slot* find(uint64_t ticket);
  void keep(size_t bytes);
  bool wait();
  void settle(bool forced);
  void print_due();
  void end_if_due();

  Worker& worker_;
  LinkToken token_;
  RespAdmin admin_;
  wire::RespBatch batch_;
  std::deque<Slot> slots_;
  size_t kept_bytes_ = 0;               // in slots_
  std::unordered_set<HashValue> keys_;  // under way
  size_t many_next_ = 0;  // of the last slot, when it is not complete: the argument to go on with
  bool call_ = false;     // one about the whole file is under way
  bool waiting_ = false;  // reading is paused until something is done
  bool starved_ = true;   // the last look at the input found no whole request
  bool draining_ = false;
  bool quit_ = false;  // take no more requests; close when all is answered
  std::string text_;   // scratch
  base::Instant opened_at_;
  net::Connection connection_;
};

}  // namespace lh::node
