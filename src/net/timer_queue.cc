#include "net/timer_queue.h"

#include <utility>

#include "base/check.h"

namespace lh::net {
namespace {

TimerId make_id(uint32_t generation, uint32_t slot) {
  return static_cast<TimerId>(uint64_t{generation} << 32 | slot);
}

uint32_t slot_of(TimerId id) { return static_cast<uint32_t>(static_cast<uint64_t>(id)); }

uint32_t generation_of(TimerId id) {
  return static_cast<uint32_t>(static_cast<uint64_t>(id) >> 32);
}

}  // namespace

TimerId TimerQueue::add(base::Instant deadline, Task call) {
  LH_CHECK(static_cast<bool>(call));
  if (free_slots_.empty()) {
    free_slots_.push_back(static_cast<Index>(slots_.size()));
    slots_.emplace_back();
  }
  const Index slot = free_slots_.back();
  free_slots_.pop_back();
  slots_[slot].call = std::move(call);
  if (++slots_[slot].generation == 0) ++slots_[slot].generation;  // an id is never kNone
  heap_.emplace_back();
  sift_up(static_cast<Index>(heap_.size() - 1), {deadline, next_sequence_++, slot});
  return make_id(slots_[slot].generation, slot);
}

bool TimerQueue::cancel(TimerId id) {
  Slot* slot = find(id);
  if (slot == nullptr) return false;
  if (slot->heap_index != kDue) remove(slot->heap_index);
  free_slot(slot_of(id));
  return true;
}

size_t TimerQueue::run_expired(base::Instant now) {
  LH_CHECK(!running_);
  if (next_deadline() > now || heap_.empty()) return 0;
  running_ = true;
  collect_due(now);
  size_t calls = 0;
  for (const TimerId id : due_) {
    Slot* slot = find(id);
    if (slot == nullptr) continue;  // cancelled by one that ran before it
    Task call = std::move(slot->call);
    free_slot(slot_of(id));
    call();
    ++calls;
  }
  due_.clear();
  running_ = false;
  return calls;
}

void TimerQueue::collect_due(base::Instant now) {
  while (!heap_.empty() && heap_.front().deadline <= now) {
    const Index slot = heap_.front().slot;
    remove(0);
    slots_[slot].heap_index = kDue;
    due_.push_back(make_id(slots_[slot].generation, slot));
  }
}

TimerQueue::Slot* TimerQueue::find(TimerId id) {
  const Index slot = slot_of(id);
  if (slot >= slots_.size() || slots_[slot].generation != generation_of(id)) return nullptr;
  return slots_[slot].call ? &slots_[slot] : nullptr;
}

void TimerQueue::free_slot(Index slot) {
  slots_[slot].call = Task();
  free_slots_.push_back(slot);
}

void TimerQueue::place(Index heap_index, const Entry& entry) {
  heap_[heap_index] = entry;
  slots_[entry.slot].heap_index = heap_index;
}

void TimerQueue::sift_up(Index heap_index, const Entry& entry) {
  while (heap_index > 0) {
    const Index parent = (heap_index - 1) / 2;
    if (!entry.before(heap_[parent])) break;
    place(heap_index, heap_[parent]);
    heap_index = parent;
  }
  place(heap_index, entry);
}

void TimerQueue::sift_down(Index heap_index, const Entry& entry) {
  for (;;) {
    size_t child = size_t{heap_index} * 2 + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && heap_[child + 1].before(heap_[child])) ++child;
    if (!heap_[child].before(entry)) break;
    place(heap_index, heap_[child]);
    heap_index = static_cast<Index>(child);
  }
  place(heap_index, entry);
}

void TimerQueue::remove(Index heap_index) {
  LH_CHECK(heap_index < heap_.size());
  const Entry last = heap_.back();
  heap_.pop_back();
  if (heap_index == heap_.size()) return;
  const bool rises = heap_index > 0 && last.before(heap_[(heap_index - 1) / 2]);
  rises ? sift_up(heap_index, last) : sift_down(heap_index, last);
}

}  // namespace lh::net
