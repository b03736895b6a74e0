// Operation: what is asked about one key, as a bucket executes it; and the arguments that some
// operations have besides the value.
//
// Arguments travel as bytes (Request::args), so that a new operation changes no message. They are a
// peer's: read() believes nothing, and a bucket answers kMalformed.
//
//   kSet, kSwap             flags (1 byte: Presence, 4: keep the expiry)  expiry (varint); or
//                           nothing, for a record that stays, whatever was there
//   kExpire, kReadExpire    conditions (1 byte)  expiry (varint)
//   kExpiry                 ExpiryForm (1 byte)
//   kReadRange              first, last (8 bytes each)
//   kWriteRange             first (8 bytes)
//   all others              nothing
//
// A view of everything: the bytes belong to the caller.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "core/op.h"
#include "lh/types.h"
#include "table/record.h"

namespace lh::core {

using table::ExpiryMs;
using table::kExpiryMax;
using table::kNever;

constexpr ExpiryMs to_unix_ms(base::Instant now, base::Duration unix_offset) {
  return static_cast<ExpiryMs>((now + unix_offset).ns() / 1'000'000);
}

struct Operation {
  Op op = Op::kRead;
  HashValue c = 0;  // of the key
  std::string_view key;
  std::string_view value = {};
  std::string_view args = {};
};

enum class Presence : uint8_t { kAny, kAbsent, kPresent };

// kSet, kSwap: only if the key is there, or is not; with this expiry, or the one that there was.
struct SetArgs {
  Presence only_if = Presence::kAny;
  bool keeps_expiry = false;
  ExpiryMs expiry = kNever;

  std::string encode() const;
  bool read(std::string_view bytes);
};

// kExpire, kReadExpire: this expiry from now on, in the past too, if all the conditions hold.
struct ExpireArgs {
  enum Condition : uint8_t {
    kHasNone = 1,  // the record stays for ever as yet
    kHasOne = 2,
    kLater = 4,   // than it has; for ever is later than any
    kSooner = 8,  // than it has
  };
  uint8_t conditions = 0;
  ExpiryMs expiry = kNever;

  bool holds(ExpiryMs current) const;
  std::string encode() const;
  bool read(std::string_view bytes);
};

// kReadRange: the bytes from `first` to `last`, both included; below 0 they count from the end, -1
// being the last byte. What lies beyond the value is left out.
struct RangeArgs {
  int64_t first = 0;
  int64_t last = -1;

  // Of a value of so many bytes.
  std::string_view part_of(std::string_view value) const;
  std::string encode() const;
  bool read(std::string_view bytes);
};

// kWriteRange: from this byte on.
std::string encode_offset(uint64_t offset);
bool read_offset(std::string_view bytes, uint64_t* offset);

// kExpiry: how the answer says when the record expires. -1: never.
enum class ExpiryForm : uint8_t { kMsLeft, kSecondsLeft, kUnixMs, kUnixSeconds };

std::string encode(ExpiryForm form);
bool read(std::string_view bytes, ExpiryForm* form);
// Bound: expiry is not kNever.
int64_t in_form(ExpiryForm form, ExpiryMs expiry, ExpiryMs now);

}  // namespace lh::core
