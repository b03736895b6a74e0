// The names in a data directory, and where a whole small file is put in place at once.
//
//   LOCK                                         held by the process that uses the directory
//   MANIFEST                                     what belongs to it: manifest.h
//   worker-W-generation-G/                       the files of one worker
//     00000000000000000001.log                   a log segment, named after its first sequence
//     00000000000000000042.snapshot              a snapshot, named after the last sequence it
//     covers
//   *.tmp                                        files in the making: removed when found
//
// Pure functions but write_whole_file().
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "storage/env.h"

namespace lh::storage {

inline constexpr std::string_view kLockName = "LOCK";
inline constexpr std::string_view kBallastName = "BALLAST";
inline constexpr std::string_view kManifestName = "MANIFEST";
inline constexpr std::string_view kUnfinishedSuffix = ".tmp";

std::string segment_name(uint64_t first);
std::string snapshot_name(uint64_t covered);
std::string folder_name(uint64_t generation, uint32_t worker);

// What such a name says; nothing for other names.
std::optional<uint64_t> parse_segment_name(std::string_view name);
std::optional<uint64_t> parse_snapshot_name(std::string_view name);
struct FolderName {
  uint64_t generation = 0;
  uint32_t worker = 0;
};
std::optional<FolderName> parse_folder_name(std::string_view name);

inline std::string join(std::string_view folder, std::string_view name) {
  return std::string(folder) + "/" + std::string(name);
}

// Writes beside, syncs, renames, syncs the directory: after a crash there is the old file or the
// new one. After an error too, but for a .tmp and the question which of the two it is.
Status write_whole_file(Env* env, const std::string& path, std::string_view bytes);

}  // namespace lh::storage
