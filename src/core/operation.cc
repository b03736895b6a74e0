#include "core/operation.h"

#include <algorithm>

#include "base/coding.h"

namespace lh::core {

namespace {

constexpr uint8_t kPresenceMask = 3;
constexpr uint8_t kKeepsExpiry = 4;
constexpr uint8_t kConditionsMask = 15;

std::string encode_with(uint8_t flags, ExpiryMs expiry) {
  std::string bytes;
  base::Writer<> writer(&bytes);
  writer.u8(flags);
  writer.varint(expiry);
  return bytes;
}

bool read_with(std::string_view bytes, uint8_t* flags, ExpiryMs* expiry) {
  base::Reader reader(bytes);
  *flags = reader.u8();
  *expiry = reader.varint();
  return reader.ok() && reader.remaining() == 0 && *expiry <= kExpiryMax;
}

}  // namespace

std::string SetArgs::encode() const {
  const auto presence = static_cast<uint8_t>(only_if);
  return encode_with(keeps_expiry ? presence | kKeepsExpiry : presence, expiry);
}

bool SetArgs::read(std::string_view bytes) {
  *this = {};
  if (bytes.empty()) return true;
  uint8_t flags = 0;
  if (!read_with(bytes, &flags, &expiry)) return false;
  const uint8_t presence = flags & kPresenceMask;
  if (presence > static_cast<uint8_t>(Presence::kPresent)) return false;
  only_if = static_cast<Presence>(presence);
  keeps_expiry = (flags & kKeepsExpiry) != 0;
  if (keeps_expiry && expiry != kNever) return false;
  return (flags & ~(kPresenceMask | kKeepsExpiry)) == 0;
}

bool ExpireArgs::holds(ExpiryMs current) const {
  if ((conditions & kHasNone) != 0 && current != kNever) return false;
  if ((conditions & kHasOne) != 0 && current == kNever) return false;
  // Never is 0, and the latest of all.
  if ((conditions & kLater) != 0 && expiry - 1 <= current - 1) return false;
  return (conditions & kSooner) == 0 || expiry - 1 < current - 1;
}

std::string ExpireArgs::encode() const { return encode_with(conditions, expiry); }

bool ExpireArgs::read(std::string_view bytes) {
  return read_with(bytes, &conditions, &expiry) && (conditions & ~kConditionsMask) == 0;
}

std::string_view RangeArgs::part_of(std::string_view value) const {
  const auto size = static_cast<int64_t>(value.size());
  const auto place = [size](int64_t at) { return at < 0 ? std::max(at + size, int64_t{0}) : at; };
  // Both before the beginning: nothing, though either alone means the first byte.
  if (first < 0 && last < 0 && first > last) return {};
  const int64_t from = place(first);
  const int64_t to = std::min(place(last), size - 1);
  if (from > to) return {};
  return value.substr(static_cast<size_t>(from), static_cast<size_t>(to - from + 1));
}

std::string RangeArgs::encode() const {
  std::string bytes;
  base::Writer<> writer(&bytes);
  writer.u64(static_cast<uint64_t>(first));
  writer.u64(static_cast<uint64_t>(last));
  return bytes;
}

bool RangeArgs::read(std::string_view bytes) {
  base::Reader reader(bytes);
  first = static_cast<int64_t>(reader.u64());
  last = static_cast<int64_t>(reader.u64());
  return reader.done();
}

std::string encode_offset(uint64_t offset) {
  std::string bytes;
  base::Writer<>(&bytes).u64(offset);
  return bytes;
}

bool read_offset(std::string_view bytes, uint64_t* offset) {
  base::Reader reader(bytes);
  *offset = reader.u64();
  return reader.done();
}

std::string encode(ExpiryForm form) { return {static_cast<char>(form)}; }

bool read(std::string_view bytes, ExpiryForm* form) {
  if (bytes.size() != 1 || bytes[0] > static_cast<char>(ExpiryForm::kUnixSeconds)) return false;
  *form = static_cast<ExpiryForm>(bytes[0]);
  return bytes[0] >= 0;
}

int64_t in_form(ExpiryForm form, ExpiryMs expiry, ExpiryMs now) {
  const bool at = form == ExpiryForm::kUnixMs || form == ExpiryForm::kUnixSeconds;
  const ExpiryMs ms = at ? expiry : expiry - std::min(expiry, now);
  const bool seconds = form == ExpiryForm::kSecondsLeft || form == ExpiryForm::kUnixSeconds;
  // Rounded when it counts down, as Redis does, so that what has half a second left is not gone.
  const ExpiryMs rounding = form == ExpiryForm::kSecondsLeft ? 500 : 0;
  return static_cast<int64_t>(seconds ? (ms + rounding) / 1'000 : ms);
}

}  // namespace lh::core
