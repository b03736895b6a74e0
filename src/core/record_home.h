// Which workers of a restarted node take in a record of its journal. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/journal.h"

namespace lh::core {

inline constexpr size_t kCoordinatorWorker = 0;

// The log that a record was found in.
struct RecordSource {
  size_t worker = 0;     // who wrote it
  bool goes_on = false;  // and goes on with it: the node has as many workers as then
};

// Workers first..last, both included.
struct RecordHome {
  size_t first = 0;
  size_t last = 0;
  friend bool operator==(const RecordHome&, const RecordHome&) = default;
};

// Records of a bucket stay with the worker that wrote them; with another number of workers bucket a
// goes to worker a mod workers. The same at all starts with so many workers.
inline size_t home_of_bucket(BucketNo a, const RecordSource& source, size_t workers) {
  return source.goes_on ? source.worker : static_cast<size_t>(a % workers);
}

// Of a record of the node's stream. What every worker has to know is in every worker's log; with
// another number of workers all of them take in what any of them had.
inline RecordHome home_of_node_record(std::string_view record, const RecordSource& source,
                                      size_t workers) {
  if (is_event(record)) return {kCoordinatorWorker, kCoordinatorWorker};
  if (source.goes_on) return {source.worker, source.worker};
  return {0, workers - 1};
}

}  // namespace lh::core
