// Journal: what the core's changes of state look like in a log, so that a node which was killed
// comes back with everything that it had acknowledged. The core says what to write
// (Effects::record), the shell writes it, and sends what depends on it only when it is durable.
//
// A record belongs to a stream: a bucket, or the node itself. Its first byte says what it is:
//
//   bucket's stream   1  changes   a run of changes (core/change.h)
//                     2  state     BucketState, whole
//                     3  gone      the bucket was dropped
//                     4  cleared   all its records went at once; a run of changes behind it
//                     5  divided   its upper half is a bucket of its own now, of the same server;
//                                  the split's number
//                     6  room      so many records follow, about: a hint, in snapshots
//   node's stream     16 identity  the node's number, and the file's options
//                     17 boot      number of this start of the node
//                     18 book      a piece of the address book
//                     32..         the coordinator's events (core/coordinator_event.h)
//
// Changes may be applied twice, in order, without harm: a snapshot of a bucket is its state at one
// moment and then its records at later ones, and the log from that first moment on brings both up
// to date. A bucket of which half was handed over and is still there has two states in a snapshot:
// the one before, with what was remembered then, and its own. All other records are applied exactly
// once. All integers are varints unless said otherwise. Readers believe nothing: false is damage.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/book_part.h"
#include "core/file_options.h"
#include "lh/types.h"

namespace lh::core {

inline constexpr uint64_t kNodeStream = 0;
constexpr uint64_t stream_of(BucketNo a) { return a + 1; }
constexpr BucketNo bucket_of(uint64_t stream) { return stream - 1; }

enum class RecordKind : uint8_t {
  kChanges = 1,
  kState = 2,
  kGone = 3,
  kCleared = 4,
  kDivided = 5,
  kRoom = 6,
  kIdentity = 16,
  kBoot = 17,
  kBook = 18,
  kCoordinator = 32,  // and beyond
};

// A bucket, less its records and remembered answers.
struct BucketState {
  BucketMark mark;
  bool live = true;
  uint64_t collisions = 0;  // reported
  uint64_t answered = 0;    // of these, the splits are done: all, or all but the last
  uint64_t overdue = 0;     // and to be reported
  uint64_t split_done = 0;  // number of the last split that was completed
  // Giving side: the split that was handed over and is not done; 0 when there is none.
  uint64_t split = 0;
  NodeId target_node = NodeId::kNone;
  // Receiving side, while not live.
  uint64_t target_split = 0;
  uint64_t target_stream = 0;
  uint32_t target_next_batch = 0;

  friend bool operator==(const BucketState&, const BucketState&) = default;
};

struct Identity {
  NodeId node = NodeId::kNone;
  FileOptions options;
};

void begin_record(std::string* out, RecordKind kind);
// The kind of a record, and the rest behind it. Nothing when it is empty.
std::optional<RecordKind> take_kind(std::string_view* record);

// Whether a record of the node's stream is for the coordinator.
bool is_event(std::string_view record);

// Whether it says who the node is, and what its file.
bool is_identity(std::string_view record);

void append_state(std::string* out, const BucketState& state);
void append_divided(std::string* out, uint64_t split);
void append_room(std::string* out, uint64_t records);
void append_identity(std::string* out, const Identity& identity);
void append_boot(std::string* out, uint32_t boot);
void append_book(std::string* out, const BookPart& part);

// Of the rest behind the kind.
bool read_state(std::string_view bytes, BucketState* state);
bool read_divided(std::string_view bytes, uint64_t* split);
bool read_room(std::string_view bytes, uint64_t* records);
bool read_identity(std::string_view bytes, Identity* identity);
bool read_boot(std::string_view bytes, uint32_t* boot);
bool read_book(std::string_view bytes, BookPart* part);

}  // namespace lh::core
