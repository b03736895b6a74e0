// Every bound of the protocol core, with the relations that make them sound. A bound is what keeps
// a bad or slow peer from costing anyone else memory or time; nothing in the core grows without
// one of these.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lh::core {

// Keys and values (interface: 0 to 65,535 bytes and 0 to 8 MiB).
inline constexpr size_t kKeyBytesMax = 65'535;
inline constexpr size_t kValueBytesMax = size_t{8} << 20;

// A frame's length has a zero first byte, so that it can share a port with text protocols.
inline constexpr size_t kFrameBytesMax = (size_t{1} << 24) - 1;
static_assert(kKeyBytesMax + kValueBytesMax + 1024 < kFrameBytesMax,
              "the largest record must fit a frame with its message around it");

// "host:port" as text.
inline constexpr size_t kAddressBytesMax = 255;

// The theorem of the paper: a request is forwarded at most twice while one split at a time is
// under way.
inline constexpr unsigned kForwardsMax = 2;

// Requests that a client may have under way. A bucket keeps at most that many answers per client.
inline constexpr uint64_t kClientWindowMax = 16'384;
// And the bytes of their keys and values; the request that goes beyond is the last one let in.
inline constexpr size_t kClientBytesMax = size_t{32} << 20;

// Of an operation, besides key and value.
inline constexpr size_t kArgsBytesMax = 1'024;

// The value in an answer to a mutation, which is remembered with its code: the record's, or a
// number. And what a bucket remembers of them for one client: one that has more under way has given
// up its claim to the oldest.
inline constexpr size_t kAnswerBytesMax = kValueBytesMax;
inline constexpr size_t kNumberBytesMax = 24;
// The longest text that is read as a number with a point, or written as one.
inline constexpr size_t kFloatBytesMax = 5'120;
inline constexpr size_t kDedupClientBytesMax = size_t{64} << 20;
static_assert(kDedupClientBytesMax >= 2 * kAnswerBytesMax);

// Clients whose answers a bucket remembers; beyond it the one silent for the longest is forgotten.
inline constexpr size_t kDedupClientsMax = 4'096;

// Split stream: bytes of a batch (one larger record makes a larger batch), batches and bytes under
// way beyond which the walk waits, and the bytes that changes may pile up to for a slow target
// before the stream starts again.
inline constexpr size_t kSplitBatchBytes = size_t{64} << 10;
inline constexpr size_t kSplitWindowBatches = 16;
inline constexpr size_t kSplitPendingBytesMax = size_t{256} << 20;
inline constexpr size_t kSplitWindowBytes = size_t{4} << 20;
static_assert(kSplitWindowBytes + 16 * kValueBytesMax < kSplitPendingBytesMax,
              "the walk alone, which goes by slots of the table, must not start a stream again");
static_assert(kSplitBatchBytes + kKeyBytesMax + kValueBytesMax + 4096 < kFrameBytesMax);

// Bytes of records that one slice of long work (split, scan, freeing) handles in a turn: about
// 100 microseconds of work.
inline constexpr size_t kSliceBytes = size_t{64} << 10;

// Requests that reach a bucket between the parent's hand-over and its own going live.
inline constexpr size_t kHeldRequestsMax = 4'096;
inline constexpr size_t kHeldBytesMax = size_t{16} << 20;

// Scans.
inline constexpr size_t kScanBatchBytes = size_t{64} << 10;
inline constexpr size_t kScansPerBucketMax = 256;
// Every bucket gets a copy of the pattern: with 22,000 buckets one of 60,000 bytes was 1.3 GB on
// the way, and nodes that were busy with it seemed to be dead.
inline constexpr size_t kScanPatternBytesMax = 4'096;
inline constexpr size_t kScanResultBytesMax = size_t{256} << 20;
static_assert(kScanBatchBytes + kKeyBytesMax + kValueBytesMax + 4096 < kFrameBytesMax);

// Entries of the address book in one message: 4 bytes each, far below a frame.
inline constexpr size_t kBookEntriesMax = 65'536;

// Askers that wait for the file to settle; beyond it the first one is given up.
inline constexpr size_t kSettlersMax = 1'024;

// Nodes that a coordinator registers.
inline constexpr size_t kNodesMax = 4'096;
static_assert(kNodesMax * (kAddressBytesMax + 16) < kFrameBytesMax,
              "the list of nodes must fit a frame");

}  // namespace lh::core
