// A bucket's transactions: several operations as one (core/transaction.h).
#include <algorithm>
#include <unordered_map>

#include "core/bucket.h"
#include "core/transaction.h"
#include "lh/address.h"

namespace lh::core {

Bucket::Answer Bucket::watch(const Operation& asked) {
  const uint64_t number = watches_.version_of(asked.c);
  return {Code::kOk, say(encode(Version{host_.node, host_.boot.number, mark_.a, number}))};
}

// All that can be wrong is found before anything is done.
Code Bucket::judge_transaction(std::string_view bytes, Effects* effects) {
  const Interval mine = interval_of(mark_);
  const auto is_mine = [&](std::string_view key, HashValue* c) {
    const std::optional<HashValue> hash = base::hash_key(host_.options.hash, key);
    if (hash) *c = *hash;
    return hash && mine.contains(reverse64(*hash));
  };
  TransactionReader reader(bytes);
  HashValue c = 0;
  bool untouched = true;
  for (Watched watched; reader.next(&watched);) {
    if (!is_mine(watched.key, &c)) return Code::kCross;
    drop_expired(c, watched.key, effects);
    const Version& seen = watched.version;
    const bool same_life = seen.node == host_.node && seen.boot == host_.boot.number;
    untouched &= same_life && seen.bucket == mark_.a && watches_.is(c, seen.number);
  }
  size_t answer_bytes = 0;
  std::unordered_map<std::string_view, size_t> longest;  // that a key's value may be by now
  for (Operation part; reader.next(&part);) {
    if (!is_mine(part.key, &c)) return Code::kCross;
    if (host_.full && needs_memory(part.op)) return Code::kFull;
    const auto [it, fresh] = longest.try_emplace(part.key, kNumberBytesMax);
    size_t& length = it->second;
    if (fresh) {
      const std::optional<table::Record> old = table_.find_record(c, part.key);
      if (old) length = std::max(length, old->value.size());
    }
    if (traits(part.op).says == Says::kRecord) answer_bytes += length;
    answer_bytes += kNumberBytesMax;
    const bool old_is_gone = part.op == Op::kPut || part.op == Op::kDelete || part.op == Op::kTake;
    if (old_is_gone) length = kNumberBytesMax;
    uint64_t offset = part.op == Op::kAppend ? length : 0;
    if (part.op == Op::kWriteRange && !read_offset(part.args, &offset)) return Code::kMalformed;
    length = std::max(length, std::min<uint64_t>(offset, kValueBytesMax) + part.value.size());
  }
  if (!reader.ok()) return Code::kMalformed;
  if (answer_bytes > kAnswerBytesMax) return Code::kTooLarge;
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
