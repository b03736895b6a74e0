#include "wire/resp_operation.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <utility>

#include "base/coding.h"
#include "base/strings.h"
#include "core/bits.h"
#include "core/limits.h"
#include "core/several.h"
#include "wire/resp_dump.h"

namespace lh::wire {

namespace {

using core::CommonForm;
using core::ExpireArgs;
using core::ExpiryForm;
using core::ExpiryMs;
using core::Op;
using core::Presence;
using core::RangeArgs;
using core::SetArgs;
using Verb = RespVerb;

constexpr const char* kSyntax = "ERR syntax error";
constexpr const char* kNoInteger = "ERR value is not an integer or out of range";

// A time as a request gives it.
struct When {
  bool seconds = false;
  bool from_now = false;
};

constexpr When kEx{true, true};
constexpr When kPx{false, true};
constexpr When kExAt{true, false};
constexpr When kPxAt{false, false};

std::optional<When> option_of(std::string_view word) {
  if (same_word(word, "ex")) return kEx;
  if (same_word(word, "px")) return kPx;
  if (same_word(word, "exat")) return kExAt;
  if (same_word(word, "pxat")) return kPxAt;
  return std::nullopt;
}

// The options of one request, one after the other.
class Reading {
 public:
  Reading(const RespCommand& command, const RespArgs& args, ExpiryMs unix_ms)
      : command_(command), args_(args), unix_ms_(unix_ms) {}

  RespOperation set();
  RespOperation set_for(When when);
  RespOperation decrement();
  RespOperation read_range();
  RespOperation write_range();
  RespOperation read_expire();
  RespOperation expire(When when);
  RespOperation restore();
  RespOperation copy();
  RespOperation insert_all();
  RespOperation common();
  RespOperation read_bit();
  RespOperation write_bit();
  RespOperation count_bits();
  RespOperation find_bit();
  RespOperation fields();
  RespOperation combine_bits();

 private:
  static RespOperation fail(std::string why) { return {.error = std::move(why)}; }
  RespOperation invalid_time() const {
    return fail(std::string("ERR invalid expire time in '").append(command_.name) + "' command");
  }
  // Of argument k, as a Unix time in ms; 0 or less: long past. False: error_ says why not.
  bool take_time(size_t k, When when, int64_t* ms);
  // The same of one that has to lie ahead of the beginning of time.
  bool take_expiry(size_t k, When when, ExpiryMs* expiry);
  bool take_integer(size_t k, int64_t* number);
  // Where a bit is, or with `#` before it the field of so many bits.
  bool take_bit_offset(size_t k, bool may_count_fields, unsigned bits, uint64_t* offset);
  bool take_unit(size_t k, core::BitRange* range);
  // One piece of work on fields, from argument *k on; changes `overflow` for those to come.
  bool take_field(size_t* k, core::OnOverflow* overflow);

