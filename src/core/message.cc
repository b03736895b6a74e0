#include "core/message.h"

#include <type_traits>

#include "base/check.h"
#include "base/strings.h"

namespace lh::core {

namespace {

using base::format;
using Ull = unsigned long long;

Ull number(NodeId id) { return static_cast<Ull>(id); }

std::string word(std::string_view text) {
  std::string out;
  base::append_word(&out, text);
  return out;
}

std::string text(const BookPart& book) {
  std::string out;
  for (size_t k = 0; k < book.at.size(); ++k) {
    out += format("%s%llu@n%llu", k == 0 ? " book=" : ",", static_cast<Ull>(book.first + k),
                  number(book.at[k]));
  }
  for (const NodeEntry& node : book.nodes) {
    if (!node.up) out += format(" down=n%llu", number(node.id));
  }
  return out;
}

std::string line(const Request& m) {
  std::string out = to_string(m.op) + " " + word(m.key);
  if (!m.value.empty()) out += " " + word(m.value);
  out += format(" seq=%llu to=%llu", static_cast<Ull>(m.seq), static_cast<Ull>(m.to));
  if (m.hops > 0) out += format(" hops=%u from=", m.hops) + to_string(m.forwarder);
  return out;
}

std::string line(const Reply& m) {
  std::string out = format("Reply seq=%llu ", static_cast<Ull>(m.seq)) + to_string(m.code);
  if (!m.value.empty()) out += " " + word(m.value);
  out += " bucket=" + to_string(m.bucket);
  if (m.hops > 0) out += format(" hops=%u iam=", m.hops) + to_string(m.iam);
  return out + text(m.book);
}

std::string line(const Overflow& m) {
  return format("Overflow bucket=%llu level=%u records=%llu collisions=%llu",
                static_cast<Ull>(m.bucket), m.level, static_cast<Ull>(m.records),
                static_cast<Ull>(m.collisions));
}
std::string line(const OverflowAck& m) {
  return format("OverflowAck bucket=%llu collisions=%llu done=%llu", static_cast<Ull>(m.bucket),
                static_cast<Ull>(m.collisions), static_cast<Ull>(m.done));
}
std::string line(const SplitOrder& m) {
  return format("SplitOrder split=%llu source=", static_cast<Ull>(m.split)) + to_string(m.source) +
         format(" target=%llu@n%llu", static_cast<Ull>(m.target), number(m.target_node)) +
         text(m.book);
}
std::string line(const SplitDone& m) {
  return format("SplitDone split=%llu source=%llu%s", static_cast<Ull>(m.split),
                static_cast<Ull>(m.source), m.live ? "" : " not-live");
}
std::string line(const SplitRecords& m) {
  return format("SplitRecords split=%llu stream=%llu batch=%u%s target=", static_cast<Ull>(m.split),
                static_cast<Ull>(m.stream), m.batch, m.last ? " last" : "") +
         to_string(m.target) + format(" bytes=%zu", m.changes.size());
}
std::string line(const SplitRecordsAck& m) {
  const std::string batch = m.batch == kNoBatch ? "none" : std::to_string(m.batch);
  return format("SplitRecordsAck split=%llu stream=%llu batch=%s", static_cast<Ull>(m.split),
                static_cast<Ull>(m.stream), batch.c_str());
}
std::string line(const Scan& m) {
  return format("Scan scan=%llu%s to=%llu level=%u%s [%016llx,%016llx]", static_cast<Ull>(m.scan),
                m.kind == ScanKind::kClear  ? " clear"
                : m.kind == ScanKind::kKeys ? " keys"
                                            : "",
                static_cast<Ull>(m.to), m.level, m.solo ? " solo" : "", static_cast<Ull>(m.from),
                static_cast<Ull>(m.last));
}
std::string line(const ScanReply& m) {
  return format("ScanReply scan=%llu ", static_cast<Ull>(m.scan)) + to_string(m.code) +
         " bucket=" + to_string(m.bucket) +
         (m.partial || m.chunk > 0 ? format(" chunk=%u%s", m.chunk, m.partial ? " partial" : "")
                                   : std::string()) +
         format(" records=%llu%s [%016llx,%016llx]", static_cast<Ull>(m.records),
                m.more ? " more" : "", static_cast<Ull>(m.from), static_cast<Ull>(m.last));
}
std::string line(const ScanMore& m) {
  return format("ScanMore scan=%llu to=%llu", static_cast<Ull>(m.scan), static_cast<Ull>(m.to));
}
std::string line(const Register& m) {
  return format("Register incarnation=%llx address=", static_cast<Ull>(m.incarnation)) +
         word(m.address);
}
std::string line(const Registered& m) {
  return format("Registered id=n%llu", number(m.id)) + text(m.book);
}
std::string line(const Heartbeat& m) {
  return format("Heartbeat id=n%llu known=%llu", number(m.id), static_cast<Ull>(m.known));
}
std::string line(const BookUpdate& m) { return "BookUpdate" + text(m.book); }
std::string line(const BookQuery& m) {
  return format("BookQuery first=%llu", static_cast<Ull>(m.first));
}
std::string line(const FileQuery& m) {
  return format("FileQuery query=%llu kind=%u", static_cast<Ull>(m.query),
                static_cast<unsigned>(m.kind));
}
std::string line(const FileReply& m) {
  return format("FileReply query=%llu state=", static_cast<Ull>(m.query)) + to_string(m.state) +
         format(" owed=%llu", static_cast<Ull>(m.splits_owed)) +
         (m.error.empty() ? "" : " error=" + word(m.error));
}
std::string line(const StandingQuery& m) {
  return format("StandingQuery query=%llu first=%llu", static_cast<Ull>(m.query),
                static_cast<Ull>(m.first));
}
std::string line(const Standing& m) {
  std::string out = format("Standing query=%llu node=n%llu server=%u/%u", static_cast<Ull>(m.query),
                           number(m.node), m.server, m.servers);
  for (const BucketStanding& b : m.buckets) {
    out += " " + to_string(b.mark) + (b.live ? "" : ":not-live");
    if (b.split == 0) continue;
    out += format(":split=%llu@n%llu%s", static_cast<Ull>(b.split), number(b.target_node),
                  b.handed_over ? ":handed-over" : "");
  }
  return out + text(m.book);
}
std::string line(const Hello& m) {
  return format("Hello version=%u kind=%u", m.version, static_cast<unsigned>(m.kind));
}
std::string line(const Welcome& m) { return format("Welcome node=n%llu", number(m.node)); }
std::string line(const Ping& m) { return format("Ping %llu", static_cast<Ull>(m.token)); }
std::string line(const Pong& m) { return format("Pong %llu", static_cast<Ull>(m.token)); }
std::string line(const Error& m) { return "Error " + word(m.text); }

}  // namespace

std::string to_string(const Message& message) {
  return std::visit([](const auto& m) { return line(m); }, message);
}

std::string to_string(Op op) { return traits(op).name; }
std::string to_string(Code code) { return traits(code).name; }

std::string to_string(BucketMark mark) {
  return format("(a=%llu,j=%u)", static_cast<Ull>(mark.a), mark.j);
}

std::string to_string(FileState state) {
  return format("(%u,%llu)", state.i, static_cast<Ull>(state.n));
}

}  // namespace lh::core
