// RespTransaction: what a RESP connection has queued since MULTI, and which keys it watches, until
// EXEC makes one operation of it (core/transaction.h) and one answer of what comes back. All keys
// have to be of one bucket; keys with the same part in braces always are. Plain data of a session,
// in its worker's thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/transaction.h"
#include "node/ordered_answers.h"
#include "node/resp_admin.h"
#include "wire/resp_commands.h"

namespace lh::node {

// What EXEC answers, when the parts have been executed.
class RespParts final : public Answer::Work {
 public:
  struct Step {
    const wire::RespCommand* command = nullptr;
    core::Op op = core::Op::kRead;
    size_t operations = 0;  // 0: it is answered already
    std::string text;
  };

  void add(Step step) { steps_.push_back(std::move(step)); }
  // The whole answer; of a transaction that was not executed, why not.
  void append(core::Code code, BucketNo bucket, std::string_view parts, wire::RespWriter writer,
              std::string* out) const;

 private:
  void append_several(const Step& step, BucketNo bucket, base::Reader* parts,
                      wire::RespWriter writer, std::string* out) const;

  std::vector<Step> steps_;
};

class RespTransaction {
 public:
  // Of what is queued, and of watched keys: together they fit a value.
  static constexpr size_t kQueuedBytesMax = core::kValueBytesMax - (size_t{1} << 20);
  static constexpr size_t kWatchedBytesMax = size_t{1} << 20;

  // Between MULTI and EXEC or DISCARD.
  bool is_open() const { return open_; }
  void begin() { open_ = true; }
  // Forgets everything.
  void end() { *this = {}; }

  // Something that cannot be queued makes EXEC refuse the rest.
  void spoil() { spoilt_ = open_; }
  bool is_spoilt() const { return spoilt_; }

  // False: that would be too many.
  bool watch(std::string_view key, const core::Version& version);
  void forget_watches();
  bool add(const wire::RespCommand& command, const wire::RespArgs& args);

  // A key that it is about; nothing when it is about none.
  std::optional<std::string_view> key() const;
  // The value of the operation, to *value, and how to answer. Executes what is not about keys.
  std::unique_ptr<RespParts> compile(core::ExpiryMs unix_ms, RespAdmin* admin,
                                     std::string* value) const;

 private:
  struct Watched {
    std::string key;
    core::Version version;
  };
  struct Queued {
    const wire::RespCommand* command = nullptr;
    std::string bytes;
    std::vector<wire::RespArgs::Place> places;
    wire::RespArgs args() const { return {bytes.data(), places.data(), places.size()}; }
  };

  bool open_ = false;
  bool spoilt_ = false;
  std::vector<Watched> watched_;
  std::vector<Queued> queued_;
  size_t watched_bytes_ = 0;
  size_t queued_bytes_ = 0;
};

}  // namespace lh::node
