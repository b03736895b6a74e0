// BookPart: a piece of the address book as it travels in messages: who is where, as far as one peer
// can tell another.
#pragma once

#include <string>
#include <vector>

#include "lh/types.h"

namespace lh::core {

// A contiguous piece of the map from buckets to nodes, and the addresses of the nodes named in it.
struct NodeEntry {
  NodeId id = NodeId::kNone;
  bool up = true;
  std::string address;
};
struct BookPart {
  BucketNo first = 0;
  std::vector<NodeId> at;  // node of bucket first + k
  std::vector<NodeEntry> nodes;
  bool empty() const { return at.empty() && nodes.empty(); }
};

}  // namespace lh::core
