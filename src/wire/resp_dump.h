// The form in which Redis's DUMP gives a string and RESTORE takes it: an RDB object with the RDB
// version and a CRC-64 behind it. What other servers wrote is read as well: integers and strings
// compressed by LZF. (Redis: rdb.c, lzf_d.c, crc64.c; CRC-64/REDIS of "123456789" is
// e9c6d914c4b8d9ca.)
//
// Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace lh::wire {

uint64_t crc64(std::string_view bytes, uint64_t crc = 0);

std::string encode_dump(std::string_view value);

enum class DumpStatus : uint8_t {
  kOk,
  kBadEnvelope,  // version or checksum
  kBadData,      // or of a type other than string
};
// A value is at most `bytes_max` long.
DumpStatus decode_dump(std::string_view bytes, size_t bytes_max, std::string* value);

}  // namespace lh::wire
