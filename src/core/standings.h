// Standings: what a node says that it has, put together from the answers of its servers to
// StandingQueries, page by page. An answer that was not asked for, or comes twice, changes nothing;
// one of another number of servers is of another life of the node, and what it said before does not
// count any more. A value.
#pragma once

#include <cstdint>
#include <set>
#include <vector>

#include "core/address_book.h"
#include "core/message.h"

namespace lh::core {

class Standings {
 public:
  // query: tells the answers to these questions from those to others.
  explicit Standings(uint64_t query = 0, NodeId node = NodeId::kNone, uint32_t boot = 0)
      : query_(query), node_(node), boot_(boot) {}

  // Of one coordinator's node, which has this incarnation: what is asked says whose question it is.
  static uint64_t number(uint64_t incarnation, uint64_t count) {
    return incarnation << kCountBits | (count & ((uint64_t{1} << kCountBits) - 1));
  }
  static uint64_t asker(uint64_t query) { return query >> kCountBits; }

  // What is to be asked next, or again; bound: !complete().
  StandingQuery next(const ReplyPath& to) const { return {to, query_, first_, node_, boot_}; }
  // Whether it was news.
  bool take(const Standing& m);
  bool complete() const { return complete_; }

  uint64_t query() const { return query_; }
  const FileOptions& options() const { return options_; }
  // Of all servers of the node, as far as they were asked.
  const std::vector<BucketStanding>& buckets() const { return buckets_; }
  const AddressBook& book() const { return book_; }

 private:
  static constexpr int kCountBits = 16;

  uint64_t query_;
  NodeId node_;
  uint32_t boot_;
  uint32_t servers_ = 0;  // as the answers say that were taken
  BucketNo first_ = 0;
  std::set<uint32_t> answered_;  // servers, of this page
  bool more_ = false;
  bool complete_ = false;
  FileOptions options_;
  std::vector<BucketStanding> buckets_;
  AddressBook book_;
};

}  // namespace lh::core
