// FileCall: a question about the file as a whole, as a client or front asks it: SCAN, COUNT, FILE,
// BUCKETS, BUCKET, NODES, SETTLE, and to clear it. Each is a scan, a question to the coordinator,
// or both:
//
//   SCAN, COUNT, BUCKETS   scan
//   clear                  scan that erases
//   BUCKET a               scan of the interval of bucket a only
//   keys, some             scan for keys; from a point on, as far as one bucket gives them at a
//   time FILE, NODES            coordinator, then scan for counts SETTLE                 scan that
//   waits for every overflow report to be taken in, then coordinator
//
// Owned by a ClientCore; no I/O.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/clock.h"
#include "core/call_context.h"
#include "core/message.h"
#include "core/scan_call.h"

namespace lh::core {

struct FileRequest {
  enum class Kind : uint8_t {
    kScan,
    kCount,
    kFile,
    kBuckets,
    kBucket,
    kNodes,
    kSettle,
    kClear,
    kKeys,
    kSome,
  };
  Kind kind = Kind::kCount;
  ScanMatch match = ScanMatch::kAll;  // kScan, kKeys, kSome
  std::string pattern;                // the same
  BucketNo bucket = 0;                // kBucket
  ReversedHash from = 0;              // kSome
  uint64_t records_max = 1;           // kSome: about so many are looked at; not 0
};

// The outcome. Records of a scan have been handed out piece by piece before.
struct FileResult {
  enum class Outcome : uint8_t { kOk, kBucketDown, kNoCoordinator, kNoSuchBucket };
  struct BucketLine {
    BucketMark mark;
    NodeId node = NodeId::kNone;
    uint64_t records = 0;
    uint64_t bytes = 0;
  };

  FileRequest request;
  Outcome outcome = Outcome::kOk;
  BucketNo down = 0;                       // kBucketDown: which
  uint64_t records = 0;                    // that matched, or that there are or were
  uint64_t expiring = 0;                   // of those that there are
  std::map<BucketNo, BucketLine> buckets;  // who answered
  FileReply file;                          // kFile, kNodes, kSettle
  ReversedHash done_up_to = 0;             // kSome
};

class FileCall {
 public:
  FileCall(uint64_t number, FileRequest request);

  void start(const CallContext& context);
  // True when a piece is complete and news: the records in m->matches are part of the result. See
  // ScanCall::on_reply().
  bool on_scan_reply(const CallContext& context, ScanReply* m);
  void on_file_reply(const CallContext& context, const FileReply& m);
  // See ScanCall.
  std::optional<BucketNo> node_unreachable(const CallContext& context, NodeId node);
  void node_down(const CallContext& context, NodeId node, base::Instant asked_at);
  void coordinator_unreachable();
  void tick(const CallContext& context);

  bool done() const { return done_; }
  // Bound: done().
  const FileResult& result() const { return result_; }

 private:
  // Scan and question of this round; the answers to those of another are told apart by it.
  uint64_t scan_number() const { return number_ | round_ << 32; }
  void start_scan(const CallContext& context);
  void look_again(const CallContext& context);
  void ask(const CallContext& context);
  void probe(const CallContext& context);
  void advance(const CallContext& context);
  void end(FileResult::Outcome outcome);

  uint64_t number_;        // below 2^32
  uint64_t round_ = 0;     // below 2^31
  uint64_t overdue_ = 0;   // of the buckets that answered in this round
  uint64_t grown_to_ = 0;  // buckets of the file at the end of the round before this one
  bool rests_ = false;     // until the next tick
  FileResult result_;
  std::optional<ScanCall> scan_;
  bool asked_ = false;
  bool answered_ = false;
  bool done_ = false;
  base::Instant started_at_;
  base::Instant asked_at_;
};

}  // namespace lh::core
