// Mailbox: how the workers of a process hand requests and answers to each other: bytes in batches,
// one batch for each receiver and turn, without locks and, in the steady state, without allocation.
//
// Each worker has one Mailbox in its loop. In a turn it pushes frames for worker k, which are
// appended back to back to an open batch; at the end of the turn the batch is published whole (one
// atomic exchange), and the receiver is woken only if it sleeps. The receiver takes all batches
// that have come, in one go, once a turn. What worker a sends to worker b arrives in the order of
// its pushes, and a frame is never cut. Emptied batches go back to the sender, which uses them
// again: that is also how it learns how much is still under way.
//
// Bounds: try_push() refuses when more than in_flight_max bytes for that receiver are not yet
// consumed. It is meant for requests; the sender then stops reading from its clients until
// on_mail_room(). push() always accepts: it is meant for the answers to requests that another
// worker was allowed to push, so two workers with full mailboxes do not wait for each other.
//
// Threads: a Mailbox is used in its loop's thread. connect() is called on all of them before any
// loop runs; they are destroyed after all loops have stopped.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/event_loop.h"

namespace lh::net {

class MailHandler {
 public:
  // Frames from worker `from`, whole and in order; the view ends with the call.
  virtual void on_mail(size_t from, std::string_view frames) = 0;

  // try_push() to worker `to` was refused, and now there is room again.
  virtual void on_mail_room(size_t to) = 0;

 protected:
  ~MailHandler() = default;
};

struct MailStats {
  uint64_t batches_out = 0;
  uint64_t bytes_out = 0;
  uint64_t batches_in = 0;
  uint64_t bytes_in = 0;
  uint64_t refused = 0;  // try_push() that found no room
};

class Mailbox final : private LoopHook {
 public:
  // Mailbox number `self` of those that are connected later. The loop must outlive it.
  Mailbox(EventLoop& loop, size_t self, size_t in_flight_max);
  ~Mailbox();
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  // All mailboxes of the process, this one included, in the order of their numbers.
  void connect(std::vector<Mailbox*> all);

  // Who gets the mail; to be set before the first comes. Must outlive the running of the loop.
  void set_handler(MailHandler& handler) { handler_ = &handler; }

  // Appends a frame for worker `to` (which may be this one). Neither keeps the view.
  [[nodiscard]] bool try_push(size_t to, std::string_view frame);
  void push(size_t to, std::string_view frame) { open_batch(to).append(frame); }

  // The same for writers that encode in place: append whole frames to open_batch(), if has_room()
  // or if they are answers. The reference is good until the end of the turn.
  bool has_room(size_t to);
  std::string& open_batch(size_t to);

  const MailStats& stats() const { return stats_; }

 private:
  // Charged for a batch besides its bytes, so that many small ones are bounded too.
  static constexpr size_t kBatchCharge = 256;
  // Kept for use again: batches in all, and the capacity of each.
  static constexpr size_t kFreeBatchesMax = 64;
  static constexpr size_t kFreeCapacityMax = size_t{256} << 10;

  struct Batch {
    Batch* next = nullptr;
    size_t from = 0;
    size_t to = 0;
    std::string bytes;
  };

  // A stack that many threads push to and one empties whole. Pushed last is taken first.
  class Stack {
   public:
    void push(Batch* batch);
    Batch* take_all() { return first_.exchange(nullptr); }
    bool empty() const { return first_.load() == nullptr; }

   private:
    std::atomic<Batch*> first_{nullptr};
  };

  struct Outbox {
    Batch* open = nullptr;    // being filled in this turn
    size_t in_flight = 0;     // bytes published and not returned, with their charges
    bool wants_room = false;  // a push was refused
  };

  void take_in() override;
  void before_sleep() override;
  bool has_work() const override;

  void receive(Batch* batch);
  void give_back(Batch* batch);
  void publish(Outbox* outbox, Mailbox* receiver);
  void collect_returned();
  void report_room();
  void recycle(Batch* batch);
  bool fits(const Outbox& outbox) const;
  static void destroy_all(Batch* first);

  EventLoop& loop_;
  const size_t self_;
  const size_t in_flight_max_;
  MailHandler* handler_ = nullptr;
  std::vector<Mailbox*> all_;
  std::vector<Outbox> outboxes_;  // by receiver
  std::vector<size_t> opened_;    // receivers whose outbox has an open batch
  std::vector<Batch*> free_;
  MailStats stats_;

  // Written by other threads; on cache lines of their own.
  alignas(64) Stack inbound_;   // from all senders
  alignas(64) Stack returned_;  // emptied batches of this sender
  // Whether a receiver that returns a batch must wake this worker.
  alignas(64) std::atomic<bool> wants_room_{false};
};

}  // namespace lh::net
