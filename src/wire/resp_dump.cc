#include "wire/resp_dump.h"

#include <array>
#include <cstring>

#include "base/coding.h"

namespace lh::wire {

namespace {

constexpr uint16_t kRdbVersion = 10;  // of Redis 7.0
constexpr size_t kFooterBytes = sizeof(uint16_t) + sizeof(uint64_t);
constexpr uint8_t kTypeString = 0;

// The two highest bits of a length.
constexpr uint8_t kSmall = 0;   // the other 6
constexpr uint8_t kMiddle = 1;  // these and the next byte
constexpr uint8_t kLarge = 2;   // 4 or 8 bytes, big-endian
constexpr uint8_t kLarge32 = 0x80;
constexpr uint8_t kLarge64 = 0x81;
// Otherwise the value is not in bytes as it is.
constexpr uint8_t kInt8 = 0xc0;
constexpr uint8_t kInt16 = 0xc1;
constexpr uint8_t kInt32 = 0xc2;
constexpr uint8_t kCompressed = 0xc3;

constexpr auto kCrcTable = [] {
  constexpr uint64_t kPolynomial = 0x95ac9329ac4bc9b5;  // ad93d23594c935a9, reversed
  std::array<uint64_t, 256> table{};
  for (uint64_t k = 0; k < table.size(); ++k) {
    uint64_t crc = k;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? crc >> 1 ^ kPolynomial : crc >> 1;
    table[k] = crc;
  }
  return table;
}();

template <typename Number>
Number big_endian(base::Reader* reader) {
  Number number = 0;
  for (size_t k = 0; k < sizeof number; ++k) number = number << 8 | reader->u8();
  return number;
}

// Bound: a length it is.
uint64_t read_length(uint8_t first, base::Reader* reader) {
  switch (first >> 6) {
    case kSmall:
      return first;
    case kMiddle:
      return uint64_t{first & 0x3fU} << 8 | reader->u8();
    default:
      if (first == kLarge32) return big_endian<uint32_t>(reader);
      if (first == kLarge64) return big_endian<uint64_t>(reader);
      reader->fail();
      return 0;
  }
}
uint64_t read_length(base::Reader* reader) {
  const uint8_t first = reader->u8();
  if (first >> 6 > kLarge) reader->fail();
  return reader->ok() ? read_length(first, reader) : 0;
}

// Control byte c < 32: c + 1 bytes as they are. Otherwise a copy of what is there already: c >> 5,
// with 7 another byte on top, is its size - 2; the other bits and a byte how far back, - 1.
bool expand(std::string_view in, size_t size, std::string* out) {
  base::Reader reader(in);
  while (reader.ok() && reader.remaining() > 0) {
    const uint8_t control = reader.u8();
    if (control < 32) {
      out->append(reader.bytes(control + size_t{1}));
      continue;
    }
    size_t count = control >> 5;
    if (count == 7) count += reader.u8();
    count += 2;
    const size_t back = (size_t{control & 31U} << 8 | reader.u8()) + 1;
    if (!reader.ok() || back > out->size() || count > size - std::min(size, out->size())) {
      return false;
    }
    for (size_t from = out->size() - back; count > 0; --count, ++from) out->push_back((*out)[from]);
  }
  return reader.ok() && out->size() == size;
}

bool read_string(base::Reader* reader, size_t bytes_max, std::string* value) {
  const uint8_t first = reader->u8();
  switch (first) {
    case kInt8:
      *value = std::to_string(static_cast<int8_t>(reader->u8()));
      return true;
    case kInt16:
      *value = std::to_string(static_cast<int16_t>(reader->u16()));
      return true;
    case kInt32:
      *value = std::to_string(static_cast<int32_t>(reader->u32()));
      return true;
    case kCompressed: {
      const uint64_t packed = read_length(reader);
      const uint64_t size = read_length(reader);
      const std::string_view bytes = reader->bytes(packed);
      return reader->ok() && size <= bytes_max && expand(bytes, size, value);
    }
    default:
      if (first >> 6 > kLarge) return false;
      *value = reader->bytes(read_length(first, reader));
      return value->size() <= bytes_max;
  }
}

}  // namespace

uint64_t crc64(std::string_view bytes, uint64_t crc) {
  for (const char byte : bytes) {
    crc = kCrcTable[(crc ^ static_cast<uint8_t>(byte)) & 0xff] ^ crc >> 8;
  }
  return crc;
}

std::string encode_dump(std::string_view value) {
  std::string out;
  base::Writer<> writer(&out);
  writer.u8(kTypeString);
  const size_t size = value.size();
  if (size < 1 << 6) {
    writer.u8(static_cast<uint8_t>(size));
  } else if (size < 1 << 14) {
    writer.u8(static_cast<uint8_t>(kMiddle << 6 | size >> 8));
    writer.u8(static_cast<uint8_t>(size));
  } else {
    writer.u8(kLarge32);
    for (int shift = 24; shift >= 0; shift -= 8) writer.u8(static_cast<uint8_t>(size >> shift));
  }
  writer.bytes(value);
  writer.u16(kRdbVersion);
  writer.u64(crc64(out));
  return out;
}

DumpStatus decode_dump(std::string_view bytes, size_t bytes_max, std::string* value) {
  if (bytes.size() < kFooterBytes) return DumpStatus::kBadEnvelope;
  base::Reader footer(bytes.substr(bytes.size() - kFooterBytes));
  const uint16_t version = footer.u16();
  const bool intact = footer.u64() == crc64(bytes.substr(0, bytes.size() - sizeof(uint64_t)));
  if (version > kRdbVersion || !intact) return DumpStatus::kBadEnvelope;
  base::Reader reader(bytes.substr(0, bytes.size() - kFooterBytes));
  if (reader.u8() != kTypeString) return DumpStatus::kBadData;
  value->clear();
  const bool fine = read_string(&reader, bytes_max, value) && reader.done();
  return fine ? DumpStatus::kOk : DumpStatus::kBadData;
}

}  // namespace lh::wire
