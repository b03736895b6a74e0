#include "table/block.h"

#include "base/check.h"

namespace lh::table {

void Block::remove(unsigned k) {
  LH_CHECK(k < count_);
  const size_t bytes = size(k);
  const bool expired = expires(record(k));
  if (is_outside(record(k))) {
    --special_;
  } else {
    payload_ = static_cast<uint16_t>(payload_ - inline_payload(record(k), bytes));
  }
  std::byte* lowest = base() + cell_bytes() - record_bytes();
  std::memmove(lowest + bytes, lowest, record_bytes() - entries()[k].end);
  for (unsigned later = k + 1; later < count_; ++later) {
    entries()[later - 1] = {entries()[later].tag,
                            static_cast<uint16_t>(entries()[later].end - bytes)};
  }
  --count_;
  if (!expired) return;
  special_ &= static_cast<uint8_t>(~kAnyExpires);
  for (unsigned left = 0; left < count_; ++left) {
    if (expires(record(left))) special_ |= kAnyExpires;
  }
}

}  // namespace lh::table
