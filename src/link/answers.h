// The text protocol on top of a core::ClientCore: what a command asks of it, and what is answered
// when it has finished. A node's text front and the native client share this, so that both
// understand and print the same.
//
// A keyed request is one call of append_completion(). A question about the file is a FileAnswer,
// which gathers the pieces of a SCAN or BUCKET, sorts each as it comes, and merges them while it is
// printed, in portions, so that nobody waits for a large one and it can wait for a slow reader.
// Bound: a result that needs more than core::kScanResultBytesMax is dropped and answered with an
// error. No I/O; one thread.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "core/address_book.h"
#include "core/client_core.h"
#include "core/file_call.h"
#include "core/limits.h"
#include "core/message.h"
#include "wire/text.h"

namespace lh::link {

// What a command asks of the client core: one keyed request, or one question about the file.
// Nothing when it is another kind of command.
std::optional<core::Op> keyed_op(const wire::TextCommand& command);
std::optional<core::FileRequest> file_request(const wire::TextCommand& command);

// The answer to a keyed request, a whole line.
void append_completion(std::string* out, const core::Completion& done,
                       const core::AddressBook& book);

// The nodes of a kNodes result. What the buckets say of themselves is fresher than the nodes' last
// heartbeats, so they are counted from that, when all buckets answered.
std::vector<core::NodeReport> counted_nodes(const core::FileResult& result);

// The order of a listing: by number in integer files, else bytewise. Bound: in an integer file both
// are keys of it, so that they have no leading zeros.
bool key_before(base::HashMode hash, std::string_view a, std::string_view b);

// The lines of BUCKETS and LOCATE name nodes; a book that was never told of one says this.
inline constexpr std::string_view kUnknownAddress = "unknown";

class FileAnswer {
 public:
  explicit FileAnswer(base::HashMode hash, size_t bytes_max = core::kScanResultBytesMax)
      : hash_(hash), bytes_max_(bytes_max) {}

  // Copies the records of one piece, in whatever order pieces come.
  void add(const core::ScanReply& piece);
  // What the records take in memory.
  size_t bytes() const { return bytes_; }
  // Whoever has it has no room for it: the records are dropped and the answer is this error.
  void give_up(std::string_view why);

  // The call is done. Called once, after the last piece.
  void finish(const core::FileResult& result, const core::AddressBook& book);

  // Whether the answer is an error, of any kind. Bound: finished.
  bool failed() const { return failed_; }

  // Appends whole lines until about `bytes` are appended or nothing is left; true while there is
  // more to come. Bound: finished.
  bool append_some(std::string* out, size_t bytes);
  void append_all(std::string* out);

 private:
  struct Record {
    std::string_view key;  // both borrow from the piece
    std::string_view value;
  };
  struct Piece {
    std::string bytes;
    std::vector<Record> records;  // sorted
    size_t next = 0;              // to be appended
    const Record& first() const { return records[next]; }
  };

  void drop_records();
  std::string_view obstacle(const core::FileResult& result) const;
  void fail(std::string_view why);
  // For a heap with the piece whose next record is the first of all on top.
  struct Later {
    base::HashMode hash;
    bool operator()(const Piece* a, const Piece* b) const;
  };
  void append_end(const core::FileResult& result, const core::AddressBook& book);

  base::HashMode hash_;  // of the file
  size_t bytes_max_;
  size_t bytes_ = 0;  // of pieces_
  std::deque<Piece> pieces_;
  size_t records_ = 0;         // in all of them
  std::vector<Piece*> heap_;   // once finished: those that have records left
  std::string end_;            // what follows the records
  std::string_view given_up_;  // why; a literal
  bool too_large_ = false;
  bool malformed_ = false;
  bool finished_ = false;
  bool failed_ = false;
};

}  // namespace lh::link
