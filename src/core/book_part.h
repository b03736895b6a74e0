// BookPart: a piece of the address book as it travels in messages: who is where, as far as one peer
// can tell another.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lh/types.h"

namespace lh::core {

// What the coordinator says of a node. It numbers what it says: entries travel by several ways, and
// of two the one with the higher version is the newer, whichever is read last.
struct NodeEntry {
  NodeId id = NodeId::kNone;
  bool up = true;
  std::string address;
  uint64_t version = 0;  // 0: nothing was said yet, a node speaks of itself
  friend bool operator==(const NodeEntry&, const NodeEntry&) = default;
};
// A contiguous piece of the map from buckets to nodes, and the addresses of the nodes named in it.
struct BookPart {
  BucketNo first = 0;
  std::vector<NodeId> at;  // node of bucket first + k
  std::vector<NodeEntry> nodes;
  bool empty() const { return at.empty() && nodes.empty(); }
};

}  // namespace lh::core
