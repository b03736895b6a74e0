#include "wire/resp_answers.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>
#include <vector>

#include "base/check.h"
#include "base/strings.h"
#include "core/bits.h"
#include "core/several.h"
#include "wire/resp_dump.h"

namespace lh::wire {
namespace {

// Of a peer's words that an error repeats.
constexpr size_t kQuotedMax = 128;
constexpr std::string_view kNoSuchKey = "ERR no such key";

template <typename Number>
void append_line(std::string* out, char type, Number number) {
  char text[32];
  text[0] = type;
  char* end = std::to_chars(text + 1, text + sizeof text - 2, number).ptr;
  *end++ = '\r';
  *end++ = '\n';
  out->append(text, static_cast<size_t>(end - text));
}

size_t count_words(std::string_view flags) {
  return flags.empty() ? 0 : 1 + static_cast<size_t>(std::count(flags.begin(), flags.end(), ' '));
}

}  // namespace

void RespWriter::simple(std::string_view text) { out_->append("+").append(text).append("\r\n"); }

void RespWriter::error(std::string_view text) {
  out_->push_back('-');
  for (const char c : text) out_->push_back(static_cast<unsigned char>(c) < 0x20 ? ' ' : c);
  out_->append("\r\n");
}

void RespWriter::integer(int64_t number) { append_line(out_, ':', number); }

void RespWriter::bulk(std::string_view bytes) {
  append_line(out_, '$', bytes.size());
  out_->append(bytes).append("\r\n");
}

char* put_bulk(char* to, std::string_view bytes) {
  *to++ = '$';
  to = std::to_chars(to, to + 20, bytes.size()).ptr;
  *to++ = '\r';
  *to++ = '\n';
  if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
  to += bytes.size();
  *to++ = '\r';
  *to++ = '\n';
  return to;
}

void RespWriter::null() { out_->append(version_ == RespVersion::k3 ? "_\r\n" : "$-1\r\n"); }

void RespWriter::null_array() { out_->append(version_ == RespVersion::k3 ? "_\r\n" : "*-1\r\n"); }

void RespWriter::array(size_t elements) { append_line(out_, '*', elements); }

void RespWriter::map(size_t entries) {
  if (version_ == RespVersion::k3) return append_line(out_, '%', entries);
  append_line(out_, '*', entries * 2);
}

void RespWriter::verbatim(std::string_view text) {
  if (version_ == RespVersion::k2) return bulk(text);
  append_line(out_, '=', text.size() + 4);
  out_->append("txt:").append(text).append("\r\n");
}

void RespWriter::unknown_command(const RespArgs& args) {
  std::string text = "ERR unknown command '";
  text.append(args[0].substr(0, kQuotedMax)).append("', with args beginning with: ");
  const size_t enough = text.size() + kQuotedMax;
  for (size_t k = 1; k < args.size() && text.size() < enough; ++k) {
    text.append("'").append(args[k].substr(0, enough - text.size())).append("' ");
  }
  error(text);
}

void RespWriter::wrong_arguments(std::string_view command) {
  std::string text = "ERR wrong number of arguments for '";
  error(text.append(command).append("' command"));
}

void RespWriter::unknown_subcommand(std::string_view command, std::string_view word) {
  std::string text = "ERR unknown subcommand '";
  text.append(word.substr(0, kQuotedMax)).append("'. Try ").append(command).append(" HELP.");
  error(text);
}

void RespWriter::failure(core::Code code, BucketNo bucket) {
  using core::Code;
  const auto number = static_cast<unsigned long long>(bucket);
  switch (code) {
    case Code::kOk:
    case Code::kExists:
    case Code::kNotFound:
      LH_UNREACHABLE("an answer like any other");
    case Code::kBadKey:
    case Code::kNotInteger:
    case Code::kOverflow:
    case Code::kMalformed:
    case Code::kNoSpace:
      return error(std::string("ERR ").append(core::traits(code).text));
    case Code::kFull:  // OOM is the class
      return error(core::traits(code).text);
    case Code::kCross:
      return error("CROSSSLOT Keys in request don't hash to the same slot");
    case Code::kTooLarge:
      return error("ERR the answer might be larger than an answer may be");
    case Code::kConflict:
      return null_array();
    case Code::kTooLong:
      return error("ERR string exceeds maximum allowed size (proto-max-bulk-len)");
    case Code::kDown:
      return error(base::format("ERR bucket %llu is down", number));
    case Code::kNoBucket:
    case Code::kRetry:
    case Code::kBusy:
      return error(base::format("TRYAGAIN bucket %llu is busy", number));
  }
  LH_UNREACHABLE("code");
}

void RespWriter::said(core::Op op, core::Code code, BucketNo bucket, std::string_view value) {
  using core::Code;
  using core::Op;
  const bool done = code == Code::kOk;
  if (!done && code != Code::kExists && code != Code::kNotFound) return refused(op, code, bucket);
  switch (op) {
    case Op::kRead:
    case Op::kSwap:
    case Op::kReadExpire:
    case Op::kTake:
      return done ? bulk(value) : null();
    case Op::kReadRange:
    case Op::kIncrementFloat:
      return bulk(value);
    case Op::kDump:
      return done ? bulk(encode_dump(value)) : null();
    case Op::kType:
      return simple(done ? value : "none");
    case Op::kPut:
    case Op::kSet:
    case Op::kUpdate:
      return done ? simple("OK") : null();
    case Op::kRestore:
      return done ? simple("OK") : error("BUSYKEY Target key name already exists.");
    case Op::kRename:
      return done ? simple("OK") : error(kNoSuchKey);
    case Op::kRenameAbsent:
      if (code == Code::kNotFound) return error(kNoSuchKey);
      return integer(done ? 1 : 0);
    case Op::kInsert:
    case Op::kInsertAll:
    case Op::kExpire:
    case Op::kDelete:
    case Op::kCopy:
    case Op::kCopyAbsent:
      return integer(done ? 1 : 0);
    case Op::kIncrement:
    case Op::kAppend:
    case Op::kLength:
    case Op::kExpiry:
    case Op::kWriteRange:
    case Op::kReadBit:
    case Op::kWriteBit:
    case Op::kCountBits:
    case Op::kFindBit:
    case Op::kCombineBits:
      if (!done) return integer(op == Op::kExpiry ? -2 : 0);
      out_->append(":").append(value).append("\r\n");
      return;
    case Op::kReadFields:
    case Op::kWriteFields:
      return fields(value);
    case Op::kCommon:
      return common(value);
    case Op::kLocate:
    case Op::kWatch:
    case Op::kTransact:
      break;
  }
  LH_UNREACHABLE("no command is that");
}

// Some words are those of the command.
void RespWriter::refused(core::Op op, core::Code code, BucketNo bucket) {
  if (op == core::Op::kIncrementFloat && code == core::Code::kNotInteger) {
    return error("ERR value is not a valid float");
  }
  if (op == core::Op::kIncrementFloat && code == core::Code::kOverflow) {
    return error("ERR increment would produce NaN or Infinity");
  }
  failure(code, bucket);
}

void RespWriter::fields(std::string_view value) {
  std::vector<std::optional<int64_t>> numbers;
  base::Reader reader(value);
  for (std::optional<int64_t> number; core::read_field_answer(&reader, &number);) {
    numbers.push_back(number);
  }
  array(numbers.size());
  for (const std::optional<int64_t>& number : numbers) number ? integer(*number) : null();
}

void RespWriter::common(std::string_view value) {
  core::CommonAnswer answer;
  // A node whose answer makes no sense is answered for.
  if (!answer.read(value)) return failure(core::Code::kMalformed, 0);
  if (answer.form == core::CommonForm::kText) return bulk(answer.text);
  const auto length = static_cast<int64_t>(answer.length);
  if (answer.form == core::CommonForm::kLength) return integer(length);
  const bool with_sizes = answer.form == core::CommonForm::kMatchesAndSizes;
  const auto range = [this](uint64_t first, uint64_t bytes) {
    array(2);
    integer(static_cast<int64_t>(first));
    integer(static_cast<int64_t>(first + bytes - 1));
  };
  map(2);
  bulk("matches");
  array(answer.matches.size());
  for (const core::CommonMatch& match : answer.matches) {
    array(with_sizes ? 3 : 2);
    range(match.first_a, match.bytes);
    range(match.first_b, match.bytes);
    if (with_sizes) integer(static_cast<int64_t>(match.bytes));
  }
  bulk("len");
  integer(length);
}

void RespWriter::description(const RespCommand& command) {
  array(10);
  bulk(command.name);
  integer(command.arity);
  array(count_words(command.flags));
  for (std::string_view rest = command.flags; !rest.empty();) {
    const size_t end = std::min(rest.find(' '), rest.size());
    simple(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  for (const int number : {command.first_key, command.last_key, command.key_step}) {
    integer(number);
  }
  for (int k = 0; k < 4; ++k) array(0);  // categories, tips, specifications, parts
}

}  // namespace lh::wire
