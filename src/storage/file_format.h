// What all files of a data directory have in common: a header that says whose file it is, then
// frames, each with its own checksums. FORMAT.md draws it and has an example of every file; these
// constants are shared by all readers and writers. Pure functions, safe on any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "lh/status.h"
#include "lh/types.h"

namespace lh::storage {

inline constexpr uint32_t kFormatVersion = 1;
inline constexpr size_t kFileHeaderBytes = 48;
inline constexpr size_t kFrameHeaderBytes = 40;

enum class FileKind : uint8_t { kLog, kSnapshot, kManifest };

// Whose file it is. A file that was written before the node had its number says kNone.
struct FileOwner {
  NodeId node = NodeId::kNone;
  uint64_t epoch = 0;       // of the data directory: drawn at random when it was made
  uint64_t generation = 0;  // counts the changes of the number of workers, from 1 on
  uint32_t worker = 0;
};

struct FileHeader {
  FileKind kind = FileKind::kLog;
  FileOwner owner;
  // A log segment: the sequence of its first record, and all before it are durable. A snapshot: it
  // covers the log up to and including this sequence. A manifest: how many there were before it.
  uint64_t first = 0;
};

std::string encode_file_header(const FileHeader& header);

// Checks magic, version and checksum; `path` is for the message. *salt goes into the checksums of
// all frames of the file, so that no frame of another file is ever taken for one of this.
Status decode_file_header(std::string_view bytes, const std::string& path, FileHeader* header,
                          uint32_t* salt);
uint32_t salt_of(std::string_view encoded_file_header);

// Whether the file is what its place says it is.
Status check_owner(const FileHeader& found, const FileHeader& expected, const std::string& path);

enum class FrameType : uint8_t {
  kRecords = 1,
  kEnd = 2,          // of a log segment: the next segment exists and has the sequence `first`
  kClose = 3,        // in a log: the node was stopped in good order
  kSnapshotEnd = 4,  // payload: the CRC of the headers of all frames before it
  kManifest = 5,     // payload: entries
};

struct FrameHeader {
  FrameType type = FrameType::kRecords;
  uint32_t payload_bytes = 0;
  uint32_t payload_crc = 0;
  uint32_t count = 0;  // records or entries in the payload
  uint64_t first = 0;  // sequence of the first record, or of the next one when there is none here
  // The highest sequence of the log that was known to be durable when this frame was written. Of
  // the end of a snapshot: the log has to be durable up to here for the snapshot to be valid.
  uint64_t durable = 0;
};

// `out` has room for kFrameHeaderBytes.
void encode_frame_header(const FrameHeader& header, uint32_t salt, char* out);

// False when `bytes` do not start with a header that was written for this salt.
bool decode_frame_header(std::string_view bytes, uint32_t salt, FrameHeader* header);

// The first bytes of each frame, for a search.
std::string_view frame_magic();

// Sets the size and checksum of the payload and returns the whole frame.
std::string encode_frame(FrameHeader header, std::string_view payload, uint32_t salt);

// A record as a reader meets it; the payload is a view that lasts as long as the visit.
struct Record {
  uint64_t sequence = 0;  // in a snapshot: its running number
  uint64_t stream = 0;
  std::string_view payload;
};
// Who is shown the records that are read.
class RecordVisitor {
 public:
  using Visit = std::function<Status(const Record&)>;
  // Is shown the next few records before each of them is visited, to have ready what they need.
  using Ahead = std::function<void(std::span<const Record>)>;
  static constexpr size_t kAheadMax = 32;

  // A failure of visit ends the reading and is passed on, with the place added to its message.
  template <typename Call>
  requires std::is_invocable_r_v<Status, Call&, const Record&> RecordVisitor(Call visit,
                                                                             Ahead ahead = nullptr)
      : visit_(std::move(visit)), ahead_(std::move(ahead)) {}

  Status visit(const Record& record) const { return visit_(record); }
  void look_ahead(std::span<const Record> records) const {
    if (ahead_ && !records.empty()) ahead_(records);
  }

 private:
  Visit visit_;
  Ahead ahead_;
};

// "PATH, offset N: WHAT", kDamaged.
Status damaged(const std::string& path, uint64_t offset, std::string_view what);

}  // namespace lh::storage
