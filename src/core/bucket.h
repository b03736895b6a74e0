// Bucket: one bucket of an LH* file, the server side of the paper, as a state machine without I/O.
//
//   kReceiving --(last batch of the parent's split stream)--> kLive
//
// A live bucket executes keyed operations on its records, remembers the answers it gave, reports
// collisions, and may be the source of one split at a time. A receiving bucket holds requests back
// until it is live. Owned by a Server; one thread.
#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "core/dedup.h"
#include "core/effects.h"
#include "core/journal.h"
#include "core/limits.h"
#include "core/message.h"
#include "core/operation.h"
#include "core/owned_message.h"
#include "core/scan_job.h"
#include "core/split_source.h"
#include "core/watches.h"
#include "lh/address.h"
#include "table/hash_table.h"

namespace lh::core {

// c of a key that is known to be legal in a file of this mode; for the table.
table::HashFunction table_hash(base::HashMode mode);

class Bucket {
 public:
  // What a server lends to all its buckets. Outlives them.
  struct Host {
    NodeId node = NodeId::kNone;
    Boot boot;
    FileOptions options;
    table::Arena* arena = nullptr;
    const AddressBook* book = nullptr;
    // Records of a split never are refused.
    bool full = false;       // what needs more memory is refused
    bool disk_full = false;  // what has to be logged is refused
    // What expires, expires when now + unix_offset, as a Unix time, is there.
    base::Instant now = {};
    base::Duration unix_offset = {};
    ExpiryMs unix_ms() const { return to_unix_ms(now, unix_offset); }
  };

  // A live, empty bucket (the file's first), or one that waits for its parent's stream.
  Bucket(const Host& host, BucketMark mark);
  Bucket(const Host& host, const SplitRecords& opening);

  // ---- durability (core/journal.h)
  // A bucket as its journal begins, then record by record; false when one makes no sense.
  Bucket(const Host& host, const BucketState& state);
  bool recover(RecordKind kind, std::string_view record);
  // Has the memory that a record of changes will touch first brought into the cache: the slot now,
  // then what table->prefetch(*c) of the table returned asks for. Nothing when that is not known.
  const table::HashTable* look_ahead(std::string_view changes, HashValue* c);
  // Behind the last record: goes on with what was under way.
  void resume(Effects* effects);
  BucketState state() const;
  // While a half that was handed over is still here: the state before, and what was remembered then
  // and goes with that half (what came later is only about the half that stayed).
  std::optional<BucketState> state_before() const;
  const Dedup& dedup_before() const { return departing_->dedup; }
  // Records the whole state; for a bucket that is new.
  void record_state(Effects* effects);
  // Where its latest record is: what a read tells depends on it.
  const Position& logged() const { return logged_; }
  // For a snapshot: appends records from `cursor` of the reversed key space on, of about bytes_max,
  // as changes to *out, and returns where to go on; nothing when that was all there are up to
  // `last`.
  std::optional<ReversedHash> snapshot(ReversedHash cursor, ReversedHash last, size_t bytes_max,
                                       std::string* out) const;
  const Dedup& dedup() const { return dedup_; }

  BucketMark mark() const { return mark_; }
  bool live() const { return live_; }
  uint64_t records() const { return table_.size(); }
  uint64_t collisions() const { return collisions_; }  // since the bucket was made
  uint64_t bytes() const { return table_.payload_bytes(); }
  uint64_t expired() const { return expired_; }  // records that were erased for it
  const table::HashTable& table() const { return table_; }

  // ---- keyed operations. Bound for all: live(), and the key belongs here.
  struct Answer {
    Code code = Code::kOk;
    std::string_view value;  // when answers_value(op); valid until the next operation
  };
  Answer execute(const Operation& asked, Effects* effects);
  // At most once; nothing when the request is a late duplicate that must not be answered.
  std::optional<Answer> execute_once(const Request& request, HashValue c, Effects* effects);

  // ---- growth. Collisions are reported one message at a time, so that a burst costs few.
  void report_overflow(base::Instant now, Effects* effects);
  void on_overflow_ack(base::Instant now, const OverflowAck& ack, Effects* effects);
  // What a coordinator without memory has to know of it.
  BucketStanding standing() const;
  bool reports_settled() const { return collisions_taken_in_ == collisions_; }

  // ---- split, giving side.
  // Starts the split, or answers that it is done, or that the records are already handed over.
  void on_split_order(base::Instant now, const SplitOrder& order, Effects* effects);
  void on_split_ack(base::Instant now, const SplitRecordsAck& ack, Effects* effects);
  // The same in one step, when the new bucket is to be with this server: no record moves. Returns
  // it, live. Bound: is_before(order).
  std::unique_ptr<Bucket> divide(const SplitOrder& order, Effects* effects);
  bool is_before(const SplitOrder& order) const;
  // That divide(), recovered. Nothing when it makes no sense here.
  std::unique_ptr<Bucket> recover_division(uint64_t split);
  const SplitSource* split() const { return split_.get(); }

  // ---- split, receiving side.
  // True when this message made the bucket live: the caller then replays held().
  bool on_split_records(const SplitRecords& message, Effects* effects);
  // Keeps a Request or Scan until the bucket is live; false when the bound is reached.
  bool hold(OwnedMessage message);
  std::deque<OwnedMessage> take_held();
  uint64_t receiving_split() const { return target_split_; }

