// HeapTrimmer: gives the memory that large results took back to the system. What is freed in pieces
// stays with the process otherwise, and a node that once answered sixty scans would look for ever
// as if it held them. One for a process, used by one of its threads.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/clock.h"
#include "node/result_budget.h"

namespace lh::node {

class HeapTrimmer {
 public:
  // So much has to have been released, and it is a moment ago: other threads free the memory itself
  // somewhat later than they say so, and it is not worth doing for each of many scans.
  static constexpr uint64_t kReleasedMin = uint64_t{32} << 20;
  static constexpr base::Duration kDelay = base::seconds(1);

  // About twenty times a second. Whether it was done now.
  bool tick(base::Instant now, const ResultBudget& results);

 private:
  uint64_t trimmed_ = 0;  // released() as of the latest time
  bool due_ = false;
  base::Instant due_at_;
};

}  // namespace lh::node
