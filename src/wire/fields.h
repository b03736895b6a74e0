// The fields of every message in the order in which they are on the wire: one description for
// encoder, decoder and size bound (field_visitors.h lists what a visitor V can do), so that they
// cannot drift apart. FORMAT.md says the same in prose. Internal to src/wire.
//
// A frame's body is the ReplyPath when the frame is routed, then the fields of the message.
#pragma once

#include "core/limits.h"
#include "core/message.h"
#include "wire/parts.h"

namespace lh::wire {

// A run of changes (split batch, scan matches). How large a batch may get is for the core to say;
// here it has to fit a frame with the fields around it, of which a piece of the address book can
// be 1.4 MB.
inline constexpr size_t kRunBytesMax = core::kFrameBytesMax - (size_t{2} << 20);

// --------------------------------------------------------------------------------------- requests

// A direct request comes from the client itself, so it has not been forwarded.
template <typename V>
void fields(V& v, Field<V, core::Request>& m) {
  if (v.routed()) {
    hops(v, m.hops);
    if (v.has(m.hops > 0)) fields(v, m.forwarder);
  }
  v.number(m.seq);
  v.number(m.acked);
  v.one_of(m.op, "operation");
  bucket(v, m.to);
  known_buckets(v, m.known);
  v.bytes(m.key, core::kKeyBytesMax, "key too long");
  v.bytes(m.value, core::kValueBytesMax, "value too long");
  v.bytes(m.args, core::kArgsBytesMax, "arguments too long");
}

template <typename V>
void fields(V& v, Field<V, core::Reply>& m) {
  v.number(m.seq);
  v.one_of(m.code, "code");
  loose_mark(v, m.bucket);
  fields(v, m.node);
  hops(v, m.hops);
  if (v.has(m.hops > 0)) fields(v, m.iam);
  v.bytes(m.value, core::kValueBytesMax, "value too long");
  fields(v, m.book);
}

// ----------------------------------------------------------------------------------------- growth

template <typename V>
void fields(V& v, Field<V, core::Overflow>& m) {
  bucket(v, m.bucket);
  level(v, m.level);
  v.number(m.records);
  v.number(m.collisions);
}

template <typename V>
void fields(V& v, Field<V, core::OverflowAck>& m) {
  bucket(v, m.bucket);
  v.number(m.collisions);
  v.number(m.done);
}

template <typename V>
void fields(V& v, Field<V, core::SplitOrder>& m) {
  v.number(m.split);
  fields(v, m.source);
  bucket(v, m.target);
  fields(v, m.target_node);
  fields(v, m.book);
}

template <typename V>
void fields(V& v, Field<V, core::SplitDone>& m) {
  v.number(m.split);
  bucket(v, m.source);
  v.flag(m.live);
  bucket(v, m.target);
  fields(v, m.target_node);
}

template <typename V>
void fields(V& v, Field<V, core::SplitRecords>& m) {
  v.number(m.split);
  v.number(m.stream);
  v.number(m.batch);
  v.flag(m.last);
  bucket(v, m.source);
  fields(v, m.source_node);
  fields(v, m.target);
  v.number(m.overdue);
  v.bytes(m.changes, kRunBytesMax, "changes too long");
}

template <typename V>
void fields(V& v, Field<V, core::SplitRecordsAck>& m) {
  v.number(m.split);
  v.number(m.stream);
  v.number(m.batch);
  bucket(v, m.source);
}

// ------------------------------------------------------------------------------------------- scan

template <typename V>
void fields(V& v, Field<V, core::Scan>& m) {
  v.number(m.scan);
  v.one_of(m.kind, "kind of scan");
  v.one_of(m.match, "kind of match");
  v.bytes(m.pattern, core::kScanPatternBytesMax, "pattern too long");
  bucket(v, m.to);
  level(v, m.level);
  v.flag(m.solo);
  v.fixed(m.from);
  v.fixed(m.last);
  v.require(m.from <= m.last, "interval ends before it starts");
  v.number(m.records_max);
}

template <typename V>
void fields(V& v, Field<V, core::ScanReply>& m) {
  v.number(m.scan);
  v.one_of(m.code, "code");
  loose_mark(v, m.bucket);
  fields(v, m.node);
  v.fixed(m.from);
  v.fixed(m.last);
  v.require(m.from <= m.last, "interval ends before it starts");
  v.number(m.records);
  v.number(m.bytes);
  v.number(m.expiring);
  v.number(m.overdue);
  v.flag(m.more);
  v.number(m.chunk);
  v.flag(m.partial);
  v.bytes(m.matches, kRunBytesMax, "matches too long");
  fields(v, m.book);
}

template <typename V>
void fields(V& v, Field<V, core::ScanMore>& m) {
  v.fixed(m.client);
  v.number(m.scan);
  bucket(v, m.to);
  v.fixed(m.after);
}

// ------------------------------------------------------------------------ nodes and the
// coordinator

template <typename V>
void fields(V& v, Field<V, core::Register>& m) {
  fields(v, m.id);
  v.fixed(m.incarnation);
  v.number(m.buckets_max);
  v.address(m.address);
}

template <typename V>
void fields(V& v, Field<V, core::Registered>& m) {
  fields(v, m.id);
  fields(v, m.options);
  fields(v, m.book);
}

template <typename V>
void fields(V& v, Field<V, core::Heartbeat>& m) {
  fields(v, m.id);
  v.fixed(m.incarnation);
  known_buckets(v, m.known);
  fields(v, m.stats);
}

template <typename V>
void fields(V& v, Field<V, core::BookUpdate>& m) {
  fields(v, m.book);
}

template <typename V>
void fields(V& v, Field<V, core::BookQuery>& m) {
  bucket(v, m.first);
}

template <typename V>
void fields(V& v, Field<V, core::FileQuery>& m) {
  v.number(m.query);
  v.one_of(m.kind, "kind of query");
}

template <typename V>
void fields(V& v, Field<V, core::FileReply>& m) {
  v.number(m.query);
  fields(v, m.state);
  fields(v, m.options);
  v.number(m.splits_owed);
  v.text(m.error);
  v.list(m.nodes, core::kNodesMax, "count of nodes");
}

template <typename V>
void fields(V& v, Field<V, core::StandingQuery>& m) {
  v.number(m.query);
  bucket(v, m.first);
  fields(v, m.node);
  v.number(m.boot);
}

template <typename V>
void fields(V& v, Field<V, core::Standing>& m) {
  v.number(m.query);
  fields(v, m.node);
  v.number(m.server);
  v.number(m.servers);
  v.require(m.server < m.servers, "server beyond the last one");
  fields(v, m.options);
  v.flag(m.more);
  fields(v, m.book);
  v.list(m.buckets, core::kBookEntriesMax, "count of buckets");
}

// --------------------------------------------------------------------------------- the link itself

template <typename V>
void fields(V& v, Field<V, core::Hello>& m) {
  v.number(m.version);
  v.one_of(m.kind, "kind of peer");
  v.fixed(m.client);
  fields(v, m.node);
  v.fixed(m.file);
  v.address(m.listener);
}

template <typename V>
void fields(V& v, Field<V, core::Welcome>& m) {
  fields(v, m.node);
  fields(v, m.options);
  fields(v, m.book);
}

template <typename V>
void fields(V& v, Field<V, core::Ping>& m) {
  v.number(m.token);
}

template <typename V>
void fields(V& v, Field<V, core::Pong>& m) {
  v.number(m.token);
}

template <typename V>
void fields(V& v, Field<V, core::Error>& m) {
  v.text(m.text);
}

// ------------------------------------------------------------------------------------ whole bodies

template <typename V, typename M>
void body(V& v, M& m) {
  if constexpr (kPath<std::remove_const_t<M>> != nullptr) {
    if (v.routed()) fields(v, m.*kPath<std::remove_const_t<M>>);
  }
  fields(v, m);
}

}  // namespace lh::wire