  // ---- scan. [from, last] lies in the interval of the bucket. False: too many scans. One that
  // clears the bucket does so here and now, and leaves the freeing for later.
  bool start_scan(base::Instant now, const Scan& scan, ReversedHash from, ReversedHash last,
                  Effects* effects);
  void on_scan_more(base::Instant now, const ScanMore& more, Effects* effects);

  // One slice of the long work at hand, and whether there is any: what waits for a message or for
  // time to pass is none.
  void turn(base::Instant now, Effects* effects);
  bool has_work() const;
  void tick(base::Instant now, Effects* effects);

 private:
  // The record of the key, unless it has expired.
  std::optional<table::Record> find_record(HashValue c, std::string_view key) const;
  bool erase(HashValue c, std::string_view key, Effects* effects);
  Answer execute_rarer(const Operation& asked, Effects* effects);
  Answer increment(const Operation& asked, Effects* effects);
  Answer append(const Operation& asked, Effects* effects);
  Answer set(const Operation& asked, Effects* effects);
  Answer expire(const Operation& asked, Effects* effects);
  Answer take(const Operation& asked, Effects* effects);
  Answer read_range(const Operation& asked) const;
  Answer write_range(const Operation& asked, Effects* effects);
  Answer expiry(const Operation& asked);
  Answer increment_float(const Operation& asked, Effects* effects);
  Answer read_bits(const Operation& asked);
  Answer write_bits(const Operation& asked, Effects* effects);
  std::optional<HashValue> place(std::string_view key) const;
  Answer insert_all(const Operation& asked, Effects* effects);
  Answer move(const Operation& asked, Effects* effects);
  Answer combine_bits(const Operation& asked, Effects* effects);
  Answer common(const Operation& asked);
  std::string_view say(int64_t number);
  std::string_view say(std::string_view value);
  // For what an answer says; what was large once is not kept.
  static std::string& emptied(std::string* said);
  Answer watch(const Operation& asked, Effects* effects);
  Answer transact(const Operation& asked, Effects* effects);
  class Lengths;
  Code judge_transaction(std::string_view bytes, Effects* effects);
  bool drop_expired(HashValue c, std::string_view key, Effects* effects);
  void put(HashValue c, const table::Record& record, Effects* effects);
  void tell_of_put(HashValue c, const table::Record& record, Effects* effects);
  void tell_of_erase(HashValue c, std::string_view key, Effects* effects);
  void sweep(Effects* effects);
  std::string* record(RecordKind kind, Effects* effects);
  bool take_state(const BucketState& state);
  bool take_changes(std::string_view changes);
  table::HashTable* table_of(HashValue c);
  BucketMark sibling() const;
  table::HashTable empty_table() const;
  void clear(const Scan& scan, ReversedHash from, ReversedHash last, Effects* effects);
  void count_collision(Effects* effects);
  void send_report(base::Instant now, Effects* effects);
  void give_up_half();
  void hand_over(base::Instant now, Effects* effects);
  ReversedHash middle() const;
  uint64_t take_share(uint64_t leaving);
  void pass_scans_on(ReversedHash mid, NodeId node, Effects* effects);
  std::unique_ptr<Bucket> halve(uint64_t split);
  ScanJob::View view() const;
  size_t count_open_scans() const;
  void turn_scans(base::Instant now, Effects* effects);

  // Handed over, kept until the target has it.
  struct Departing {
    explicit Departing(table::HashTable records) : table(std::move(records)) {}
    table::HashTable table;
    Dedup dedup;
  };

  const Host& host_;
  Position logged_;
  BucketMark mark_;
  bool live_ = true;
  table::HashTable table_;
  Dedup dedup_;
  char said_[kNumberBytesMax];  // the number in the latest answer
  std::string said_value_;      // the value in it, when the record has changed since
  std::string said_parts_;      // or those of a transaction
  Watches watches_;

  uint64_t collisions_ = 0;
  uint64_t collisions_taken_in_ = 0;  // by the coordinator
  uint64_t answered_ = 0;             // collisions whose splits are done
  uint64_t overdue_ = 0;              // inserts beyond the capacity that wait to be reported
  bool report_under_way_ = false;     // until its split is done
  base::Instant reported_at_;

  std::unique_ptr<SplitSource> split_;
  std::optional<Departing> departing_;
  std::vector<table::HashTable> cleared_;  // to be freed, a slice at a time
  NodeId resumed_target_ = NodeId::kNone;  // of a split that was handed over before resume()
  uint64_t resumed_split_ = 0;
  uint64_t split_done_ = 0;  // number of the last split that was completed

  ReversedHash sweep_at_ = 0;  // where the search for what has expired goes on
  bool sweeping_ = false;      // it has just found some
  uint64_t expired_ = 0;

  uint64_t target_split_ = 0;
  uint64_t target_stream_ = 0;
  uint32_t target_next_batch_ = 0;
  std::deque<OwnedMessage> held_;
  size_t held_bytes_ = 0;

  std::list<ScanJob> scans_;
};

}  // namespace lh::core
