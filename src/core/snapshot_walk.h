// SnapshotWalk: writes down what a server holds, in slices between its other work, so that the log
// before the first slice is not needed any more (core/journal.h). The states of all buckets are
// taken at once at the beginning; then the walk goes through the records that they had, wherever
// splits put them meanwhile: what leaves this server during the walk is in the log, as is all that
// comes. A pure state machine over a const Server; one thread.
#pragma once

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
      rests_.push_back({a, has});
    }
  }

  // About bytes_max of records go to append(stream, record). False when it was the last slice.
  template <typename Append>
  bool slice(Server* server, size_t bytes_max, Append append) {
    if (next_ == rests_.size()) return false;
    Rest& rest = rests_[next_];
    const Bucket* bucket = server->find(rest.bucket);
    std::optional<ReversedHash> more;
    if (bucket != nullptr) {
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
    BucketNo bucket;
    Interval left;
  };
  std::vector<Rest> rests_;  // by bucket
  size_t next_ = 0;
  std::string record_;
};

}  // namespace lh::core
