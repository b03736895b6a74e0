#include "base/coding.h"

namespace lh::base {

uint64_t Reader::long_varint() {
  uint64_t value = 0;
  for (unsigned shift = 0; p_ != end_; shift += 7) {
    const auto byte = static_cast<uint8_t>(*p_++);
    const bool last = byte < 0x80;
    // The tenth byte has room for bit 63 alone.
    if (shift == 63 && byte > 1) break;
    value |= uint64_t{byte & 0x7fu} << shift;
    if (!last) continue;
    if (byte == 0 && shift > 0) break;
    return value;
  }
  fail();
  return 0;
}

}  // namespace lh::base
