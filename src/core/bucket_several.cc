// A bucket's operations on several of its records (core/several.h).
#include <algorithm>

#include "base/coding.h"
#include "core/bucket.h"
#include "core/limits.h"
#include "core/several.h"
#include "lh/address.h"

namespace lh::core {

// The hash of a key if its record belongs here.
std::optional<HashValue> Bucket::place(std::string_view key) const {
  const std::optional<HashValue> c = base::hash_key(host_.options.hash, key);
  if (!c || !interval_of(mark_).contains(reverse64(*c))) return std::nullopt;
  return c;
}

// The expiry goes with the record.
Bucket::Answer Bucket::move(const Operation& asked, Effects* effects) {
  const std::string_view to = asked.value;
  if (to.size() > kKeyBytesMax) return {Code::kMalformed, {}};
  const std::optional<HashValue> c = place(to);
  if (!c) return {Code::kCross, {}};
  drop_expired(*c, to, effects);
  const std::optional<table::Record> found = table_.find_record(asked.c, asked.key);
  if (!found) return {Code::kNotFound, {}};
  const bool may_replace = asked.op == Op::kRename || asked.op == Op::kCopy;
  if (!may_replace && table_.find(*c, to)) return {Code::kExists, {}};
  if (to == asked.key) return {Code::kOk, {}};
  // A table takes no value that points into it.
  const std::string value(found->value);
  const ExpiryMs expiry = found->expiry;
  const bool stays = asked.op == Op::kCopy || asked.op == Op::kCopyAbsent;
  if (!stays) erase(asked.c, asked.key, effects);
  put(*c, {to, value, expiry}, effects);
  return {Code::kOk, {}};
}

Bucket::Answer Bucket::insert_all(const Operation& asked, Effects* effects) {
  std::vector<std::string_view> keys;
  if (!read_other_keys(asked, &keys)) return {Code::kMalformed, {}};
  for (const std::string_view key : keys) {
    const std::optional<HashValue> c = place(key);
    if (!c) return {Code::kCross, {}};
    drop_expired(*c, key, effects);
    if (table_.find(*c, key)) return {Code::kExists, {}};
  }
  base::Reader records(asked.value);
  while (records.remaining() > 0) {
    const std::string_view key = records.prefixed();
    put(*place(key), {key, records.prefixed()}, effects);
  }
  return {Code::kOk, {}};
}

Bucket::Answer Bucket::combine_bits(const Operation& asked, Effects* effects) {
  BitLogic logic = BitLogic::kAnd;
  std::vector<std::string_view> keys;
  if (!read(asked.args, &logic) || !read_other_keys(asked, &keys)) return {Code::kMalformed, {}};
  if (keys.empty() || (logic == BitLogic::kNot && keys.size() != 1)) return {Code::kMalformed, {}};
  std::vector<std::string_view> values;
  for (const std::string_view key : keys) {
    const std::optional<HashValue> c = place(key);
    if (!c) return {Code::kCross, {}};
    const std::optional<table::Record> found = find_record(*c, key);
    values.push_back(found ? found->value : std::string_view());
  }
  const std::string result = combine(logic, values);
  if (result.empty()) {
    erase(asked.c, asked.key, effects);
  } else {
    put(asked.c, {asked.key, result}, effects);
  }
  return {Code::kOk, say(static_cast<int64_t>(result.size()))};
}

Bucket::Answer Bucket::common(const Operation& asked) {
  CommonArgs args;
  const std::string_view other = asked.value;
  if (!args.read(asked.args) || other.size() > kKeyBytesMax) return {Code::kMalformed, {}};
  const std::optional<HashValue> c = place(other);
  if (!c) return {Code::kCross, {}};
  const std::optional<table::Record> a = find_record(asked.c, asked.key);
  const std::optional<table::Record> b = find_record(*c, other);
  const std::string_view value_a = a ? a->value : std::string_view();
  const std::string_view value_b = b ? b->value : std::string_view();
  if (value_a.size() * value_b.size() > kCommonCellsMax) return {Code::kTooLarge, {}};
  std::string& said = emptied(&said_value_);
  append_answer(&said, common_of(value_a, value_b), args);
  return {Code::kOk, said};
}

}  // namespace lh::core
