#include "node/rebuild_log.h"

#include <string>
#include <vector>

#include "base/log.h"

namespace lh::node {

namespace {

std::string numbers(const std::vector<NodeId>& nodes) {
  std::string text;
  for (const NodeId id : nodes) {
    if (!text.empty()) text += ',';
    text += std::to_string(static_cast<uint32_t>(id));
  }
  return text.empty() ? "none" : text;
}

}  // namespace

void RebuildLog::look(base::Instant now, const core::Rebuild::Progress& progress) {
  if (reminded_at_ == base::Instant{}) {
    reminded_at_ = now;
    LH_LOG(kInfo, "coordinator", "rebuilding: waiting for the nodes of the file");
  }
  for (const NodeId id : progress.answered) {
    if (!answered_.insert(id).second) continue;
    LH_LOG(kInfo, "coordinator", "rebuilding: node has answered")
        .kv("node", static_cast<uint32_t>(id));
  }
  if (now - reminded_at_ < kRemindEvery) return;
  reminded_at_ = now;
  LH_LOG(kWarn, "coordinator", "rebuilding")
      .kv("answered", numbers(progress.answered))
      .kv("asked", numbers(progress.asked))
      .kv("missing", numbers(progress.missing));
}

void RebuildLog::tell(const core::Rebuild& rebuild) {
  for (const NodeId id : rebuild.missing()) {
    LH_LOG(kWarn, "coordinator", "rebuilt without a node: it may come back")
        .kv("node", static_cast<uint32_t>(id));
  }
  for (const BucketMark mark : rebuild.lost()) {
    LH_LOG(kWarn, "coordinator", "bucket is empty: its records were lost")
        .kv("bucket", mark.a)
        .kv("level", mark.j);
  }
  LH_LOG(kInfo, "coordinator", "file rebuilt")
      .kv("buckets", bucket_count(rebuild.state()))
      .kv("lost", rebuild.lost().size());
}

}  // namespace lh::node
