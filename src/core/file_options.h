// What is fixed for a file when it is created and is the same for every node and client of it.
#pragma once

#include <cstdint>

#include "base/hash.h"

namespace lh::core {

// Who decides a split, and when. kUncontrolled: every collision is one split, of bucket n.
enum class SplitPolicy : uint8_t { kUncontrolled = 0 };

struct FileOptions {
  uint64_t capacity = 65'536;  // b: records a bucket holds before an insert is a collision
  base::HashMode hash = base::HashMode::kMixed;
  SplitPolicy split = SplitPolicy::kUncontrolled;
  // Random: tells the file from any other whose nodes had, or will have, the same addresses.
  uint64_t id = 0;
  friend bool operator==(const FileOptions&, const FileOptions&) = default;
};

}  // namespace lh::core
