// The manifest of a data directory: whose it is, and which files hold its state. It is a small file
// that is only ever replaced as a whole, so there is always exactly one and it is complete.
//
// A generation is a set of worker folders that were written by the same number of workers. Mostly
// there is one. When a node starts with another number of workers a new generation is begun, and
// the older ones stay until each worker of the new one has a snapshot (data_dir.h).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "storage/env.h"
#include "storage/file_format.h"

namespace lh::storage {

// The folder of one worker: its state is the snapshot, if there is one, then the log from sequence
// `oldest` on. The snapshot covers oldest - 1.
struct ManifestEntry {
  uint64_t generation = 0;
  uint32_t worker = 0;
  bool has_snapshot = false;
  uint64_t oldest = 1;
  // The log was durable up to here when the manifest was written: a log that ends before is not
  // torn but damaged. At least oldest - 1.
  uint64_t durable = 0;

  friend bool operator==(const ManifestEntry&, const ManifestEntry&) = default;
};

struct Manifest {
  NodeId node = NodeId::kNone;  // kNone until the node has registered
  uint64_t epoch = 0;
  uint64_t edit = 0;  // how many manifests there were before this one
  // By generation, then worker. Each generation has all its workers, from 0 on.
  std::vector<ManifestEntry> entries;

  uint64_t newest_generation() const { return entries.empty() ? 0 : entries.back().generation; }
  uint32_t workers() const { return entries.empty() ? 0 : entries.back().worker + 1; }
  bool has_older_generations() const {
    return !entries.empty() && entries.front().generation != entries.back().generation;
  }
  FileOwner owner(const ManifestEntry& entry) const {
    return {node, epoch, entry.generation, entry.worker};
  }
};

std::string encode_manifest(const Manifest& manifest);
Status write_manifest(Env* env, const std::string& dir, const Manifest& manifest);

// kNotFound when there is none, kDamaged when it fails its checks.
Status read_manifest(Env* env, const std::string& dir, Manifest* manifest);

}  // namespace lh::storage
