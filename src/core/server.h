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
#include <unordered_map>

#include "base/clock.h"
#include "core/address_book.h"
#include "core/bucket.h"
#include "core/effects.h"
#include "core/message.h"
#include "table/arena.h"

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

  // Until configure() the server has no bucket and answers that it has none.
  Server() = default;
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // The node got its number and the file's options. Called once, before the first bucket.
  void configure(NodeId self, const FileOptions& options);
  // The first bucket of a file, at the coordinator's node.
  void create_bucket(BucketMark mark);

  void step(base::Instant now, const Message& message, Effects* effects);

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

  // Executes a request that is known to belong to `bucket`, and reports the collision it may cause.
  Bucket::Answer execute(base::Instant now, Bucket* bucket, Op op, HashValue c,
                         std::string_view key, std::string_view value, Effects* effects);

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
  // Everything else is for the coordinator, a client or the link: a peer's mistake.
  template <typename T>
  void on(base::Instant, const T&, Effects*) {
    ++counters_.rejected;
  }

  void forward(const Request& m, BucketMark from, BucketNo to, Effects* effects);
  void reply(const Request& m, Code code, BucketMark bucket, std::string_view value,
             Effects* effects);
  void replay(base::Instant now, Bucket* bucket, Effects* effects);
  void name_self(BookPart* part) const;
  void propagate(const Scan& m, BucketMark mark, Effects* effects);
  void scan_failed(const Scan& m, Code code, Effects* effects);
  // Whether the map has bucket a at another node.
  bool is_elsewhere(BucketNo a) const;
  void drop_displaced();

  Bucket::Host host_;
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

}  // namespace lh::core
