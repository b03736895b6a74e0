#include "wire/resp_operation.h"

#include <limits>
#include <optional>

#include "base/strings.h"

namespace lh::wire {

namespace {

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

 private:
  static RespOperation fail(std::string why) { return {.error = std::move(why)}; }
  RespOperation invalid_time() const {
    return fail(std::string("ERR invalid expire time in '").append(command_.name) + "' command");
  }
  // Of argument k, as a Unix time in ms; 0 or less: long past. False: error_ says why not.
  bool take_time(size_t k, When when, int64_t* ms);
  // The same of one that has to lie ahead of the beginning of time.
  bool take_expiry(size_t k, When when, ExpiryMs* expiry);

  const RespCommand& command_;
  const RespArgs& args_;
  ExpiryMs unix_ms_;
  RespOperation error_;
};

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
  return {.op = Op::kIncrement, .number = std::to_string(-*number)};
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

RespOperation persist() {
  ExpireArgs expire;
  expire.conditions = ExpireArgs::kHasOne;
  return {.op = Op::kExpire, .args = expire.encode()};
}

RespOperation ask_expiry(ExpiryForm form) { return {.op = Op::kExpiry, .args = encode(form)}; }

RespOperation add(const char* number) { return {.op = Op::kIncrement, .number = number}; }

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
