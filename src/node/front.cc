#include "node/front.h"

#include <utility>

#include "lh/address.h"

namespace lh::node {

Front::Front(core::ClientId id, core::Server* server) : server_(server), client_(id, this) {}

void Front::configure(NodeId self, uint64_t link) {
  core::ReplyPath path;
  path.entry = self;
  path.link = link;
  client_.set_reply_path(path);
}

core::Bucket* Front::find(HashValue c) {
  BucketNo a = address(client_.image(), c);
  for (core::Bucket* bucket = server_->find(a); bucket != nullptr && bucket->live();
       bucket = server_->find(a)) {
    const std::optional<BucketNo> next = forward_address(bucket->mark(), c);
    if (!next) return bucket;
    client_.learn_mark(bucket->mark());
    a = *next;
  }
  return nullptr;
}

uint64_t Front::submit(base::Instant now, const core::Operation& asked, FrontWaiter* waiter,
                       core::Effects* effects) {
  const uint64_t ticket = next_ticket_++;
  waiters_[ticket] = waiter;
  client_.submit(now, asked, ticket, effects);
  return ticket;
}

uint64_t Front::call(base::Instant now, const core::FileRequest& request, FrontWaiter* waiter,
                     core::Effects* effects) {
  const uint64_t ticket = next_ticket_++;
  waiters_[ticket] = waiter;
  client_.call(now, request, ticket, effects);
  return ticket;
}

FrontWaiter* Front::waiter(uint64_t ticket) const {
  const auto it = waiters_.find(ticket);
  return it == waiters_.end() ? nullptr : it->second;
}

void Front::on_done(const core::Completion& done) {
  if (FrontWaiter* w = waiter(done.tag)) {
    waiters_.erase(done.tag);
    w->on_done(done.tag, done);
  }
}

void Front::on_scan_piece(uint64_t tag, const core::ScanReply& piece) {
  if (FrontWaiter* w = waiter(tag)) w->on_scan_piece(tag, piece);
}

void Front::on_call_done(uint64_t tag, const core::FileResult& result) {
  if (FrontWaiter* w = waiter(tag)) {
    waiters_.erase(tag);
    w->on_call_done(tag, result);
  }
}

}  // namespace lh::node
