#include "sim/counters.h"

#include <optional>

#include "base/strings.h"

namespace lh::sim {

namespace {

constexpr std::array<std::string_view, kCounts> kNames = {
    "ops",
    "answered",
    "unknown",
    "messages",
    "hops0",
    "hops1",
    "hops2",
    "local",
    "expired",
    "transactions",
    "resent",
    "duplicates",
    "retry-answers",
    "iams",
    "splits",
    "split-batches",
    "batches-resent",
    "windows-full",
    "stream-restarts",
    "reassigned",
    "dropped",
    "held",
    "scans",
    "scan-pieces",
    "scans-cut",
    "scans-failed",
    "counts",
    "clears",
    "settled",
    "unsettled",
    "keys-undecided",
    "waits",
    "hand-overs-undone",
    "connections",
    "broken",
    "snagged",
    "silenced",
    "refused",
    "partitions",
    "one-way",
    "isolated",
    "clogged",
    "frozen",
    "crashed",
    "coordinator-stops",
    "undeliverable",
    "listener-answers",
    "listener-fallbacks",
    "client-deaths",
    "sleepers",
    "nodes-joined",
    "syncs",
    "snapshots",
    "stopped",
    "killed",
    "power-cuts",
    "restarts",
    "starts-failed",
    "planned-deaths",
    "syncs-failed",
    "disks-full",
    "refused-for-space",
    "disks-slow",
    "bits-flipped",
    "damage-found",
    "disks-lost",
    "rebuilt",
};

}  // namespace

std::string_view name_of(Count what) { return kNames[static_cast<size_t>(what)]; }

void Counters::add(const Counters& other) {
  for (size_t k = 0; k < kCounts; ++k) values_[k] += other.values_[k];
}

std::string Counters::to_string() const {
  std::string out;
  for (size_t k = 0; k < kCounts; ++k) {
    if (k > 0) out += ' ';
    out.append(kNames[k]).append("=").append(std::to_string(values_[k]));
  }
  return out;
}

bool Counters::parse(std::string_view text) {
  for (size_t k = 0; k < kCounts; ++k) {
    const size_t size = text.find(' ');
    const std::string_view word = text.substr(0, size);
    text.remove_prefix(size == std::string_view::npos ? text.size() : size + 1);
    if (!word.starts_with(kNames[k]) || !word.substr(kNames[k].size()).starts_with('=')) {
      return false;
    }
    const auto value = base::parse_u64(word.substr(kNames[k].size() + 1));
    if (!value) return false;
    values_[k] = *value;
  }
  return text.empty();
}

}  // namespace lh::sim
