// Op and Code: what can be asked about a key, and what can come of it.
#pragma once

#include <cstdint>

namespace lh::core {

enum class Op : uint8_t {
  kInsert,
  kUpdate,
  kPut,
  kRead,
  kDelete,
  kLocate,
  kIncrement,  // adds the value, a signed decimal, to the record's, 0 if there is none
  kAppend,     // adds the value behind the record's, nothing if there is none
  kLength,     // of the record's value
  // With arguments (operation.h). A record that has expired is none.
  kSet,         // kPut, kInsert or kUpdate, with an expiry
  kSwap,        // the same; answers the value that was there, kNotFound if there was none
  kExpire,      // gives the record another expiry; kNotFound also if a condition does not hold
  kReadExpire,  // the same, and answers the value
  kExpiry,      // when the record expires
  kTake,        // kDelete, and answers the value; no arguments
  // transaction.h
  kWatch,     // the record's version, whether it is there or not
  kTransact,  // several operations on records of one bucket, as one
  // With arguments, too.
  kReadRange,   // part of the value; nothing of a record that is not there
  kWriteRange,  // writes over part of the value, and zeros between its end and that
  kType,        // of the value: "string"
};
inline constexpr Op kOpLast = Op::kType;
inline constexpr bool is_mutation(Op op) {
  return op != Op::kRead && op != Op::kLocate && op != Op::kLength && op != Op::kExpiry &&
         op != Op::kWatch && op != Op::kReadRange && op != Op::kType;
}
// Whether it may need more memory: what a node that is full refuses.
inline constexpr bool needs_memory(Op op) {
  switch (op) {
    case Op::kInsert:
    case Op::kUpdate:
    case Op::kPut:
    case Op::kIncrement:
    case Op::kAppend:
    case Op::kSet:
    case Op::kSwap:
    case Op::kWriteRange:
      return true;
    case Op::kRead:
    case Op::kReadRange:
    case Op::kType:
    case Op::kDelete:
    case Op::kLocate:
    case Op::kLength:
    case Op::kExpire:
    case Op::kReadExpire:
    case Op::kExpiry:
    case Op::kTake:
    case Op::kWatch:
    case Op::kTransact:  // its parts may
      return false;
  }
  return true;
}
// Whether the answer to the operation carries a value: the record's or, in decimal, the new number,
// the length or the expiry; its version; or the parts of a transaction.
inline constexpr bool answers_value(Op op) {
  switch (op) {
    case Op::kRead:
    case Op::kIncrement:
    case Op::kAppend:
    case Op::kLength:
    case Op::kSwap:
    case Op::kReadExpire:
    case Op::kExpiry:
    case Op::kTake:
    case Op::kWatch:
    case Op::kTransact:
    case Op::kReadRange:
    case Op::kWriteRange:
    case Op::kType:
      return true;
    case Op::kInsert:
    case Op::kUpdate:
    case Op::kPut:
    case Op::kDelete:
    case Op::kLocate:
    case Op::kSet:
    case Op::kExpire:
      return false;
  }
  return false;
}

// The outcome of a keyed request.
enum class Code : uint8_t {
  kOk,
  kExists,      // insert of a key that is there
  kNotFound,    // read, update or delete of a key that is not
  kDown,        // the node of bucket Reply::bucket cannot be reached
  kNoBucket,    // the node that was asked does not have that bucket: the sender's map is old
  kRetry,       // forwarded twice while the file split under it: adjust the image, send it again
  kBadKey,      // hash=integer and the key is no integer
  kBusy,        // a bound of the bucket is reached (scans, requests waiting): try later
  kNotInteger,  // kIncrement: the record's value or the request's is no 64-bit integer
  kOverflow,    // kIncrement: the sum is none
  kTooLong,     // kAppend: the value would get longer than a value may be
  kFull,        // the node has as many bytes as it may have, and the operation may need more
  kNoSpace,     // the node's disk is full, and the operation changes something: it was not done
  kMalformed,   // the arguments are none of this operation
  // kTransact; nothing was done.
  kConflict,  // a record that the client watches has been written
  kCross,     // the records are of several buckets
  kTooLarge,  // the answer might be more than one can be
};
inline constexpr Code kCodeLast = Code::kTooLarge;
// Nothing was done, for lack of room: another copy of the request may be.
constexpr bool is_refusal(Code code) { return code == Code::kFull || code == Code::kNoSpace; }
inline constexpr const char* kFullText = "OOM command not allowed when used memory > 'maxmemory'.";
inline constexpr const char* kNoSpaceText = "the disk is full: nothing was written";

}  // namespace lh::core
