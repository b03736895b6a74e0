#include "storage/file_names.h"

#include <cinttypes>

#include "base/strings.h"

namespace lh::storage {
namespace {

constexpr std::string_view kSegmentSuffix = ".log";
constexpr std::string_view kSnapshotSuffix = ".snapshot";
constexpr std::string_view kFolderPrefix = "worker-";
constexpr std::string_view kFolderMiddle = "-generation-";

// 20 digits hold every u64, and names sort like numbers.
std::string numbered(uint64_t number, std::string_view suffix) {
  return base::format("%020" PRIu64, number).append(suffix);
}

std::optional<uint64_t> parse_numbered(std::string_view name, std::string_view suffix) {
  if (!name.ends_with(suffix)) return std::nullopt;
  const auto number = base::parse_u64(name.substr(0, name.size() - suffix.size()));
  if (!number || numbered(*number, suffix) != name) return std::nullopt;
  return number;
}

}  // namespace

std::string segment_name(uint64_t first) { return numbered(first, kSegmentSuffix); }

std::string snapshot_name(uint64_t covered) { return numbered(covered, kSnapshotSuffix); }

std::string folder_name(uint64_t generation, uint32_t worker) {
  return std::string(kFolderPrefix) + std::to_string(worker) + std::string(kFolderMiddle) +
         std::to_string(generation);
}

std::optional<uint64_t> parse_segment_name(std::string_view name) {
  return parse_numbered(name, kSegmentSuffix);
}

std::optional<uint64_t> parse_snapshot_name(std::string_view name) {
  return parse_numbered(name, kSnapshotSuffix);
}

std::optional<FolderName> parse_folder_name(std::string_view name) {
  const size_t middle = name.find(kFolderMiddle);
  if (!name.starts_with(kFolderPrefix) || middle == std::string_view::npos) return std::nullopt;
  const auto worker =
      base::parse_u64(name.substr(kFolderPrefix.size(), middle - kFolderPrefix.size()));
  const auto generation = base::parse_u64(name.substr(middle + kFolderMiddle.size()));
  if (!worker || !generation || *worker > UINT32_MAX) return std::nullopt;
  const FolderName parsed{*generation, static_cast<uint32_t>(*worker)};
  if (folder_name(parsed.generation, parsed.worker) != name) return std::nullopt;
  return parsed;
}

Status write_whole_file(Env* env, const std::string& path, std::string_view bytes) {
  const std::string beside = path + std::string(kUnfinishedSuffix);
  Result<std::unique_ptr<AppendFile>> file = env->create(beside);
  if (!file.ok()) return file.status();
  Status status = file.value()->append(bytes);
  if (status.ok()) status = file.value()->sync();
  if (status.ok()) status = env->rename(beside, path);
  if (status.ok()) status = env->sync_dir(parent_of(path));
  return status;
}

}  // namespace lh::storage
