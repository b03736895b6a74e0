#include "storage/recovery.h"

#include <algorithm>

#include "storage/file_names.h"

namespace lh::storage {
namespace {

// Nothing that is looked for here may be missing.
Status required(Status status) {
  if (status.code() != StatusCode::kNotFound) return status;
  return {StatusCode::kDamaged,
          "the manifest names what is missing: " + std::string(status.message())};
}

}  // namespace

Status recover_worker(Env* env, const std::string& dir, const Manifest& manifest,
                      const ManifestEntry& entry, const RecordVisitor& visitor,
                      Recovered* recovered) {
  const std::string folder = join(dir, folder_name(entry.generation, entry.worker));
  const FileOwner owner = manifest.owner(entry);
  *recovered = {};
  uint64_t durable = entry.durable;
  if (entry.has_snapshot) {
    Status status =
        read_snapshot(env, folder, owner, entry.oldest - 1, visitor, &recovered->snapshot);
    if (!status.ok()) return required(std::move(status));
    durable = std::max(durable, recovered->snapshot.log_end);
  }
  const RecordVisitor counted(
      [&](const Record& record) {
        ++recovered->log_records;
        return visitor.visit(record);
      },
      [&](std::span<const Record> records) { visitor.look_ahead(records); });
  return required(read_log(env, folder, owner, entry.oldest, durable, counted, &recovered->tail));
}

}  // namespace lh::storage
