#include "core/coordinator_event.h"

#include "base/coding.h"
#include "core/journal.h"
#include "core/limits.h"

namespace lh::core {

namespace {

constexpr uint8_t kFirst = static_cast<uint8_t>(RecordKind::kCoordinator);

using Out = base::Writer<>;
using In = base::Reader;

NodeId read_node(In* in) {
  const uint64_t value = in->varint();
  if (value > ~uint32_t{0}) in->fail();
  return NodeId{static_cast<uint32_t>(value)};
}

// A number of entries of at least `bytes` each: bounded by what is there.
size_t read_count(In* in, size_t bytes) {
  const uint64_t count = in->varint();
  if (count <= in->remaining() / bytes) return count;
  in->fail();
  return 0;
}

void write(Out* out, const NodeRegistered& e) {
  out->varint(static_cast<uint32_t>(e.id));
  out->u64(e.incarnation);
  out->varint(e.buckets_max);
  out->prefixed(e.address);
}
void read(In* in, NodeRegistered* e) {
  e->id = read_node(in);
  e->incarnation = in->u64();
  e->buckets_max = in->varint();
  e->address = in->prefixed(kAddressBytesMax);
}

void write(Out* out, const CollisionsTakenIn& e) {
  out->varint(e.bucket);
  out->varint(e.collisions);
}
void read(In* in, CollisionsTakenIn* e) {
  e->bucket = in->varint();
  e->collisions = in->varint();
}

void write(Out*, const SplitBegun&) {}
void read(In*, SplitBegun*) {}

void write(Out* out, const SplitAttempted& e) {
  out->varint(e.split);
  out->varint(static_cast<uint32_t>(e.node));
}
void read(In* in, SplitAttempted* e) {
  e->split = in->varint();
  e->node = read_node(in);
}

void write(Out* out, const SplitHandedOver& e) { out->varint(e.split); }
void read(In* in, SplitHandedOver* e) { e->split = in->varint(); }

void write(Out*, const SplitCompleted&) {}
void read(In*, SplitCompleted*) {}

void write(Out* out, const CoordinatorState& e) {
  out->varint(e.file.i);
  out->varint(e.file.n);
  out->varint(e.split_number);
  out->varint(e.owed);
  out->varint(e.at.size());
  for (const NodeId node : e.at) out->varint(static_cast<uint32_t>(node));
  out->varint(e.reports.size());
  for (const CoordinatorState::Reports& r : e.reports) {
    out->varint(r.taken_in);
    out->varint(r.done);
  }
  out->varint(e.debts.size());
  for (const CoordinatorState::Debt& d : e.debts) {
    out->varint(d.bucket);
    out->varint(d.collisions);
    out->varint(d.splits);
  }
}
void read(In* in, CoordinatorState* e) {
  const uint64_t i = in->varint();
  if (i > kLevelMax) in->fail();
  e->file.i = static_cast<Level>(i);
  e->file.n = in->varint();
  e->split_number = in->varint();
  e->owed = in->varint();
  e->at.resize(read_count(in, 1));
  for (NodeId& node : e->at) node = read_node(in);
  e->reports.resize(read_count(in, 2));
  for (CoordinatorState::Reports& r : e->reports) {
    r.taken_in = in->varint();
    r.done = in->varint();
  }
  e->debts.resize(read_count(in, 3));
  for (CoordinatorState::Debt& d : e->debts) {
    d.bucket = in->varint();
    d.collisions = in->varint();
    d.splits = in->varint();
  }
  if (in->ok() && e->at.size() != bucket_count(e->file)) in->fail();
}

void write(Out* out, const ReportsRestored& e) {
  out->varint(e.bucket);
  out->varint(e.collisions);
}
void read(In* in, ReportsRestored* e) {
  e->bucket = in->varint();
  e->collisions = in->varint();
}

// Makes *event the alternative with this index and reads its fields.
template <size_t kIndex = 0>
bool read_alternative(size_t index, In* in, CoordinatorEvent* event) {
  if constexpr (kIndex == std::variant_size_v<CoordinatorEvent>) {
    return false;
  } else {
    if (index != kIndex) return read_alternative<kIndex + 1>(index, in, event);
    read(in, &event->emplace<kIndex>());
    return in->done();
  }
}

}  // namespace

void append_event(std::string* out, const CoordinatorEvent& event) {
  Out writer(out);
  writer.u8(static_cast<uint8_t>(kFirst + event.index()));
  std::visit([&writer](const auto& e) { write(&writer, e); }, event);
}

bool read_event(std::string_view record, CoordinatorEvent* event) {
  In in(record);
  const uint8_t kind = in.u8();
  return kind >= kFirst && read_alternative(kind - kFirst, &in, event);
}

}  // namespace lh::core
