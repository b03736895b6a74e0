// ScanJob: one bucket's part of a parallel scan: it walks the bucket's interval of the reversed key
// space in slices and answers in pieces, each for an interval of its own. The pieces of one scan
// never overlap, whatever splits go on meanwhile, and that is what makes a scan see each record
// exactly once: a record has one r, and one piece covers it.
//
// Flow control: a piece with `more` set waits for ScanMore. Owned by the bucket's scan list.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "core/address_book.h"
#include "core/effects.h"
#include "core/message.h"
#include "lh/types.h"
#include "table/hash_table.h"

namespace lh::core {

// Whether a record matches. Pure.
bool scan_matches(ScanMatch match, std::string_view pattern, std::string_view key,
                  std::string_view value);

class ScanJob {
 public:
  // Copies what it needs from `scan`; covers [from, last], a part of the bucket's interval.
  ScanJob(const Scan& scan, ReversedHash from, ReversedHash last, base::Instant now);

  // What a slice can be asked to look at.
  struct View {
    BucketMark mark;
    NodeId node = NodeId::kNone;
    const table::HashTable* table = nullptr;
    const AddressBook* book = nullptr;
    table::ExpiryMs unix_ms = 0;  // what has expired by then is not there
    uint64_t overdue = 0;
    bool reports_settled = true;  // every collision has been taken in by the coordinator
  };

  // Works for about kSliceBytes. True while it could go on at once.
  bool slice(base::Instant now, const View& view, Effects* effects);

  // Whether slice() would do something.
  bool can_go_on(bool reports_settled) const {
    return !done_ && !waiting_ && (reports_settled || scan_.kind != ScanKind::kSettle);
  }

  // The client asks again. What of that is in hand already, from `from` to `last`, needs no second
  // job; a job that waits has lost a piece or the word to go on, and ends.
  bool has_in_hand(const Scan& scan, ReversedHash from, ReversedHash last);

  // The client asks to go on. False when it is not this job that it means.
  bool resume(base::Instant now, const ScanMore& more);

  // The bucket's interval now ends before `mid`. Returns the scan of the rest, which the new bucket
  // has to answer, with views into this job.
  std::optional<Scan> cut(ReversedHash mid);

  bool done() const { return done_; }
  bool abandoned(base::Instant now) const;

 private:
  void reply(const View& view, ReversedHash last, Effects* effects);
  void count_all(const View& view);
  size_t slice_bytes() const;
  bool is_full() const;  // there is as much as a message takes
  void add_match(const table::Record& record);

  Scan scan_;  // its views point into the strings below
  std::string listener_;
  std::string pattern_;
  ReversedHash from_;    // first point not yet answered for
  ReversedHash cursor_;  // first point not yet walked
  ReversedHash last_;
  uint64_t records_ = 0;
  uint64_t bytes_ = 0;
  uint64_t expiring_ = 0;
  std::deque<std::string> chunks_{1};  // matches not yet answered; a message each
  bool waiting_ = false;               // for ScanMore
  bool done_ = false;
  base::Instant touched_at_;
};

}  // namespace lh::core
