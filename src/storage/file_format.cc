#include "storage/file_format.h"

#include <array>

#include "base/coding.h"
#include "base/strings.h"
#include "storage/crc32c.h"

namespace lh::storage {
namespace {

// By FileKind. CR and LF: a transfer that "corrects" line ends is noticed at once.
constexpr std::array<std::string_view, 3> kMagics = {"lh.log\r\n", "lh.snp\r\n", "lh.man\r\n"};
constexpr size_t kMagicBytes = 8;
constexpr std::string_view kFrameMagic = "\xf5LHf";
constexpr size_t kChecksumEnd = 8;  // a frame's header is checksummed from here on

}  // namespace

Status damaged(const std::string& path, uint64_t offset, std::string_view what) {
  return {StatusCode::kDamaged,
          path + ", offset " + std::to_string(offset) + ": " + std::string(what)};
}

std::string encode_file_header(const FileHeader& header) {
  std::string bytes;
  base::Writer writer(&bytes);
  writer.bytes(kMagics[static_cast<size_t>(header.kind)]);
  writer.u32(kFormatVersion);
  writer.u32(static_cast<uint32_t>(header.owner.node));
  writer.u64(header.owner.epoch);
  writer.u64(header.owner.generation);
  writer.u64(header.first);
  writer.u32(header.owner.worker);
  writer.u32(crc32c(bytes));
  return bytes;
}

uint32_t salt_of(std::string_view encoded_file_header) {
  base::Reader reader(encoded_file_header.substr(kFileHeaderBytes - sizeof(uint32_t)));
  return reader.u32();
}

Status decode_file_header(std::string_view bytes, const std::string& path, FileHeader* header,
                          uint32_t* salt) {
  if (bytes.size() < kFileHeaderBytes) return damaged(path, 0, "the header of the file is cut off");
  base::Reader reader(bytes.substr(0, kFileHeaderBytes));
  const std::string_view magic = reader.bytes(kMagicBytes);
  size_t kind = 0;
  while (kind < kMagics.size() && kMagics[kind] != magic) ++kind;
  if (kind == kMagics.size()) return damaged(path, 0, "this is no file of lhnode: wrong magic");
  const uint32_t version = reader.u32();
  header->kind = static_cast<FileKind>(kind);
  header->owner.node = NodeId{reader.u32()};
  header->owner.epoch = reader.u64();
  header->owner.generation = reader.u64();
  header->first = reader.u64();
  header->owner.worker = reader.u32();
  *salt = reader.u32();
  if (version != kFormatVersion) {
    return damaged(path, kMagicBytes,
                   base::format("format version %u, but this program reads version %u", version,
                                kFormatVersion));
  }
  if (*salt != crc32c(bytes.substr(0, kFileHeaderBytes - sizeof *salt))) {
    return damaged(path, 0, "the checksum of the file's header is wrong");
  }
  return {};
}

Status check_owner(const FileHeader& found, const FileHeader& expected, const std::string& path) {
  const FileOwner& is = found.owner;
  const FileOwner& should = expected.owner;
  const char* wrong = nullptr;
  if (found.kind != expected.kind) {
    wrong = "a file of another kind";
  } else if (is.epoch != should.epoch) {
    wrong = "a file of another data directory";
  } else if (is.node != NodeId::kNone && is.node != should.node) {
    wrong = "a file of another node";
  } else if (is.generation != should.generation || is.worker != should.worker) {
    wrong = "a file of another worker";
  } else if (found.first != expected.first) {
    wrong = "the header and the name of the file disagree on its first sequence";
  }
  return wrong == nullptr ? Status() : damaged(path, 0, wrong);
}

std::string_view frame_magic() { return kFrameMagic; }

void encode_frame_header(const FrameHeader& header, uint32_t salt, char* out) {
  std::string bytes;
  base::Writer writer(&bytes);
  writer.u32(header.payload_crc);
  writer.u32(header.payload_bytes);
  writer.u64(header.first);
  writer.u64(header.durable);
  writer.u32(header.count);
  writer.u32(static_cast<uint32_t>(header.type));
  const uint32_t checksum = crc32c(bytes, salt);
  std::memcpy(out, kFrameMagic.data(), kFrameMagic.size());
  std::memcpy(out + kFrameMagic.size(), &checksum, sizeof checksum);
  std::memcpy(out + kChecksumEnd, bytes.data(), bytes.size());
}

bool decode_frame_header(std::string_view bytes, uint32_t salt, FrameHeader* header) {
  if (bytes.size() < kFrameHeaderBytes) return false;
  base::Reader reader(bytes.substr(0, kFrameHeaderBytes));
  if (reader.bytes(kFrameMagic.size()) != kFrameMagic) return false;
  const uint32_t checksum = reader.u32();
  header->payload_crc = reader.u32();
  header->payload_bytes = reader.u32();
  header->first = reader.u64();
  header->durable = reader.u64();
  header->count = reader.u32();
  const uint32_t type = reader.u32();
  header->type = static_cast<FrameType>(type);
  const auto last = static_cast<uint32_t>(FrameType::kManifest);
  return type >= 1 && type <= last &&
         checksum == crc32c(bytes.substr(kChecksumEnd, kFrameHeaderBytes - kChecksumEnd), salt);
}

std::string encode_frame(FrameHeader header, std::string_view payload, uint32_t salt) {
  header.payload_bytes = static_cast<uint32_t>(payload.size());
  header.payload_crc = crc32c(payload);
  std::string frame(kFrameHeaderBytes, '\0');
  encode_frame_header(header, salt, frame.data());
  return frame.append(payload);
}

}  // namespace lh::storage
