// The messages of the protocol, one struct each. See PROTOCOL.md for who sends what when, and
// src/wire/FORMAT.md for the bytes.
//
// A message is a value that borrows: string_views point into the buffer it was decoded from or
// into the table of the bucket that made it. They hold until the step that received the message
// returns, or until the effects that carry it are run, whichever the case. Whoever needs them
// longer copies.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/book_part.h"
#include "core/file_options.h"
#include "core/op.h"
#include "core/reply_path.h"
#include "core/standing.h"
#include "lh/types.h"

namespace lh::core {

// --------------------------------------------------------------------------- keyed requests

// Client -> bucket, and bucket -> bucket when it is forwarded (then hops > 0).
struct Request {
  ReplyPath from;
  uint64_t seq = 0;    // of this client, from 1 on; a retry repeats it
  uint64_t acked = 0;  // every request of this client below this number has been answered
  Op op = Op::kRead;
  BucketNo to = 0;       // the bucket it is addressed to: A1 at the client, A2 at a forwarder
  uint64_t known = 0;    // the client knows the nodes of buckets 0..known-1
  uint8_t hops = 0;      // forwards so far
  BucketMark forwarder;  // the last forwarder, when hops > 0
  std::string_view key;
  std::string_view value;
  std::string_view args = {};  // of the operation: see operation.h
  // Of the key, when this process has hashed it already; not sent.
  std::optional<HashValue> c = {};
};

// Bucket -> client. Carries the IAM when the request was forwarded.
struct Reply {
  ReplyPath to;
  uint64_t seq = 0;
  Code code = Code::kOk;
  BucketMark bucket;  // who answers (kDown, kNoBucket: who was not there, level unknown)
  NodeId node = NodeId::kNone;
  uint8_t hops = 0;
  BucketMark iam;  // the last forwarder; meaningful when hops > 0
  std::string_view value;
  BookPart book;  // buckets that the client lacks, only beside an IAM
};

// ----------------------------------------------------------------------- growth: bucket <-> SC

// Bucket -> coordinator. `collisions` counts since the bucket was made, so that a lost or repeated
// report does no harm: the coordinator owes the difference to what it saw last.
struct Overflow {
  BucketNo bucket = 0;
  Level level = 0;
  uint64_t records = 0;
  uint64_t collisions = 0;
};
// Coordinator -> bucket, twice a report: collisions up to this count have been taken in, and the
// splits for those up to `done` are done. A bucket reports one collision at a time.
struct OverflowAck {
  BucketNo bucket = 0;
  uint64_t collisions = 0;
  uint64_t done = 0;
};

// Coordinator -> bucket n, repeated until SplitDone. `book` tells every bucket below `target` that
// the node may lack: after the split this bucket may have to forward to any of them.
struct SplitOrder {
  uint64_t split = 0;   // number of this attempt, growing; never used again
  BucketMark source;    // n and its level before the split
  BucketNo target = 0;  // n + 2^i
  NodeId target_node = NodeId::kNone;
  BookPart book;
};
// Bucket n -> coordinator: the records were handed over to the target of attempt `split`, which
// cannot be changed any more; with `live` the target has said that it serves them. The target is
// named for a coordinator that never gave that order, because another life of it did.
struct SplitDone {
  uint64_t split = 0;
  BucketNo source = 0;
  bool live = true;
  BucketNo target = 0;
  NodeId target_node = NodeId::kNone;
};
// Source -> target: the moving half as a stream of batches. Batch 0 opens it, the one with `last`
// set makes the target live. A higher `stream` starts again from nothing.
struct SplitRecords {
  uint64_t split = 0;
  uint64_t stream = 0;
  uint32_t batch = 0;
  bool last = false;
  BucketNo source = 0;
  NodeId source_node = NodeId::kNone;
  BucketMark target;     // address and level that it will have
  uint64_t overdue = 0;  // with `last`: the target's share of the inserts that wait to be reported
  std::string_view changes;  // see core/change.h
};
// Target -> source: every batch up to and including this one has been applied. kNoBatch: the target
// has nothing of this stream, and got what is not its beginning: it has to start again.
inline constexpr uint32_t kNoBatch = ~uint32_t{0};
struct SplitRecordsAck {
  uint64_t split = 0;
  uint64_t stream = 0;
  uint32_t batch = 0;
  BucketNo source = 0;
};

// ---------------------------------------------------------------------------------------- scan

enum class ScanKind : uint8_t {
  kRecords,  // the records that match
  kStats,    // per bucket: level, node, records, bytes
  kSettle,   // kStats, answered only when the bucket's overflow reports have been taken in
  kClear,    // erases all records, at most once a scan and bucket; answered with their number
  kKeys,     // kRecords without their values
};
constexpr bool gives_records(ScanKind kind) {
  return kind == ScanKind::kRecords || kind == ScanKind::kKeys;
}
enum class ScanMatch : uint8_t { kAll, kValueContains, kKeyGlob, kValueGlob };

// Client -> bucket, then bucket -> bucket: answer for the part of [from, last] of the reversed key
// space that is yours and pass on what lies beyond, by levels (the paper's (Q, j')).
struct Scan {
  ReplyPath client;
  uint64_t scan = 0;  // number of the scan, of this client
  ScanKind kind = ScanKind::kRecords;
  ScanMatch match = ScanMatch::kAll;
  std::string_view pattern;
  BucketNo to = 0;
  Level level = 0;    // j': the level that the sender believes bucket `to` to have
  bool solo = false;  // one bucket only: do not pass on
  ReversedHash from = 0;
  ReversedHash last = ~uint64_t{0};
  // gives_records(), solo: ends, wherever that is, when about so many records have been looked at.
  // 0: when all have.
  uint64_t records_max = 0;
};
// Bucket -> client: all that matches in [from, last], in one message or, when the records are
// large, in several: chunks 0, 1, ... of which all but the final one are `partial` and count for
// nothing until that one is there. The intervals of the answers to one scan never overlap and, when
// all is said, cover the whole space: that is how the client knows.
struct ScanReply {
  ReplyPath to;
  uint64_t scan = 0;
  Code code = Code::kOk;
  BucketMark bucket;
  NodeId node = NodeId::kNone;
  ReversedHash from = 0;
  ReversedHash last = 0;
  uint64_t records = 0;   // kStats: records of the bucket in [from, last]; kClear: erased ones
  uint64_t bytes = 0;     // kStats: their keys and values
  uint64_t expiring = 0;  // kStats: how many of them expire
  uint64_t overdue = 0;   // kSettle: inserts beyond the capacity that wait to be reported
  bool more = false;      // the bucket waits for ScanMore before it goes on
  uint32_t chunk = 0;
  bool partial = false;
  std::string_view matches;  // records as in core/change.h
  BookPart book;             // where the bucket is, beside `more`: ScanMore has to get there
};
// Client -> bucket: go on with the scan after `after`.
struct ScanMore {
  ClientId client = 0;
  uint64_t scan = 0;
  BucketNo to = 0;
  ReversedHash after = 0;
};

// --------------------------------------------------------------------- nodes and the coordinator

struct NodeStats {
  uint64_t buckets = 0;
  uint64_t records = 0;
  uint64_t bytes = 0;
  bool full = false;  // it refuses what needs more memory, or more of the disk
};

// Node -> coordinator, once a connection. `incarnation` is a random number of the process: a node
// that lost its memory is a new node.
struct Register {
  ReplyPath from;
  NodeId id = NodeId::kNone;  // the number it got before, if it ever registered
  uint64_t incarnation = 0;
  uint64_t buckets_max = 0;  // 0: no limit
  std::string_view address;
};
// Coordinator -> node. Id kNone: the node's number was given by another life of the coordinator,
// and this one cannot take it in.
struct Registered {
  ReplyPath to;
  NodeId id = NodeId::kNone;
  FileOptions options;
  BookPart book;
};
// Node -> coordinator, several times a second.
struct Heartbeat {
  NodeId id = NodeId::kNone;
  uint64_t incarnation = 0;
  uint64_t known = 0;  // the node knows where buckets 0..known-1 are
  NodeStats stats;
};
// What is new in the map. Coordinator -> node: of its own accord, and for each Heartbeat (empty
// when nothing is new). Along a ReplyPath: the answer to a BookQuery.
struct BookUpdate {
  ReplyPath to;
  BookPart book;
};
// Client -> coordinator or any node: where are the buckets from `first` on?
struct BookQuery {
  ReplyPath from;
  BucketNo first = 0;
};

// Front or client -> coordinator.
enum class FileQueryKind : uint8_t { kFile, kNodes, kSettle };
struct FileQuery {
  ReplyPath from;
  uint64_t query = 0;
  FileQueryKind kind = FileQueryKind::kFile;
};
struct NodeReport {
  NodeId id = NodeId::kNone;
  bool up = true;
  std::string address;
  NodeStats stats;
};
// Coordinator -> asker. kSettle is answered when nothing is owed, or can be done about it.
struct FileReply {
  ReplyPath to;
  uint64_t query = 0;
  FileState state;
  FileOptions options;
  uint64_t splits_owed = 0;
  std::string error;  // kSettle: why what is owed cannot be done; empty when all is well
  std::vector<NodeReport> nodes;  // kNodes
};

// ----------------------------------------------------------------------------- the link itself

enum class PeerKind : uint8_t { kClient, kNode };
// The first frame of either side of a connection.
struct Hello {
  uint32_t version = 0;
  PeerKind kind = PeerKind::kClient;
  ClientId client = 0;          // kClient
  NodeId node = NodeId::kNone;  // the node that speaks
  uint64_t file = 0;            // FileOptions::id of its file; 0 as long as it has none
  std::string_view listener;    // kClient: where it can be reached; kNode: its own address
};
// The answer to a client's Hello: what it needs to be an LH* client.
struct Welcome {
  NodeId node = NodeId::kNone;
  FileOptions options;
  BookPart book;  // where bucket 0 is
};
struct Ping {
  uint64_t token = 0;
};
struct Pong {
  uint64_t token = 0;
};
// Says why a connection is about to be closed.
struct Error {
  std::string_view text;
};

using Message = std::variant<Request, Reply, Overflow, OverflowAck, SplitOrder, SplitDone,
                             SplitRecords, SplitRecordsAck, Scan, ScanReply, ScanMore, Register,
                             Registered, Heartbeat, BookUpdate, BookQuery, FileQuery, FileReply,
                             StandingQuery, Standing, Hello, Welcome, Ping, Pong, Error>;

// One line for transcripts: `Put key=12 a=4 hops=1`. Stable: scenario tests are written in it.
std::string to_string(const Message& message);
std::string to_string(Op op);
std::string to_string(Code code);
std::string to_string(BucketMark mark);
std::string to_string(FileState state);

}  // namespace lh::core
