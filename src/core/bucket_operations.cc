// What a bucket does for keyed requests, and with the records that have expired.
#include <algorithm>
#include <charconv>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/strings.h"
#include "core/bucket.h"
#include "core/change.h"
#include "core/limits.h"
#include "lh/address.h"

namespace lh::core {

namespace {

// Of records that are gone, and of slots that were looked at for them, in a slice.
constexpr size_t kSweepBytes = size_t{16} << 10;

}  // namespace

Bucket::Answer Bucket::execute(const Operation& asked, Effects* effects) {
  LH_CHECK(live_);
  if ((host_.full || host_.disk_full) && is_mutation(asked.op)) [[unlikely]] {
    if (host_.disk_full && asked.op != Op::kTransact) return {Code::kNoSpace, {}};
    if (needs_memory(asked.op)) return {Code::kFull, {}};
  }
  const HashValue c = asked.c;
  const std::string_view key = asked.key;
  // What has expired is not there: before anything is done to it, it goes.
  if (table_.expiring() > 0 && is_mutation(asked.op)) [[unlikely]]
    drop_expired(c, key, effects);
  switch (asked.op) {
    case Op::kRead:
    case Op::kDump: {
      const std::optional<table::Record> found = find_record(c, key);
      return found ? Answer{Code::kOk, found->value} : Answer{Code::kNotFound, {}};
    }
    case Op::kLength: {
      const std::optional<table::Record> found = find_record(c, key);
      if (!found) return {Code::kNotFound, {}};
      return {Code::kOk, say(static_cast<int64_t>(found->value.size()))};
    }
    case Op::kLocate:
      return {Code::kOk, {}};
    case Op::kInsert:
      if (!table_.insert(c, key, asked.value)) return {Code::kExists, {}};
      tell_of_put(c, {key, asked.value}, effects);
      count_collision(effects);
      return {Code::kOk, {}};
    case Op::kPut:
      put(c, {key, asked.value}, effects);
      return {Code::kOk, {}};
    case Op::kUpdate:
      if (!table_.update(c, key, asked.value)) return {Code::kNotFound, {}};
      tell_of_put(c, {key, asked.value}, effects);
      return {Code::kOk, {}};
    case Op::kDelete:
      return {erase(c, key, effects) ? Code::kOk : Code::kNotFound, {}};
    case Op::kIncrement:
      return increment(asked, effects);
    case Op::kAppend:
      return append(asked, effects);
    case Op::kSet:
    case Op::kSwap:
    case Op::kRestore:
      return set(asked, effects);
    case Op::kExpire:
    case Op::kReadExpire:
      return expire(asked, effects);
    case Op::kExpiry:
      return expiry(asked);
    default:
      return execute_rarer(asked, effects);
  }
}

Bucket::Answer Bucket::execute_rarer(const Operation& asked, Effects* effects) {
  switch (asked.op) {
    case Op::kTake:
      return take(asked, effects);
    case Op::kReadRange:
      return read_range(asked);
    case Op::kWriteRange:
      return write_range(asked, effects);
    case Op::kType:
      return find_record(asked.c, asked.key) ? Answer{Code::kOk, "string"}
                                             : Answer{Code::kNotFound, {}};
    case Op::kIncrementFloat:
      return increment_float(asked, effects);
    case Op::kReadBit:
    case Op::kCountBits:
    case Op::kFindBit:
    case Op::kReadFields:
      return read_bits(asked);
    case Op::kWriteBit:
    case Op::kWriteFields:
      return write_bits(asked, effects);
    case Op::kInsertAll:
      return insert_all(asked, effects);
    case Op::kRename:
    case Op::kRenameAbsent:
    case Op::kCopy:
    case Op::kCopyAbsent:
      return move(asked, effects);
    case Op::kCombineBits:
      return combine_bits(asked, effects);
    case Op::kCommon:
      return common(asked);
    case Op::kWatch:
      return watch(asked, effects);
    case Op::kTransact:
      return transact(asked, effects);
    default:
      break;
  }
  LH_UNREACHABLE();
}

bool Bucket::drop_expired(HashValue c, std::string_view key, Effects* effects) {
  if (host_.disk_full) return false;  // that could not be written down: it is only not seen
  const std::optional<table::Record> old = table_.find_record(c, key);
  if (!old || !table::has_expired(*old, host_.unix_ms())) return false;
  erase(c, key, effects);
  ++expired_;
  return true;
}

std::optional<table::Record> Bucket::find_record(HashValue c, std::string_view key) const {
  std::optional<table::Record> found = table_.find_record(c, key);
  if (found && found->expiry != kNever && found->expiry <= host_.unix_ms()) [[unlikely]]
    found.reset();
  return found;
}

bool Bucket::erase(HashValue c, std::string_view key, Effects* effects) {
  if (!table_.erase(c, key)) return false;
  tell_of_erase(c, key, effects);
  return true;
}

// The expiry stays, as with append().
Bucket::Answer Bucket::increment(const Operation& asked, Effects* effects) {
  const std::optional<int64_t> added = base::parse_i64(asked.value);
  const std::optional<table::Record> found = table_.find_record(asked.c, asked.key);
  const std::optional<int64_t> number = found ? base::parse_i64(found->value) : 0;
  if (!added || !number) return {Code::kNotInteger, {}};
  int64_t sum = 0;
  if (__builtin_add_overflow(*number, *added, &sum)) return {Code::kOverflow, {}};
  const std::string_view text = say(sum);
  put(asked.c, {asked.key, text, found ? found->expiry : kNever}, effects);
  return {Code::kOk, text};
}

Bucket::Answer Bucket::append(const Operation& asked, Effects* effects) {
  const table::Record old =
      table_.find_record(asked.c, asked.key).value_or(table::Record{asked.key, {}});
  if (old.value.size() + asked.value.size() > kValueBytesMax) return {Code::kTooLong, {}};
  // A table takes no value that points into it.
  std::string joined(old.value);
  joined.append(asked.value);
  put(asked.c, {asked.key, joined, old.expiry}, effects);
  return {Code::kOk, say(static_cast<int64_t>(joined.size()))};
}

Bucket::Answer Bucket::set(const Operation& asked, Effects* effects) {
  SetArgs args;
  if (!args.read(asked.args)) return {Code::kMalformed, {}};
  std::optional<table::Record> old;
  const bool asks_for_old =
      asked.op == Op::kSwap || args.only_if != Presence::kAny || args.keeps_expiry;
  if (asks_for_old) old = table_.find_record(asked.c, asked.key);
  Answer answer;
  if (asked.op == Op::kSwap) {
    answer = old ? Answer{Code::kOk, say(old->value)} : Answer{Code::kNotFound, {}};
  }
  const bool refused = old ? args.only_if == Presence::kAbsent : args.only_if == Presence::kPresent;
  if (refused && asked.op == Op::kSwap) return answer;
  if (refused) return {old ? Code::kExists : Code::kNotFound, {}};
  if (args.keeps_expiry && old) args.expiry = old->expiry;
  put(asked.c, {asked.key, asked.value, args.expiry}, effects);
  return answer;
}

Bucket::Answer Bucket::expire(const Operation& asked, Effects* effects) {
  ExpireArgs args;
  if (!args.read(asked.args)) return {Code::kMalformed, {}};
  const std::optional<table::Record> old = table_.find_record(asked.c, asked.key);
  if (!old || !args.holds(old->expiry)) return {Code::kNotFound, {}};
  Answer answer;
  if (asked.op == Op::kReadExpire) answer.value = say(old->value);
  if (args.expiry == kNever && old->expiry == kNever) return answer;  // nothing changes
  if (args.expiry != kNever && args.expiry <= host_.unix_ms()) {
    erase(asked.c, asked.key, effects);
    ++expired_;
    return answer;
  }
  table_.set_expiry(asked.c, asked.key, args.expiry);
  watches_.on_write(asked.c);
  if (split_ && !split_->handed_over()) {
    split_->on_expire(reverse64(asked.c), asked.key, args.expiry);
  }
  if (effects->keeps_journal()) {
    append_expire(record(RecordKind::kChanges, effects), asked.key, args.expiry);
  }
  return answer;
}

Bucket::Answer Bucket::read_range(const Operation& asked) const {
  RangeArgs args;
  if (!args.read(asked.args)) return {Code::kMalformed, {}};
  const std::optional<table::Record> found = find_record(asked.c, asked.key);
  if (!found) return {Code::kNotFound, {}};
  return {Code::kOk, args.part_of(found->value)};
}

// Nothing written makes no record, and no record longer. The expiry stays.
Bucket::Answer Bucket::write_range(const Operation& asked, Effects* effects) {
  uint64_t offset = 0;
  if (!read_offset(asked.args, &offset)) return {Code::kMalformed, {}};
  const table::Record old =
      table_.find_record(asked.c, asked.key).value_or(table::Record{asked.key, {}});
  if (asked.value.empty()) return {Code::kOk, say(static_cast<int64_t>(old.value.size()))};
  if (offset > kValueBytesMax || offset + asked.value.size() > kValueBytesMax) {
    return {Code::kTooLong, {}};
  }
  std::string value(old.value);
  value.resize(std::max(value.size(), offset + asked.value.size()), '\0');
  value.replace(offset, asked.value.size(), asked.value);
  put(asked.c, {asked.key, value, old.expiry}, effects);
  return {Code::kOk, say(static_cast<int64_t>(value.size()))};
}

Bucket::Answer Bucket::take(const Operation& asked, Effects* effects) {
  const std::optional<table::Record> old = table_.find_record(asked.c, asked.key);
  if (!old) return {Code::kNotFound, {}};
  const std::string_view value = say(old->value);
  erase(asked.c, asked.key, effects);
  return {Code::kOk, value};
}

Bucket::Answer Bucket::expiry(const Operation& asked) {
  ExpiryForm form;
  if (!read(asked.args, &form)) return {Code::kMalformed, {}};
  const std::optional<table::Record> found = find_record(asked.c, asked.key);
  if (!found) return {Code::kNotFound, {}};
  if (found->expiry == kNever) return {Code::kOk, say(int64_t{-1})};
  return {Code::kOk, say(in_form(form, found->expiry, host_.unix_ms()))};
}

std::string_view Bucket::say(int64_t number) {
  const char* end = std::to_chars(std::begin(said_), std::end(said_), number).ptr;
  return {said_, static_cast<size_t>(end - said_)};
}

std::string_view Bucket::say(std::string_view value) { return emptied(&said_value_).append(value); }

std::string& Bucket::emptied(std::string* said) {
  constexpr size_t kKeptBytes = size_t{64} << 10;
  if (said->capacity() > kKeptBytes) *said = {};
  said->clear();
  return *said;
}

void Bucket::put(HashValue c, const table::Record& record, Effects* effects) {
  const bool inserted = table_.put(c, record) == table::HashTable::Put::kInserted;
  tell_of_put(c, record, effects);
  if (inserted) count_collision(effects);
}

void Bucket::tell_of_put(HashValue c, const table::Record& put, Effects* effects) {
  watches_.on_write(c);
  if (split_ && !split_->handed_over()) split_->on_put(reverse64(c), put);
  if (effects->keeps_journal()) append_put(record(RecordKind::kChanges, effects), put);
}

void Bucket::tell_of_erase(HashValue c, std::string_view key, Effects* effects) {
  watches_.on_write(c);
  if (split_ && !split_->handed_over()) split_->on_erase(reverse64(c), key);
  if (effects->keeps_journal()) append_erase(record(RecordKind::kChanges, effects), key);
}

std::optional<Bucket::Answer> Bucket::execute_once(const Request& request, HashValue c,
                                                   Effects* effects) {
  if (!is_mutation(request.op) || request.from.client == 0) {
    return execute({request.op, c, request.key, request.value, request.args}, effects);
  }
  Answer answer;
  switch (
      dedup_.admit(request.from.client, request.seq, request.acked, &answer.code, &answer.value)) {
    case Dedup::Verdict::kStale:
      return std::nullopt;
    case Dedup::Verdict::kAnswered:
      return answer;
    case Dedup::Verdict::kNew:
      break;
  }
  const size_t recorded = effects->records();
  answer = execute({request.op, c, request.key, request.value, request.args}, effects);
  if (is_refusal(answer.code)) return answer;  // and no outcome to be remembered
  dedup_.remember(request.from.client, request.seq, answer.code, answer.value);
  // Behind the change, in one record: both are there or none. That nothing was changed is recorded
  // too: the client may hear so, and a late copy must not find that things are different by now.
  if (effects->keeps_journal()) {
    const bool changed = effects->records() > recorded;
    std::string* out = changed ? effects->latest_record() : record(RecordKind::kChanges, effects);
    append_client(out, request.from.client, request.acked, 0);
    append_answer(out, request.from.client, request.seq, answer.code, answer.value);
  }
  return answer;
}

// ------------------------------------------------------------------------------------- expiry

// A slice of the way through the table. One that found something is followed by another at once,
// one that did not by the next tick's: what is in memory to no purpose is not much then.
void Bucket::sweep(Effects* effects) {
  sweeping_ = false;
  if (!live_ || table_.expiring() == 0 || host_.disk_full) return;
  const Interval mine = interval_of(mark_);
  if (!mine.contains(sweep_at_)) sweep_at_ = mine.first;
  std::vector<std::pair<HashValue, std::string>> gone;
  const std::optional<ReversedHash> next = table_.walk_expired(
      sweep_at_, mine.last, kSweepBytes, host_.unix_ms(),
      [&](HashValue c, const table::Record& record) { gone.emplace_back(c, record.key); });
  sweep_at_ = next.value_or(mine.first);
  if (gone.empty()) return;
  sweeping_ = true;
  expired_ += gone.size();
  std::string* journal = effects->keeps_journal() ? record(RecordKind::kChanges, effects) : nullptr;
  for (const auto& [c, key] : gone) {
    LH_CHECK(table_.erase(c, key));
    watches_.on_write(c);
    if (split_ && !split_->handed_over()) split_->on_erase(reverse64(c), key);
    if (journal != nullptr) append_erase(journal, key);
  }
  effects->want_turn();
}

}  // namespace lh::core
