#include "sim/canary.h"

#include <optional>
#include <set>
#include <string>
#include <utility>

#include "base/hash.h"
#include "core/change.h"
#include "core/owned_message.h"
#include "lh/address.h"

namespace lh::sim {

namespace {

using core::Message;
using core::Outgoing;

core::Outgoing fake_ack(NodeId self, const core::SplitRecords& m) {
  return {core::Destination::to_bucket(self, m.source),
          core::SplitRecordsAck{m.split, m.stream, m.batch, m.source}};
}

// The end of a split stream never reaches the target, and the source believes that it did.
class LastBatchLost final : public Canary {
 public:
  bool tamper(NodeId self, Message* message, std::vector<Outgoing>* extra) override {
    const auto* m = std::get_if<core::SplitRecords>(message);
    if (m == nullptr || !m->last) return true;
    extra->push_back(fake_ack(self, *m));
    return false;
  }
};

// The source takes a batch for received when it is sent: a connection that breaks costs records.
class AckOnSend final : public Canary {
 public:
  bool tamper(NodeId self, Message* message, std::vector<Outgoing>* extra) override {
    const auto* m = std::get_if<core::SplitRecords>(message);
    if (m != nullptr) extra->push_back(fake_ack(self, *m));
    return true;
  }
};

// The remembered answers stay behind in a split: a retried request is executed twice.
class AnswersLeftBehind final : public Canary {
 public:
  bool tamper(NodeId, Message* message, std::vector<Outgoing>*) override {
    auto* m = std::get_if<core::SplitRecords>(message);
    if (m == nullptr) return true;
    changes_.clear();
    core::ChangeReader reader(m->changes);
    core::Change change;
    while (reader.next(&change)) {
      if (change.kind == core::Change::Kind::kPut) {
        core::append_put(&changes_, {change.key, change.value, change.expiry});
      } else if (change.kind == core::Change::Kind::kErase) {
        core::append_erase(&changes_, change.key);
      }
    }
    m->changes = changes_;
    return true;
  }

 private:
  std::string changes_;
};

// A change to a record that was streamed already is not repeated on the stream.
class ChangesForgotten final : public Canary {
 public:
  bool tamper(NodeId, Message* message, std::vector<Outgoing>*) override {
    auto* m = std::get_if<core::SplitRecords>(message);
    if (m == nullptr) return true;
    if (m->batch == 0) sent_.clear();
    if (!batches_.insert({m->split, m->stream, m->batch}).second) return true;
    changes_.clear();
    core::ChangeReader reader(m->changes);
    core::Change change;
    while (reader.next(&change)) keep(change);
    m->changes = changes_;
    return true;
  }

 private:
  void keep(const core::Change& change) {
    switch (change.kind) {
      case core::Change::Kind::kPut:
        if (!sent_.insert(std::string(change.key)).second) return;
        return core::append_put(&changes_, {change.key, change.value, change.expiry});
      case core::Change::Kind::kErase:
      case core::Change::Kind::kExpire:
      case core::Change::Kind::kOverdue:
        return;
      case core::Change::Kind::kClient:
        return core::append_client(&changes_, change.client, change.number, change.cleared);
      case core::Change::Kind::kAnswer:
        return core::append_answer(&changes_, change.client, change.number, change.code,
                                   change.value);
    }
  }

  struct Batch {
    uint64_t split;
    uint64_t stream;
    uint32_t number;
    auto operator<=>(const Batch&) const = default;
  };
  std::set<Batch> batches_;
  std::set<std::string> sent_;
  std::string changes_;
};

// A forwarded change is repeated, much later and under a number of its own: at-most-once is void.
class LateAgain final : public Canary {
 public:
  bool tamper(NodeId self, Message* message, std::vector<Outgoing>* extra) override {
    if (kept_ && self == at_ && ++messages_ > kMessagesLater) {
      again_ = std::move(kept_);
      kept_.reset();
      extra->push_back({core::Destination::to_bucket(self, forwarder_), again_->message()});
    }
    const auto* m = std::get_if<core::Request>(message);
    if (m == nullptr || m->hops == 0 || !core::is_mutation(m->op) || kept_) return true;
    core::Request again = *m;
    again.seq += uint64_t{1} << 40;
    kept_.emplace(again);
    at_ = self;
    forwarder_ = m->forwarder.a;
    messages_ = 0;
    return true;
  }

