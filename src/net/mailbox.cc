#include "net/mailbox.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace lh::net {

void Mailbox::Stack::push(Batch* batch) {
  batch->next = first_.load(std::memory_order_relaxed);
  while (!first_.compare_exchange_weak(batch->next, batch)) {
  }
}

Mailbox::Mailbox(EventLoop& loop, size_t self, size_t in_flight_max)
    : loop_(loop), self_(self), in_flight_max_(in_flight_max) {
  loop_.add_hook(*this);
}

Mailbox::~Mailbox() {
  loop_.remove_hook(*this);
  destroy_all(inbound_.take_all());
  destroy_all(returned_.take_all());
  for (const Outbox& outbox : outboxes_) delete outbox.open;
  for (const Batch* batch : free_) delete batch;
}

void Mailbox::destroy_all(Batch* first) {
  while (first != nullptr) delete std::exchange(first, first->next);
}

void Mailbox::connect(std::vector<Mailbox*> all) {
  LH_CHECK(all_.empty());
  LH_CHECK(self_ < all.size());
  LH_CHECK(all[self_] == this);
  all_ = std::move(all);
  outboxes_.resize(all_.size());
}

// ---------------------------------------------------------------------------------------------
// The sender's side.

bool Mailbox::try_push(size_t to, std::string_view frame) {
  if (!has_room(to)) return false;
  push(to, frame);
  return true;
}

bool Mailbox::fits(const Outbox& outbox) const {
  const size_t open = outbox.open != nullptr ? outbox.open->bytes.size() : 0;
  return outbox.in_flight + open < in_flight_max_;
}

bool Mailbox::has_room(size_t to) {
  LH_CHECK(to < outboxes_.size());
  if (fits(outboxes_[to])) return true;
  collect_returned();
  if (fits(outboxes_[to])) return true;
  ++stats_.refused;
  outboxes_[to].wants_room = true;
  wants_room_.store(true);
  return false;
}

std::string& Mailbox::open_batch(size_t to) {
  LH_CHECK(to < outboxes_.size());
  Batch*& open = outboxes_[to].open;
  if (open == nullptr) {
    loop_.assert_in_loop_thread();
    if (free_.empty()) collect_returned();
    if (free_.empty()) free_.push_back(new Batch);
    open = free_.back();
    free_.pop_back();
    open->from = self_;
    open->to = to;
    opened_.push_back(to);
  }
  return open->bytes;
}

void Mailbox::before_sleep() {
  for (const size_t to : opened_) publish(&outboxes_[to], all_[to]);
  opened_.clear();
}

void Mailbox::publish(Outbox* outbox, Mailbox* receiver) {
  Batch* batch = std::exchange(outbox->open, nullptr);
  outbox->in_flight += batch->bytes.size() + kBatchCharge;
  ++stats_.batches_out;
  stats_.bytes_out += batch->bytes.size();
  receiver->inbound_.push(batch);
  receiver->loop_.wake_if_sleeping();
}

void Mailbox::collect_returned() {
  for (Batch* batch = returned_.take_all(); batch != nullptr;) {
    recycle(std::exchange(batch, batch->next));
  }
}

void Mailbox::recycle(Batch* batch) {
  Outbox& outbox = outboxes_[batch->to];
  const size_t charged = batch->bytes.size() + kBatchCharge;
  LH_CHECK(charged <= outbox.in_flight);
  outbox.in_flight -= charged;
  if (free_.size() >= kFreeBatchesMax || batch->bytes.capacity() > kFreeCapacityMax) {
    delete batch;
    return;
  }
  batch->bytes.clear();
  free_.push_back(batch);
}

void Mailbox::report_room() {
  if (!wants_room_.load(std::memory_order_relaxed)) return;
  collect_returned();
  for (size_t to = 0; to < outboxes_.size(); ++to) {
    if (!outboxes_[to].wants_room || !fits(outboxes_[to])) continue;
    outboxes_[to].wants_room = false;
    handler_->on_mail_room(to);
  }
  // Only now: the handler may have been refused again, by any of the receivers.
  wants_room_.store(std::any_of(outboxes_.begin(), outboxes_.end(),
                                [](const Outbox& outbox) { return outbox.wants_room; }));
}

// ---------------------------------------------------------------------------------------------
// The receiver's side.

bool Mailbox::has_work() const {
  return !inbound_.empty() || !opened_.empty() || (wants_room_.load() && !returned_.empty());
}

void Mailbox::take_in() {
  report_room();
  if (inbound_.empty()) return;
  Batch* oldest = nullptr;
  for (Batch* batch = inbound_.take_all(); batch != nullptr;) {
    Batch* next = std::exchange(batch->next, oldest);
    oldest = std::exchange(batch, next);
  }
  while (oldest != nullptr) receive(std::exchange(oldest, oldest->next));
}

void Mailbox::receive(Batch* batch) {
  LH_CHECK(handler_ != nullptr);
  ++stats_.batches_in;
  stats_.bytes_in += batch->bytes.size();
  handler_->on_mail(batch->from, batch->bytes);
  give_back(batch);
}

void Mailbox::give_back(Batch* batch) {
  Mailbox& sender = *all_[batch->from];
  sender.returned_.push(batch);
  if (sender.wants_room_.load()) sender.loop_.wake_if_sleeping();
}

}  // namespace lh::net
