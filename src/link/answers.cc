#include "link/answers.h"

#include <algorithm>
#include <limits>
#include <map>
#include <utility>

#include "base/check.h"
#include "base/strings.h"
#include "core/change.h"
#include "lh/address.h"
#include "wire/text_answers.h"
#include "wire/text_commands.h"

namespace lh::link {
namespace {

using Kind = core::FileRequest::Kind;
using Outcome = core::FileResult::Outcome;
using BucketLines = std::map<BucketNo, core::FileResult::BucketLine>;

std::string_view address_of(const core::AddressBook& book, NodeId node) {
  const core::NodeEntry* entry = book.node(node);
  return entry == nullptr ? kUnknownAddress : std::string_view(entry->address);
}

// Whether every point of the key space is in a bucket that answered: the sum of 2^-j is 1, which is
// 0 modulo 2^64 when it counts points.
bool covers_the_file(const BucketLines& buckets) {
  uint64_t points = 0;
  for (const auto& [a, line] : buckets) {
    if (line.mark.j > 0) points += uint64_t{1} << (64 - line.mark.j);
  }
  return !buckets.empty() && points == 0;
}

void append_buckets(std::string* out, const BucketLines& buckets, const core::AddressBook& book) {
  for (const auto& [a, line] : buckets) {
    wire::append_bucket(out, line.mark, line.records, address_of(book, line.node));
  }
  wire::append_buckets_end(out, buckets.size());
}

void append_nodes(std::string* out, const core::FileResult& result) {
  for (const core::NodeReport& node : counted_nodes(result)) wire::append_node(out, node);
  wire::append_nodes_end(out, result.file.nodes.size());
}

Level level_of_bucket(const core::FileResult& result) {
  const auto line = result.buckets.find(result.request.bucket);
  return line == result.buckets.end() ? Level{0} : line->second.mark.j;
}

}  // namespace

std::vector<core::NodeReport> counted_nodes(const core::FileResult& result) {
  std::map<NodeId, core::NodeStats> counted;
  for (const auto& [a, line] : result.buckets) {
    core::NodeStats& stats = counted[line.node];
    ++stats.buckets;
    stats.records += line.records;
    stats.bytes += line.bytes;
  }
  std::vector<core::NodeReport> nodes = result.file.nodes;
  if (!covers_the_file(result.buckets)) return nodes;
  for (core::NodeReport& node : nodes) node.stats = counted[node.id];
  return nodes;
}

std::optional<core::Op> keyed_op(const wire::TextCommand& command) {
  for (const wire::CommandSpec& spec : wire::commands()) {
    if (spec.verb == command.verb) return spec.op;
  }
  return std::nullopt;
}

std::optional<core::FileRequest> file_request(const wire::TextCommand& command) {
  const auto request = [&command](Kind kind) {
    return core::FileRequest{kind, command.scan.match, std::string(command.scan.pattern),
                             command.bucket};
  };
  switch (command.verb) {
    case wire::Verb::kScan:
      return request(Kind::kScan);
    case wire::Verb::kCount:
      return request(Kind::kCount);
    case wire::Verb::kFile:
      return request(Kind::kFile);
    case wire::Verb::kBuckets:
      return request(Kind::kBuckets);
    case wire::Verb::kBucket:
      return request(Kind::kBucket);
    case wire::Verb::kNodes:
      return request(Kind::kNodes);
    case wire::Verb::kSettle:
      return request(Kind::kSettle);
    default:
      return std::nullopt;
  }
}

void append_completion(std::string* out, const core::Completion& done,
                       const core::AddressBook& book) {
  if (done.op == core::Op::kLocate && done.code == core::Code::kOk) {
    return wire::append_located(out, done.c, done.bucket, address_of(book, done.node));
  }
  core::Reply reply;
  reply.code = done.code;
  reply.bucket = done.bucket;
  reply.value = done.value;
  wire::append_keyed(out, done.op, reply);
}

bool key_before(base::HashMode hash, std::string_view a, std::string_view b) {
  if (hash == base::HashMode::kInteger && a.size() != b.size()) return a.size() < b.size();
  return a < b;
}

void FileAnswer::add(const core::ScanReply& piece) {
  LH_CHECK(!finished_);
  if (piece.matches.empty() || too_large_ || malformed_ || !given_up_.empty()) return;
  Piece& added = pieces_.emplace_back();
  added.bytes = piece.matches;
  core::ChangeReader reader(added.bytes);
  core::Change change;
  while (reader.next(&change)) {
    if (change.kind != core::Change::Kind::kPut) malformed_ = true;
    added.records.push_back({change.key, change.value});
  }
  malformed_ |= !reader.ok();
  std::sort(added.records.begin(), added.records.end(),
            [this](const Record& a, const Record& b) { return key_before(hash_, a.key, b.key); });
  records_ += added.records.size();
  bytes_ += added.bytes.size() + added.records.size() * sizeof(Record);
  too_large_ = bytes_ > bytes_max_;
  if (too_large_ || malformed_) drop_records();
}

void FileAnswer::give_up(std::string_view why) {
  given_up_ = why;
  drop_records();
}

void FileAnswer::drop_records() {
  heap_ = {};
  pieces_ = {};
  bytes_ = 0;
}

// Why there is no result to show; empty when there is one.
std::string_view FileAnswer::obstacle(const core::FileResult& result) const {
  if (result.outcome == Outcome::kNoCoordinator) return "the coordinator cannot be reached";
  if (result.outcome == Outcome::kNoSuchBucket) return "no such bucket";
  if (malformed_) return "a bucket answered with something else than records";
  if (!given_up_.empty()) return given_up_;
  if (!too_large_) return {};
  return result.request.kind == Kind::kScan ? "result too large: narrow the pattern"
                                            : "result too large: use SCAN with a pattern";
}

void FileAnswer::fail(std::string_view why) {
  failed_ = true;
  drop_records();
  wire::append_error(&end_, why);
}

void FileAnswer::finish(const core::FileResult& result, const core::AddressBook& book) {
  LH_CHECK(!finished_);
  finished_ = true;
  if (result.outcome == Outcome::kBucketDown) {
    return fail(base::format("bucket %llu is down", static_cast<unsigned long long>(result.down)));
  }
  if (const std::string_view why = obstacle(result); !why.empty()) return fail(why);
  if (result.request.kind == Kind::kSettle && !result.file.error.empty()) {
    return fail(result.file.error);
  }
  for (Piece& piece : pieces_) heap_.push_back(&piece);
  std::make_heap(heap_.begin(), heap_.end(), Later{hash_});
  append_end(result, book);
}

bool FileAnswer::Later::operator()(const Piece* a, const Piece* b) const {
  return key_before(hash, b->first().key, a->first().key);
}

void FileAnswer::append_end(const core::FileResult& result, const core::AddressBook& book) {
  switch (result.request.kind) {
    case Kind::kScan:
      return wire::append_scan_end(&end_, records_, result.buckets.size());
    case Kind::kCount:
      return wire::append_count(&end_, result.records);
    case Kind::kFile:
      return wire::append_file(&end_, 0, result.file.state, result.file.options, result.records);
    case Kind::kBuckets:
      return append_buckets(&end_, result.buckets, book);
    case Kind::kBucket:
      return wire::append_bucket_end(&end_, records_, level_of_bucket(result));
    case Kind::kNodes:
      return append_nodes(&end_, result);
    case Kind::kSettle:
    case Kind::kClear:
      end_ = "OK\n";
      return;
    case Kind::kKeys:
    case Kind::kSome:
      break;  // not asked for in text
  }
  LH_UNREACHABLE();
}

bool FileAnswer::append_some(std::string* out, size_t bytes) {
  LH_CHECK(finished_);
  const size_t enough = out->size() + bytes;
  while (!heap_.empty()) {
    if (out->size() >= enough) return true;
    std::pop_heap(heap_.begin(), heap_.end(), Later{hash_});
    Piece& piece = *heap_.back();
    wire::append_record(out, piece.first().key, piece.first().value);
    if (++piece.next < piece.records.size()) {
      std::push_heap(heap_.begin(), heap_.end(), Later{hash_});
    } else {
      heap_.pop_back();
      piece = {};
    }
  }
  out->append(std::exchange(end_, {}));
  drop_records();
  return false;
}

void FileAnswer::append_all(std::string* out) {
  append_some(out, std::numeric_limits<size_t>::max() - out->size());
}

}  // namespace lh::link
