#include "node/session_table.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/log.h"

namespace lh::node {

LinkToken SessionTable::add() {
  if (free_slots_.empty()) {
    free_slots_.push_back(static_cast<uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const uint32_t slot = free_slots_.back();
  free_slots_.pop_back();
  return {static_cast<uint8_t>(worker_), slot, slots_[slot].generation};
}

void SessionTable::replace(LinkToken token, std::unique_ptr<Session> session) {
  Slot& slot = slots_[token.slot];
  LH_CHECK(slot.generation == token.generation);
  if (slot.session) ended_.push_back(std::move(slot.session));
  slot.session = std::move(session);
}

void SessionTable::end(LinkToken token) {
  Slot& slot = slots_[token.slot];
  if (slot.generation != token.generation) return;
  ended_.push_back(std::move(slot.session));
  slot.generation = (slot.generation + 1) & 0xffffff;
  free_slots_.push_back(token.slot);
  shared_.clients.fetch_sub(1);
  admit(token);
}

void SessionTable::add_late(LinkToken token, base::Instant now) {
  if (late_.size() == kLateMax) dismiss_first();
  late_.push_back({token, now});
}

bool SessionTable::is_refused(LinkToken token) {
  const auto late = std::find_if(late_.begin(), late_.end(), [token](const Late& entry) {
    return entry.token.packed() == token.packed();
  });
  if (late == late_.end() || shared_.client_count() <= shared_.config.clients_max) return false;
  shared_.rejected.fetch_add(1);
  LH_LOG_LIMITED(kWarn, "node", "too many clients", late->since)
      .kv("max", shared_.config.clients_max);
  return true;
}

void SessionTable::admit(LinkToken token) {
  std::erase_if(late_,
                [token](const Late& entry) { return entry.token.packed() == token.packed(); });
}

void SessionTable::dismiss_first() {
  const LinkToken token = late_.front().token;
  // Others may have gone meanwhile, and it is a client like any other.
  if (is_refused(token)) find(token)->dismiss();
  admit(token);
}

Session* SessionTable::find(LinkToken token) const {
  if (token.slot >= slots_.size()) return nullptr;
  const Slot& slot = slots_[token.slot];
  return slot.generation == token.generation ? slot.session.get() : nullptr;
}

void SessionTable::tick(base::Instant now) {
  while (!late_.empty() && now - late_.front().since > kLateTimeMax) dismiss_first();
  for (const Slot& slot : slots_) {
    if (slot.session) slot.session->tick(now, shared_.config.idle_timeout);
  }
  close_who_hold_too_much(now);
}

void SessionTable::close_who_hold_too_much(base::Instant now) {
  std::vector<std::pair<size_t, Session*>> holders;
  size_t held = 0;
  for (const Slot& slot : slots_) {
    const size_t bytes = slot.session ? slot.session->unread_bytes(now) : 0;
    if (bytes > 0) holders.emplace_back(bytes, slot.session.get());
    held += bytes;
  }
  // Half of what there may be: the other half is for those who read.
  const size_t held_max = shared_.config.result_bytes_max / 2;
  if (held <= held_max) return;
  std::sort(holders.rbegin(), holders.rend());
  LH_LOG_LIMITED(kWarn, "node", "closing connections whose peers do not read", now)
      .kv("connections", holders.size())
      .kv("bytes", held);
  for (const auto& [bytes, session] : holders) {
    if (held <= held_max) return;
    session->close_stalled();
    held -= bytes;
  }
}

void SessionTable::drain() {
  for (const Slot& slot : slots_) {
    if (slot.session) slot.session->drain();
  }
}

void SessionTable::clear() {
  slots_.clear();
  ended_.clear();
}

}  // namespace lh::node
