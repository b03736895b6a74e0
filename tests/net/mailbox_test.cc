#include "net/mailbox.h"

#include <gtest/gtest.h>
#include <malloc.h>

#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/prng.h"
#include "tests/net/fixture.h"

namespace lh::net {
namespace {

using testing::kNoWait;
using testing::kPatience;
using testing::make_loop;
using testing::turn_without_sleep;

class Inbox final : public MailHandler {
 public:
  void on_mail(size_t from, std::string_view frames) override {
    story += std::to_string(from) + ":" + std::string(frames) + " ";
    if (mail_body) mail_body(from, frames);
  }
  void on_mail_room(size_t to) override {
    room.push_back(to);
    if (room_body) room_body(to);
  }

  std::string story;
  std::vector<size_t> room;
  std::function<void(size_t, std::string_view)> mail_body;
  std::function<void(size_t)> room_body;
};

// Three workers whose loops this thread steps by hand.
class MailboxWorkers {
 public:
  static constexpr size_t kInFlightMax = 4096;

  MailboxWorkers() {
    std::vector<Mailbox*> all;
    for (size_t i = 0; i < 3; ++i) {
      workers_.push_back(std::make_unique<Worker>(clock_, i));
      all.push_back(&workers_.back()->mailbox);
    }
    for (Mailbox* mailbox : all) mailbox->connect(all);
  }

  Mailbox& box(size_t i) { return workers_[i]->mailbox; }
  Inbox& inbox(size_t i) { return workers_[i]->inbox; }
  EventLoop& loop(size_t i) { return *workers_[i]->loop; }
  void turn(size_t i) { loop(i).run_once(kNoWait); }

 private:
  struct Worker {
    Worker(const base::Clock& clock, size_t index)
        : loop(make_loop(clock)), mailbox(*loop, index, kInFlightMax) {
      mailbox.set_handler(inbox);
    }
    std::unique_ptr<EventLoop> loop;
    Mailbox mailbox;
    Inbox inbox;
  };

