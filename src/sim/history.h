// History: what clients asked in a run and what they were told, and whether that can be: every key
// linearizable, every scan and count explained by the same order of things. Pure book-keeping; it
// has never heard of buckets.
//
// A value names the operation that wrote it, so a read tells which one it saw. Some keys are only
// added to: their values are numbers, or run of letters that stand for their length.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "core/file_call.h"
#include "core/message.h"
#include "sim/linearizability.h"

namespace lh::sim {

// A value that names `id` > 0, of `size` bytes or a few more if that is too short to name it.
std::string make_value(uint64_t id, size_t size);
// The id; nothing when not every byte is as make_value() made it. Of a run of kLetter: its length.
std::optional<uint64_t> read_value(std::string_view value);

// Keys that are added to, and nothing else but read and deleted.
enum class KeyUse : uint8_t { kValue, kCounter, kText };
KeyUse use_of_key(size_t key);
// How much operation `id` adds.
uint64_t delta_of(uint64_t id);
inline constexpr char kLetter = 'a';

class History {
 public:
  explicit History(std::vector<std::string> keys);

  const std::vector<std::string>& keys() const { return keys_; }
  std::optional<size_t> find_key(std::string_view key) const;

  // ---- keyed operations; `id` names the operation, and the value that it writes.
  struct Operation {
    uint32_t client = 0;
    core::Op op = core::Op::kRead;
    size_t key = 0;
    bool answered = false;
    core::Code code = core::Code::kOk;
    uint64_t read = 0;  // id in the value, or the number
    Moment invoked_at = 0;
    Moment answered_at = kNever;
    Moment expires = kNever;  // what it wrote
    base::Instant submitted_at;
    uint64_t file_version = 0;  // when it was submitted
    bool repeated = false;      // the client sent it more than once
  };
  uint64_t begin(uint32_t client, core::Op op, size_t key, Moment at, base::Instant now,
                 uint64_t file_version);
  // value: what was read, or came of adding.
  void end(uint64_t id, core::Code code, std::string_view value, Moment at, bool repeated = false);
  // What the operation writes is not there any more behind this moment.
  void expire(uint64_t id, Moment at) { operations_[id - 1].expires = at; }
  const Operation& operation(uint64_t id) const { return operations_[id - 1]; }
  uint64_t operation_count() const { return operations_.size(); }

  // ---- scans, counts and clears of the whole file.
  struct Call {
    uint32_t client = 0;
    core::FileRequest request;
    Moment begun_at = 0;
    Moment ended_at = kNever;
    core::FileResult::Outcome outcome = core::FileResult::Outcome::kOk;
    uint64_t count = 0;
    std::vector<std::pair<size_t, uint64_t>> records;  // key, id in the value
    // Which keys the call had to find when they were there; it may find others as well.
    std::function<bool(size_t key)> expects;
  };
  size_t begin_call(uint32_t client, const core::FileRequest& request, Moment at);
  void add_record(size_t call, std::string_view key, std::string_view value);
  void end_call(size_t call, const core::FileResult& result, Moment at,
                std::function<bool(size_t key)> expects);
  Call& call(size_t number) { return calls_[number]; }
  size_t call_count() const { return calls_.size(); }

  // ---- losses of power. At moment `at` a node lost it, which had these keys: of what was answered
  // about them after `since` the last part may be gone.
  void add_power_cut(Moment since, Moment at, const std::function<bool(size_t key)>& had);
  // Between the two moments all that a node had of these keys was lost for good.
  void add_wipe(Moment since, Moment at, const std::function<bool(size_t key)>& had);

  struct Findings {
    std::optional<std::string> violation;  // something that no order of things explains, in words
    size_t undecided = 0;                  // keys of which nobody can tell
  };
  Findings check() const;
  std::optional<std::string> find_violation() const { return check().violation; }
  // How the last request of this client for each key ended; keys that it did not ask for, or got no
  // answer about, are left out.
  std::map<size_t, core::Code> last_codes(uint32_t client) const;

 private:
  using Events = std::vector<std::vector<KeyEvent>>;  // by key
  Events events() const;
  void add_late_copy(const Operation& o, const KeyEvent& e, std::vector<KeyEvent>* events) const;
  void add_clear(const Call& call, Events* events) const;
  std::optional<std::string> check_scan(const Call& call, Events* events) const;
  std::optional<std::string> check_count(const Call& call, const Events& events) const;

  std::vector<std::string> keys_;
  std::vector<std::vector<PowerCut>> cuts_;   // by key
  std::vector<std::vector<PowerCut>> wipes_;  // by key
  std::map<std::string, size_t, std::less<>> key_numbers_;
  std::vector<Operation> operations_;
  std::vector<Call> calls_;
  std::string malformed_;  // the first value or key that nobody wrote
};

}  // namespace lh::sim
