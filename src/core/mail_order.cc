#include "core/mail_order.h"

#include <variant>

namespace lh::core {

const ReplyPath* reply_path(const Message& message) {
  if (const auto* m = std::get_if<Reply>(&message)) return &m->to;
  if (const auto* m = std::get_if<ScanReply>(&message)) return &m->to;
  if (const auto* m = std::get_if<FileReply>(&message)) return &m->to;
  if (const auto* m = std::get_if<Registered>(&message)) return &m->to;
  if (const auto* m = std::get_if<StandingQuery>(&message)) return &m->to;
  if (const auto* m = std::get_if<BookUpdate>(&message)) {
    return m->to.client == 0 && m->to.entry == NodeId::kNone ? nullptr : &m->to;
  }
  return nullptr;
}

namespace {

struct PromiseFinder {
  bool operator()(const Overflow&) const { return true; }
  bool operator()(const OverflowAck&) const { return true; }
  bool operator()(const SplitOrder&) const { return true; }
  bool operator()(const SplitDone&) const { return true; }
  bool operator()(const SplitRecords& m) const { return m.last || m.batch == 0; }
  bool operator()(const SplitRecordsAck&) const { return true; }
  bool operator()(const Registered&) const { return true; }
  bool operator()(const BookUpdate&) const { return true; }
  bool operator()(const Standing&) const { return true; }
  template <typename M>
  bool operator()(const M&) const {
    return false;
  }
};

}  // namespace

bool is_promise(const Message& message) { return std::visit(PromiseFinder{}, message); }

uint64_t lane_of(const Outgoing& outgoing) {
  if (std::holds_alternative<Heartbeat>(outgoing.message)) return ~uint64_t{0};
  const auto kind = static_cast<uint64_t>(outgoing.to.kind);
  constexpr uint64_t kOdd = 0x9e3779b97f4a7c15;
  const auto* reply = std::get_if<Reply>(&outgoing.message);
  const uint64_t number = reply != nullptr ? reply->seq * kOdd : 0;
  const ReplyPath* path = reply_path(outgoing.message);
  const uint64_t client = path != nullptr ? path->client : 0;
  return kind << 60 ^ static_cast<uint64_t>(outgoing.to.node) ^ client ^ number;
}

}  // namespace lh::core
