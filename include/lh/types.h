// The vocabulary of an LH* file: names for the numbers that every part passes around.
//
// Symbols in the comments are those of Litwin, Neimat and Schneider, "LH*: A Scalable, Distributed
// Data Structure" (ACM TODS 21(4), 1996). Everything here is a plain value: free to copy, safe to
// share between threads when it is not written.
#pragma once

#include <compare>
#include <cstdint>

namespace lh {

// c: the 64-bit hash of a key. LH* takes its low bits. The function is frozen: see base/hash.h.
using HashValue = uint64_t;

// r = reverse64(c): the key as a point of the reversed key space, where a bucket is an interval.
using ReversedHash = uint64_t;

// a: the address of a bucket, 0 <= a < kBucketsMax. Addresses are dense: a file of M buckets has
// exactly 0..M-1.
using BucketNo = uint64_t;

// j (of a bucket) or i (of a file or an image): how many low bits of c are in use, 0..kLevelMax.
using Level = uint8_t;

// The deepest level a file can reach. A bound for decoders and shifts, not a practical limit:
// 2^40 buckets of the smallest capacity are more than any machine park holds.
inline constexpr Level kLevelMax = 40;
inline constexpr uint64_t kBucketsMax = uint64_t{1} << kLevelMax;

// A node (a process that hosts buckets) of one file system of LH* files, numbered by the
// coordinator in order of registration from 1 on. Not an integer, so that it cannot be mistaken
// for a bucket.
enum class NodeId : uint32_t { kNone = 0 };

// A bucket as it describes itself, in an IAM for example: its address and its level.
struct BucketMark {
  BucketNo a = 0;
  Level j = 0;
  friend constexpr auto operator<=>(const BucketMark&, const BucketMark&) = default;
};

// The file state (i, n) that the coordinator holds, and equally an image (i', n') of it: level and
// split pointer. Invariant of a state reached by splits: n < 2^i. It starts as (0, 0): bucket 0
// only.
struct FileState {
  Level i = 0;
  BucketNo n = 0;
  friend constexpr auto operator<=>(const FileState&, const FileState&) = default;
};

}  // namespace lh
