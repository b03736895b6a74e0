// Op and Code: what can be asked about a key, and what can come of it.
#pragma once

#include <array>
#include <cstddef>
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
  kReadRange,       // part of the value; nothing of a record that is not there
  kWriteRange,      // writes over part of the value, and zeros between its end and that
  kType,            // of the value: "string"
  kIncrementFloat,  // adds the value, a decimal, to the record's, 0 if there is none
  kDump,            // kRead, and kSet, for those who give and take values in another form
  kRestore,
  // bits.h
  kReadBit,
  kWriteBit,  // answers what it was
  kCountBits,
  kFindBit,
  kReadFields,
  kWriteFields,
  // Of several records, which have to be of one bucket (several.h).
  kRename,        // takes the place of another
  kRenameAbsent,  // kExists if that is there
  kCopy,
  kCopyAbsent,
  kInsertAll,  // or none
  kCombineBits,
  kCommon,  // what two values have in common: the longest common subsequence
};
inline constexpr Op kOpLast = Op::kCommon;

// What the value of an answer is.
enum class Says : uint8_t {
  kNothing,  // there is none
  kNumber,   // in decimal: the new number, the length, the expiry
  kRecord,   // the record's value, or part of it
  kOther,    // a version, a type; the parts of a transaction
};

// All that is known of an operation.
struct OpTraits {
  Op op;
  const char* name;
  bool mutates;
  bool grows;  // may need more memory: what a node that is full refuses
  Says says;
};
inline constexpr std::array kOps = {
    OpTraits{Op::kInsert, "Insert", true, true, Says::kNothing},
    OpTraits{Op::kUpdate, "Update", true, true, Says::kNothing},
    OpTraits{Op::kPut, "Put", true, true, Says::kNothing},
    OpTraits{Op::kRead, "Read", false, false, Says::kRecord},
    OpTraits{Op::kDelete, "Delete", true, false, Says::kNothing},
    OpTraits{Op::kLocate, "Locate", false, false, Says::kNothing},
    OpTraits{Op::kIncrement, "Increment", true, true, Says::kNumber},
    OpTraits{Op::kAppend, "Append", true, true, Says::kNumber},
    OpTraits{Op::kLength, "Length", false, false, Says::kNumber},
    OpTraits{Op::kSet, "Set", true, true, Says::kNothing},
    OpTraits{Op::kSwap, "Swap", true, true, Says::kRecord},
    OpTraits{Op::kExpire, "Expire", true, false, Says::kNothing},
    OpTraits{Op::kReadExpire, "ReadExpire", true, false, Says::kRecord},
    OpTraits{Op::kExpiry, "Expiry", false, false, Says::kNumber},
    OpTraits{Op::kTake, "Take", true, false, Says::kRecord},
    OpTraits{Op::kWatch, "Watch", false, false, Says::kOther},
    OpTraits{Op::kTransact, "Transact", true, false, Says::kOther},  // its parts may grow
    OpTraits{Op::kReadRange, "ReadRange", false, false, Says::kRecord},
    OpTraits{Op::kWriteRange, "WriteRange", true, true, Says::kNumber},
    OpTraits{Op::kType, "Type", false, false, Says::kOther},
    OpTraits{Op::kIncrementFloat, "IncrementFloat", true, true, Says::kRecord},
    OpTraits{Op::kDump, "Dump", false, false, Says::kRecord},
    OpTraits{Op::kRestore, "Restore", true, true, Says::kNothing},
    OpTraits{Op::kReadBit, "ReadBit", false, false, Says::kNumber},
    OpTraits{Op::kWriteBit, "WriteBit", true, true, Says::kNumber},
    OpTraits{Op::kCountBits, "CountBits", false, false, Says::kNumber},
    OpTraits{Op::kFindBit, "FindBit", false, false, Says::kNumber},
    OpTraits{Op::kReadFields, "ReadFields", false, false, Says::kOther},
    OpTraits{Op::kWriteFields, "WriteFields", true, true, Says::kOther},
    OpTraits{Op::kRename, "Rename", true, false, Says::kNothing},
    OpTraits{Op::kRenameAbsent, "RenameAbsent", true, false, Says::kNothing},
    OpTraits{Op::kCopy, "Copy", true, true, Says::kNothing},
    OpTraits{Op::kCopyAbsent, "CopyAbsent", true, true, Says::kNothing},
    OpTraits{Op::kInsertAll, "InsertAll", true, true, Says::kNothing},
    OpTraits{Op::kCombineBits, "CombineBits", true, true, Says::kNumber},
    OpTraits{Op::kCommon, "Common", false, false, Says::kOther},
};
constexpr const OpTraits& traits(Op op) { return kOps[static_cast<size_t>(op)]; }

