// StandingQuery and Standing: what a server has, for a coordinator that has lost its memory and
// asks (rebuild.h).
#pragma once

#include <cstdint>
#include <vector>

#include "core/book_part.h"
#include "core/file_options.h"
#include "core/reply_path.h"
#include "lh/types.h"

namespace lh::core {

// Such a coordinator -> every server of a node, along the path of the node's Register: what do you
// have of buckets first.. on?
struct StandingQuery {
  ReplyPath to;
  uint64_t query = 0;
  BucketNo first = 0;
  NodeId node = NodeId::kNone;  // that is asked: not all of its servers need to know
  // Of the coordinator's node: no stream of one before is to be taken any more. 0: it has none yet,
  // the first is above all that anybody knows of.
  uint32_t boot = 0;
};

// How far a bucket is, as only it can know.
struct BucketStanding {
  BucketMark mark;
  bool live = true;         // not so: it waits for its parent's stream
  uint64_t collisions = 0;  // reported, since the bucket was made
  uint64_t answered = 0;    // of these, the splits are done
  uint64_t split = 0;       // that it is the source of; 0: none
  NodeId target_node = NodeId::kNone;
  bool handed_over = false;
  uint64_t split_max = 0;  // no number of a split that it ever heard of is higher
};
// Server -> coordinator: of kBookEntriesMax buckets from the first one that was asked for those
// that it has, and where they all are as far as it knows (kNone: it does not). With the first page
// come all nodes that it knows.
struct Standing {
  uint64_t query = 0;
  NodeId node = NodeId::kNone;
  uint32_t server = 0;  // which one of the node's, of how many
  uint32_t servers = 1;
  FileOptions options;
  bool more = false;  // it has or knows buckets beyond
  BookPart book;
  std::vector<BucketStanding> buckets;
};

}  // namespace lh::core
