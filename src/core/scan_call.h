// ScanCall: the client side of one parallel scan. It sends (Q, j') to every bucket of its image and
// knows that it has everything when the intervals of the answers cover the whole reversed key
// space: the paper's deterministic termination (sum of 2^-j = 1), made exact while buckets split.
// What is missing for too long is asked for again, interval by interval, so that a lost message
// costs time and never a record. Owned by a FileCall; no I/O.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "core/address_book.h"
#include "core/effects.h"
#include "core/message.h"
#include "lh/address.h"

namespace lh::core {

class ScanCall {
 public:
  ScanCall(uint64_t number, ScanKind kind, ScanMatch match, std::string pattern);
  // Of one bucket's records only.
  ScanCall(uint64_t number, BucketNo only);

  void start(base::Instant now, const ReplyPath& path, FileState image, const AddressBook& book,
             Effects* effects);

  // True when a piece is complete and news: the caller then uses m->matches, which holds the whole
  // piece and, when it came in several chunks, borrows from the call until the next one. Late
  // repetitions are no news.
  bool on_reply(base::Instant now, ScanReply* m, Effects* effects);

  // What was sent to this node and not answered will not be: its link is down. Tried again soon,
  // and given up when that has been so for too long.
  void node_unreachable(base::Instant now, NodeId node, FileState image, const AddressBook& book);

  // Asks again for what is missing.
  void tick(base::Instant now, const ReplyPath& path, FileState image, const AddressBook& book,
            Effects* effects);

  bool done() const { return uncovered_.empty(); }
  // Scan of one bucket: somebody else answered for its first point, so it does not exist.
  bool no_such_bucket() const { return done() && answered_.empty(); }
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
  std::vector<Part> missing(FileState image, const AddressBook& book) const;
  Scan request(const ReplyPath& path) const;
  void ask(const ReplyPath& path, FileState image, const AddressBook& book, Effects* effects) const;
  bool take(ReversedHash from, ReversedHash last);
  void end_at(ReversedHash first);
  // The bucket to ask for what is missing from `first` on.
  static BucketNo nearest(ReversedHash first, FileState image, const AddressBook& book);
  void fail(BucketNo bucket);
  bool assemble(ScanReply* m);

  uint64_t number_;
  ScanKind kind_;
  ScanMatch match_;
  std::string pattern_;
  std::optional<BucketNo> only_;
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
  bool failed_ = false;
  BucketNo failed_bucket_ = 0;
  base::Instant started_at_;
  base::Instant progress_at_;
  base::Duration patience_;
};

}  // namespace lh::core
