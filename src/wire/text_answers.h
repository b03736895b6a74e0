// The answers of the text protocol: each function appends whole lines, ending in LF.
//
// Keys and values are quoted by the rule of the words of a command (base/strings.h), so that what
// is printed can be typed in again. On top of it, what could be taken for an answer of ours is
// quoted though it need not be: a key that starts with END or ERR in a listing, and a value like
// `NOT FOUND` or `ERR ...` alone on its line.
//
// Pure functions, safe on any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/message.h"
#include "lh/types.h"

namespace lh::wire {

// The bytes without line ends and other controls: escaped as in quotes, but without the quotes.
void append_printable(std::string* out, std::string_view bytes);

// `ERR why`, whatever bytes are in it.
void append_error(std::string* out, std::string_view why);

// The answer to a keyed request: `OK`, the value, `NOT FOUND` or an error. Bound: not a LOCATE that
// succeeded, see append_located().
void append_keyed(std::string* out, core::Op op, const core::Reply& reply);

// `c=9 bucket=9 level=4 node=127.0.0.1:40123`
void append_located(std::string* out, HashValue c, BucketMark bucket, std::string_view address);

// `k v`: a line of SCAN and BUCKET.
void append_record(std::string* out, std::string_view key, std::string_view value);
// `END 3 records from 5 buckets`
void append_scan_end(std::string* out, uint64_t records, uint64_t buckets);
// `END 3 records level=3`
void append_bucket_end(std::string* out, uint64_t records, Level level);

// `24`
void append_count(std::string* out, uint64_t records);

// `file=0 i=3 n=2 buckets=10 records=24 capacity=3 load=0.800 split=uncontrolled`
void append_file(std::string* out, uint64_t file, FileState state, const core::FileOptions& options,
                 uint64_t records);

// `bucket=4 level=3 records=3 node=127.0.0.1:40123`
void append_bucket(std::string* out, BucketMark bucket, uint64_t records, std::string_view address);
// `END 10 buckets`
void append_buckets_end(std::string* out, uint64_t buckets);

// `node=127.0.0.1:40123 state=up buckets=2 records=5 bytes=1180`
void append_node(std::string* out, const core::NodeReport& node);
// `END 3 nodes`
void append_nodes_end(std::string* out, uint64_t nodes);

// A line a command, then `END 16 commands`.
void append_help(std::string* out);

}  // namespace lh::wire