 private:
  static constexpr int kMessagesLater = 40;
  std::optional<core::OwnedMessage> kept_;
  std::optional<core::OwnedMessage> again_;  // lent out until the next call
  NodeId at_ = NodeId::kNone;
  BucketNo forwarder_ = 0;
  int messages_ = 0;
};

// A2 without its second step: a request is forwarded to h_j(c), which may not exist yet.
class StepTwoSkipped final : public Canary {
 public:
  bool tamper(NodeId, Message* message, std::vector<Outgoing>*) override {
    auto* m = std::get_if<core::Request>(message);
    if (m == nullptr || m->hops == 0) return true;
    const auto c = base::integer_key(m->key);
    m->to = h(m->forwarder.j, c ? *c : base::hash_key(m->key));
    return true;
  }
};

// An IAM that promises one level more than there is.
class EagerIam final : public Canary {
 public:
  bool tamper(NodeId, Message* message, std::vector<Outgoing>*) override {
    auto* m = std::get_if<core::Reply>(message);
    if (m != nullptr && m->hops > 0) ++m->iam.j;
    return true;
  }
};

// A piece of a scan that claims less than it covers: the rest is asked for again, and seen twice.
class PieceTooSmall final : public Canary {
 public:
  bool tamper(NodeId, Message* message, std::vector<Outgoing>*) override {
    auto* m = std::get_if<core::ScanReply>(message);
    if (m != nullptr && m->records > 1 && m->from < m->last) {
      m->last = m->from + (m->last - m->from) / 2;
    }
    return true;
  }
};

// A bucket that forgets to pass a scan on to the bucket that its split made.
class ScanNotPassedOn final : public Canary {
 public:
  bool tamper(NodeId self, Message* message, std::vector<Outgoing>* extra) override {
    const auto* m = std::get_if<core::Scan>(message);
    if (m == nullptr || m->solo || m->client.entry == self) return true;
    core::ScanReply empty;
    empty.to = m->client;
    empty.scan = m->scan;
    empty.bucket = {m->to, m->level};
    empty.node = self;
    empty.from = m->from;
    empty.last = m->last;
    extra->push_back({core::Destination::reply(), empty});
    return false;
  }
};

class Hasty final : public Canary {
 public:
  bool is_hasty() const override { return true; }
};

class Rash final : public Canary {
 public:
  bool is_rash() const override { return true; }
};

class SyncPutOff final : public Canary {
 public:
  bool puts_syncs_off() const override { return true; }
};

class LastRecordForgotten final : public Canary {
 public:
  bool forgets_last_record() const override { return true; }
};

constexpr CanaryKind kKinds[] = {
    {"last-batch-lost", "the end of a split stream is acknowledged and never applied"},
    {"ack-on-send", "a batch counts as received when it is sent"},
    {"answers-left-behind", "a split does not take the remembered answers along"},
    {"changes-forgotten", "changes to streamed records are not repeated on the stream"},
    {"late-again", "a forwarded change is executed once more, late and under another number"},
    {"step-two-skipped", "A2 without its second step"},
    {"eager-iam", "an IAM is one level ahead of the file"},
    {"piece-too-small", "a piece of a scan covers more than it says"},
    {"scan-not-passed-on", "a bucket answers for its child instead of asking it"},
    {"hasty", "what is not on the disk yet is acknowledged"},
    {"rash", "a promise between nodes does not wait for the disk when users do not"},
    {"sync-put-off", "what is to be synced within a second never is"},
    {"last-record-forgotten", "a restart does not take in the last record of a log"},
};

}  // namespace

std::span<const CanaryKind> canary_kinds() { return kKinds; }

std::unique_ptr<Canary> make_canary(std::string_view name) {
  if (name == "last-batch-lost") return std::make_unique<LastBatchLost>();
  if (name == "ack-on-send") return std::make_unique<AckOnSend>();
  if (name == "answers-left-behind") return std::make_unique<AnswersLeftBehind>();
  if (name == "changes-forgotten") return std::make_unique<ChangesForgotten>();
  if (name == "late-again") return std::make_unique<LateAgain>();
  if (name == "step-two-skipped") return std::make_unique<StepTwoSkipped>();
  if (name == "eager-iam") return std::make_unique<EagerIam>();
  if (name == "piece-too-small") return std::make_unique<PieceTooSmall>();
  if (name == "scan-not-passed-on") return std::make_unique<ScanNotPassedOn>();
  if (name == "hasty") return std::make_unique<Hasty>();
  if (name == "rash") return std::make_unique<Rash>();
  if (name == "sync-put-off") return std::make_unique<SyncPutOff>();
  if (name == "last-record-forgotten") return std::make_unique<LastRecordForgotten>();
  return nullptr;
}

}  // namespace lh::sim
