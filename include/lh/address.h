// LH* addressing as pure functions, in the paper's symbols, for files that start from one bucket
// (N = 1): A1 (client), A2 (server), A3 (image adjustment), and the reversed key space in which a
// bucket is an interval. Litwin, Neimat, Schneider (TODS 1996); A3 in the improved form of the
// LH*RS paper (Litwin, Moussa, Schwarz, TODS 2005, online appendix): the IAM describes the *last*
// bucket that forwarded.
//
// All functions are total over their stated bounds, constexpr, and free of side effects.
#pragma once

#include <optional>

#include "lh/types.h"

namespace lh {

// h_i(c) = c mod 2^i. Bound: i <= kLevelMax.
constexpr BucketNo h(Level i, HashValue c) { return c & ((uint64_t{1} << i) - 1); }

// M = 2^i + n: how many buckets the file has.
constexpr uint64_t bucket_count(FileState s) { return (uint64_t{1} << s.i) + s.n; }

// The state of a file of `buckets` >= 1 buckets.
constexpr FileState state_of_count(uint64_t buckets) {
  Level i = 0;
  while ((uint64_t{2} << i) <= buckets) ++i;
  return {i, buckets - (uint64_t{1} << i)};
}

// A1: the bucket that should hold c, seen from state (or image) s.
constexpr BucketNo address(FileState s, HashValue c) {
  const BucketNo a = h(s.i, c);
  return a < s.n ? h(static_cast<Level>(s.i + 1), c) : a;
}

// j of bucket a in state (or image) s: i + 1 left of the split pointer and in the new part.
constexpr Level level_of(FileState s, BucketNo a) {
  return static_cast<Level>(a < s.n || a >= (uint64_t{1} << s.i) ? s.i + 1 : s.i);
}

// A2: where bucket `self` sends a request for c on; nothing when it is the right bucket.
// Targets are larger than self.a and at most self.a + 2^(j-1), the newest bucket when self reached
// level j: a bucket that was told of the file's buckets when it split knows them all.
constexpr std::optional<BucketNo> forward_address(BucketMark self, HashValue c) {
  const BucketNo first = h(self.j, c);
  if (first == self.a) return std::nullopt;
  if (self.j == 0) return first;
  const BucketNo second = h(static_cast<Level>(self.j - 1), c);
  return self.a < second && second < first ? second : first;
}

// A3: the image after an IAM. A mark that says nothing new leaves the image as it is; the image of
// a growing file never exceeds the file, and never shrinks: the papers' client has one request
// under way, one that has more gets IAMs that answer an image which it has no longer.
constexpr FileState adjust_image(FileState image, BucketMark iam) {
  if (iam.j <= image.i) return image;
  FileState s{static_cast<Level>(iam.j - 1), iam.a + 1};
  if (s.n >= (uint64_t{1} << s.i)) s = {static_cast<Level>(s.i + 1), 0};
  return bucket_count(s) > bucket_count(image) ? s : image;
}

// The state after the split of bucket n.
constexpr FileState after_split(FileState s) {
  return s.n + 1 == (uint64_t{1} << s.i) ? FileState{static_cast<Level>(s.i + 1), 0}
                                         : FileState{s.i, s.n + 1};
}

// The bucket that the next split creates.
constexpr BucketNo next_bucket(FileState s) { return s.n + (uint64_t{1} << s.i); }

// The bucket whose split created a: a without its top bit. Bound: a > 0.
constexpr BucketNo parent(BucketNo a) {
  BucketNo top = 1;
  while (a >> 1 >= top) top <<= 1;
  return a - top;
}

// ---------------------------------------------------------------------------------------------
// The reversed key space.

// Bit k of the result is bit 63 - k of x.
constexpr uint64_t reverse64(uint64_t x) {
  x = (x >> 1 & 0x5555555555555555) | (x & 0x5555555555555555) << 1;
  x = (x >> 2 & 0x3333333333333333) | (x & 0x3333333333333333) << 2;
  x = (x >> 4 & 0x0f0f0f0f0f0f0f0f) | (x & 0x0f0f0f0f0f0f0f0f) << 4;
  return __builtin_bswap64(x);
}

// The points first..last of [0, 2^64), both included, so that the whole space has a name.
struct Interval {
  ReversedHash first = 0;
  ReversedHash last = ~uint64_t{0};
  constexpr bool contains(ReversedHash r) const { return first <= r && r <= last; }
  friend constexpr bool operator==(const Interval&, const Interval&) = default;
};

// Bucket a of level j holds exactly the keys whose r begins with the j bits of a, reversed.
constexpr Interval interval_of(BucketMark b) {
  if (b.j == 0) return {};
  const ReversedHash first = reverse64(b.a);
  return {first, first + (~uint64_t{0} >> b.j)};
}

}  // namespace lh
