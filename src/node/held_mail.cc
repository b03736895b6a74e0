#include "node/held_mail.h"

#include <algorithm>

#include "base/check.h"
#include "node/route.h"
#include "wire/codec.h"

namespace lh::node {

uint64_t HeldMail::lane_of(const core::Outgoing& outgoing) {
  const auto kind = static_cast<uint64_t>(outgoing.to.kind);
  const core::ReplyPath* path = reply_path(outgoing.message);
  const uint64_t client = path != nullptr ? path->client : 0;
  return kind << 60 ^ static_cast<uint64_t>(outgoing.to.node) ^ client;
}

void HeldMail::add(uint64_t lane, uint64_t barrier, const core::Outgoing& outgoing) {
  if (!entries_.empty()) barrier = std::max(barrier, entries_.back().barrier);
  Entry& entry = entries_.emplace_back(Entry{lane, barrier, outgoing.to, {}});
  wire::encode(outgoing.message, wire::Routing::kRouted, &entry.frame);
  ++lanes_[lane];
}

const core::Outgoing& HeldMail::decode(const Entry& entry) {
  const wire::Frame frame = wire::next_frame(entry.frame);
  LH_CHECK(frame.status == wire::FrameStatus::kFrame, "a frame of our own making");
  const Status status = wire::decode(frame, &decoded_.message);
  LH_CHECK(status.ok(), status.message());
  decoded_.to = entry.to;
  return decoded_;
}

}  // namespace lh::node
