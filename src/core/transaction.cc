#include "core/transaction.h"

#include "core/limits.h"

namespace lh::core {

std::string encode(const Version& version) {
  std::string bytes;
  base::Writer<> writer(&bytes);
  writer.u32(static_cast<uint32_t>(version.node));
  writer.u32(version.boot);
  writer.u64(version.bucket);
  writer.u64(version.number);
  return bytes;
}

Version read_version(base::Reader* reader) {
  Version version;
  version.node = NodeId{reader->u32()};
  version.boot = reader->u32();
  version.bucket = reader->u64();
  version.number = reader->u64();
  return version;
}

void TransactionWriter::watch(const Watched& watched) {
  writer_.prefixed(watched.key);
  writer_.bytes(encode(watched.version));
}

void TransactionWriter::add(const Operation& operation) {
  writer_.u8(static_cast<uint8_t>(operation.op));
  writer_.prefixed(operation.key);
  writer_.prefixed(operation.value);
  writer_.prefixed(operation.args);
}

bool TransactionReader::next(Watched* watched) {
  if (watches_ == 0 || !reader_.ok()) return false;
  --watches_;
  watched->key = reader_.prefixed(kKeyBytesMax);
  watched->version = read_version(&reader_);
  return reader_.ok();
}

bool TransactionReader::next(Operation* operation) {
  for (Watched left; watches_ > 0 && next(&left);) {
  }
  if (!reader_.ok() || reader_.remaining() == 0) return false;
  const uint8_t op = reader_.u8();
  operation->op = static_cast<Op>(op);
  operation->key = reader_.prefixed(kKeyBytesMax);
  operation->value = reader_.prefixed(kValueBytesMax);
  operation->args = reader_.prefixed(kArgsBytesMax);
  if (op > static_cast<uint8_t>(kOpLast) || !may_be_part(operation->op)) reader_.fail();
  return reader_.ok();
}

bool may_be_part(Op op) { return op != Op::kLocate && op != Op::kWatch && op != Op::kTransact; }

void append_part(std::string* answer, Code code, std::string_view value) {
  base::Writer<> writer(answer);
  writer.u8(static_cast<uint8_t>(code));
  writer.prefixed(value);
}

bool read_part(base::Reader* answer, Code* code, std::string_view* value) {
  if (!answer->ok() || answer->remaining() == 0) return false;
  const uint8_t number = answer->u8();
  *code = static_cast<Code>(number);
  *value = answer->prefixed();
  if (number > static_cast<uint8_t>(kCodeLast)) answer->fail();
  return answer->ok();
}

}  // namespace lh::core
