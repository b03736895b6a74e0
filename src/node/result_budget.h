// ResultBudget: how much memory the results of scans may take in a node, all its connections
// together, from the first piece that comes until the last byte is printed. Each of them has a
// bound of its own, but sixty clients that ask for the whole file and do not read would be sixty
// times that. Safe on any thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "core/limits.h"

namespace lh::node {

inline constexpr size_t kResultBytesMax = size_t{256} << 20;
static_assert(kResultBytesMax >= core::kScanResultBytesMax, "one result has to have room");

class ResultBudget {
 public:
  explicit ResultBudget(size_t bytes_max) : bytes_max_(bytes_max) {}

  size_t bytes_max() const { return bytes_max_; }
  size_t used() const { return used_.load(std::memory_order_relaxed); }
  // Ever: what results took and do not take any more.
  uint64_t released() const { return released_.load(std::memory_order_relaxed); }

 private:
  friend class ResultShare;
  const size_t bytes_max_;
  std::atomic<size_t> used_{0};
  std::atomic<uint64_t> released_{0};
};

// What one result takes of the budget, for as long as it lives.
class ResultShare {
 public:
  explicit ResultShare(ResultBudget& budget) : budget_(budget) {}
  ~ResultShare() { set(0); }
  ResultShare(const ResultShare&) = delete;
  ResultShare& operator=(const ResultShare&) = delete;

  // It takes so much now, instead of what it took. False when there is not so much: nothing
  // changes.
  bool set(size_t bytes) {
    const size_t before = budget_.used_.fetch_add(bytes - bytes_, std::memory_order_relaxed);
    if (bytes > bytes_ && before + (bytes - bytes_) > budget_.bytes_max_) {
      budget_.used_.fetch_sub(bytes - bytes_, std::memory_order_relaxed);
      return false;
    }
    if (bytes < bytes_) budget_.released_.fetch_add(bytes_ - bytes, std::memory_order_relaxed);
    bytes_ = bytes;
    return true;
  }
  size_t bytes() const { return bytes_; }

 private:
  ResultBudget& budget_;
  size_t bytes_ = 0;
};

}  // namespace lh::node
