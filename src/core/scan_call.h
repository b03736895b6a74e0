// ScanCall: the client side of one parallel scan. It sends (Q, j') to every bucket of its image and
// knows that it has everything when the intervals of the answers cover the whole reversed key
// space: the paper's deterministic termination (sum of 2^-j = 1), made exact while buckets split.
// What is missing for too long is asked for again, interval by interval, so that a lost message
// costs time and never a record. It asks only so many buckets ahead of the answers that a file of
// many buckets does not get a copy of the pattern for each at once. Owned by a FileCall; no I/O.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "core/call_context.h"
#include "core/message.h"
#include "lh/address.h"

namespace lh::core {

class ScanCall {
 public:
  ScanCall(uint64_t number, ScanKind kind, ScanMatch match, std::string pattern);
  // Of one bucket's records only.
  ScanCall(uint64_t number, BucketNo only);
  // Of what follows a point of the reversed key space, as far as the bucket there gives it when
  // about `records_max` records have been looked at.
  ScanCall(uint64_t number, ScanKind kind, ScanMatch match, std::string pattern, ReversedHash from,
           uint64_t records_max);

  void start(const CallContext& context);

  // True when a piece is complete and news: the caller then uses m->matches, which holds the whole
  // piece and, when it came in several chunks, borrows from the call until the next one. Late
  // repetitions are no news.
  bool on_reply(const CallContext& context, ScanReply* m);

  // What was sent to this node and not answered will not be: its link is down. Tried again soon,
  // and given up when that has been so for too long. Returns a bucket of it that is missing.
  std::optional<BucketNo> node_unreachable(const CallContext& context, NodeId node);
  // The coordinator, asked at `asked_at`, says that this node is down. When it could not be reached
  // before that, it is not waited for.
  void node_down(const CallContext& context, NodeId node, base::Instant asked_at);

  // Asks again for what is missing.
  void tick(const CallContext& context);

  bool done() const { return uncovered_.empty(); }
  // Scan of one bucket: somebody else answered for its first point, so it does not exist.
  bool no_such_bucket() const { return done() && answered_.empty(); }
  // Scan from a point: done up to here.
  ReversedHash done_up_to() const { return done_up_to_; }
  // A bucket that could not be reached ends the scan.
  bool failed() const { return failed_; }
  BucketNo failed_bucket() const { return failed_bucket_; }
  uint64_t number() const { return number_; }
  size_t buckets_answered() const { return answered_.size(); }

 private:
  // What is missing of the part that a bucket has in the image.
  struct Part {
    BucketMark to;
    ReversedHash first = 0;
    ReversedHash last = 0;
  };
  // Adds the missing parts of a bucket's interval.
  void missing_of(BucketMark to, std::vector<Part>* parts) const;
  std::vector<Part> missing(const CallContext& context) const;
  std::optional<BucketNo> missing_at(const CallContext& context, NodeId node) const;
  void begin_round(const CallContext& context);
  void ask_more(const CallContext& context);
  void ask(const CallContext& context, const Part& part);
  bool take(ReversedHash from, ReversedHash last);
  void end_at(ReversedHash first);
  // It asks one bucket at a time, which does not pass it on.
  bool is_solo() const { return only_ || records_max_ > 0; }
  // The bucket to ask for what is missing from `first` on.
  static BucketNo nearest(ReversedHash first, const CallContext& context);
  void fail(BucketNo bucket);
  bool assemble(ScanReply* m);

  uint64_t number_;
  ScanKind kind_;
  ScanMatch match_;
  std::string pattern_;
  std::optional<BucketNo> only_;
  uint64_t records_max_ = 0;  // of a scan from a point
  ReversedHash done_up_to_ = 0;
  std::map<ReversedHash, ReversedHash> uncovered_;  // first -> last, disjoint
  // A piece of which some chunks have come. A bucket sends them in order: a gap means that some
  // were lost, and the piece will be asked for again.
  struct Assembly {
    BucketNo bucket = 0;
    uint32_t next_chunk = 0;
    std::string matches;
  };
  std::map<ReversedHash, Assembly> assemblies_;  // by ScanReply::from
  std::string assembled_;                        // what the last on_reply() lent
  std::set<BucketNo> answered_;
  // Of this round: the file as far as it is asked, the next bucket to ask, and how many that were
  // asked have not answered for all they have.
  FileState seen_;
  BucketNo next_ = 0;
  size_t under_way_ = 0;
  bool failed_ = false;
  BucketNo failed_bucket_ = 0;
  base::Instant stranded_at_;  // when a node could not be reached first
  base::Instant started_at_;
  base::Instant progress_at_;
  base::Instant heard_at_;
  base::Duration patience_;
};

}  // namespace lh::core
