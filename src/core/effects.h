// What a step of the protocol wants done: the one way out of the core. Changes of state that have
// to outlive the process (core/journal.h), and messages, which leave when those are durable.
//
// The core decides, the shell acts. A step appends to an Effects that the caller owns and reuses;
// nothing in here does anything by itself, so equal inputs give equal effects, in the simulator and
// in the node alike. Ordering contract: messages to the same destination are to be delivered in
// the order appended, or not at all (a connection that breaks loses a suffix of what was sent).
// The effects of a step are run before the next step of the same server: messages may borrow from
// its tables (see message.h).
#pragma once

#include <algorithm>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "core/message.h"
#include "lh/types.h"

namespace lh::core {

// Where a message goes; the shell knows how.
struct Destination {
  enum class Kind : uint8_t {
    kBucket,       // `bucket`, at `node`
    kNode,         // `node` itself
    kCoordinator,  // wherever it is
    kReply,        // back along the message's own ReplyPath
  };
  Kind kind = Kind::kReply;
  NodeId node = NodeId::kNone;
  BucketNo bucket = 0;

  static Destination to_bucket(NodeId node, BucketNo bucket) {
    return {Kind::kBucket, node, bucket};
  }
  static Destination to_node(NodeId node) { return {Kind::kNode, node, 0}; }
  static Destination to_coordinator() { return {Kind::kCoordinator, NodeId::kNone, 0}; }
  static Destination reply() { return {Kind::kReply, NodeId::kNone, 0}; }
};

struct Outgoing {
  Destination to;
  Message message;
};

// Where the latest record of a stream is in the log, as the shell counts. 0: none was written.
struct Position {
  uint64_t sequence = 0;
};

// Which start of the node this is; counts up as long as its journal lasts. A number that is made
// of it is used once only if nothing with that number leaves before the start is durable.
struct Boot {
  uint32_t number = 0;
  Position logged;
};

class Effects {
 public:
  // ---- the journal. A node without a disk does not want one.
  void keep_journal(bool on) { journal_on_ = on; }
  bool keeps_journal() const { return journal_on_; }

  // Begins a record of `stream`; the caller appends it to *result, until the next record begins.
  // When it has its place in the log, *position is that. Bound: keeps_journal().
  std::string* record(uint64_t stream, Position* position) {
    records_.push_back({stream, journal_.size(), position});
    return &journal_;
  }

  // How many records were begun and not written.
  size_t records() const { return records_.size(); }

  // To append to the record that was begun last. Bound: there is one.
  std::string* latest_record() {
    LH_CHECK(!records_.empty());
    return &journal_;
  }

  // What is sent tells of state that was recorded at `position`: it must not leave before that is
  // durable. Records of the same effects count by themselves.
  void after(const Position& position) { barrier_ = std::max(barrier_, position.sequence); }

  // For the shell: hands each record to append(stream, payload), which returns its place in the
  // log, and returns the place that everything sent has to wait for. The records are gone then.
  template <typename Append>
  uint64_t write_journal(Append append) {
    for (size_t k = 0; k < records_.size(); ++k) {
      const size_t end = k + 1 < records_.size() ? records_[k + 1].begin : journal_.size();
      const std::string_view all = journal_;
      barrier_ = append(records_[k].stream, all.substr(records_[k].begin, end - records_[k].begin));
      records_[k].position->sequence = barrier_;
    }
    records_.clear();
    journal_.clear();
    return barrier_;
  }

  // ---- messages
  void send(Destination to, Message message) { sends_.push_back({to, std::move(message)}); }

  // A copy of `bytes` that lasts as long as the effects: for a step that goes on to change what a
  // message in here would borrow from.
  std::string_view keep(std::string_view bytes) { return kept_.emplace_back(bytes); }

  // Long work was left for later: call turn() again soon, after other requests had their chance.
  void want_turn() { turn_wanted_ = true; }

  const std::vector<Outgoing>& sends() const { return sends_; }
  bool turn_wanted() const { return turn_wanted_; }
  // Nothing is recorded, sent or wanted.
  bool empty() const { return records_.empty() && sends_.empty() && !turn_wanted_; }
  // Bound: the records were written.
  void clear() {
    LH_CHECK(records_.empty());
    sends_.clear();
    if (!kept_.empty()) kept_.clear();
    turn_wanted_ = false;
    barrier_ = 0;
  }

 private:
  struct Record {
    uint64_t stream;
    size_t begin;  // in journal_
    Position* position;
  };

  bool journal_on_ = false;
  std::vector<Record> records_;
  std::string journal_;
  uint64_t barrier_ = 0;
  std::vector<Outgoing> sends_;
  std::deque<std::string> kept_;
  bool turn_wanted_ = false;
};

}  // namespace lh::core
