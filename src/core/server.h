// Server: the buckets of one worker and the server side of LH* around them: A2 on every keyed
// request, forwarding, IAMs, the propagation of scans by levels.
//
// A pure state machine: step() takes a message and says in Effects what to send. It knows no
// sockets and no clock; equal inputs give equal outputs. A node has one Server per worker; which
// Server has which bucket is the shell's business. Used by one thread.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>

#include "base/clock.h"
#include "core/address_book.h"
#include "core/bucket.h"
#include "core/change.h"
#include "core/effects.h"
#include "core/journal.h"
#include "core/message.h"
#include "table/arena.h"
#include "table/look_ahead.h"

namespace lh::core {

class Server {
 public:
  struct Counters {
    uint64_t requests = 0;  // keyed requests executed here
    uint64_t forwards = 0;  // keyed requests sent on
    uint64_t retries = 0;   // requests sent back after two forwards
    uint64_t splits = 0;    // splits completed with this server as the source
    uint64_t rejected = 0;  // messages that made no sense here
  };

  // Which server of the node has a new bucket is the shell's business.
  class Placement {
   public:
    // Whether bucket a, which is the node's, is to be this server's: then it is, from now on.
    virtual bool claim(BucketNo a) = 0;
    // It was when the journal was written.
    virtual void on_recovered(BucketNo a) = 0;

   protected:
    ~Placement() = default;
  };

  // Until configure() the server has no bucket and answers that it has none.
  Server() = default;
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // The node got its number and the file's options. Called once, before the first bucket. effects:
  // for the journal, if there is one.
  void configure(NodeId self, const FileOptions& options, Effects* effects = nullptr);
  // Which one of the node's servers this is, and how many there are. By default the only one.
  void set_place(uint32_t server, uint32_t servers) { server_ = server, servers_ = servers; }
  // Without one, every new bucket gets its records by messages. Outlives the server.
  void set_placement(Placement* placement) { placement_ = placement; }
  // The first bucket of a file, at the coordinator's node.
  void create_bucket(BucketMark mark, Effects* effects = nullptr);
  // What a peer tells of the address book.
  void learn(const BookPart& part, Effects* effects);

  // ---- durability (core/journal.h)
  // Before the first step, in order: the records of a journal. False when one makes no sense.
  bool recover(uint64_t stream, std::string_view record);
  // For one of the next of them: see Bucket::look_ahead().
  const table::HashTable* look_ahead(uint64_t stream, std::string_view record, HashValue* c);
  // Behind the last of them. boot: which start of the node this is, more than at any start before.
  void resume(uint32_t boot, Effects* effects);
  const Boot& boot() const { return host_.boot; }
  // Records that a server is made of, all but what its buckets hold: those are walked through.
  template <typename Append>
  void snapshot_states(Append append) const;

  void step(base::Instant now, const Message& message, Effects* effects);
  // The request is one of the next. Hashes its key, if a bucket here is asked for it.
  void look_ahead(Request* request, table::LookAhead* ahead);

  // The shell could not deliver a message that an earlier step sent: its node is down.
  void undeliverable(base::Instant now, const Message& message, Effects* effects);

  // One slice of long work. Called after a step that asked for it (Effects::want_turn), and again
  // as long as it asks.
  void turn(base::Instant now, Effects* effects);
  // About twenty times a second: repeats what was lost.
  void tick(base::Instant now, Effects* effects);

  // The bucket with this address, or nullptr. For the front, which executes what is local without
  // a message, and for checkers.
  Bucket* find(BucketNo a);
  const std::map<BucketNo, std::unique_ptr<Bucket>>& buckets() const { return buckets_; }

  NodeId self() const { return host_.node; }
  const FileOptions& options() const { return host_.options; }
  AddressBook& book() { return book_; }
  const AddressBook& book() const { return book_; }
  const Counters& counters() const { return counters_; }
  NodeStats stats() const;
  // Records of its buckets that have gone because they expired, since the process began.
  uint64_t expired() const;

  // Bytes of memory in the tables of all buckets; and in the answers that they remember, as far as
  // that can be told: it takes a look at every client of every bucket.
  uint64_t table_bytes() const { return arena_.allocated_bytes(); }
  uint64_t remembered_bytes() const;
  // The shell has counted, and there is no room for more: until it says otherwise operations that
  // may need memory are answered kFull. Reads, deletes and splits go on.
  void set_full(bool full) { host_.full = full; }
  // The log does not take more for now: mutations are answered kNoSpace. Reads and splits go on.
  void set_disk_full(bool full) { host_.disk_full = full; }
  // What to add to the time that steps are given to have the Unix time, which records expire by.
  // As clocks are set and drift it is told again, about as often as tick().
  void set_unix_offset(base::Duration offset) { host_.unix_offset = offset; }
  ExpiryMs unix_ms(base::Instant now) const { return to_unix_ms(now, host_.unix_offset); }