  const RespCommand& command_;
  const RespArgs& args_;
  ExpiryMs unix_ms_;
  RespOperation error_;
  std::string fields_;
  bool writes_fields_ = false;
};

bool Reading::take_integer(size_t k, int64_t* number) {
  const std::optional<int64_t> parsed = base::parse_i64(args_[k]);
  if (!parsed) error_ = fail(kNoInteger);
  *number = parsed.value_or(0);
  return parsed.has_value();
}

bool Reading::take_time(size_t k, When when, int64_t* ms) {
  const std::optional<int64_t> number = base::parse_i64(args_[k]);
  if (!number) {
    error_ = fail(kNoInteger);
    return false;
  }
  *ms = *number;
  const bool overflow =
      (when.seconds && __builtin_mul_overflow(*ms, int64_t{1'000}, ms)) ||
      (when.from_now && __builtin_add_overflow(*ms, static_cast<int64_t>(unix_ms_), ms));
  if (!overflow && *ms <= static_cast<int64_t>(core::kExpiryMax)) return true;
  error_ = invalid_time();
  return false;
}

bool Reading::take_expiry(size_t k, When when, ExpiryMs* expiry) {
  int64_t ms = 0;
  if (!take_time(k, when, &ms)) return false;
  if (*base::parse_i64(args_[k]) <= 0 || ms <= 0) {
    error_ = invalid_time();
    return false;
  }
  *expiry = static_cast<ExpiryMs>(ms);
  return true;
}

RespOperation Reading::set() {
  SetArgs set;
  bool swaps = false;
  bool timed = false;
  for (size_t k = 3; k < args_.size(); ++k) {
    const std::string_view word = args_[k];
    const bool nx = same_word(word, "nx");
    if (nx || same_word(word, "xx")) {
      if (set.only_if != Presence::kAny) return fail(kSyntax);
      set.only_if = nx ? Presence::kAbsent : Presence::kPresent;
    } else if (same_word(word, "get")) {
      swaps = true;
    } else if (same_word(word, "keepttl") && !timed) {
      set.keeps_expiry = timed = true;
    } else if (const std::optional<When> when = option_of(word);
               when && !timed && k + 1 < args_.size()) {
      timed = true;
      if (!take_expiry(++k, *when, &set.expiry)) return error_;
    } else {
      return fail(kSyntax);
    }
  }
  return {.op = swaps ? Op::kSwap : Op::kSet, .asked_value = args_[2], .args = set.encode()};
}

RespOperation Reading::set_for(When when) {
  SetArgs set;
  if (!take_expiry(2, when, &set.expiry)) return error_;
  return {.op = Op::kSet, .asked_value = args_[3], .args = set.encode()};
}

RespOperation Reading::decrement() {
  const std::optional<int64_t> number = base::parse_i64(args_[2]);
  if (!number) return fail(kNoInteger);
  if (*number == std::numeric_limits<int64_t>::min()) {
    return fail("ERR decrement would overflow");
  }
  return {.op = Op::kIncrement, .made_value = std::to_string(-*number)};
}

RespOperation Reading::read_range() {
  const std::optional<int64_t> first = base::parse_i64(args_[2]);
  const std::optional<int64_t> last = base::parse_i64(args_[3]);
  if (!first || !last) return fail(kNoInteger);
  return {.op = Op::kReadRange, .args = RangeArgs{*first, *last}.encode()};
}

RespOperation Reading::write_range() {
  const std::optional<int64_t> offset = base::parse_i64(args_[2]);
  if (!offset) return fail(kNoInteger);
  if (*offset < 0) return fail("ERR offset is out of range");
  return {.op = Op::kWriteRange,
          .asked_value = args_[3],
          .args = core::encode_offset(static_cast<uint64_t>(*offset))};
}

RespOperation Reading::read_expire() {
  if (args_.size() == 2) return {.op = Op::kRead};
  ExpireArgs expire;
  if (args_.size() == 3 && same_word(args_[2], "persist")) {
    return {.op = Op::kReadExpire, .args = expire.encode()};
  }
  const std::optional<When> when = option_of(args_[2]);
  if (!when || args_.size() != 4) return fail(kSyntax);
  if (!take_expiry(3, *when, &expire.expiry)) return error_;
  return {.op = Op::kReadExpire, .args = expire.encode()};
}

RespOperation Reading::expire(When when) {
  ExpireArgs expire;
  int64_t ms = 0;
  for (size_t k = 3; k < args_.size(); ++k) {
    const std::string_view word = args_[k];
    if (same_word(word, "nx")) {
      expire.conditions |= ExpireArgs::kHasNone;
    } else if (same_word(word, "xx")) {
      expire.conditions |= ExpireArgs::kHasOne;
    } else if (same_word(word, "gt")) {
      expire.conditions |= ExpireArgs::kLater;
    } else if (same_word(word, "lt")) {
      expire.conditions |= ExpireArgs::kSooner;
    } else {
      return fail(std::string("ERR Unsupported option ").append(word.substr(0, 128)));
    }
  }
  constexpr uint8_t kOrder = ExpireArgs::kLater | ExpireArgs::kSooner;
  const bool has_none = (expire.conditions & ExpireArgs::kHasNone) != 0;
  if (has_none && expire.conditions != ExpireArgs::kHasNone) {
    return fail("ERR NX and XX, GT or LT options at the same time are not compatible");
  }
  if ((expire.conditions & kOrder) == kOrder) {
    return fail("ERR GT and LT options at the same time are not compatible");
  }
  if (!take_time(2, when, &ms)) return error_;
  // Whatever is past is as good as the first moment: 0 would be never.
  expire.expiry = static_cast<ExpiryMs>(ms < 1 ? 1 : ms);
  return {.op = Op::kExpire, .args = expire.encode()};
}

RespOperation Reading::restore() {
  int64_t ttl = 0;
  bool absolute = false;
  SetArgs set{.only_if = Presence::kAbsent};
  for (size_t k = 4; k < args_.size(); ++k) {
    const std::string_view word = args_[k];
    const bool has_more = k + 1 < args_.size();
    int64_t number = 0;
    if (same_word(word, "replace")) {
      set.only_if = Presence::kAny;
    } else if (same_word(word, "absttl")) {
      absolute = true;
    } else if (same_word(word, "idletime") && has_more) {
      if (!take_integer(++k, &number)) return error_;
      if (number < 0) return fail("ERR Invalid IDLETIME value, must be >= 0");
    } else if (same_word(word, "freq") && has_more) {
      if (!take_integer(++k, &number)) return error_;
      if (number < 0 || number > 255) {
        return fail("ERR Invalid FREQ value, must be >= 0 and <= 255");
      }
    } else {
      return fail(kSyntax);
    }
  }
  if (!take_integer(2, &ttl)) return error_;
  if (ttl < 0) return fail("ERR Invalid TTL value, must be >= 0");
  if (ttl > 0) {
    int64_t ms = 0;
    if (!take_time(2, absolute ? kPxAt : kPx, &ms)) return error_;
    set.expiry = static_cast<ExpiryMs>(ms);
  }
  RespOperation asked{.op = Op::kRestore, .args = set.encode()};
  switch (decode_dump(args_[3], core::kValueBytesMax, &asked.made_value)) {
    case DumpStatus::kOk:
      return asked;
    case DumpStatus::kBadEnvelope:
      return fail("ERR DUMP payload version or checksum are wrong");
    case DumpStatus::kBadData:
      return fail("ERR Bad data format");
  }
  return asked;
}

RespOperation Reading::copy() {
  Op op = Op::kCopyAbsent;
  for (size_t k = 3; k < args_.size(); ++k) {
    if (same_word(args_[k], "replace")) {
      op = Op::kCopy;
    } else if (same_word(args_[k], "db") && k + 1 < args_.size()) {
      int64_t number = 0;
      if (!take_integer(++k, &number)) return error_;
      if (number != 0) return fail("ERR DB index is out of range");
    } else {
      return fail(kSyntax);
    }
  }
  if (args_[1] == args_[2]) return fail("ERR source and destination objects are the same");
  return {.op = op, .asked_value = args_[2]};
}

RespOperation Reading::insert_all() {
  if (args_.size() % 2 == 0) return fail("ERR wrong number of arguments for 'msetnx' command");
  RespOperation asked{.op = Op::kInsertAll};
  base::Writer<> writer(&asked.made_value);
  for (size_t k = 1; k < args_.size(); ++k) {
    if (k % 2 == 1 && args_[k].size() > core::kKeyBytesMax) return fail("ERR key too long");
    writer.prefixed(args_[k]);
  }
  if (asked.made_value.size() > core::kValueBytesMax) return fail("ERR the records are too large");
  return asked;
}

RespOperation Reading::common() {
  core::CommonArgs common;
  bool wants_length = false;
  bool wants_matches = false;
  bool wants_sizes = false;
  for (size_t k = 3; k < args_.size(); ++k) {
    if (same_word(args_[k], "len")) {
      wants_length = true;
    } else if (same_word(args_[k], "idx")) {
      wants_matches = true;
    } else if (same_word(args_[k], "withmatchlen")) {
      wants_sizes = true;
    } else if (same_word(args_[k], "minmatchlen") && k + 1 < args_.size()) {
      int64_t number = 0;
      if (!take_integer(++k, &number)) return error_;
      common.match_bytes_min = static_cast<uint64_t>(std::max(number, int64_t{0}));
    } else {
      return fail(kSyntax);
    }
  }
  if (wants_length && wants_matches) {
    return fail("ERR If you want both the length and indexes, please just use IDX.");
  }
  if (wants_length) common.form = CommonForm::kLength;
  if (wants_matches) {
    common.form = wants_sizes ? CommonForm::kMatchesAndSizes : CommonForm::kMatches;
  }
  return {.op = Op::kCommon, .asked_value = args_[2], .args = common.encode()};
}

// -------------------------------------------------------------------------------------------- bits

bool Reading::take_bit_offset(size_t k, bool may_count_fields, unsigned bits, uint64_t* offset) {
  std::string_view text = args_[k];
  const bool counts_fields = may_count_fields && text.starts_with('#');
  if (counts_fields) text.remove_prefix(1);
  std::optional<int64_t> number = base::parse_i64(text);
  if (number && counts_fields && __builtin_mul_overflow(*number, int64_t{bits}, &*number)) {
    number.reset();
  }
  if (!number || *number < 0 || static_cast<uint64_t>(*number) >= core::kBitsMax) {
    error_ = fail("ERR bit offset is not an integer or out of range");
    return false;
  }
  *offset = static_cast<uint64_t>(*number);
  return true;
}

RespOperation Reading::read_bit() {
  uint64_t offset = 0;
  if (!take_bit_offset(2, false, 1, &offset)) return error_;
  return {.op = Op::kReadBit, .args = core::encode_offset(offset)};
}

RespOperation Reading::write_bit() {
  uint64_t offset = 0;
  if (!take_bit_offset(2, false, 1, &offset)) return error_;
  const std::optional<int64_t> bit = base::parse_i64(args_[3]);
  if (!bit || (*bit & ~int64_t{1}) != 0) return fail("ERR bit is not an integer or out of range");
  return {.op = Op::kWriteBit, .asked_value = args_[3], .args = core::encode_offset(offset)};
}

bool Reading::take_unit(size_t k, core::BitRange* range) {
  range->in_bits = same_word(args_[k], "bit");
  if (range->in_bits || same_word(args_[k], "byte")) return true;
  error_ = fail(kSyntax);
  return false;
}

RespOperation Reading::count_bits() {
  core::BitRange range;
  if (args_.size() == 3 || args_.size() > 5) return fail(kSyntax);
  if (args_.size() > 3) {
    if (!take_integer(2, &range.first) || !take_integer(3, &range.last)) return error_;
    if (args_.size() == 5 && !take_unit(4, &range)) return error_;
  }
  return {.op = Op::kCountBits, .args = range.encode()};
}

RespOperation Reading::find_bit() {
  core::FindBitArgs find;
  int64_t bit = 0;
  if (!take_integer(2, &bit)) return error_;
  if ((bit & ~int64_t{1}) != 0) return fail("ERR The bit argument must be 1 or 0.");
  find.bit = bit == 1;
  if (args_.size() > 6) return fail(kSyntax);
  if (args_.size() > 3 && !take_integer(3, &find.range.first)) return error_;
  if (args_.size() > 5 && !take_unit(5, &find.range)) return error_;
  find.names_last = args_.size() > 4;
  if (find.names_last && !take_integer(4, &find.range.last)) return error_;
  return {.op = Op::kFindBit, .args = find.encode()};
}

// "i1" to "i64", "u1" to "u63".
bool parse_type(std::string_view text, core::BitField* field) {
  if (text.empty() || (text[0] != 'i' && text[0] != 'u')) return false;
  field->is_signed = text[0] == 'i';
  const std::optional<int64_t> bits = base::parse_i64(text.substr(1));
  if (!bits || *bits < 1 || *bits > (field->is_signed ? 64 : 63)) return false;
  field->bits = static_cast<uint8_t>(*bits);
  return true;
}

bool Reading::take_field(size_t* k, core::OnOverflow* overflow) {
  const std::string_view word = args_[*k];
  const size_t more = args_.size() - *k - 1;
  const auto refuse = [this](const char* why) {
    error_ = fail(why);
    return false;
  };
  if (same_word(word, "overflow") && more >= 1) {
    const std::string_view how = args_[++*k];
    if (same_word(how, "wrap")) {
      *overflow = core::OnOverflow::kWrap;
    } else if (same_word(how, "sat")) {
      *overflow = core::OnOverflow::kSaturate;
    } else if (same_word(how, "fail")) {
      *overflow = core::OnOverflow::kFail;
    } else {
      return refuse("ERR Invalid OVERFLOW type specified");
    }
    return true;
  }
  core::BitField field{.overflow = *overflow};
  if (same_word(word, "set") && more >= 3) {
    field.work = core::FieldWork::kSet;
  } else if (same_word(word, "incrby") && more >= 3) {
    field.work = core::FieldWork::kAdd;
  } else if (!same_word(word, "get") || more < 2) {
    return refuse(kSyntax);
  }
  if (!parse_type(args_[++*k], &field)) {
    return refuse(
        "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but "
        "i64 is.");
  }
  if (!take_bit_offset(++*k, true, field.bits, &field.offset)) return false;
  if (field.work != core::FieldWork::kRead) {
    if (!take_integer(++*k, &field.operand)) return false;
    writes_fields_ = true;
  }
  core::append_field(&fields_, field);
  return true;
}

RespOperation Reading::fields() {
  core::OnOverflow overflow = core::OnOverflow::kWrap;
  for (size_t k = 2; k < args_.size(); ++k) {
    if (!take_field(&k, &overflow)) return error_;
  }
  if (writes_fields_ && command_.verb == Verb::kBitfieldRo) {
    return fail("ERR BITFIELD_RO only supports the GET subcommand");
  }
  if (fields_.size() > core::kValueBytesMax) return fail("ERR too many fields");
  return {.op = writes_fields_ ? Op::kWriteFields : Op::kReadFields,
          .made_value = std::move(fields_)};
}

RespOperation Reading::combine_bits() {
  constexpr std::array kNames = {"and", "or", "xor", "not"};
  const auto name = std::find_if(kNames.begin(), kNames.end(),
                                 [this](const char* each) { return same_word(args_[1], each); });
  if (name == kNames.end()) return fail(kSyntax);
  const auto logic = static_cast<core::BitLogic>(name - kNames.begin());
  if (logic == core::BitLogic::kNot && args_.size() != 4) {
    return fail("ERR BITOP NOT must be called with a single source key.");
  }
  RespOperation asked{.op = Op::kCombineBits, .args = encode(logic)};
  base::Writer<> writer(&asked.made_value);
  for (size_t k = 3; k < args_.size(); ++k) {
    if (args_[k].size() > core::kKeyBytesMax) return fail("ERR key too long");
    writer.prefixed(args_[k]);
  }
  if (asked.made_value.size() > core::kValueBytesMax) return fail("ERR too many keys");
  return asked;
}

RespOperation persist() {
  ExpireArgs expire;
  expire.conditions = ExpireArgs::kHasOne;
  return {.op = Op::kExpire, .args = expire.encode()};
}

RespOperation ask_expiry(ExpiryForm form) { return {.op = Op::kExpiry, .args = encode(form)}; }

RespOperation add(const char* number) { return {.op = Op::kIncrement, .made_value = number}; }

RespOperation plain(const RespCommand& command, const RespArgs& args) {
  return {.op = *command.op, .asked_value = args.size() > 2 ? args[2] : std::string_view()};
}

RespOperation read_words(const RespCommand& command, const RespArgs& args, ExpiryMs unix_ms) {
  Reading reading(command, args, unix_ms);
  switch (command.verb) {
    case Verb::kSet:
      return reading.set();
    case Verb::kSetex:
      return reading.set_for(kEx);
    case Verb::kPsetex:
      return reading.set_for(kPx);
    case Verb::kIncr:
      return add("1");
    case Verb::kDecr:
      return add("-1");
    case Verb::kDecrby:
      return reading.decrement();
    case Verb::kGetrange:
      return reading.read_range();
    case Verb::kSetrange:
      return reading.write_range();
    case Verb::kGetex:
      return reading.read_expire();
    case Verb::kExpire:
      return reading.expire(kEx);
    case Verb::kPexpire:
      return reading.expire(kPx);
    case Verb::kExpireat:
      return reading.expire(kExAt);
    case Verb::kPexpireat:
      return reading.expire(kPxAt);
    case Verb::kPersist:
      return persist();
    case Verb::kRestore:
      return reading.restore();
    case Verb::kCopy:
      return reading.copy();
    case Verb::kMsetnx:
      return reading.insert_all();
    case Verb::kLcs:
      return reading.common();
    case Verb::kGetbit:
      return reading.read_bit();
    case Verb::kSetbit:
      return reading.write_bit();
    case Verb::kBitcount:
      return reading.count_bits();
    case Verb::kBitpos:
      return reading.find_bit();
    case Verb::kBitfield:
    case Verb::kBitfieldRo:
      return reading.fields();
    case Verb::kBitop:
      return reading.combine_bits();
    case Verb::kTtl:
      return ask_expiry(ExpiryForm::kSecondsLeft);
    case Verb::kPttl:
      return ask_expiry(ExpiryForm::kMsLeft);
    case Verb::kExpiretime:
      return ask_expiry(ExpiryForm::kUnixSeconds);
    case Verb::kPexpiretime:
      return ask_expiry(ExpiryForm::kUnixMs);
    default:
      return plain(command, args);
  }
}

}  // namespace

RespOperation read_operation(const RespCommand& command, const RespArgs& args, ExpiryMs unix_ms) {
  if (command.plain_args == args.size()) return plain(command, args);
  return read_words(command, args, unix_ms);
}

}  // namespace lh::wire
