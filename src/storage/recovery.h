// Reading back what the manifest names: one worker's snapshot, then its log. Changes nothing.
#pragma once

#include <string>

#include "storage/env.h"
#include "storage/log_reader.h"
#include "storage/manifest.h"
#include "storage/snapshot.h"

namespace lh::storage {

struct Recovered {
  SnapshotSummary snapshot;
  uint64_t log_records = 0;
  LogTail tail;
};

// Visits the records of the snapshot, then those of the log behind it. What the manifest names and
// is not there is damage, as is a log that ends before the snapshot says it did.
Status recover_worker(Env* env, const std::string& dir, const Manifest& manifest,
                      const ManifestEntry& entry, const RecordVisitor& visitor,
                      Recovered* recovered);

}  // namespace lh::storage
