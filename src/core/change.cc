#include "core/change.h"

#include "base/coding.h"
#include "core/limits.h"

namespace lh::core {

namespace {

constexpr uint8_t kPutExpiring = 6;

base::Writer<> begin(std::string* out, uint8_t kind) {
  base::Writer<> writer(out);
  writer.u8(kind);
  return writer;
}
base::Writer<> begin(std::string* out, Change::Kind kind) {
  return begin(out, static_cast<uint8_t>(kind));
}

table::ExpiryMs read_expiry(base::Reader* reader) {
  const table::ExpiryMs expiry = reader->varint();
  if (expiry > table::kExpiryMax) reader->fail();
  return expiry;
}

void read_fields(base::Reader* reader, Change* change) {
  switch (change->kind) {
    case Change::Kind::kPut:
      change->key = reader->prefixed(kKeyBytesMax);
      change->value = reader->prefixed(kValueBytesMax);
      return;
    case Change::Kind::kErase:
      change->key = reader->prefixed(kKeyBytesMax);
      return;
    case Change::Kind::kExpire:
      change->expiry = read_expiry(reader);
      change->key = reader->prefixed(kKeyBytesMax);
      return;
    case Change::Kind::kClient:
      change->client = reader->u64();
      change->number = reader->varint();
      change->cleared = reader->varint();
      return;
    case Change::Kind::kAnswer: {
      change->client = reader->u64();
      change->number = reader->varint();
      const uint8_t code = reader->u8();
      if (code > static_cast<uint8_t>(kCodeLast)) reader->fail();
      change->code = static_cast<Code>(code);
      change->value = reader->prefixed(kAnswerBytesMax);
      return;
    }
    case Change::Kind::kOverdue:
      change->number = reader->varint();
      return;
  }
  reader->fail();
}

}  // namespace

void append_put(std::string* out, const table::Record& record) {
  const bool expires = record.expiry != table::kNever;
  base::Writer<> writer = expires ? begin(out, kPutExpiring) : begin(out, Change::Kind::kPut);
  if (expires) writer.varint(record.expiry);
  writer.prefixed(record.key);
  writer.prefixed(record.value);
}

void append_erase(std::string* out, std::string_view key) {
  begin(out, Change::Kind::kErase).prefixed(key);
}

void append_expire(std::string* out, std::string_view key, table::ExpiryMs expiry) {
  base::Writer<> writer = begin(out, Change::Kind::kExpire);
  writer.varint(expiry);
  writer.prefixed(key);
}

void append_client(std::string* out, ClientId client, uint64_t acked, uint64_t cleared) {
  base::Writer<> writer = begin(out, Change::Kind::kClient);
  writer.u64(client);
  writer.varint(acked);
  writer.varint(cleared);
}

void append_answer(std::string* out, ClientId client, uint64_t seq, Code code,
                   std::string_view value) {
  base::Writer<> writer = begin(out, Change::Kind::kAnswer);
  writer.u64(client);
  writer.varint(seq);
  writer.u8(static_cast<uint8_t>(code));
  writer.prefixed(value);
}

void append_overdue(std::string* out, uint64_t number) {
  begin(out, Change::Kind::kOverdue).varint(number);
}

bool ChangeReader::fail() {
  ok_ = false;
  rest_ = {};
  return false;
}

bool ChangeReader::next(Change* change) {
  if (rest_.empty()) return false;
  base::Reader reader(rest_);
  *change = Change{};
  const uint8_t kind = reader.u8();
  change->kind = static_cast<Change::Kind>(kind);
  if (kind == kPutExpiring) {
    change->kind = Change::Kind::kPut;
    change->expiry = read_expiry(&reader);
    if (change->expiry == table::kNever) reader.fail();
  }
  read_fields(&reader, change);
  if (!reader.ok()) return fail();
  rest_.remove_prefix(rest_.size() - reader.remaining());
  return true;
}

}  // namespace lh::core
