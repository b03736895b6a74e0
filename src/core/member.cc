#include "core/member.h"

#include <utility>

#include "base/check.h"

namespace lh::core {

namespace {

constexpr base::Duration kHeartbeatEvery = base::ms(200);
constexpr base::Duration kAnswerMax = base::seconds(2);

}  // namespace

Member::Member(uint64_t incarnation, std::string address, uint64_t buckets_max, NodeId id)
    : incarnation_(incarnation), address_(std::move(address)), buckets_max_(buckets_max), id_(id) {
  LH_CHECK(incarnation != 0);
}

Member::Member(uint64_t incarnation, NodeId id)
    : incarnation_(incarnation), id_(id), accepted_(true) {
  LH_CHECK(incarnation != 0);
}

void Member::on_connected(base::Instant now, Effects* effects) {
  accepted_ = false;
  connected_at_ = now;
  say_where(effects);
}

void Member::say_where(Effects* effects) const {
  Register m;
  m.id = id_;
  m.incarnation = incarnation_;
  m.buckets_max = buckets_max_;
  m.address = address_;
  effects->send(Destination::to_coordinator(), m);
}

Member::Outcome Member::on_registered(const Registered& m) {
  if (m.id == NodeId::kNone || (id_ != NodeId::kNone && id_ != m.id)) return Outcome::kRefused;
  const bool joined = id_ == NodeId::kNone;
  id_ = m.id;
  accepted_ = true;
  beat_at_ = {};  // the next tick tells the coordinator what this node knows
  return joined ? Outcome::kJoined : Outcome::kKnown;
}

void Member::tick(base::Instant now, uint64_t known, const NodeStats& stats, Effects* effects) {
  if (!accepted_) {
    // A coordinator that has just come back, or has to ask others first, may not have listened; one
    // that refused may have been put right.
    if (connected_at_ == base::Instant{} || now - connected_at_ < kAnswerMax) return;
    connected_at_ = now;
    return say_where(effects);
  }
  if (beat_at_ != base::Instant{} && now - beat_at_ < kHeartbeatEvery) return;
  beat_at_ = now;
  if (unanswered_since_ == base::Instant{}) {
    unanswered_since_ = now;
  } else if (now - unanswered_since_ >= kAnswerMax) {
    unanswered_since_ = now;
    say_where(effects);
  }
  effects->send(Destination::to_coordinator(), Heartbeat{id_, incarnation_, known, stats});
}

}  // namespace lh::core
