#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <utility>

#include "node/worker.h"
#include "tests/node/fixture.h"

namespace lh::node {
namespace {

using testing::Cluster;
using testing::integer_file;
using testing::Peer;
using testing::request;
using testing::send_message;
using testing::take_message_of;
using testing::TestNode;

// A log whose disk is as slow as the test says.
class SlowLog final : public storage::LogQueue {
 public:
  void push(storage::LogJob job) override { jobs_.push_back(std::move(job)); }
  bool has_room() const override { return true; }
  // Writes what it has got so far. False when that is nothing.
  bool write(storage::LogListener* worker) {
    std::deque<storage::LogJob> jobs = std::exchange(jobs_, {});
    for (storage::LogJob& job : jobs) {
      if (job.kind != storage::LogJob::Kind::kLog) continue;
      const uint64_t last = job.batch.next() - 1;
      job.batch.clear();
      worker->on_logged(last, last, std::move(job.batch));
    }
    return !jobs.empty();
  }

 private:
  std::deque<storage::LogJob> jobs_;
};

class WorkerLogTest : public Cluster {
 protected:
  void write_all() {
    do {
      settle();
    } while (log_.write(&node_.worker(0)));
  }
  uint64_t records() { return node_.worker(0).server().stats().records; }

  SlowLog log_;
  TestNode& node_ = start_coordinator(integer_file(1'000), {.log = &log_});
};

TEST_F(WorkerLogTest, ASlowDiskHoldsNativeClientsBack) {
  constexpr uint64_t kRequests = 200;
  write_all();
  Peer& peer = connect_client(node_, 7);
  const std::string value(60'000, 'v');
  for (uint64_t seq = 1; seq <= kRequests; ++seq) {
    send_message(peer, request(seq, core::Op::kPut, 0, std::to_string(seq), value));
  }
  settle();
  EXPECT_GT(records(), 50u);
  EXPECT_LT(records(), 100u) << "no more than a few megabytes wait for the disk";
  EXPECT_FALSE(take_message_of<core::Reply>(peer));
  write_all();
  EXPECT_EQ(records(), kRequests);
  uint64_t replies = 0;
  while (take_message_of<core::Reply>(peer)) ++replies;
  EXPECT_EQ(replies, kRequests);
}

}  // namespace
}  // namespace lh::node
