#include "storage/dump.h"

#include <array>
#include <cinttypes>

#include "base/strings.h"
#include "storage/file_names.h"
#include "storage/frame_reader.h"
#include "storage/manifest.h"
#include "storage/recovery.h"

namespace lh::storage {
namespace {

using base::format;

constexpr std::array kKindNames = {"log", "snapshot", "manifest"};
constexpr std::array kTypeNames = {"", "records", "end", "close", "snapshot-end", "manifest"};

std::string file_line(const FrameReader& reader) {
  const FileHeader& header = reader.header();
  return format("file %s kind=%s bytes=%" PRIu64 " node=%u epoch=%016" PRIx64 " generation=%" PRIu64
                " worker=%u first=%" PRIu64,
                reader.path().c_str(), kKindNames[static_cast<size_t>(header.kind)], reader.size(),
                static_cast<uint32_t>(header.owner.node), header.owner.epoch,
                header.owner.generation, header.owner.worker, header.first);
}

std::string frame_line(const Frame& frame) {
  const FrameHeader& header = frame.header;
  return format("frame offset=%" PRIu64 " type=%s bytes=%u first=%" PRIu64
                " count=%u durable=%" PRIu64,
                frame.offset, kTypeNames[static_cast<size_t>(header.type)], header.payload_bytes,
                header.first, header.count, header.durable);
}

std::string record_line(const Record& record) {
  std::string line = format(
      "record sequence=%" PRIu64 " stream=%" PRIu64 " payload=", record.sequence, record.stream);
  base::append_quoted(&line, record.payload);
  return line;
}

std::string entry_line(const ManifestEntry& entry) {
  return format("worker generation=%" PRIu64 " worker=%u oldest=%" PRIu64 " snapshot=%s",
                entry.generation, entry.worker, entry.oldest, entry.has_snapshot ? "yes" : "no");
}

std::string verdict_line(const ManifestEntry& entry, const Recovered& recovered) {
  return format("ok generation=%" PRIu64 " worker=%u snapshot_records=%" PRIu64
                " log_records=%" PRIu64 " next=%" PRIu64 " closed=%s torn_bytes=%" PRIu64,
                entry.generation, entry.worker, recovered.snapshot.records, recovered.log_records,
                recovered.tail.next_sequence, recovered.tail.closed ? "yes" : "no",
                recovered.tail.torn_bytes());
}

// All frames up to the end or the first that is broken, which is said in a line.
Status dump_frames(FrameReader* reader, DumpOptions options, const LineSink& sink) {
  if (options.frames) sink(file_line(*reader));
  const auto on_record = [&](const Record& record) {
    if (options.records) sink(record_line(record));
    return Status();
  };
  for (Frame frame;;) {
    const Result<FrameReader::Step> step = reader->next(&frame);
    if (!step.ok()) return step.status();
    if (step.value() == FrameReader::Step::kEnd) return {};
    if (step.value() == FrameReader::Step::kBroken) {
      return damaged(reader->path(), reader->offset(), reader->broken());
    }
    if (options.frames) sink(frame_line(frame));
    if (frame.header.type != FrameType::kRecords) continue;
    if (Status status = visit_records(frame, reader->path(), 0, on_record); !status.ok()) {
      return status;
    }
  }
}

void dump_folder(Env* env, const std::string& folder, DumpOptions options, const LineSink& sink) {
  const Result<std::vector<std::string>> names = env->list(folder);
  if (!names.ok()) return;  // the check of the worker says so
  for (const std::string& name : names.value()) {
    if (!parse_segment_name(name) && !parse_snapshot_name(name)) continue;
    const Status status = dump_file(env, join(folder, name), options, sink);
    // The files are judged together: this may be a torn tail, or a file that is not needed.
    if (!status.ok()) sink("broken " + std::string(status.message()));
  }
}

}  // namespace

Status dump_file(Env* env, const std::string& path, DumpOptions options, const LineSink& sink) {
  const Result<std::unique_ptr<FrameReader>> reader = FrameReader::open(env, path);
  if (!reader.ok()) return reader.status();
  return dump_frames(reader.value().get(), options, sink);
}

Status dump_directory(Env* env, const std::string& dir, DumpOptions options, const LineSink& sink) {
  Manifest manifest;
  if (Status status = read_manifest(env, dir, &manifest); !status.ok()) return status;
  sink(format("manifest node=%u epoch=%016" PRIx64 " edit=%" PRIu64 " generation=%" PRIu64
              " workers=%u",
              static_cast<uint32_t>(manifest.node), manifest.epoch, manifest.edit,
              manifest.newest_generation(), manifest.workers()));
  const auto ignore = [](const Record&) { return Status(); };
  for (const ManifestEntry& entry : manifest.entries) {
    sink(entry_line(entry));
    if (options.frames) {
      const std::string folder = join(dir, folder_name(entry.generation, entry.worker));
      dump_folder(env, folder, options, sink);
    }
    Recovered recovered;
    Status status = recover_worker(env, dir, manifest, entry, ignore, &recovered);
    if (!status.ok()) return status;
    sink(verdict_line(entry, recovered));
  }
  return {};
}

}  // namespace lh::storage
