#include "sim/watch.h"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <variant>

#include "core/limits.h"

namespace lh::sim {

void Watch::on_sent(const core::Message& message) {
  std::visit([this](const auto& m) { sent(m); }, message);
  if (!listening_ || !heard_.empty()) return;
  const bool alive = std::holds_alternative<core::Heartbeat>(message) ||
                     std::holds_alternative<core::BookUpdate>(message);
  // A report is repeated until its split is done.
  const bool reports = std::holds_alternative<core::Overflow>(message) ||
                       std::holds_alternative<core::OverflowAck>(message);
  if (!alive && !(reports && reports_expected_)) heard_ = core::to_string(message);
}

void Watch::sent(const core::Reply& m) {
  if (m.code == core::Code::kRetry) world_->counters.add(Count::kRetryAnswers);
}

void Watch::sent(const core::SplitOrder& m) {
  if (order_ && order_->target == m.target && order_->target_node != m.target_node) {
    world_->counters.add(Count::kReassigned);
  }
  order_ = Order{m.source, m.target, m.target_node};
}

void Watch::sent(const core::SplitRecords& m) {
  Progress& progress = streams_[{m.split, m.stream}];
  if (m.batch < progress.sent.size()) return world_->counters.add(Count::kBatchesResent);
  world_->counters.add(Count::kSplitBatches);
  const auto of_this_boot = static_cast<uint32_t>(m.stream);
  if (m.batch == 0 && of_this_boot > 1) world_->counters.add(Count::kStreamRestarts);
  progress.sent.push_back(m.changes.size());
  const size_t bytes =
      std::accumulate(progress.sent.begin() + static_cast<std::ptrdiff_t>(progress.acked),
                      progress.sent.end(), size_t{0});
  if (progress.was_full || (bytes < core::kSplitWindowBytes &&
                            progress.sent.size() - progress.acked < core::kSplitWindowBatches)) {
    return;
  }
  progress.was_full = true;
  world_->counters.add(Count::kWindowsFull);
}

void Watch::on_input(const core::Server& server, const core::Message& message) {
  if (const auto* ack = std::get_if<core::SplitRecordsAck>(&message)) {
    Progress& progress = streams_[{ack->split, ack->stream}];
    progress.acked = std::max<size_t>(progress.acked, ack->batch + 1);
  }
  const auto* request = std::get_if<core::Request>(&message);
  if (request == nullptr) return;
  const auto it = server.buckets().find(request->to);
  if (it == server.buckets().end()) return;
  if (!it->second->live()) world_->counters.add(Count::kHeld);
  if (!core::is_mutation(request->op)) return;
  if (request->hops == 0 && !changes_seen_.insert({request->from.client, request->seq}).second) {
    world_->counters.add(Count::kDuplicates);
  }
}

}  // namespace lh::sim
