#include "node/held_mail.h"

#include <utility>

#include "base/check.h"
#include "wire/codec.h"

namespace lh::node {

void HeldMail::add(uint64_t lane, const core::Wait& wait, const core::Outgoing& outgoing) {
  Entry entry{outgoing.to, {}};
  wire::encode(outgoing.message, wire::Routing::kRouted, &entry.frame);
  queue_.add(lane, wait, std::move(entry));
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
