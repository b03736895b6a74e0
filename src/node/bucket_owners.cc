#include "node/bucket_owners.h"

#include <algorithm>
#include <cstdlib>

#include "base/check.h"

namespace lh::node {

BucketOwners::BucketOwners(size_t workers)
    : counts_(workers),
      // calloc, so that the pages of the table are only there where chunks are.
      chunks_(static_cast<std::atomic<Chunk*>*>(std::calloc(kChunks, sizeof *chunks_))) {
  LH_CHECK(workers >= 1);
  LH_CHECK(workers <= 255);
  LH_CHECK(chunks_ != nullptr);
}

BucketOwners::~BucketOwners() {
  for (size_t k = 0; k < kChunks; ++k) delete chunks_[k].load(std::memory_order_relaxed);
  std::free(chunks_);
}

std::optional<size_t> BucketOwners::find(BucketNo a) const {
  if (a >> kChunkBits >= kChunks) return std::nullopt;
  const Chunk* chunk = chunks_[a >> kChunkBits].load(std::memory_order_acquire);
  if (chunk == nullptr) return std::nullopt;
  const uint8_t owner = (*chunk)[a % kChunkSize].load(std::memory_order_acquire);
  if (owner == 0) return std::nullopt;
  return owner - size_t{1};
}

std::optional<size_t> BucketOwners::claim(BucketNo a, std::optional<size_t> preferred) {
  if (const std::optional<size_t> owner = find(a)) return owner;
  if (a >> kChunkBits >= kChunks) return std::nullopt;
  const base::MutexLock lock(mutex_);
  if (const std::optional<size_t> owner = find(a)) return owner;  // another worker was faster
  const auto fewest = std::min_element(counts_.begin(), counts_.end());
  auto worker = static_cast<size_t>(fewest - counts_.begin());
  if (preferred && counts_[*preferred] <= *fewest + *fewest / 8) worker = *preferred;
  set(a, worker);
  return worker;
}

bool BucketOwners::give(BucketNo a, size_t worker) {
  if (a >> kChunkBits >= kChunks) return false;
  const base::MutexLock lock(mutex_);
  if (const std::optional<size_t> before = find(a)) --counts_[*before];
  set(a, worker);
  return true;
}

void BucketOwners::set(BucketNo a, size_t worker) {
  std::atomic<Chunk*>& slot = chunks_[a >> kChunkBits];
  if (slot.load(std::memory_order_relaxed) == nullptr) {
    slot.store(new Chunk{}, std::memory_order_release);
  }
  ++counts_[worker];
  Chunk& chunk = *slot.load(std::memory_order_relaxed);
  chunk[a % kChunkSize].store(static_cast<uint8_t>(worker + 1), std::memory_order_release);
}

}  // namespace lh::node
