#include "node/heap_trimmer.h"

#include <malloc.h>

namespace lh::node {

bool HeapTrimmer::tick(base::Instant now, const ResultBudget& results) {
  if (results.released() - trimmed_ < kReleasedMin) return false;
  if (!due_) {
    due_ = true;
    due_at_ = now + kDelay;
  }
  if (now < due_at_) return false;
  due_ = false;
  trimmed_ = results.released();
  ::malloc_trim(0);
  return true;
}

}  // namespace lh::node
