// SplitSource: the giving side of a split. It streams the moving half of a bucket to the target in
// batches while the bucket goes on serving, repeats on the same stream every change to a key that
// it has already sent, and closes the stream with the batch that makes the target live.
//
//   kStreaming --(everything sent, and what was walked acknowledged)--> ready_to_close()
//   close(): the last batch goes out, with the remembered answers         kClosed
//   the target acknowledged it                                            kDone
//
// The bucket hands the moving half over with close(). A source that comes back from its journal
// after that sends all of it again, as a new stream: then it is handed over from the beginning.
//
// Until close() the split can be dropped without a trace; after it only the target can end it.
// Loss is mended by going back to the last acknowledged batch; a target too slow for the changes
// (kSplitPendingBytesMax) makes the stream start again, and so does one that has lost what it had:
// also after the hand-over. Owned by its bucket.
#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "base/clock.h"
#include "core/dedup.h"
#include "core/effects.h"
#include "core/message.h"
#include "lh/address.h"
#include "table/hash_table.h"

namespace lh::core {

class SplitSource {
 public:
  // boot: of the source's node; streams of later ones have higher numbers. Outlives the source.
  SplitSource(const SplitOrder& order, NodeId self, const Boot& boot);
  // The split that had been handed over when the journal ended.
  static SplitSource resumed(const SplitOrder& order, NodeId self, const Boot& boot);

  // The start of the source's node that a stream with this number is of.
  static uint64_t boot_of(uint64_t stream);

  uint64_t split() const { return split_; }
  BucketNo target() const { return target_.a; }
  NodeId target_node() const { return target_node_; }
  bool handed_over() const { return handed_over_; }
  bool streaming() const { return phase_ == Phase::kStreaming; }
  bool done() const { return phase_ == Phase::kDone; }
  uint64_t stream() const { return stream_; }

  // Sends what the window allows: the next piece of the walk through `table`, and pending changes.
  // True while it could go on at once.
  bool slice(base::Instant now, const table::HashTable& table, Effects* effects);

  // Whether slice() would do something, or the hand-over is next.
  bool can_go_on() const;

  // A change that the bucket has just applied to a record of its own. Bound: !handed_over().
  void on_put(ReversedHash r, const table::Record& record);
  void on_erase(ReversedHash r, std::string_view key);
  void on_expire(ReversedHash r, std::string_view key, table::ExpiryMs expiry);

  // The bucket has lost all its records at once: the stream starts again. Bound: !handed_over().
  void on_clear() { start_again(); }

  // Everything has been walked and sent, and the last batch would go out at once. The target has
  // acknowledged all that was walked: one that died before it said a word gets no bucket.
  bool ready_to_close() const;
  // Bound: ready_to_close(). From here on the bucket forwards what belongs to the target.
  // overdue: the target's share of the inserts that wait to be reported as collisions.
  void close(base::Instant now, const Dedup& dedup, uint64_t overdue, Effects* effects);

  void on_ack(base::Instant now, const SplitRecordsAck& ack, Effects* effects);

  // Repeats what has not been acknowledged for too long.
  void tick(base::Instant now, Effects* effects);

 private:
  enum class Phase : uint8_t { kStreaming, kClosed, kDone };
  struct Batch {
    uint32_t number = 0;
    bool last = false;
    std::string changes;
  };

  bool window_open() const;
  bool walk_acknowledged() const;
  bool is_moving(ReversedHash r) const { return moving_.contains(r); }
  bool was_walked(ReversedHash r) const { return walk_done_ || r < cursor_; }
  template <typename Append>
  void add(Append append);
  template <typename Append>
  void repeat(ReversedHash r, Append append);
  void close_batch(bool last);
  void send_unsent(base::Instant now, size_t window, Effects* effects);
  void send(const Batch& batch, Effects* effects) const;
  void start_again();

  static const size_t kWindow;

  uint64_t split_;
  BucketNo source_;
  NodeId self_;
  const Boot* boot_;
  BucketMark target_;
  NodeId target_node_;
  Interval moving_;  // the upper half of the source's interval

  Phase phase_ = Phase::kStreaming;
  bool handed_over_ = false;
  uint64_t stream_;
  ReversedHash cursor_;  // everything below has been walked
  bool walk_done_ = false;
  uint32_t walk_end_ = 0;  // number of the first batch behind the walk, when that is done

  std::string open_;           // changes not yet in a batch
  std::deque<Batch> batches_;  // not yet acknowledged, oldest first
  size_t unsent_ = 0;          // how many at the back of batches_ have not been sent
  size_t pending_bytes_ = 0;   // in batches_ and open_
  uint32_t next_number_ = 0;
  uint64_t overdue_ = 0;
  base::Instant progress_at_;
};

}  // namespace lh::core