inline constexpr uint64_t kMutations = [] {
  uint64_t mask = 0;
  for (const OpTraits& t : kOps) mask |= uint64_t{t.mutates} << static_cast<unsigned>(t.op);
  return mask;
}();
// Asked of every request: no look into the table.
constexpr bool is_mutation(Op op) { return (kMutations >> static_cast<unsigned>(op) & 1) != 0; }
constexpr bool needs_memory(Op op) { return traits(op).grows; }
// Whether it is about other records, too, besides that of its key.
constexpr bool concerns_several(Op op) {
  return op == Op::kTransact || (op >= Op::kRename && op <= Op::kCommon);
}
constexpr bool answers_value(Op op) { return traits(op).says != Says::kNothing; }

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

// All that is known of an outcome.
struct CodeTraits {
  Code code;
  const char* name;
  const char* text;  // for people; behind "bucket N " where it is about a bucket
};
inline constexpr std::array kCodes = {
    CodeTraits{Code::kOk, "Ok", "OK"},
    CodeTraits{Code::kExists, "Exists", "key exists"},
    CodeTraits{Code::kNotFound, "NotFound", "no such key"},
    CodeTraits{Code::kDown, "Down", "is down"},
    CodeTraits{Code::kNoBucket, "NoBucket", "is not where it was: try again"},
    CodeTraits{Code::kRetry, "Retry", "is moving records: try again"},
    CodeTraits{Code::kBadKey, "BadKey", "key is not an integer"},
    CodeTraits{Code::kBusy, "Busy", "is busy: try again"},
    CodeTraits{Code::kNotInteger, "NotInteger", "value is not an integer or out of range"},
    CodeTraits{Code::kOverflow, "Overflow", "increment or decrement would overflow"},
    CodeTraits{Code::kTooLong, "TooLong", "value too long"},
    CodeTraits{Code::kFull, "Full", "OOM command not allowed when used memory > 'maxmemory'."},
    CodeTraits{Code::kNoSpace, "NoSpace", "the disk is full: nothing was written"},
    CodeTraits{Code::kMalformed, "Malformed", "malformed arguments"},
    CodeTraits{Code::kConflict, "Conflict", "written by somebody else"},
    CodeTraits{Code::kCross, "Cross", "keys of several buckets"},
    CodeTraits{Code::kTooLarge, "TooLarge", "answer too large"},
};
constexpr const CodeTraits& traits(Code code) { return kCodes[static_cast<size_t>(code)]; }
// The text speaks of the bucket that did not do it.
constexpr bool is_about_bucket(Code code) {
  return code == Code::kDown || code == Code::kNoBucket || code == Code::kRetry ||
         code == Code::kBusy;
}

// In the order of their numbers, without a gap: an index is a number on the wire.
static_assert([] {
  for (size_t k = 0; k < kOps.size(); ++k) {
    if (static_cast<size_t>(kOps[k].op) != k) return false;
  }
  for (size_t k = 0; k < kCodes.size(); ++k) {
    if (static_cast<size_t>(kCodes[k].code) != k) return false;
  }
  return kOps.back().op == kOpLast && kCodes.back().code == kCodeLast;
}());

}  // namespace lh::core
