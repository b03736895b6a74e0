#include "wire/text_answers.h"

#include "base/check.h"
#include "base/strings.h"
#include "lh/address.h"
#include "wire/text_commands.h"

namespace lh::wire {
namespace {

void append_address(std::string* out, std::string_view address) {
  out->append(" node=");
  base::append_word(out, address);
  out->push_back('\n');
}

// As printf's %llu takes it.
unsigned long long number(uint64_t n) { return n; }

std::string_view name_of(core::SplitPolicy policy) {
  switch (policy) {
    case core::SplitPolicy::kUncontrolled:
      return "uncontrolled";
  }
  LH_UNREACHABLE("split policy");
}

void append_value_line(std::string* out, std::string_view value) {
  if (value == "NOT FOUND" || value.starts_with("ERR ")) {
    base::append_quoted(out, value);
  } else {
    base::append_value(out, value);
  }
  out->push_back('\n');
}

void append_missing(std::string* out, core::Op op) {
  out->append(op == core::Op::kUpdate ? "ERR no such key\n" : "NOT FOUND\n");
}

void append_bucket_error(std::string* out, BucketNo bucket, const char* what) {
  base::append_format(out, "ERR bucket %llu %s\n", number(bucket), what);
}

}  // namespace

void append_printable(std::string* out, std::string_view bytes) {
  const size_t before = out->size();
  base::append_quoted(out, bytes);
  out->erase(before, 1);
  out->pop_back();
}

void append_error(std::string* out, std::string_view why) {
  out->append("ERR ");
  append_printable(out, why);
  out->push_back('\n');
}

void append_keyed(std::string* out, core::Op op, const core::Reply& reply) {
  using core::Code;
  if (reply.code == Code::kNotFound) return append_missing(out, op);
  const char* text = core::traits(reply.code).text;
  if (core::is_about_bucket(reply.code)) return append_bucket_error(out, reply.bucket.a, text);
  if (reply.code != Code::kOk) return append_error(out, text);
  LH_CHECK(op != core::Op::kLocate);
  if (core::answers_value(op)) return append_value_line(out, reply.value);
  out->append("OK\n");
}

void append_located(std::string* out, HashValue c, BucketMark bucket, std::string_view address) {
  base::append_format(out, "c=%llu bucket=%llu level=%u", number(c), number(bucket.a), bucket.j);
  append_address(out, address);
}

void append_record(std::string* out, std::string_view key, std::string_view value) {
  if (key.starts_with("END") || key.starts_with("ERR")) {
    base::append_quoted(out, key);
  } else {
    base::append_word(out, key);
  }
  out->push_back(' ');
  base::append_value(out, value);
  out->push_back('\n');
}

void append_scan_end(std::string* out, uint64_t records, uint64_t buckets) {
  base::append_format(out, "END %llu records from %llu buckets\n", number(records),
                      number(buckets));
}

void append_bucket_end(std::string* out, uint64_t records, Level level) {
  base::append_format(out, "END %llu records level=%u\n", number(records), level);
}

void append_count(std::string* out, uint64_t records) {
  base::append_format(out, "%llu\n", number(records));
}

void append_file(std::string* out, uint64_t file, FileState state, const core::FileOptions& options,
                 uint64_t records) {
  const uint64_t buckets = bucket_count(state);
  const double room = static_cast<double>(options.capacity) * static_cast<double>(buckets);
  const double load = static_cast<double>(records) / room;
  base::append_format(out, "file=%llu i=%u n=%llu buckets=%llu records=%llu capacity=%llu",
                      number(file), state.i, number(state.n), number(buckets), number(records),
                      number(options.capacity));
  base::append_format(out, " load=%.3f split=", load);
  out->append(name_of(options.split));
  out->push_back('\n');
}

void append_bucket(std::string* out, BucketMark bucket, uint64_t records,
                   std::string_view address) {
  base::append_format(out, "bucket=%llu level=%u records=%llu", number(bucket.a), bucket.j,
                      number(records));
  append_address(out, address);
}

void append_buckets_end(std::string* out, uint64_t buckets) {
  base::append_format(out, "END %llu buckets\n", number(buckets));
}

void append_node(std::string* out, const core::NodeReport& node) {
  out->append("node=");
  base::append_word(out, node.address);
  base::append_format(out, " state=%s buckets=%llu records=%llu bytes=%llu\n",
                      node.up ? "up" : "down", number(node.stats.buckets),
                      number(node.stats.records), number(node.stats.bytes));
}

void append_nodes_end(std::string* out, uint64_t nodes) {
  base::append_format(out, "END %llu nodes\n", number(nodes));
}

void append_help(std::string* out) {
  for (const CommandSpec& spec : commands()) {
    out->append(spec.name);
    if (spec.arguments != Arguments::kNone) out->append(" ").append(usage(spec.arguments));
    for (std::string_view alias : spec.aliases) {
      if (!alias.empty()) out->append(", ").append(alias);
    }
    out->append(": ").append(spec.help).push_back('\n');
  }
  base::append_format(out, "END %zu commands\n", commands().size());
}

}  // namespace lh::wire
