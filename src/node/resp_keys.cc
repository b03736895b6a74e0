#include "node/resp_keys.h"

#include <optional>

#include "base/strings.h"
#include "core/limits.h"

namespace lh::node {

namespace {

using Kind = core::FileRequest::Kind;

constexpr uint64_t kCountUsual = 10;

RespKeys fail(const char* why) { return {.file = {}, .error = why}; }

bool take_pattern(std::string_view pattern, core::FileRequest* file) {
  file->match = pattern == "*" ? core::ScanMatch::kAll : core::ScanMatch::kKeyGlob;
  if (file->match == core::ScanMatch::kKeyGlob) file->pattern = pattern;
  return pattern.size() <= core::kScanPatternBytesMax;
}

RespKeys read_scan(const wire::RespArgs& args) {
  const std::optional<uint64_t> cursor = base::parse_u64(args[1]);
  if (!cursor) return fail("ERR invalid cursor");
  RespKeys keys;
  keys.file.kind = Kind::kSome;
  keys.file.from = *cursor;
  keys.file.records_max = kCountUsual;
  for (size_t k = 2; k < args.size(); k += 2) {
    if (k + 1 == args.size()) return fail("ERR syntax error");
    if (wire::same_word(args[k], "match")) {
      if (!take_pattern(args[k + 1], &keys.file)) return fail("ERR pattern too long");
    } else if (wire::same_word(args[k], "count")) {
      const std::optional<int64_t> count = base::parse_i64(args[k + 1]);
      if (!count) return fail("ERR value is not an integer or out of range");
      if (*count < 1) return fail("ERR syntax error");
      keys.file.records_max = static_cast<uint64_t>(*count);
    } else if (!wire::same_word(args[k], "type")) {
      return fail("ERR syntax error");
    } else if (!wire::same_word(args[k + 1], "string")) {
      // There are no others: this matches no key.
      keys.file.match = core::ScanMatch::kKeyGlob;
      keys.file.pattern = "[]";
    }
  }
  return keys;
}

}  // namespace

RespKeys read_keys(const wire::RespCommand& command, const wire::RespArgs& args, uint64_t chance) {
  if (command.verb == wire::RespVerb::kScan) return read_scan(args);
  RespKeys keys;
  keys.wants_one = command.verb == wire::RespVerb::kRandomkey;
  if (keys.wants_one) {
    keys.file.kind = Kind::kSome;
    keys.file.from = chance;
    return keys;
  }
  keys.file.kind = Kind::kKeys;
  if (!take_pattern(args[1], &keys.file)) return fail("ERR pattern too long");
  return keys;
}

}  // namespace lh::node
