// Rebuild: how a coordinator that has lost its memory, its disk included, comes by the state of its
// file again: it asks the nodes. A state machine without I/O, in the place of a Coordinator until
// it is done; used by one thread.
//
//   kAsking --(all nodes have said what they have, or nobody else comes)--> kDone | kFailed
//
// Nodes register by themselves, with the numbers that they had. Each is asked for its buckets and
// for its map (StandingQuery). The file is the smallest one that all answers allow: a bucket of
// level j has children up to level j, and a bucket that a map names exists. What nobody has that
// answered, and what is not with a node that may come back, was with the lost coordinator's node:
// those records are gone, and the new node has the buckets empty, at the level that the file says.
//
// Answers are no snapshot: while they come in, a split may go on. Answers that do not fit each
// other are all asked for again for a while; then they are a file that cannot be.
//
// The result is the records of a journal that a node 1 with this file would have written
// (records()): the shell writes them, and recovers from them as from its disk.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "core/coordinator_event.h"
#include "core/effects.h"
#include "core/message.h"
#include "core/standings.h"
#include "lh/address.h"

namespace lh::core {

class Rebuild {
 public:
  // Of the new node 1. The file has to have been made with options like these, but for its id.
  struct Self {
    std::string address;
    uint64_t incarnation = 0;
    uint64_t buckets_max = 0;
    FileOptions options;
  };
  struct Record {
    uint64_t stream = 0;
    std::string bytes;
  };
  enum class Phase : uint8_t { kAsking, kDone, kFailed };
  enum class Failure : uint8_t { kOptions, kContradiction };

  // When nothing new was heard for so long, who is missing is taken to be down. A contradiction is
  // asked about for as long.
  static constexpr base::Duration kPatience = base::seconds(10);
  // When all nodes that anybody knows have answered, and some of them have buckets: those who know
  // more may be a moment late, and who was away for long knows little.
  static constexpr base::Duration kQuiet = base::seconds(5);

  Rebuild(Self self, base::Instant now) : self_(std::move(self)), news_at_(now) {}

  void step(base::Instant now, const Message& message, Effects* effects);
  // About twenty times a second: asks again, and ends.
  void tick(base::Instant now, Effects* effects);

  Phase phase() const { return phase_; }
  // kFailed: why, in a sentence.
  const std::string& failure() const { return failure_; }
  Failure kind_of_failure() const { return failure_kind_; }

  // ---- kAsking, for the log.
  struct Progress {
    std::vector<NodeId> answered;
    std::vector<NodeId> asked;    // registered, and have not answered yet
    std::vector<NodeId> missing;  // that somebody knows, and that did not register
  };
  Progress progress() const;

  // ---- kDone.
  const std::vector<Record>& records() const { return records_; }
  FileState state() const { return state_; }
  // Empty now, in order.
  const std::vector<BucketMark>& lost() const { return lost_; }
  // Known by name only: they may come back.
  const std::vector<NodeId>& missing() const { return missing_; }
  // The registrations that the new coordinator owes an answer.
  std::vector<Register> registrations() const;

 private:
  // A node that registered, and what it said.
  struct Claim {
    uint64_t incarnation = 0;
    uint64_t buckets_max = 0;
    std::string address;
    ReplyPath path;
    std::string listener;
    Standings standings;
    base::Instant asked_at;
  };
  struct Split {
    BucketStanding source;
    BucketNo target = 0;
  };
  struct Live {
    NodeId node = NodeId::kNone;
    BucketStanding standing;
  };

  void on(base::Instant now, const Register& m, Effects* effects);
  void on(base::Instant now, const Standing& m);
  static void take(const Register& m, Claim* claim);
  void ask(base::Instant now, Claim* claim, Effects* effects) const;
  std::map<NodeId, NodeEntry> known_nodes() const;
  bool has_buckets() const;
  bool may_do_without(const std::vector<NodeId>& missing) const;
  void conclude(base::Instant now);
  void ask_all_again(base::Instant now);
  void fail(Failure kind, std::string why);

  // Each false, with contradiction_ said, when the answers do not fit.
  bool agree_on_options();
  bool collect();
  bool find_state();
  bool locate_all();
  bool contradict(std::string what);
  bool is_target(BucketNo a) const { return split_ && a == split_->target; }

  bool owes_split() const { return split_ || begun_.contains(next_bucket(state_)); }
  CoordinatorState reports() const;
  void write_records();
  void add_event(const CoordinatorEvent& event);
  std::string* add(uint64_t stream);

  const Self self_;
  Phase phase_ = Phase::kAsking;
  std::string failure_;
  Failure failure_kind_ = Failure::kContradiction;

  std::map<NodeId, Claim> claims_;
  std::map<uint64_t, Claim> newcomers_;  // by incarnation; they have no number yet
  uint64_t round_ = 1;
  base::Instant news_at_;
  base::Instant again_at_;       // the next round, when there is to be one
  base::Instant puzzled_since_;  // answers have not fitted each other since

  // What came of the answers.
  std::string contradiction_;
  FileOptions options_;
  std::map<BucketNo, Live> live_;
  std::map<BucketNo, NodeId> named_;
  std::set<BucketNo> begun_;    // targets of splits, that are not live
  std::optional<Split> split_;  // under way
  uint64_t split_max_ = 0;
  uint64_t version_max_ = 0;
  FileState state_;
  std::vector<NodeId> at_;
  std::vector<BucketMark> lost_;
  std::vector<NodeId> missing_;
  std::vector<Record> records_;
};

}  // namespace lh::core
