// AddressBook: where buckets are (bucket -> node) and where nodes are (node -> host:port).
//
// Not a directory: nobody needs it to compute an address. It is what lets a client or server turn
// the bucket number that A1 or A2 gave into a connection. It may lag behind the file, never lie
// about the past: entries are learned from split orders, IAMs and the coordinator's updates.
// Owned by one server, client or coordinator; used on its thread only.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/message.h"
#include "lh/types.h"

namespace lh::core {

class AddressBook {
 public:
  // The node of bucket a, or kNone when it is not known.
  NodeId locate(BucketNo a) const { return a < at_.size() ? at_[a] : NodeId::kNone; }

  // Buckets 0..known()-1 are all known.
  uint64_t known() const { return known_; }

  // One more than the largest bucket that is known: the file has at least so many. 0 when none is.
  uint64_t buckets_seen() const { return at_.size(); }

  void set(BucketNo a, NodeId node);

  // What is known of a node; nullptr when nothing is.
  const NodeEntry* node(NodeId id) const;
  void set_node(NodeEntry entry);
  const std::map<NodeId, NodeEntry>& nodes() const { return nodes_; }

  // Takes in what a peer told. Returns whether anything was new. Entries of nodes that are older
  // than what is known are passed over, and so are those that name no node, and buckets beyond
  // kBucketsMax: a peer's mistake costs nothing.
  bool learn(const BookPart& part);

  // Entries for buckets first.. as far as they are known without a gap, at most `entries_max`, with
  // the addresses of the nodes that they name. Empty when nothing is known from there on.
  BookPart part_from(BucketNo first, size_t entries_max) const;

 private:
  std::vector<NodeId> at_;  // by bucket; kNone where unknown
  uint64_t known_ = 0;
  std::map<NodeId, NodeEntry> nodes_;
};

}  // namespace lh::core
