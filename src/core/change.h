// Changes: records and remembered answers as a run of bytes, the payload of a split stream and of a
// scan's matches. Layout (integers are varints unless said otherwise):
//
//   put     1  key length  key  value length  value
//   erase   2  key length  key
//   client  3  client id (8 bytes, little endian)  acked  cleared
//   answer  4  client id (8 bytes, little endian)  seq  code (1 byte)  value length  value
//   overdue 5  so many inserts beyond the capacity wait to be reported (in journals)
//   put     6  expiry (Unix time, ms; not 0)  key length  key  value length  value
//   expire  7  expiry (0: never)  key length  key
//
// A run is parsed with bounds checked before anything is believed; a peer's malformed run is
// reported, not trusted.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/message.h"
#include "table/record.h"

namespace lh::core {

struct Change {
  enum class Kind : uint8_t {
    kPut = 1,
    kErase = 2,
    kClient = 3,
    kAnswer = 4,
    kOverdue = 5,
    kExpire = 7,  // 6 is a kPut too
  };
  Kind kind = Kind::kPut;
  std::string_view key;        // kPut, kErase, kExpire
  std::string_view value;      // kPut, kAnswer
  table::ExpiryMs expiry = 0;  // kPut, kExpire
  ClientId client = 0;         // kClient, kAnswer
  uint64_t number = 0;         // kClient: acked; kAnswer: seq; kOverdue: how many
  uint64_t cleared = 0;        // kClient: number of the latest kClear scan of it, or 0
  Code code = Code::kOk;       // kAnswer
};

void append_put(std::string* out, const table::Record& record);
void append_erase(std::string* out, std::string_view key);
void append_expire(std::string* out, std::string_view key, table::ExpiryMs expiry);
void append_client(std::string* out, ClientId client, uint64_t acked, uint64_t cleared);
void append_answer(std::string* out, ClientId client, uint64_t seq, Code code,
                   std::string_view value);
void append_overdue(std::string* out, uint64_t number);

// Reads one change after the other; the views borrow from `bytes`.
class ChangeReader {
 public:
  explicit ChangeReader(std::string_view bytes) : rest_(bytes) {}

  // False at the end and at the first malformed byte; ok() tells which.
  bool next(Change* change);
  bool ok() const { return ok_; }

 private:
  bool fail();

  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace lh::core
