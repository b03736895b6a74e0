#include "core/bits.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

namespace lh::core {

namespace {

constexpr uint8_t kSigned = 128;
constexpr uint8_t kBit = 1;
constexpr uint8_t kNamesLast = 2;
constexpr int kOverflowShift = 4;

uint8_t byte_of(std::string_view value, uint64_t k) {
  return k < value.size() ? static_cast<uint8_t>(value[k]) : 0;
}

uint64_t unsigned_at(std::string_view value, uint64_t offset, unsigned bits) {
  uint64_t number = 0;
  for (unsigned k = 0; k < bits; ++k) number = number << 1 | (bit_of(value, offset + k) ? 1 : 0);
  return number;
}

uint64_t mask_of(unsigned bits) { return ~uint64_t{0} >> (64 - bits); }

int64_t number_of(const BitField& field, uint64_t raw) {
  if (!field.is_signed) return static_cast<int64_t>(raw);
  const unsigned unused = 64 - field.bits;
  return static_cast<int64_t>(raw << unused) >> unused;
}

using Wide = __int128;

// The number as the field can hold it; nothing when it must not overflow.
std::optional<uint64_t> fit(const BitField& field, Wide number) {
  const Wide max = (Wide{1} << (field.is_signed ? field.bits - 1 : field.bits)) - 1;
  const Wide min = field.is_signed ? -max - 1 : 0;
  if (number < min || number > max) {
    if (field.overflow == OnOverflow::kFail) return std::nullopt;
    if (field.overflow == OnOverflow::kSaturate) number = number < min ? min : max;
  }
  return static_cast<uint64_t>(number) & mask_of(field.bits);
}

}  // namespace

// -------------------------------------------------------------------------------------------
// ranges

BitRange::Span BitRange::of(std::string_view value) const {
  const auto size = static_cast<int64_t>(value.size() * (in_bits ? 8 : 1));
  const auto place = [size](int64_t at) { return at < 0 ? std::max(at + size, int64_t{0}) : at; };
  const int64_t from = place(first);
  const int64_t to = std::min(place(last), size - 1);
  if (from > to) return {};
  const uint64_t unit = in_bits ? 1 : 8;
  return {static_cast<uint64_t>(from) * unit, (static_cast<uint64_t>(to) + 1) * unit};
}

std::string BitRange::encode() const {
  std::string bytes;
  base::Writer<> writer(&bytes);
  writer.u8(in_bits ? 1 : 0);
  writer.u64(static_cast<uint64_t>(first));
  writer.u64(static_cast<uint64_t>(last));
  return bytes;
}

bool BitRange::read(base::Reader* reader) {
  const uint8_t unit = reader->u8();
  in_bits = unit == 1;
  first = static_cast<int64_t>(reader->u64());
  last = static_cast<int64_t>(reader->u64());
  return reader->ok() && unit <= 1;
}

uint64_t count_bits(std::string_view value, const BitRange& range) {
  // Both before the beginning: nothing, though either alone means the first.
  if (range.first < 0 && range.last < 0 && range.first > range.last) return 0;
  const BitRange::Span span = range.of(value);
  uint64_t count = 0;
  uint64_t at = span.begin;
  const auto step = [&](uint64_t end) {
    for (; at < end; ++at) count += bit_of(value, at) ? 1 : 0;
  };
  step(std::min(span.end, (span.begin + 7) / 8 * 8));
  for (; at + 64 <= span.end; at += 64) {
    uint64_t word = 0;
    std::memcpy(&word, value.data() + at / 8, sizeof word);
    count += static_cast<uint64_t>(std::popcount(word));
  }
  step(span.end);
  return count;
}

std::string FindBitArgs::encode() const {
  std::string bytes = range.encode();
  bytes.push_back(static_cast<char>((bit ? kBit : 0) | (names_last ? kNamesLast : 0)));
  return bytes;
}

bool FindBitArgs::read(std::string_view bytes) {
  base::Reader reader(bytes);
  const bool fine = range.read(&reader);
  const uint8_t flags = reader.u8();
  bit = (flags & kBit) != 0;
  names_last = (flags & kNamesLast) != 0;
  return fine && reader.done() && flags <= (kBit | kNamesLast);
}

int64_t find_bit(std::string_view value, const FindBitArgs& args) {
  const BitRange::Span span = args.range.of(value);
  const uint8_t none = args.bit ? 0 : 0xff;  // a byte without such a bit
  for (uint64_t at = span.begin; at < span.end;) {
    if (at % 8 == 0 && at + 8 <= span.end && byte_of(value, at / 8) == none) {
      at += 8;
    } else if (bit_of(value, at) == args.bit) {
      return static_cast<int64_t>(at);
    } else {
      ++at;
    }
  }
  const bool goes_on = !args.bit && !args.names_last && span.begin < span.end;
  return goes_on ? static_cast<int64_t>(span.end) : -1;
}

bool bit_of(std::string_view value, uint64_t offset) {
  return (byte_of(value, offset / 8) >> (7 - offset % 8) & 1) != 0;
}

void set_bit(std::string* value, uint64_t offset, bool bit) {
  const auto mask = static_cast<uint8_t>(128U >> offset % 8);
  char& byte = (*value)[offset / 8];
  const auto old = static_cast<uint8_t>(byte);
  byte = static_cast<char>(bit ? old | mask : old & ~mask);
}

// -------------------------------------------------------------------------------------------
// fields

void append_field(std::string* out, const BitField& field) {
  base::Writer<> writer(out);
  writer.u8(static_cast<uint8_t>((field.bits - 1) | (field.is_signed ? kSigned : 0)));
  writer.u8(static_cast<uint8_t>(static_cast<unsigned>(field.work) |
                                 static_cast<unsigned>(field.overflow) << kOverflowShift));
  writer.varint(field.offset);
  if (field.work != FieldWork::kRead) writer.u64(static_cast<uint64_t>(field.operand));
}

bool FieldReader::next(BitField* field) {
  if (!reader_.ok() || reader_.remaining() == 0) return false;
  const uint8_t type = reader_.u8();
  const uint8_t what = reader_.u8();
  *field = {};
  field->is_signed = (type & kSigned) != 0;
  field->bits = static_cast<uint8_t>((type & ~kSigned) + 1);
  field->work = static_cast<FieldWork>(what & 15);
  field->overflow = static_cast<OnOverflow>(what >> kOverflowShift);
  field->offset = reader_.varint();
  const bool known = field->work <= FieldWork::kAdd && field->overflow <= OnOverflow::kFail &&
                     field->bits <= (field->is_signed ? 64 : 63) && field->offset < kBitsMax;
  if (!known) reader_.fail();
  if (field->work != FieldWork::kRead) field->operand = static_cast<int64_t>(reader_.u64());
  return reader_.ok();
}

std::optional<int64_t> read_field(const BitField& field, std::string_view value) {
  return number_of(field, unsigned_at(value, field.offset, field.bits));
}

std::optional<int64_t> work_on(const BitField& field, std::string* value) {
  const int64_t old = *read_field(field, *value);
  if (field.work == FieldWork::kRead) return old;
  // What an unsigned field is set to is taken for unsigned, whatever its sign.
  const bool sets = field.work == FieldWork::kSet;
  const Wide operand =
      sets && !field.is_signed ? Wide{static_cast<uint64_t>(field.operand)} : Wide{field.operand};
  const std::optional<uint64_t> fresh = fit(field, sets ? operand : operand + old);
  if (!fresh) return std::nullopt;
  for (unsigned k = 0; k < field.bits; ++k) {
    set_bit(value, field.offset + k, (*fresh >> (field.bits - 1 - k) & 1) != 0);
  }
  return sets ? old : number_of(field, *fresh);
}

std::optional<uint64_t> bits_written(const Operation& operation) {
  uint64_t end = 0;
  if (operation.op == Op::kWriteBit) {
    const bool fine = read_offset(operation.args, &end) && end < kBitsMax &&
                      (operation.value == "0" || operation.value == "1");
    if (!fine) return std::nullopt;
    return end + 1;
  }
  FieldReader fields(operation.value);
  for (BitField field; fields.next(&field);) {
    if (field.work != FieldWork::kRead) end = std::max(end, field.end());
  }
  if (!fields.ok()) return std::nullopt;
  return end;
}

void append_field_answer(std::string* out, std::optional<int64_t> number) {
  base::Writer<> writer(out);
  writer.u8(number ? 1 : 0);
  if (number) writer.u64(static_cast<uint64_t>(*number));
}

bool read_field_answer(base::Reader* answer, std::optional<int64_t>* number) {
  if (!answer->ok() || answer->remaining() == 0) return false;
  number->reset();
  if (answer->u8() != 0) *number = static_cast<int64_t>(answer->u64());
  return answer->ok();
}

}  // namespace lh::core