  base::ManualClock clock_;
  std::vector<std::unique_ptr<Worker>> workers_;
};

class MailboxTest : public ::testing::Test, protected MailboxWorkers {};

TEST_F(MailboxTest, frames_of_a_turn_arrive_as_one_batch_at_its_end) {
  EXPECT_TRUE(box(0).try_push(1, "one,"));
  EXPECT_TRUE(box(0).try_push(1, "two,"));
  box(0).push(1, "three");
  turn(1);
  EXPECT_EQ("", inbox(1).story);
  turn(0);
  turn(1);
  EXPECT_EQ("0:one,two,three ", inbox(1).story);
  EXPECT_EQ(1u, box(0).stats().batches_out);
  EXPECT_EQ(13u, box(0).stats().bytes_out);
  EXPECT_EQ(1u, box(1).stats().batches_in);
  EXPECT_EQ(13u, box(1).stats().bytes_in);
}

TEST_F(MailboxTest, batches_that_pile_up_arrive_in_order) {
  for (const char* frame : {"a", "b", "c", "d"}) {
    box(0).push(1, frame);
    turn(0);
  }
  turn(1);
  EXPECT_EQ("0:a 0:b 0:c 0:d ", inbox(1).story);
}

TEST_F(MailboxTest, every_pair_has_its_own_mail) {
  box(0).push(1, "x");
  box(0).push(2, "y");
  box(2).push(1, "z");
  box(1).push(0, "w");
  for (size_t round = 0; round < 2; ++round) {
    for (size_t i = 0; i < 3; ++i) turn(i);
  }
  EXPECT_EQ("1:w ", inbox(0).story);
  EXPECT_EQ("0:x 2:z ", inbox(1).story);
  EXPECT_EQ("0:y ", inbox(2).story);
}

TEST_F(MailboxTest, a_worker_may_write_to_itself) {
  box(0).push(0, "note");
  turn(0);
  turn_without_sleep(loop(0));
  EXPECT_EQ("0:note ", inbox(0).story);
}

TEST_F(MailboxTest, an_answer_leaves_in_the_turn_that_took_the_request_in) {
  inbox(1).mail_body = [this](size_t from, std::string_view) { box(1).push(from, "answer"); };
  box(0).push(1, "request");
  turn(0);
  turn(1);
  turn(0);
  EXPECT_EQ("1:answer ", inbox(0).story);
}

TEST_F(MailboxTest, mail_that_waits_keeps_the_receiver_awake) {
  box(0).push(1, "x");
  turn(0);
  turn_without_sleep(loop(1));
  EXPECT_EQ("0:x ", inbox(1).story);
  EXPECT_EQ(0u, loop(1).stats().wakeups);
}

TEST_F(MailboxTest, batches_are_used_again) {
  for (int i = 0; i < 100; ++i) {
    std::string& batch = box(0).open_batch(1);
    EXPECT_TRUE(batch.empty());
    if (i > 1) {
      EXPECT_GE(batch.capacity(), 3000u);
    }
    batch.append(3000, 'x');
    turn(0);
    turn(1);
  }
}

// ---------------------------------------------------------------------------------------------
// Bounds.

TEST_F(MailboxTest, a_full_mailbox_refuses_until_its_mail_is_consumed) {
  const std::string frame(1000, 'f');
  int accepted = 0;
  while (box(0).try_push(1, frame)) {
    ++accepted;
    turn(0);
  }
  EXPECT_GE(accepted, 3);
  EXPECT_LE(accepted, 5);
  EXPECT_EQ(1u, box(0).stats().refused);
  EXPECT_TRUE(box(0).try_push(2, frame));  // the others are not concerned
  turn(0);
  EXPECT_TRUE(inbox(0).room.empty());
  turn(1);
  turn(0);
  EXPECT_EQ(std::vector<size_t>{1}, inbox(0).room);
  EXPECT_TRUE(box(0).try_push(1, frame));
}

TEST_F(MailboxTest, the_open_batch_counts) {
  const std::string frame(1000, 'f');
  int accepted = 0;
  while (box(0).try_push(1, frame)) ++accepted;
  EXPECT_EQ(5, accepted);  // the limit is crossed by less than one frame
}

TEST_F(MailboxTest, an_answer_is_never_refused) {
  const std::string frame(1000, 'f');
  while (box(0).try_push(1, frame)) {
  }
  box(0).push(1, "answer");
  turn(0);
  turn(1);
  EXPECT_TRUE(inbox(1).story.ends_with("answer "));
}

TEST_F(MailboxTest, room_is_reported_once_and_only_to_who_was_refused) {
  const std::string frame(1000, 'f');
  while (box(0).try_push(1, frame)) {
  }
  EXPECT_FALSE(box(0).try_push(1, frame));
  EXPECT_TRUE(box(2).try_push(1, frame));
  for (int round = 0; round < 3; ++round) {
    for (size_t i = 0; i < 3; ++i) turn(i);
  }
  EXPECT_EQ(std::vector<size_t>{1}, inbox(0).room);
  EXPECT_TRUE(inbox(2).room.empty());
}

TEST_F(MailboxTest, refused_again_in_on_mail_room_is_told_again) {
  const std::string frame(1000, 'f');
  inbox(0).room_body = [&](size_t) {
    while (box(0).try_push(1, frame)) {
    }
    while (box(0).try_push(2, frame)) {
    }
  };
  inbox(0).room_body(1);
  for (int round = 0; round < 5; ++round) {
    for (size_t i = 0; i < 3; ++i) turn(i);
  }
  // One report a round from the second on; it never dries up.
  EXPECT_EQ(std::vector<size_t>(4, 1), inbox(0).room);
}

TEST_F(MailboxTest, a_returned_batch_wakes_a_worker_that_waits_for_room) {
  const std::string frame(1000, 'f');
  while (box(0).try_push(1, frame)) {
  }
  turn(0);
  turn(1);
  turn_without_sleep(loop(0));
  EXPECT_EQ(std::vector<size_t>{1}, inbox(0).room);
}

// Mail taken in and not yet given back, mail published, mail in an open batch: freed with the rest.
TEST(MailboxEndTest, mail_under_way_at_the_end_is_freed) {
  const auto round = [] {
    MailboxWorkers workers;
    workers.box(0).push(1, std::string(10'000, 'x'));
    workers.turn(0);
    workers.box(0).push(1, std::string(10'000, 'y'));
    workers.box(1).push(0, "z");
    workers.turn(1);
  };
  round();
  const size_t before = mallinfo2().uordblks;
  for (int k = 0; k < 100; ++k) round();
  // A sanitizer has an allocator of its own, of which mallinfo2 sees nothing, and a leak checker.
  EXPECT_LT(mallinfo2().uordblks, before + 10'000);
}

// ---------------------------------------------------------------------------------------------
// Threads. Each worker sends numbered frames to all others as fast as it may, and checks what it
// gets.

class Stream final : public MailHandler, public LoopHook {
 public:
  struct Frame {
    uint64_t number;
    uint64_t check;
  };

  Stream(EventLoop& loop, Mailbox& mailbox, size_t self, size_t workers, uint64_t frames)
      : loop_(loop), mailbox_(mailbox), self_(self), frames_(frames), sent(workers), got(workers) {
    loop.add_hook(*this);
    mailbox.set_handler(*this);
  }
  ~Stream() { loop_.remove_hook(*this); }

  // A turn sends a bounded number, so that batches of many sizes are under way. Refused by every
  // receiver that it still owes frames it sleeps until on_mail_room().
  void before_sleep() override {
    can_send_ = false;
    for (size_t to = 0; to < sent.size(); ++to) can_send_ |= send_some(to);
  }
  bool has_work() const override { return can_send_; }
  void on_mail_room(size_t) override { can_send_ = true; }

  void on_mail(size_t from, std::string_view frames) override {
    ASSERT_EQ(0u, frames.size() % sizeof(Frame));
    for (size_t at = 0; at < frames.size(); at += sizeof(Frame)) {
      Frame frame;
      std::memcpy(&frame, frames.data() + at, sizeof frame);
      if (frame.number != got[from] || frame.check != (~frame.number ^ from)) ++errors;
      ++got[from];
    }
  }
  bool finished() const {
    for (size_t i = 0; i < got.size(); ++i) {
      if (got[i] != frames_ || sent[i] != frames_) return false;
    }
    return true;
  }

 private:
  // Whether there are more frames and room for them.
  bool send_some(size_t to) {
    for (int i = 0; i < 200 && sent[to] < frames_; ++i) {
      const Frame frame{sent[to], ~sent[to] ^ self_};
      if (!mailbox_.try_push(to, {reinterpret_cast<const char*>(&frame), sizeof frame})) {
        return false;
      }
      ++sent[to];
    }
    return sent[to] < frames_;
  }

  EventLoop& loop_;
  Mailbox& mailbox_;
  const size_t self_;
  const uint64_t frames_;
  bool can_send_ = true;

 public:
  std::vector<uint64_t> sent;
  std::vector<uint64_t> got;
  uint64_t errors = 0;
};

// 3 workers, 9 pairs (each to itself too), more than a million frames in all.
TEST(MailboxThreadsTest, a_million_frames_arrive_whole_once_and_in_order) {
  constexpr size_t kWorkers = 3;
  constexpr uint64_t kFrames = 120'000;
  const base::SteadyClock clock;
  std::vector<std::unique_ptr<EventLoop>> loops;
  std::vector<std::unique_ptr<Mailbox>> boxes;
  std::vector<std::unique_ptr<Stream>> streams;
  std::vector<Mailbox*> all;
  for (size_t i = 0; i < kWorkers; ++i) {
    loops.push_back(make_loop(clock));
    boxes.push_back(std::make_unique<Mailbox>(*loops[i], i, 20'000));
    all.push_back(boxes[i].get());
  }
  for (Mailbox* box : all) box->connect(all);
  for (size_t i = 0; i < kWorkers; ++i) {
    streams.push_back(std::make_unique<Stream>(*loops[i], *boxes[i], i, kWorkers, kFrames));
  }
  const base::Instant deadline = clock.now() + kPatience * 10;
  std::vector<std::thread> threads;
  for (size_t i = 0; i < kWorkers; ++i) {
    threads.emplace_back([&, i] {
      while (!streams[i]->finished() && clock.now() < deadline) {
        loops[i]->run_once(deadline - clock.now());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& stream : streams) {
    EXPECT_EQ(0u, stream->errors);
    EXPECT_TRUE(stream->finished());
  }
  uint64_t refused = 0;
  for (const auto& box : boxes) refused += box->stats().refused;
  EXPECT_GT(refused, 0u);  // the bound was felt
}

}  // namespace
}  // namespace lh::net
