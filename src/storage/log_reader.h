// Reading a log: all records of a worker's folder in order, everything checked.
//
// A log ends where its last segment ends. Only there may something be broken, because only there
// can a crash have interrupted a write; and only if nothing proves that the broken part had been
// durable: no later frame with a `durable` at or beyond it, and not the caller, who knows it from
// the manifest or a snapshot. Then it is a torn tail, which LogTail describes and LogWriter cuts.
// A segment without an end frame may be torn like the last one if only the last one follows it:
// nothing of that had been durable, and if what is missing comes before it, it goes too.
// Everything else is damage and ends the reading with kDamaged, file and offset: bits that flipped,
// frames that are missing, twice there or in the wrong order, segments that are missing or belong
// to someone else. Nothing on disk is changed here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "storage/env.h"
#include "storage/file_format.h"

namespace lh::storage {

// Where a segment ends, and what follows there that a crash has left half written.
struct SegmentEnd {
  std::string path;
  uint64_t offset = 0;
  uint64_t torn_bytes = 0;
  uint64_t reserved_bytes = 0;  // or what was kept for later records
  uint32_t salt = 0;
  uint64_t first_sequence = 0;
  uint64_t next_sequence = 0;
  bool has_end_frame = false;
  // From here on nothing proves that what was read is on the disk: after a sync that failed a
  // system may know better than its disk what a file holds.
  uint64_t proven = 0;
};

struct LogTail {
  SegmentEnd last;
  // The segment before the last, when nothing proves that its end frame is durable.
  std::optional<SegmentEnd> before_last;
  // Or one behind the last, which follows on nothing.
  std::optional<SegmentEnd> dropped;
  uint64_t next_sequence = 0;
  bool closed = false;  // the last frame says that the node was stopped in good order

  uint64_t torn_bytes() const {
    return last.torn_bytes + (before_last.has_value() ? before_last->torn_bytes : 0) +
           (dropped.has_value() ? dropped->torn_bytes : 0);
  }
};

// Visits the records from sequence `oldest` on. `durable`: the caller knows that all records up to
// this sequence had reached the disk.
Status read_log(Env* env, const std::string& folder, const FileOwner& owner, uint64_t oldest,
                uint64_t durable, const RecordVisitor& visitor, LogTail* tail);

}  // namespace lh::storage
