// Counters: what happened in a run, or in many. A fault that never happens tests nothing, so each
// one is counted, and a summary over many seeds has to show that none of them stayed at zero.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace lh::sim {

enum class Count : uint8_t {
  kOps,
  kAnswered,
  kUnknown,
  kMessages,
  kHops0,
  kHops1,
  kHops2,
  kLocal,
  kExpired,
  kTransactions,
  kResent,
  kDuplicates,
  kRetryAnswers,
  kIams,
  kSplits,
  kSplitBatches,
  kBatchesResent,
  kWindowsFull,
  kStreamRestarts,
  kReassigned,
  kDropped,
  kHeld,
  kScans,
  kScanPieces,
  kScansCut,
  kScansFailed,
  kCountCalls,
  kClears,
  kSettled,
  kUnsettled,
  kUndecided,
  kWaits,
  kHandOversUndone,
  kConnections,
  kBroken,
  kSnagged,
  kSilenced,
  kRefused,
  kPartitions,
  kOneWay,
  kIsolated,
  kClogged,
  kFrozen,
  kCrashed,
  kCoordinatorStops,
  kUndeliverable,
  kListenerAnswers,
  kListenerFallbacks,
  kClientDeaths,
  kSleepers,
  kNodesJoined,
  kSyncs,
  kSnapshots,
  kStopped,
  kKilled,
  kPowerCuts,
  kRestarts,
  kStartsFailed,
  kPlannedDeaths,
  kSyncsFailed,
  kDisksFull,
  kNoSpace,
  kDisksSlow,
  kBitsFlipped,
  kDamageFound,
  kDisksLost,
  kRebuilt,
};
inline constexpr size_t kCounts = static_cast<size_t>(Count::kRebuilt) + 1;

class Counters {
 public:
  uint64_t operator[](Count what) const { return values_[static_cast<size_t>(what)]; }
  void add(Count what, uint64_t n = 1) { values_[static_cast<size_t>(what)] += n; }

  void add(const Counters& other);
  // `ops=1200 answered=1190 ...`, in the order above.
  std::string to_string() const;
  // The inverse, for a result that came through a pipe. False when the text is not one of ours.
  bool parse(std::string_view text);

 private:
  std::array<uint64_t, kCounts> values_{};
};

std::string_view name_of(Count what);

}  // namespace lh::sim
