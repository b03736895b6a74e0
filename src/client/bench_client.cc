#include "client/bench_client.h"

#include "base/check.h"

namespace lh::client {

BenchClient::BenchClient(std::unique_ptr<Session> session, size_t depth, BenchRecords& records)
    : session_(std::move(session)), records_(records), slots_(depth) {
  for (size_t place = 0; place < depth; ++place) free_.push_back(place);
  session_->set_sink(this);
}

void BenchClient::start(BenchOp op, base::Instant since) {
  LH_CHECK(has_room());
  const size_t place = free_.back();
  free_.pop_back();
  slots_[place] = {op, since};
  send(place);
}

void BenchClient::go_on() {
  while (!half_done_.empty() && session_->has_room()) {
    const size_t place = half_done_.back();
    half_done_.pop_back();
    send(place);
  }
}

void BenchClient::settle() {
  core::FileRequest request;
  request.kind = core::FileRequest::Kind::kSettle;
  settled_ = false;
  session_->call(request, 0);
  while (!settled_) session_->turn(base::ms(50));
}

void BenchClient::send(size_t place) {
  const Slot& slot = slots_[place];
  const std::string_view key = records_.key(slot.op.record);
  if (slot.op.kind == BenchKind::kInsert) {
    session_->submit(core::Op::kPut, key, records_.value(), place);
  } else if (slot.op.kind == BenchKind::kUpdate || slot.second_half) {
    session_->submit(core::Op::kUpdate, key, records_.value(), place);
  } else {
    session_->submit(core::Op::kRead, key, {}, place);
  }
}

void BenchClient::on_done(const core::Completion& done) {
  Slot& slot = slots_[done.tag];
  const bool half = slot.op.kind == BenchKind::kReadModifyWrite && !slot.second_half;
  if (half && done.code == core::Code::kOk) {
    slot.second_half = true;
    half_done_.push_back(done.tag);
  } else {
    finish(done.tag, done.code);
  }
}

void BenchClient::finish(size_t place, core::Code code) {
  const Slot& slot = slots_[place];
  BenchPhase& phase = *run_->phase;
  const bool missing = code == core::Code::kNotFound;
  if (code == core::Code::kOk || missing) {
    const base::Duration latency = session_clock().now() - slot.since;
    phase.latency[static_cast<size_t>(slot.op.kind)].record(static_cast<uint64_t>(latency.ns()));
    if (missing) ++phase.not_found;
    if (slot.op.kind == BenchKind::kInsert) run_->mix->inserted(slot.op.record);
  } else {
    ++phase.failed;
    run_->worst = worse(run_->worst, outcome_of(code));
  }
  ++run_->finished;
  free_.push_back(place);
}

}  // namespace lh::client
