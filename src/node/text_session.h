// TextSession: a connection that speaks command lines. Answers come in the order of the commands.
// Commands of one connection may be under way together, up to a bound, but never two of one key,
// and a question about the whole file waits for all before it and holds all behind it: what a
// connection has been told is done, its next command sees.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <unordered_set>

#include "core/effects.h"
#include "link/answers.h"
#include "net/connection.h"
#include "node/front.h"
#include "node/session.h"
#include "node/worker.h"
#include "wire/text.h"

namespace lh::node {

class TextSession final : public Session, private net::ConnectionHandler, private FrontWaiter {
 public:
  TextSession(Worker& worker, LinkToken token, net::Socket socket, std::string_view unread);
  ~TextSession() override;

  void deliver(const core::Message&) override {}  // answers come through the front
  void tick(base::Instant now, base::Duration idle_max) override;
  void drain() override;

 private:
  // One command's answer, in the making or waiting for its turn.
  struct Slot {
    uint64_t ticket = 0;  // of the front; slots that are done at once repeat the one before
    bool done = false;
    HashValue c = 0;
    std::string text;
    std::unique_ptr<link::FileAnswer> file;  // of a question about the whole file
    uint64_t barrier = 0;                    // what the text tells of is durable behind it
  };

  void on_data(net::Connection& connection) override;
  void on_end_of_input(net::Connection& connection) override;
  void on_closed(net::Connection& connection, net::CloseReason reason) override;
  void on_done(uint64_t ticket, const core::Completion& done) override;
  void on_scan_piece(uint64_t ticket, const core::ScanReply& piece) override;
  void on_call_done(uint64_t ticket, const core::FileResult& result) override;

  // False when the command has to wait; it is parsed again later.
  bool execute(const wire::TextCommand& command);
  bool execute_keyed(const wire::TextCommand& command, core::Op op);
  bool execute_call(const wire::TextCommand& command);
  bool answer(std::string_view text);
  bool wait();
  Slot* find(uint64_t ticket);
  void settle();
  bool print(Slot* slot);
  void print_due();
  void end_if_due();

  Worker& worker_;
  LinkToken token_;
  wire::TextParser parser_;
  std::deque<Slot> slots_;
  std::unordered_set<HashValue> keys_;  // under way
  size_t calls_ = 0;                    // under way: 0 or 1
  bool waiting_ = false;                // reading is paused until something is done
  bool starved_ = true;                 // the last look at the input found no whole line
  bool draining_ = false;
  bool quit_ = false;  // take no more commands; close when all is answered
  std::string text_;   // scratch
  base::Instant opened_at_;
  net::Connection connection_;
};

}  // namespace lh::node
