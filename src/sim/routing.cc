#include "sim/routing.h"

#include <variant>

#include "base/strings.h"
#include "wire/message_type.h"

namespace lh::sim {

namespace {

constexpr std::string_view kPort = ":1";

struct PartyFinder {
  bool has_coordinator;

  Party operator()(const core::Request&) const { return Party::kServer; }
  Party operator()(const core::Scan&) const { return Party::kServer; }
  Party operator()(const core::ScanMore&) const { return Party::kServer; }
  Party operator()(const core::SplitOrder&) const { return Party::kServer; }
  Party operator()(const core::SplitRecords&) const { return Party::kServer; }
  Party operator()(const core::SplitRecordsAck&) const { return Party::kServer; }
  Party operator()(const core::OverflowAck&) const { return Party::kServer; }

  Party operator()(const core::Reply&) const { return Party::kPath; }
  Party operator()(const core::ScanReply&) const { return Party::kPath; }
  Party operator()(const core::FileReply&) const { return Party::kPath; }
  Party operator()(const core::Registered&) const { return Party::kPath; }
  Party operator()(const core::BookUpdate& m) const {
    return m.to.client == 0 ? Party::kEveryServer : Party::kPath;
  }

  // Only coordinators ask, and only others.
  Party operator()(const core::StandingQuery&) const {
    return has_coordinator ? Party::kPath : Party::kEveryServer;
  }

  Party operator()(const core::Standing&) const { return Party::kCoordinator; }
  Party operator()(const core::Register&) const { return Party::kCoordinator; }
  Party operator()(const core::Heartbeat&) const { return Party::kCoordinator; }
  Party operator()(const core::Overflow&) const { return Party::kCoordinator; }
  Party operator()(const core::SplitDone&) const { return Party::kCoordinator; }
  Party operator()(const core::FileQuery&) const { return Party::kCoordinator; }
  Party operator()(const core::BookQuery&) const {
    return has_coordinator ? Party::kCoordinator : Party::kServer;
  }

  Party operator()(const core::Hello&) const { return Party::kNobody; }
  Party operator()(const core::Welcome&) const { return Party::kNobody; }
  Party operator()(const core::Ping&) const { return Party::kNobody; }
  Party operator()(const core::Pong&) const { return Party::kNobody; }
  Party operator()(const core::Error&) const { return Party::kNobody; }
};

template <typename M>
core::ReplyPath* path_in(M* message) {
  if constexpr (wire::kPath<M> != nullptr) return &(message->*wire::kPath<M>);
  return nullptr;
}

}  // namespace

std::string address_of(ProcessId process) { return base::format("p%u", process).append(kPort); }

std::optional<ProcessId> process_at(std::string_view address) {
  if (!address.starts_with('p') || !address.ends_with(kPort)) return std::nullopt;
  address.remove_prefix(1);
  address.remove_suffix(kPort.size());
  const auto number = base::parse_u64(address);
  if (!number) return std::nullopt;
  return static_cast<ProcessId>(*number);
}

NodeId node_at(const core::AddressBook& book, ProcessId process) {
  const std::string address = address_of(process);
  for (const auto& [id, node] : book.nodes()) {
    if (node.address == address) return id;
  }
  return NodeId::kNone;
}

Party party_of(const core::Message& message, bool has_coordinator) {
  return std::visit(PartyFinder{has_coordinator}, message);
}

std::optional<BucketNo> bucket_of(const core::Message& message) {
  if (const auto* m = std::get_if<core::Request>(&message)) return m->to;
  if (const auto* m = std::get_if<core::Scan>(&message)) return m->to;
  if (const auto* m = std::get_if<core::ScanMore>(&message)) return m->to;
  if (const auto* m = std::get_if<core::SplitOrder>(&message)) return m->source.a;
  if (const auto* m = std::get_if<core::SplitRecords>(&message)) return m->target.a;
  if (const auto* m = std::get_if<core::SplitRecordsAck>(&message)) return m->source;
  if (const auto* m = std::get_if<core::OverflowAck>(&message)) return m->bucket;
  return std::nullopt;
}

core::ReplyPath* path_of(core::Message* message) {
  return std::visit([](auto& m) { return path_in(&m); }, *message);
}

const core::ReplyPath* path_of(const core::Message& message) {
  return path_of(const_cast<core::Message*>(&message));
}

}  // namespace lh::sim
