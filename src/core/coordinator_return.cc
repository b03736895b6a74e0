// How a coordinator whose state was rebuilt takes back a node that was not there then: it knows the
// node by name, and where it believes buckets to be; what the node has must not contradict that.
#include "base/strings.h"
#include "core/coordinator.h"

namespace lh::core {

bool Coordinator::is_known_by_name(NodeId id) const {
  const auto it = nodes_.find(id);
  return it != nodes_.end() && it->second.incarnation == 0;
}

// A node registers again until it is told: then it is asked again.
void Coordinator::look_into(base::Instant, const Register& m, Effects* effects) {
  const auto [it, fresh] = returning_.try_emplace(m.id, Returning{OwnedMessage(m), Standings()});
  Returning& node = it->second;
  const bool same = std::get<Register>(node.registration.message()).incarnation == m.incarnation;
  if (fresh || !same || node.standings.complete()) {
    const auto boot = static_cast<uint32_t>(boot_of(book_.node(kSelf)->version));
    node.standings =
        Standings(Standings::number(nodes_.at(kSelf).incarnation, ++queries_), m.id, boot);
  }
  node.registration = OwnedMessage(m);
  effects->send(Destination::reply(), node.standings.next(m.from));
}

void Coordinator::on(base::Instant now, const Standing& m, Effects* effects) {
  const auto it = returning_.find(m.node);
  if (it == returning_.end() || !it->second.standings.take(m)) return;
  Returning& node = it->second;
  const auto& registration = std::get<Register>(node.registration.message());
  if (!node.standings.complete()) {
    effects->send(Destination::reply(), node.standings.next(registration.from));
    return;
  }
  std::string why = misfit(m.node, node.standings);
  if (!why.empty()) {
    misfits_[m.node] = std::move(why);
    return refuse(registration.from, effects);
  }
  misfits_.erase(m.node);
  for (const BucketStanding& b : node.standings.buckets()) {
    // What is not answered comes again, as one collision.
    if (b.live) commit(ReportsRestored{b.mark.a, b.answered}, effects);
  }
  admit(now, m.node, registration, effects);
  answered_return_ = std::move(node);  // the effects may borrow from it
  returning_.erase(it);
}

// What the node has that the file does not, or the other way round; empty when all is well.
std::string Coordinator::misfit(NodeId id, const Standings& standings) const {
  if (!(standings.options() == options_)) return "it is of another file";
  std::vector<bool> has(bucket_count(state_), false);
  for (const BucketStanding& b : standings.buckets()) {
    if (!b.live) continue;
    if (!fits(id, b)) return "it has bucket " + to_string(b.mark);
    if (b.mark.a < has.size()) has[b.mark.a] = true;
  }
  for (BucketNo a = 0; a < has.size(); ++a) {
    if (book_.locate(a) != id || has[a]) continue;
    return base::format("it does not have bucket %llu", static_cast<unsigned long long>(a));
  }
  return {};
}

// A split that the source has begun is heard of when its bucket is to split.
bool Coordinator::fits(NodeId id, const BucketStanding& b) const {
  const BucketNo a = b.mark.a;
  if (split_ && split_->handed_over && a == split_->order.target) {
    return split_->order.target_node == id;
  }
  if (a >= bucket_count(state_) || book_.locate(a) != id) return false;
  const bool ahead = a == state_.n && b.split != 0 && b.handed_over;
  return b.mark.j == level_of(state_, a) + (ahead ? 1 : 0);
}

}  // namespace lh::core
