#include "client/bench.h"

#include "base/check.h"
#include "client/session.h"
#include "wire/text_answers.h"

namespace lh::client {
namespace {

constexpr base::Duration kWait = base::ms(50);
// Nearer to a due time looking again is cheaper than to sleep and be woken.
constexpr base::Duration kNotWorthATimer = base::us(30);
// The same sequence of operations every time.
constexpr uint64_t kSeed = 1;

base::Instant now() { return session_clock().now(); }

}  // namespace

base::Instant due_at(base::Instant start, uint64_t index, uint64_t rate) {
  constexpr uint64_t kSecond = 1'000'000'000;
  const uint64_t ns = index / rate * kSecond + index % rate * kSecond / rate;
  return start + base::ns(static_cast<int64_t>(ns));
}

Bench::Bench(const BenchOptions& options, int progress_fd)
    : options_(options), progress_fd_(progress_fd) {}

Outcome Bench::run(const std::string& coordinator, std::string* out) {
  if (const Status status = connect(coordinator); !status.ok()) {
    wire::append_error(out, status.message());
    return Outcome::kUnreachable;
  }
  BenchMix load = BenchMix::load();
  run_phase("load", options_.records, &load);
  if (options_.operations > 0) {
    clients_[0]->settle();
    BenchMix mix(options_.workload, options_.keys, options_.records, kSeed);
    run_phase(std::string("workload ") + letter(options_.workload), options_.operations, &mix);
  }
  out->append(options_.json ? bench_json(options_, phases_) : bench_text(options_, phases_));
  return outcome_;
}

Status Bench::connect(const std::string& coordinator) {
  Result<std::unique_ptr<net::EventLoop>> loop = net::EventLoop::create(session_clock());
  if (!loop.ok()) return loop.status();
  loop_ = std::move(loop).value();
  timer_.emplace(*loop_);
  if (Status status = timer_->open(); !status.ok()) return status;
  SessionOptions to;
  to.coordinator = coordinator;
  to.loop = loop_.get();
  while (clients_.size() < options_.clients) {
    Result<std::unique_ptr<Session>> session = Session::open(to);
    if (!session.ok()) return session.status();
    if (!records_) records_.emplace(session.value()->hash(), options_.value_size);
    clients_.push_back(
        std::make_unique<BenchClient>(std::move(session).value(), options_.depth, *records_));
  }
  return {};
}

// What all clients have counted since they count, less `before`.
core::ClientCore::Counters Bench::counters_since(const core::ClientCore::Counters& before) const {
  core::ClientCore::Counters sum;
  for (const auto& client : clients_) {
    const core::ClientCore::Counters& c = client->counters();
    sum.ops += c.ops;
    sum.requests += c.requests;
    sum.forwards += c.forwards;
    sum.replies += c.replies;
    sum.iams += c.iams;
    sum.retries += c.retries;
  }
  return {sum.ops - before.ops,           sum.requests - before.requests,
          sum.forwards - before.forwards, sum.replies - before.replies,
          sum.iams - before.iams,         sum.retries - before.retries};
}

void Bench::run_phase(const std::string& name, uint64_t operations, BenchMix* mix) {
  BenchPhase& phase = phases_.emplace_back();
  phase.name = name;
  BenchRun run{mix, &phase};
  for (const auto& client : clients_) client->join(&run);
  const core::ClientCore::Counters before = counters_since({});
  const base::Instant start = now();
  Progress progress(progress_fd_, start, "operations");
  uint64_t started = 0;
  while (run.finished < operations) {
    for (const auto& client : clients_) client->go_on();
    started += start_due(start, started, operations, &run);
    loop_->run_once(started < operations ? wait_before(start, started) : kWait);
    progress.update(now(), run.finished, run.finished, operations);
  }
  phase.took = now() - start;
  phase.counters = counters_since(before);
  outcome_ = worse(outcome_, run.worst);
}

// Starts what is due and somebody has room for; returns how many that were.
uint64_t Bench::start_due(base::Instant start, uint64_t started, uint64_t operations,
                          BenchRun* run) {
  uint64_t count = 0;
  all_busy_ = false;
  const base::Instant time = now();
  for (; started + count < operations; ++count) {
    base::Instant since = time;
    if (options_.rate > 0) since = due_at(start, started + count, options_.rate);
    if (since > time) break;
    BenchClient* client = client_with_room();
    all_busy_ = client == nullptr;
    if (all_busy_) break;
    client->start(run->mix->next(), since);
  }
  return count;
}

// They take turns. nullptr when nobody has room.
BenchClient* Bench::client_with_room() {
  for (size_t tried = 0; tried < clients_.size(); ++tried) {
    BenchClient* client = clients_[turn_of_].get();
    turn_of_ = (turn_of_ + 1) % clients_.size();
    if (client->has_room()) return client;
  }
  return nullptr;
}

// When all are busy an answer ends the wait. Not so when nothing was due: by now it may be.
base::Duration Bench::wait_before(base::Instant start, uint64_t next) {
  if (all_busy_ || options_.rate == 0) return kWait;
  const base::Instant due = due_at(start, next, options_.rate);
  if (due - now() < kNotWorthATimer) return base::Duration();
  timer_->set(due);
  return kWait;
}

}  // namespace lh::client
