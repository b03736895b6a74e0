#include "core/journal.h"

#include "base/coding.h"
#include "core/limits.h"

namespace lh::core {

namespace {

uint32_t read_u32(base::Reader* reader) {
  const uint64_t value = reader->varint();
  if (value > ~uint32_t{0}) reader->fail();
  return static_cast<uint32_t>(value);
}

NodeId read_node(base::Reader* reader) { return NodeId{read_u32(reader)}; }

bool read_bool(base::Reader* reader) {
  const uint8_t value = reader->u8();
  if (value > 1) reader->fail();
  return value == 1;
}

// Records that are one number.
void append_number(std::string* out, RecordKind kind, uint64_t number) {
  begin_record(out, kind);
  base::Writer<>(out).varint(number);
}

bool read_number(std::string_view bytes, uint64_t max, uint64_t* number) {
  base::Reader reader(bytes);
  *number = reader.varint();
  return reader.done() && *number <= max;
}

}  // namespace

void begin_record(std::string* out, RecordKind kind) { out->push_back(static_cast<char>(kind)); }

std::optional<RecordKind> take_kind(std::string_view* record) {
  if (record->empty()) return std::nullopt;
  const auto kind = static_cast<RecordKind>(record->front());
  record->remove_prefix(1);
  return kind;
}

bool is_event(std::string_view record) {
  return !record.empty() &&
         static_cast<uint8_t>(record.front()) >= static_cast<uint8_t>(RecordKind::kCoordinator);
}

bool is_identity(std::string_view record) { return take_kind(&record) == RecordKind::kIdentity; }

void append_state(std::string* out, const BucketState& state) {
  begin_record(out, RecordKind::kState);
  base::Writer<> writer(out);
  writer.varint(state.mark.a);
  writer.varint(state.mark.j);
  writer.u8(state.live ? 1 : 0);
  writer.varint(state.collisions);
  writer.varint(state.answered);
  writer.varint(state.overdue);
  writer.varint(state.split_done);
  writer.varint(state.split);
  writer.varint(static_cast<uint32_t>(state.target_node));
  writer.varint(state.target_split);
  writer.varint(state.target_stream);
  writer.varint(state.target_next_batch);
}

bool read_state(std::string_view bytes, BucketState* state) {
  base::Reader reader(bytes);
  state->mark.a = reader.varint();
  const uint64_t level = reader.varint();
  if (level > kLevelMax) return false;
  state->mark.j = static_cast<Level>(level);
  state->live = read_bool(&reader);
  state->collisions = reader.varint();
  state->answered = reader.varint();
  state->overdue = reader.varint();
  state->split_done = reader.varint();
  state->split = reader.varint();
  state->target_node = read_node(&reader);
  state->target_split = reader.varint();
  state->target_stream = reader.varint();
  state->target_next_batch = read_u32(&reader);
  const bool in_level = state->mark.a >> state->mark.j == 0;
  const bool gave = state->split == 0 || (state->live && state->mark.j > 0);
  const bool reported =
      state->answered <= state->collisions && state->collisions - state->answered <= 1;
  return reader.done() && in_level && gave && reported;
}

void append_divided(std::string* out, uint64_t split) {
  append_number(out, RecordKind::kDivided, split);
}

bool read_divided(std::string_view bytes, uint64_t* split) {
  return read_number(bytes, ~uint64_t{0}, split) && *split > 0;
}

void append_room(std::string* out, uint64_t records) {
  append_number(out, RecordKind::kRoom, records);
}

bool read_room(std::string_view bytes, uint64_t* records) {
  return read_number(bytes, ~uint64_t{0}, records);
}

void append_identity(std::string* out, const Identity& identity) {
  begin_record(out, RecordKind::kIdentity);
  base::Writer<> writer(out);
  writer.varint(static_cast<uint32_t>(identity.node));
  writer.varint(identity.options.capacity);
  writer.u8(static_cast<uint8_t>(identity.options.hash));
  writer.u8(static_cast<uint8_t>(identity.options.split));
  writer.u64(identity.options.id);
}

bool read_identity(std::string_view bytes, Identity* identity) {
  base::Reader reader(bytes);
  identity->node = read_node(&reader);
  identity->options.capacity = reader.varint();
  const uint8_t hash = reader.u8();
  const uint8_t split = reader.u8();
  identity->options.id = reader.u64();
  identity->options.hash = static_cast<base::HashMode>(hash);
  identity->options.split = static_cast<SplitPolicy>(split);
  const bool known = hash <= static_cast<uint8_t>(base::HashMode::kInteger) &&
                     split <= static_cast<uint8_t>(SplitPolicy::kUncontrolled);
  return reader.done() && known && identity->node != NodeId::kNone &&
         identity->options.capacity > 0;
}

void append_boot(std::string* out, uint32_t boot) { append_number(out, RecordKind::kBoot, boot); }

bool read_boot(std::string_view bytes, uint32_t* boot) {
  uint64_t number = 0;
  if (!read_number(bytes, ~uint32_t{0}, &number)) return false;
  *boot = static_cast<uint32_t>(number);
  return true;
}

void append_book(std::string* out, const BookPart& part) {
  begin_record(out, RecordKind::kBook);
  base::Writer<> writer(out);
  writer.varint(part.first);
  writer.varint(part.at.size());
  for (const NodeId node : part.at) writer.varint(static_cast<uint32_t>(node));
  writer.varint(part.nodes.size());
  for (const NodeEntry& node : part.nodes) {
    writer.varint(static_cast<uint32_t>(node.id));
    writer.u8(node.up ? 1 : 0);
    writer.prefixed(node.address);
    writer.varint(node.version);
  }
}

bool read_book(std::string_view bytes, BookPart* part) {
  base::Reader reader(bytes);
  part->first = reader.varint();
  // Entries take at least a byte each: what is claimed is bounded by what is there.
  const uint64_t buckets = reader.varint();
  if (buckets > reader.remaining()) return false;
  part->at.resize(buckets);
  for (NodeId& node : part->at) node = read_node(&reader);
  const uint64_t nodes = reader.varint();
  if (nodes > reader.remaining()) return false;
  part->nodes.resize(nodes);
  for (NodeEntry& node : part->nodes) {
    node.id = read_node(&reader);
    node.up = read_bool(&reader);
    node.address = reader.prefixed(kAddressBytesMax);
    node.version = reader.varint();
  }
  return reader.done();
}

}  // namespace lh::core
