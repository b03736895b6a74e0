// A bucket's operations on the bits of a value, and on the number that it is (core/bits.h).
#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdlib>

#include "base/strings.h"
#include "core/bits.h"
#include "core/bucket.h"
#include "core/limits.h"

namespace lh::core {

namespace {

// The whole text, as strtold() reads it; nothing when it is none, or no number at all.
std::optional<long double> parse_float(std::string_view text) {
  if (text.empty() || text.size() > kFloatBytesMax || std::isspace(static_cast<uint8_t>(text[0]))) {
    return std::nullopt;
  }
  const std::string copy(text);  // for the zero behind it
  char* end = nullptr;
  errno = 0;
  const long double number = std::strtold(copy.c_str(), &end);
  const bool out_of_range = errno == ERANGE && (std::isinf(number) || number == 0);
  if (end != copy.c_str() + copy.size() || out_of_range || std::isnan(number)) return std::nullopt;
  return number;
}

// With 17 places, and no zeros behind the last one that counts.
std::string format_float(long double number) {
  std::string text = base::format("%.17Lf", number);
  text.resize(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text == "-0" ? "0" : text;
}

}  // namespace

// The expiry stays, as with increment().
Bucket::Answer Bucket::increment_float(const Operation& asked, Effects* effects) {
  const std::optional<long double> added = parse_float(asked.value);
  const std::optional<table::Record> found = table_.find_record(asked.c, asked.key);
  const std::optional<long double> number = found ? parse_float(found->value) : 0;
  if (!added || !number) return {Code::kNotInteger, {}};
  const long double sum = *number + *added;
  if (!std::isfinite(sum)) return {Code::kOverflow, {}};
  const std::string text = format_float(sum);
  if (text.size() > kFloatBytesMax) return {Code::kOverflow, {}};
  put(asked.c, {asked.key, text, found ? found->expiry : kNever}, effects);
  return {Code::kOk, say(text)};
}

Bucket::Answer Bucket::read_bits(const Operation& asked) {
  const std::optional<table::Record> found = find_record(asked.c, asked.key);
  const std::string_view value = found ? found->value : std::string_view();
  if (asked.op == Op::kReadBit) {
    uint64_t offset = 0;
    if (!read_offset(asked.args, &offset)) return {Code::kMalformed, {}};
    return {Code::kOk, say(int64_t{bit_of(value, offset)})};
  }
  if (asked.op == Op::kCountBits) {
    BitRange range;
    base::Reader reader(asked.args);
    if (!range.read(&reader) || !reader.done()) return {Code::kMalformed, {}};
    return {Code::kOk, say(static_cast<int64_t>(count_bits(value, range)))};
  }
  if (asked.op == Op::kFindBit) {
    FindBitArgs args;
    if (!args.read(asked.args)) return {Code::kMalformed, {}};
    // What is not there is zeros without end.
    const int64_t none = args.bit ? -1 : 0;
    return {Code::kOk, say(found ? find_bit(value, args) : none)};
  }
  std::string& said = emptied(&said_value_);
  FieldReader fields(asked.value);
  for (BitField field; fields.next(&field);) {
    if (field.work != FieldWork::kRead) return {Code::kMalformed, {}};
    append_field_answer(&said, read_field(field, value));
  }
  return fields.ok() ? Answer{Code::kOk, said} : Answer{Code::kMalformed, {}};
}

// The value becomes as long as what is written needs, also if in the end nothing is.
Bucket::Answer Bucket::write_bits(const Operation& asked, Effects* effects) {
  std::optional<uint64_t> end = bits_written(asked);
  if (!end) return {Code::kMalformed, {}};
  const size_t bytes = static_cast<size_t>((*end + 7) / 8);
  if (bytes > kValueBytesMax) return {Code::kTooLong, {}};
  const table::Record old =
      table_.find_record(asked.c, asked.key).value_or(table::Record{asked.key, {}});
  std::string value(old.value);
  value.resize(std::max(value.size(), bytes), '\0');
  if (asked.op == Op::kWriteBit) {
    const bool was = bit_of(value, *end - 1);
    set_bit(&value, *end - 1, asked.value == "1");
    put(asked.c, {asked.key, value, old.expiry}, effects);
    return {Code::kOk, say(int64_t{was})};
  }
  std::string& said = emptied(&said_value_);
  FieldReader fields(asked.value);
  for (BitField field; fields.next(&field);) append_field_answer(&said, work_on(field, &value));
  put(asked.c, {asked.key, value, old.expiry}, effects);
  return {Code::kOk, said};
}

}  // namespace lh::core
