// CRC-32C (Castagnoli): polynomial 0x1EDC6F41 reflected, initial value and final xor 0xFFFFFFFF;
// the checksum of iSCSI (RFC 3720, appendix B.4), ext4 and LevelDB. Guards every byte that storage
// writes: it is part of the formats. Pure, safe on any thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace lh::storage {

// The CRC of `bytes` behind what gave `crc`: crc32c(ab) == crc32c(b, crc32c(a)). Uses the
// processor's own instruction (SSE4.2) where there is one.
uint32_t crc32c(std::string_view bytes, uint32_t crc = 0);

// The same without that instruction: eight tables, eight bytes a step.
uint32_t crc32c_portable(std::string_view bytes, uint32_t crc = 0);

}  // namespace lh::storage
