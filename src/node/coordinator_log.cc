#include "node/coordinator_log.h"

#include <string_view>

#include "base/log.h"

namespace lh::node {

namespace {

void log_node(std::string_view event, const core::NodeEntry& node) {
  LH_LOG(kInfo, "coordinator", event)
      .kv("node", static_cast<uint32_t>(node.id))
      .kv("address", node.address);
}

void log_change(const core::NodeEntry& before, const core::NodeEntry& node) {
  if (before.address != node.address) log_node("node moved", node);
  if (before.up == node.up) return;
  if (node.up) return log_node("node up", node);
  LH_LOG(kWarn, "coordinator", "node down")
      .kv("node", static_cast<uint32_t>(node.id))
      .kv("address", node.address);
}

}  // namespace

void CoordinatorLog::look(base::Instant now, const core::Coordinator& coordinator) {
  if (!begun_) {
    begun_ = true;
    nodes_ = coordinator.book().nodes();
    level_ = coordinator.state().i;
    progress_at_ = now;
  }
  look_at_nodes(coordinator.book());
  look_at_splits(now, coordinator);
  look_at_misfits(coordinator);
}

void CoordinatorLog::look_at_misfits(const core::Coordinator& coordinator) {
  if (misfits_ == coordinator.misfits()) return;
  misfits_ = coordinator.misfits();
  for (const auto& [id, why] : misfits_) {
    LH_LOG(kError, "coordinator", "node refused: it does not fit the file")
        .kv("node", static_cast<uint32_t>(id))
        .kv("why", why);
  }
}

void CoordinatorLog::look_at_nodes(const core::AddressBook& book) {
  for (const auto& [id, node] : book.nodes()) {
    const auto [known, fresh] = nodes_.try_emplace(id, node);
    if (fresh) {
      log_node("node registered", node);
    } else if (known->second != node) {
      log_change(known->second, node);
      known->second = node;
    }
  }
}

void CoordinatorLog::look_at_splits(base::Instant now, const core::Coordinator& coordinator) {
  if (const Level level = coordinator.state().i; level != level_) {
    level_ = level;
    LH_LOG(kInfo, "coordinator", "file doubled").kv("buckets", bucket_count({level, 0}));
  }
  const uint64_t done = coordinator.counters().splits;
  const uint64_t owed = coordinator.splits_owed();
  if (owed == 0 || done != splits_) {
    splits_ = done;
    progress_at_ = now;
    patience_ = kStallMax;
  } else if (now - progress_at_ >= patience_) {
    patience_ = patience_ + patience_;
    LH_LOG(kWarn, "coordinator", "no split gets done")
        .kv("owed", owed)
        .kv("seconds", now - progress_at_);
  }
}

}  // namespace lh::node
