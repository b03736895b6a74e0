// Bits of a value, as Redis has them: bit 0 is the highest of byte 0, and behind its end a value
// goes on with zeros. Fields are integers of 1 to 64 bits that begin at any bit, highest bit first.
//
// Arguments and fields travel as bytes and are a peer's: read() believes nothing.
//
//   kReadBit, kWriteBit       args: offset (8 bytes); kWriteBit's value is "0" or "1"
//   kCountBits                args: unit (1 byte)  first, last (8 bytes each)
//   kFindBit                  args: unit  first, last  flags (1 byte: 1 the bit that is looked for,
//                             2 the request names the last one)
//   kReadFields, kWriteFields value: for each field type (1 byte: bits - 1, 128: signed)
//                             what (1 byte: FieldWork, OnOverflow << 4)  offset (varint)
//                             operand (8 bytes), if it is not only read
//                             the answer: for each 1 and the number (8 bytes), or 0
//
// Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/coding.h"
#include "core/limits.h"
#include "core/operation.h"

namespace lh::core {

inline constexpr uint64_t kBitsMax = uint64_t{kValueBytesMax} * 8;

// From `first` to `last`, both included, in bytes or bits; below 0 they count from the end.
struct BitRange {
  bool in_bits = false;
  int64_t first = 0;
  int64_t last = -1;

  struct Span {
    uint64_t begin = 0;  // bits; empty unless begin < end
    uint64_t end = 0;
  };
  Span of(std::string_view value) const;
  std::string encode() const;
  bool read(base::Reader* reader);
};

uint64_t count_bits(std::string_view value, const BitRange& range);

struct FindBitArgs {
  BitRange range;
  bool bit = false;
  bool names_last = false;  // otherwise a value of ones is followed by a zero

  std::string encode() const;
  bool read(std::string_view bytes);
};
// -1: there is none.
int64_t find_bit(std::string_view value, const FindBitArgs& args);

bool bit_of(std::string_view value, uint64_t offset);
// Bound: the value is long enough.
void set_bit(std::string* value, uint64_t offset, bool bit);

enum class FieldWork : uint8_t { kRead, kSet, kAdd };
enum class OnOverflow : uint8_t { kWrap, kSaturate, kFail };

struct BitField {
  FieldWork work = FieldWork::kRead;
  OnOverflow overflow = OnOverflow::kWrap;
  bool is_signed = false;
  uint8_t bits = 1;  // to 64 if signed, to 63 if not
  uint64_t offset = 0;
  int64_t operand = 0;

  uint64_t end() const { return offset + bits; }
};

void append_field(std::string* out, const BitField& field);
class FieldReader {
 public:
  explicit FieldReader(std::string_view bytes) : reader_(bytes) {}
  // False behind the last, or when it makes no sense: !ok().
  bool next(BitField* field);
  bool ok() const { return reader_.ok(); }

 private:
  base::Reader reader_;
};

// What a field is, or was before it was set, or is after it was added to; nothing when that would
// overflow and must not. Bound: the value is long enough for what writes.
std::optional<int64_t> work_on(const BitField& field, std::string* value);
std::optional<int64_t> read_field(const BitField& field, std::string_view value);

// How many bits the value has to have for a kWriteBit or kWriteFields; nothing when it is none.
std::optional<uint64_t> bits_written(const Operation& operation);

void append_field_answer(std::string* out, std::optional<int64_t> number);
// False behind the last.
bool read_field_answer(base::Reader* answer, std::optional<int64_t>* number);

}  // namespace lh::core
