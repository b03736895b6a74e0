// BenchClient: one client of a benchmark: a session with an image of its own, and a bounded number
// of operations under way, each of which is told to the phase when it is answered. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "client/bench_mix.h"
#include "client/bench_records.h"
#include "client/bench_report.h"
#include "client/outcome.h"
#include "client/session.h"

namespace lh::client {

// A phase while it runs, shared by its clients.
struct BenchRun {
  BenchMix* mix = nullptr;
  BenchPhase* phase = nullptr;
  uint64_t finished = 0;  // operations answered or failed
  Outcome worst = Outcome::kDone;
};

class BenchClient final : private core::ClientSink {
 public:
  // The records outlive it.
  BenchClient(std::unique_ptr<Session> session, size_t depth, BenchRecords& records);
  ~BenchClient() override { session_->set_sink(nullptr); }
  BenchClient(const BenchClient&) = delete;
  BenchClient& operator=(const BenchClient&) = delete;

  // Where the following operations count. Bound: none is under way.
  void join(BenchRun* run) { run_ = run; }

  bool has_room() const { return !free_.empty() && session_->has_room(); }
  // Its latency counts from `since`. Bound: has_room().
  void start(BenchOp op, base::Instant since);
  // Sends the writes of the read-modify-writes whose reads are answered, as far as there is room.
  void go_on();

  // Waits until no split is under way or owed, or it is known that one cannot be made.
  void settle();

  const core::ClientCore::Counters& counters() const { return session_->core().counters(); }

 private:
  // An operation under way; its place in slots_ is the tag.
  struct Slot {
    BenchOp op;
    base::Instant since;
    bool second_half = false;  // of a read-modify-write
  };

  void send(size_t place);
  void finish(size_t place, core::Code code);

  void on_done(const core::Completion& done) override;
  void on_scan_piece(uint64_t, const core::ScanReply&) override {}
  void on_call_done(uint64_t, const core::FileResult&) override { settled_ = true; }

  std::unique_ptr<Session> session_;
  BenchRecords& records_;
  BenchRun* run_ = nullptr;
  std::vector<Slot> slots_;
  std::vector<size_t> free_;
  std::vector<size_t> half_done_;
  bool settled_ = false;
};

}  // namespace lh::client
