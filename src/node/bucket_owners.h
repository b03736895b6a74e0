// BucketOwners: which worker of this process has which bucket. The one thing that the workers of a
// node share: read for every request that arrives, written when a bucket is made.
//
// find() takes no lock and may be called by any thread; claim() is for the rare moment of a split.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/mutex.h"
#include "lh/types.h"

namespace lh::node {

class BucketOwners {
 public:
  // 1 <= workers <= 255.
  explicit BucketOwners(size_t workers);
  ~BucketOwners();
  BucketOwners(const BucketOwners&) = delete;
  BucketOwners& operator=(const BucketOwners&) = delete;

  // The worker of bucket a; nothing when no worker of this node was given it.
  std::optional<size_t> find(BucketNo a) const;

  // The same, but a bucket that nobody has goes to the worker with the fewest, or to the preferred
  // one when that has hardly more. Nothing when the bucket number is beyond what a node can hold
  // (2^32).
  std::optional<size_t> claim(BucketNo a, std::optional<size_t> preferred = std::nullopt);

  // Gives bucket a to this worker, whoever had it. False when the number is beyond that.
  bool give(BucketNo a, size_t worker);

 private:
  void set(BucketNo a, size_t worker) LH_REQUIRES(mutex_);

  static constexpr unsigned kChunkBits = 12;
  static constexpr size_t kChunkSize = size_t{1} << kChunkBits;
  static constexpr size_t kChunks = size_t{1} << 20;
  using Chunk = std::array<std::atomic<uint8_t>, kChunkSize>;  // worker + 1; 0: nobody

  base::Mutex mutex_;
  std::vector<uint64_t> counts_ LH_GUARDED_BY(mutex_);  // buckets of each worker
  // Zero pages until a bucket of a chunk is made.
  std::atomic<Chunk*>* chunks_;
};

}  // namespace lh::node
