// Watches: versions of the records that somebody watches, present or not. A record gets a version
// when it is asked for one, keeps it until it is written, removed or moved, and never gets the same
// again. Records that nobody watches have none, and cost nothing. What is forgotten, and all is
// when the process ends, counts as written: whoever watched tries again.
//
// In memory only, owned by a bucket. Known by hash: two keys of one hash share a version, and a
// write of the one counts for the other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include "lh/types.h"

namespace lh::core {

class Watches {
 public:
  // Beyond it all are forgotten.
  static constexpr size_t kMax = 65'536;

  // Of this bucket; never 0.
  uint64_t version_of(HashValue c) {
    if (versions_.size() >= kMax) versions_.clear();
    const auto [it, fresh] = versions_.try_emplace(c, last_ + 1);
    if (fresh) ++last_;
    return it->second;
  }
  bool is(HashValue c, uint64_t version) const {
    const auto it = versions_.find(c);
    return it != versions_.end() && it->second == version;
  }
  void on_write(HashValue c) {
    if (!versions_.empty()) [[unlikely]]
      versions_.erase(c);
  }
  void forget_all() { versions_.clear(); }

 private:
  std::unordered_map<HashValue, uint64_t> versions_;
  uint64_t last_ = 0;
};

}  // namespace lh::core