  // Executes a request that is known to belong to `bucket`, and reports the collision it may cause.
  Bucket::Answer execute(base::Instant now, Bucket* bucket, const Operation& asked,
                         Effects* effects);

 private:
  void on(base::Instant now, const Request& m, Effects* effects);
  void on(base::Instant now, const Scan& m, Effects* effects);
  void on(base::Instant now, const ScanMore& m, Effects* effects);
  void on(base::Instant now, const SplitOrder& m, Effects* effects);
  void on(base::Instant now, const SplitRecords& m, Effects* effects);
  void on(base::Instant now, const SplitRecordsAck& m, Effects* effects);
  void on(base::Instant now, const OverflowAck& m, Effects* effects);
  void on(base::Instant now, const BookUpdate& m, Effects* effects);
  void on(base::Instant now, const BookQuery& m, Effects* effects);
  void on(base::Instant now, const StandingQuery& m, Effects* effects);
  // Everything else is for the coordinator, a client or the link: a peer's mistake.
  template <typename T>
  void on(base::Instant, const T&, Effects*) {
    ++counters_.rejected;
  }

  std::optional<BucketNo> ancestor_of(BucketNo a) const;
  void forward(const Request& m, BucketMark from, BucketNo to, Effects* effects);
  void reply(const Request& m, Code code, BucketMark bucket, std::string_view value,
             Effects* effects);
  bool recover_node(std::string_view record);
  bool recover_bucket(BucketNo a, std::string_view record);
  bool recover_division(BucketNo a, std::string_view record);
  bool divides_here(const Bucket& bucket, const SplitOrder& order);
  Bucket* add(BucketNo a, std::unique_ptr<Bucket> bucket);
  void replay(base::Instant now, Bucket* bucket, Effects* effects);
  void name_self(BookPart* part) const;
  void propagate(const Scan& m, BucketMark mark, Effects* effects);
  void scan_failed(const Scan& m, Code code, Effects* effects);
  // Whether the map has bucket a at another node.
  bool is_elsewhere(BucketNo a) const;
  bool is_from_a_lost_life(const SplitRecords& m) const;
  void drop_displaced(Effects* effects);

  Bucket::Host host_{NodeId::kNone, {}, {}, &arena_, &book_};
  Position logged_;  // of the node's own stream
  // Since a coordinator without memory asked: streams from its node of earlier starts are refused.
  uint64_t boot_of_coordinator_min_ = 0;
  uint64_t asked_by_ = 0;
  uint32_t server_ = 0;
  uint32_t servers_ = 1;
  Placement* placement_ = nullptr;
  table::Arena arena_;
  AddressBook book_;
  // Ordered, so that turns and ticks go through the buckets in the same order everywhere.
  std::map<BucketNo, std::unique_ptr<Bucket>> buckets_;
  std::unordered_map<BucketNo, Bucket*> index_;
  BucketNo turn_next_ = 0;
  // What the latest replay() executed: its effects may borrow from there until the next step.
  std::deque<OwnedMessage> replayed_;
  bool replaying_ = false;
  Counters counters_;
};

template <typename Append>
void Server::snapshot_states(Append append) const {
  std::string record;
  const auto add = [&](uint64_t stream) {
    append(stream, std::string_view(record));
    record.clear();
  };
  if (host_.node == NodeId::kNone) return;
  append_identity(&record, {host_.node, host_.options});
  add(kNodeStream);
  append_boot(&record, host_.boot.number);
  add(kNodeStream);
  BookPart book = book_.part_from(0, kBucketsMax);
  book.nodes.clear();
  for (const auto& [id, node] : book_.nodes()) book.nodes.push_back(node);
  append_book(&record, book);
  add(kNodeStream);
  const auto add_bucket = [&](BucketNo a, const BucketState& state, const Dedup& dedup,
                              uint64_t records) {
    append_state(&record, state);
    add(stream_of(a));
    append_room(&record, records);
    add(stream_of(a));
    begin_record(&record, RecordKind::kChanges);
    dedup.visit([&](ClientId client, uint64_t acked,
                    uint64_t cleared) { append_client(&record, client, acked, cleared); },
                [&](ClientId client, uint64_t seq, Code code, std::string_view value) {
                  append_answer(&record, client, seq, code, value);
                });
    add(stream_of(a));
  };
  for (const auto& [a, bucket] : buckets_) {
    const std::optional<BucketState> before = bucket->state_before();
    if (before) add_bucket(a, *before, bucket->dedup_before(), 0);
    add_bucket(a, bucket->state(), bucket->dedup(), bucket->records());
  }
}

}  // namespace lh::core
