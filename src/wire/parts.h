// The fields of what messages are made of: marks, options, paths, pieces of the address book. See
// fields.h. Internal to src/wire.
#pragma once

#include "core/limits.h"
#include "core/message.h"
#include "wire/enums.h"
#include "wire/field_visitors.h"

namespace lh::wire {

template <typename V>
void bucket(V& v, Field<V, BucketNo>& a) {
  v.number(a, kBucketsMax - 1, "bucket number");
}
template <typename V>
void level(V& v, Field<V, Level>& j) {
  v.number(j, kLevelMax, "level");
}
template <typename V>
void hops(V& v, Field<V, uint8_t>& hops) {
  v.number(hops, core::kForwardsMax, "hops");
}
// Buckets 0..known-1.
template <typename V>
void known_buckets(V& v, Field<V, uint64_t>& known) {
  v.number(known, kBucketsMax, "count of known buckets");
}

template <typename V>
void fields(V& v, Field<V, NodeId>& id) {
  v.node(id);
}

// The mark of a bucket that may not be there: its level is unknown, and 0 then.
template <typename V>
void loose_mark(V& v, Field<V, BucketMark>& mark) {
  bucket(v, mark.a);
  level(v, mark.j);
}
// The mark of a bucket: of level j there are 2^j, counted from 0.
template <typename V>
void fields(V& v, Field<V, BucketMark>& mark) {
  loose_mark(v, mark);
  v.require(mark.a >> mark.j == 0, "bucket number beyond its level");
}

template <typename V>
void fields(V& v, Field<V, FileState>& state) {
  level(v, state.i);
  bucket(v, state.n);
  v.require(state.n >> state.i == 0, "split pointer beyond its level");
}

template <typename V>
void fields(V& v, Field<V, core::FileOptions>& options) {
  v.number(options.capacity);
  v.require(options.capacity > 0, "capacity");
  v.one_of(options.hash, "hash mode");
  v.one_of(options.split, "split policy");
  v.fixed(options.id);
}

template <typename V>
void fields(V& v, Field<V, core::ReplyPath>& path) {
  v.fixed(path.client);
  fields(v, path.entry);
  v.number(path.link);
  v.address(path.listener);
}

template <typename V>
void fields(V& v, Field<V, core::NodeEntry>& node) {
  fields(v, node.id);
  v.flag(node.up);
  v.address(node.address);
  v.number(node.version);
}

template <typename V>
void fields(V& v, Field<V, core::BookPart>& book) {
  bucket(v, book.first);
  v.list(book.at, core::kBookEntriesMax, "count of buckets");
  v.require(book.first + book.at.size() <= kBucketsMax, "buckets beyond the largest file");
  v.list(book.nodes, core::kNodesMax, "count of nodes");
}

template <typename V>
void fields(V& v, Field<V, core::NodeStats>& stats) {
  v.number(stats.buckets);
  v.number(stats.records);
  v.number(stats.bytes);
  v.flag(stats.full);
}

template <typename V>
void fields(V& v, Field<V, core::BucketStanding>& standing) {
  fields(v, standing.mark);
  v.flag(standing.live);
  v.number(standing.collisions);
  v.number(standing.answered);
  v.number(standing.split);
  fields(v, standing.target_node);
  v.flag(standing.handed_over);
  v.number(standing.split_max);
}

template <typename V>
void fields(V& v, Field<V, core::NodeReport>& report) {
  fields(v, report.id);
  v.flag(report.up);
  v.address(report.address);
  fields(v, report.stats);
}

}  // namespace lh::wire
