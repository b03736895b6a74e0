// A bucket's transactions: several operations as one (core/transaction.h).
#include <algorithm>
#include <unordered_map>

#include "core/bits.h"
#include "core/bucket.h"
#include "core/limits.h"
#include "core/several.h"
#include "core/transaction.h"

namespace lh::core {

// What has expired is gone before it is looked at, not written to afterwards.
Bucket::Answer Bucket::watch(const Operation& asked, Effects* effects) {
  drop_expired(asked.c, asked.key, effects);
  const uint64_t number = watches_.version_of(asked.c);
  return {Code::kOk, say(encode(Version{host_.node, host_.boot.number, mark_.a, number}))};
}

// How long values may be, and the answer, when the parts that were added have been executed.
class Bucket::Lengths {
 public:
  explicit Lengths(const Bucket& bucket) : bucket_(bucket) {}

  // Whether it makes sense, and concerns nothing but records of the bucket.
  Code add(const Operation& part);
  size_t answer_bytes() const { return answer_bytes_; }

 private:
  // Bound: a key of the bucket.
  size_t& of(std::string_view key);
  Code add_others(const Operation& part, size_t* longest_other);

  const Bucket& bucket_;
  std::unordered_map<std::string_view, size_t> lengths_;
  size_t answer_bytes_ = 0;
};

size_t& Bucket::Lengths::of(std::string_view key) {
  const auto [it, fresh] = lengths_.try_emplace(key, kNumberBytesMax);
  if (fresh) {
    const auto old = bucket_.table_.find(*bucket_.place(key), key);
    if (old) it->second = std::max(it->second, old->size());
  }
  return it->second;
}

Code Bucket::Lengths::add_others(const Operation& part, size_t* longest_other) {
  std::vector<std::string_view> others;
  if (!read_other_keys(part, &others)) return Code::kMalformed;
  for (const std::string_view key : others) {
    if (!bucket_.place(key)) return Code::kCross;
    *longest_other = std::max(*longest_other, of(key));
  }
  return Code::kOk;
}

Code Bucket::Lengths::add(const Operation& part) {
  if (!bucket_.place(part.key)) return Code::kCross;
  size_t& length = of(part.key);
  size_t longest_other = 0;
  if (Code code = add_others(part, &longest_other); code != Code::kOk) return code;
  uint64_t record = length;  // that is told: as it was, or is
  // Up to here. A record whose key is given as the value, or among others, is not longer by that.
  size_t written = part.value.size();
  switch (part.op) {
    case Op::kPut:
    case Op::kDelete:
    case Op::kTake:
      length = kNumberBytesMax;
      break;
    case Op::kSet:
    case Op::kSwap: {
      SetArgs args;
      if (args.read(part.args) && args.only_if == Presence::kAny) length = kNumberBytesMax;
      break;
    }
    case Op::kReadRange: {
      RangeArgs args;
      const bool is_short = args.read(part.args) && args.first >= 0 && args.last >= args.first;
      if (is_short) record = std::min(record, static_cast<uint64_t>(args.last - args.first) + 1);
      break;
    }
    case Op::kAppend:
      written += length;
      break;
    case Op::kWriteRange: {
      uint64_t offset = 0;
      if (!read_offset(part.args, &offset)) return Code::kMalformed;
      written += std::min<uint64_t>(offset, kValueBytesMax);
      break;
    }
    case Op::kWriteBit:
    case Op::kWriteFields: {
      const std::optional<uint64_t> bits = bits_written(part);
      if (!bits) return Code::kMalformed;
      written = std::max(written, static_cast<size_t>(*bits / 8 + 1));
      break;
    }
    case Op::kIncrementFloat:
      written = kFloatBytesMax;
      break;
    case Op::kRename:
    case Op::kRenameAbsent:
    case Op::kCopy:
    case Op::kCopyAbsent:
      of(part.value) = std::max(longest_other, length);
      break;
    case Op::kCombineBits:
      written = longest_other;
      break;
    default:
      break;
  }
  length = std::max(length, written);
  if (part.op == Op::kIncrementFloat) record = length;
  answer_bytes_ += kNumberBytesMax;
  if (traits(part.op).says == Says::kRecord) answer_bytes_ += record;
  if (traits(part.op).says == Says::kOther) {
    // Of fields, each of which takes three bytes or more; or of what two values have in common.
    answer_bytes_ +=
        std::max<uint64_t>(3 * part.value.size(), std::min<uint64_t>(record, longest_other) * 16);
  }
  return Code::kOk;
}

// All that can be wrong is found before anything is done.
Code Bucket::judge_transaction(std::string_view bytes, Effects* effects) {
  TransactionReader reader(bytes);
  bool untouched = true;
  for (Watched watched; reader.next(&watched);) {
    const std::optional<HashValue> c = place(watched.key);
    if (!c) return Code::kCross;
    drop_expired(*c, watched.key, effects);
    const Version& seen = watched.version;
    const bool same_life = seen.node == host_.node && seen.boot == host_.boot.number;
    untouched &= same_life && seen.bucket == mark_.a && watches_.is(*c, seen.number);
  }
  Lengths lengths(*this);
  for (Operation part; reader.next(&part);) {
    if (host_.disk_full && is_mutation(part.op)) return Code::kNoSpace;
    if (host_.full && needs_memory(part.op)) return Code::kFull;
    if (Code code = lengths.add(part); code != Code::kOk) return code;
  }
  if (!reader.ok()) return Code::kMalformed;
  if (lengths.answer_bytes() > kAnswerBytesMax) return Code::kTooLarge;
  return untouched ? Code::kOk : Code::kConflict;
}

Bucket::Answer Bucket::transact(const Operation& asked, Effects* effects) {
  const Code code = judge_transaction(asked.value, effects);
  if (code != Code::kOk) return {code, {}};
  emptied(&said_parts_);
  TransactionReader reader(asked.value);
  for (Operation part; reader.next(&part);) {
    part.c = *base::hash_key(host_.options.hash, part.key);
    const Answer said = execute(part, effects);
    append_part(&said_parts_, said.code, said.value);
  }
  return {Code::kOk, said_parts_};
}

}  // namespace lh::core
