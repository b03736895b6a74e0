#include "storage/manifest.h"

#include "base/coding.h"
#include "storage/file_names.h"
#include "storage/frame_reader.h"

namespace lh::storage {
namespace {

constexpr uint32_t kHasSnapshot = 1;

// The entry that has to follow `before`, as far as generation and worker go.
bool follows(const ManifestEntry* before, const ManifestEntry& entry) {
  const bool starts_generation =
      entry.worker == 0 && entry.generation > (before == nullptr ? 0 : before->generation);
  const bool continues = before != nullptr && entry.generation == before->generation &&
                         entry.worker == before->worker + 1;
  return starts_generation || continues;
}

Status decode_entries(const Frame& frame, const std::string& path, Manifest* manifest) {
  base::Reader reader(frame.payload);
  for (uint32_t i = 0; i < frame.header.count && reader.ok(); ++i) {
    ManifestEntry entry;
    entry.generation = reader.u64();
    entry.worker = reader.u32();
    const uint32_t flags = reader.u32();
    entry.has_snapshot = flags == kHasSnapshot;
    entry.oldest = reader.u64();
    entry.durable = reader.u64();
    const ManifestEntry* before = manifest->entries.empty() ? nullptr : &manifest->entries.back();
    if (!reader.ok() || flags > kHasSnapshot || entry.oldest == 0 ||
        entry.durable < entry.oldest - 1 || !follows(before, entry)) {
      return damaged(path, frame.offset, "an entry of the manifest makes no sense");
    }
    manifest->entries.push_back(entry);
  }
  return reader.done() ? Status() : damaged(path, frame.offset, "the manifest is malformed");
}

}  // namespace

std::string encode_manifest(const Manifest& manifest) {
  const FileOwner owner{manifest.node, manifest.epoch, manifest.newest_generation(),
                        manifest.workers()};
  std::string bytes = encode_file_header({FileKind::kManifest, owner, manifest.edit});
  std::string payload;
  base::Writer writer(&payload);
  for (const ManifestEntry& entry : manifest.entries) {
    writer.u64(entry.generation);
    writer.u32(entry.worker);
    writer.u32(entry.has_snapshot ? kHasSnapshot : 0);
    writer.u64(entry.oldest);
    writer.u64(entry.durable);
  }
  const FrameHeader header{.type = FrameType::kManifest,
                           .count = static_cast<uint32_t>(manifest.entries.size())};
  return bytes + encode_frame(header, payload, salt_of(bytes));
}

Status write_manifest(Env* env, const std::string& dir, const Manifest& manifest) {
  return write_whole_file(env, join(dir, kManifestName), encode_manifest(manifest));
}

Status read_manifest(Env* env, const std::string& dir, Manifest* manifest) {
  const std::string path = join(dir, kManifestName);
  const Result<std::unique_ptr<FrameReader>> opened = FrameReader::open(env, path);
  if (!opened.ok()) return opened.status();
  FrameReader& reader = *opened.value();
  if (reader.header().kind != FileKind::kManifest) {
    return damaged(path, 0, "a file of another kind");
  }
  Frame frame;
  const Result<FrameReader::Step> step = reader.next(&frame);
  if (!step.ok()) return step.status();
  if (step.value() != FrameReader::Step::kFrame || frame.header.type != FrameType::kManifest ||
      reader.offset() != reader.size()) {
    return damaged(path, kFileHeaderBytes, "the manifest is not exactly one whole frame");
  }
  *manifest = {reader.header().owner.node, reader.header().owner.epoch, reader.header().first, {}};
  if (Status status = decode_entries(frame, path, manifest); !status.ok()) return status;
  const FileOwner& owner = reader.header().owner;
  if (owner.generation == manifest->newest_generation() && owner.worker == manifest->workers()) {
    return {};
  }
  return damaged(path, 0, "the header of the manifest does not match its entries");
}

}  // namespace lh::storage
