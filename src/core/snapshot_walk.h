// SnapshotWalk: writes down what a server holds, in slices between its other work, so that the log
// before the first slice is not needed any more (core/journal.h). The states of all buckets are
// taken at once at the beginning; then the walk goes through the records that they had, wherever
// splits put them meanwhile: what leaves this server during the walk is in the log, as is all that
// comes. A pure state machine over a const Server; one thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/server.h"
#include "lh/address.h"

namespace lh::core {

class SnapshotWalk {
 public:
  // Hands the states to append(stream, record).
  template <typename Append>
  SnapshotWalk(const Server& server, Append append) {
    server.snapshot_states(append);
    for (const auto& [a, bucket] : server.buckets()) {
      const BucketState state = bucket->state();
      // What was handed over and is not acknowledged is this bucket's as yet.
      const Interval has = state.split == 0
                               ? interval_of(state.mark)
                               : interval_of({state.mark.a, static_cast<Level>(state.mark.j - 1)});
      const auto level = static_cast<Level>(state.mark.j - (state.split == 0 ? 0 : 1));
      rests_.push_back({a, {a, level}, has});
    }
  }

  // About bytes_max of records go to append(stream, record). False when it was the last slice.
  template <typename Append>
  bool slice(Server* server, size_t bytes_max, Append append) {
    if (next_ == rests_.size()) return false;
    const Bucket* bucket = follow(server, next_);
    Rest& rest = rests_[next_];
    std::optional<ReversedHash> more;
    if (bucket != nullptr && rest.left.first <= rest.left.last) {
      record_.clear();
      begin_record(&record_, RecordKind::kChanges);
      more = bucket->snapshot(rest.left.first, rest.left.last, bytes_max, &record_);
      if (record_.size() > 1) append(stream_of(rest.bucket), std::string_view(record_));
    }
    if (more) {
      rest.left.first = *more;
    } else {
      ++next_;
    }
    return next_ < rests_.size();
  }

 private:
  struct Rest {
    BucketNo bucket;    // whose records they were at the beginning
    BucketMark holder;  // who has them, and its level when it was last looked at
    Interval left;
  };

  // The bucket that has the records of a rest, which is made smaller by what that bucket has
  // divided off within this server since: the new buckets get rests of their own.
  const Bucket* follow(Server* server, size_t at) {
    const Bucket* holder = server->find(rests_[at].holder.a);
    while (holder != nullptr && rests_[at].holder.j < holder->mark().j) {
      Rest& rest = rests_[at];
      const BucketMark upper{rest.holder.a + (BucketNo{1} << rest.holder.j),
                             static_cast<Level>(rest.holder.j + 1)};
      rest.holder.j = upper.j;
      const Bucket* other = server->find(upper.a);
      const Interval theirs = interval_of(upper);
      if (other == nullptr || !other->live() || rest.left.last < theirs.first) continue;
      const Rest moved{
          rest.bucket,
          upper,
          {std::max(rest.left.first, theirs.first), std::min(rest.left.last, theirs.last)}};
      rest.left.last = theirs.first - 1;
      rests_.push_back(moved);
    }
    return holder;
  }

  std::vector<Rest> rests_;  // by bucket, then what was divided off
  size_t next_ = 0;
  std::string record_;
};

}  // namespace lh::core
