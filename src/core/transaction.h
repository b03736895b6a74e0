// A transaction: operations on records of one bucket that are executed as one, if the records that
// the client watches have not been written since. It travels as the value of an Op::kTransact whose
// key is that of any of these records; its answer is the value of the answer. In the log all that
// it changed is in one frame: after a crash all of it is there or nothing.
//
//   the value    watches (varint), each: key, version
//                and operations to the end, each: op (1 byte), key, value, args
//   the answer   for each operation: code (1 byte), value
//
// Keys, values and arguments are bytes with a varint length in front. They are a peer's: readers
// believe nothing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/coding.h"
#include "core/operation.h"
#include "lh/types.h"

namespace lh::core {

// Which version of a record it is: of which bucket in which life of a node, and the number there
// (watches.h).
struct Version {
  NodeId node = NodeId::kNone;
  uint32_t boot = 0;
  BucketNo bucket = 0;
  uint64_t number = 0;
  friend bool operator==(const Version&, const Version&) = default;
};
inline constexpr size_t kVersionBytes = 24;

std::string encode(const Version& version);
// Bound: the reader says afterwards whether there was one.
Version read_version(base::Reader* reader);

struct Watched {
  std::string_view key;
  Version version;
};

class TransactionWriter {
 public:
  // The string outlives the writer. Watches first.
  TransactionWriter(std::string* out, size_t watches) : writer_(out) { writer_.varint(watches); }
  void watch(const Watched& watched);
  void add(const Operation& operation);  // its c is not written

 private:
  base::Writer<> writer_;
};

class TransactionReader {
 public:
  explicit TransactionReader(std::string_view bytes) : reader_(bytes), watches_(reader_.varint()) {}

  // All watches, then all operations; watches that are left are skipped. False behind the last, or
  // when it makes no sense: !ok().
  bool next(Watched* watched);
  bool next(Operation* operation);
  bool ok() const { return reader_.ok(); }

 private:
  base::Reader reader_;
  uint64_t watches_;  // that are left
};

// Whether an operation can be part of a transaction.
bool may_be_part(Op op);

void append_part(std::string* answer, Code code, std::string_view value);
// False behind the last.
bool read_part(base::Reader* answer, Code* code, std::string_view* value);

}  // namespace lh::core
