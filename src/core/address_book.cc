#include "core/address_book.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/check.h"
#include "core/limits.h"

namespace lh::core {

void AddressBook::set(BucketNo a, NodeId node) {
  LH_CHECK(a < kBucketsMax);
  LH_CHECK(node != NodeId::kNone);
  if (a >= at_.size()) at_.resize(a + 1, NodeId::kNone);
  at_[a] = node;
  while (known_ < at_.size() && at_[known_] != NodeId::kNone) ++known_;
}

const NodeEntry* AddressBook::node(NodeId id) const {
  const auto it = nodes_.find(id);
  return it == nodes_.end() ? nullptr : &it->second;
}

void AddressBook::set_node(NodeEntry entry) {
  LH_CHECK(entry.id != NodeId::kNone);
  const NodeId id = entry.id;
  nodes_[id] = std::move(entry);
}

bool AddressBook::learn(const BookPart& part) {
  bool news = false;
  // A part that would leave a gap could make a peer's wild bucket number cost memory.
  const bool adjoins = part.first <= at_.size() + kBookEntriesMax;
  for (size_t k = 0; adjoins && k < part.at.size(); ++k) {
    if (part.at[k] == NodeId::kNone || part.first + k >= kBucketsMax) continue;
    if (locate(part.first + k) == part.at[k]) continue;
    set(part.first + k, part.at[k]);
    news = true;
  }
  for (const NodeEntry& entry : part.nodes) {
    if (entry.id == NodeId::kNone) continue;
    const NodeEntry* old = node(entry.id);
    if (old != nullptr && (entry.version < old->version || *old == entry)) continue;
    if (old == nullptr && nodes_.size() >= kNodesMax) continue;
    set_node(entry);
    news = true;
  }
  return news;
}

BookPart AddressBook::part_from(BucketNo first, size_t entries_max) const {
  BookPart part{first, {}, {}};
  std::set<NodeId> named;
  for (BucketNo a = first; part.at.size() < entries_max && locate(a) != NodeId::kNone; ++a) {
    part.at.push_back(locate(a));
    named.insert(locate(a));
  }
  for (const NodeId id : named) {
    if (const NodeEntry* entry = node(id)) part.nodes.push_back(*entry);
  }
  return part;
}

}  // namespace lh::core
