#include "sim/simulation.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/hash.h"
#include "base/strings.h"
#include "core/change.h"
#include "sim/faults.h"
#include "sim/sim_cluster.h"

namespace lh::sim {

namespace {

using base::Duration;
using base::format;
using base::ms;
using base::seconds;
using Ull = unsigned long long;

// More than a client waits for an answer before it gives up.
constexpr Duration kAnswersMax = seconds(40);
constexpr Duration kSettleMax = seconds(30);
constexpr Duration kSplitMax = ms(500);  // each key may cause one
// A quiet file: long enough for heartbeats to carry the map to everybody.
constexpr Duration kQuiet = seconds(3);

constexpr int kRoundsMax = 10;
constexpr size_t kReadsAtOnce = 16;

class Run {
 public:
  Run(const Options& options, std::string_view canary, Transcript::Listener listener)
      : cluster_(options, canary, std::move(listener)),
        world_(cluster_.world()),
        faults_(&cluster_) {}

  RunResult operator()() {
    populate();
    work();
    if (!world_.failed()) come_right();
    if (!world_.failed()) read_everything();
    if (!world_.failed()) check_silence();
    if (!world_.failed()) cluster_.checker().check_settled();
    if (!world_.failed()) check_history();
    if (world_.is_moot) world_.failure.clear();
    return {world_.options.seed, world_.failure, world_.transcript.hash(), cluster_.counters()};
  }

 private:
  void populate() {
    const Options& o = world_.options;
    for (uint64_t k = 0; k < o.clients; ++k) {
      const bool says_so = world_.prng.below(4) < o.listeners;
      const auto listening = !says_so                   ? SimClient::Listening::kNo
                             : world_.prng.chance(1, 4) ? SimClient::Listening::kRefusing
                                                        : SimClient::Listening::kYes;
      cluster_.add_client(listening, k < o.sleepers);
    }
    for (uint64_t k = 0; k < o.fronts; ++k) {
      for (uint64_t w = 0; w < o.workers; ++w) cluster_.add_text_client(k, w, false);
    }
    for (const auto& driver : cluster_.workload().drivers()) driver->start();
    late_nodes_ = o.late_nodes;
    for (uint64_t k = 0; k < o.late_nodes; ++k) {
      world_.events.after(ms(static_cast<int64_t>(world_.prng.between(100, 5'000))),
                          [this] { add_late_node(); });
    }
  }

  void add_late_node() {
    if (late_nodes_ == 0) return;
    --late_nodes_;
    cluster_.add_node();
  }

  // Until everything was asked for. Clients that cannot ask any more end the phase, too.
  void work() {
    faults_.start();
    cluster_.run_until([this] { return cluster_.workload().asked_all(); }, seconds(60));
    cluster_.workload().stop_asking();
    cluster_.run_for(ms(static_cast<int64_t>(world_.prng.below(2'000))));
    faults_.stop();
    cluster_.heal();
    while (late_nodes_ > 0) add_late_node();
  }

  bool all_up() const {
    return std::all_of(cluster_.nodes().begin(), cluster_.nodes().end(),
                       [](const auto& node) { return node->is_up(); }) &&
           cluster_.nodes()[0]->id() == core::Coordinator::kSelf;
  }

  // A front goes on with what it was asked when nobody waits for it any more.
  bool nothing_is_asked() {
    return cluster_.workload().is_idle() &&
           std::all_of(cluster_.nodes().begin(), cluster_.nodes().end(),
                       [](const auto& node) { return node->in_flight() == 0; });
  }

  void come_right() {
    if (!cluster_.run_until([this] { return all_up(); }, kAnswersMax)) {
      return give_up("a node does not come back");
    }
    const uint64_t outstanding = messages();
    if (!cluster_.run_until([this] { return nothing_is_asked(); }, kAnswersMax)) {
      return give_up("some questions were not answered after the faults had stopped");
    }
    // A write that was given up may still wait for a connection. It must not come between the last
    // reads.
    cluster_.run_for(kQuiet);
    judge_ = cluster_.add_client(SimClient::Listening::kNo, false);
    if (!cluster_.run_until([this] { return judge_->is_ready(); }, kAnswersMax)) {
      return give_up("a fresh client found no way in");
    }
    settle();
    // Nothing repeats itself for ever.
    const uint64_t bound = 20'000 + 200 * cluster_.checker().version();
    if (messages() - outstanding > bound) give_up("far too many messages to come right");
  }

  // A node that has just come back may still be taken to be down: then SETTLE is asked again.
  void settle() {
    core::FileRequest request;
    request.kind = core::FileRequest::Kind::kSettle;
    const Duration limit = kSettleMax + kSplitMax * static_cast<int64_t>(world_.options.keys);
    const base::Instant end = world_.now() + limit;
    while (!world_.failed()) {
      judge_->call(request);
      if (!await(limit)) return give_up("SETTLE was not answered");
      const core::FileResult& result = *judge_->last_result();
      if (result.outcome == core::FileResult::Outcome::kOk) {
        if (result.file.error.empty()) return;
        if (result.file.error.starts_with("no node has room") && splits_owed() > 0) return;
      }
      if (world_.now() > end) return give_up("SETTLE fails: " + result.file.error);
      cluster_.run_for(ms(500));
    }
  }

  // Bound: all nodes are up.
  uint64_t splits_owed() const { return cluster_.nodes()[0]->coordinator()->splits_owed(); }
  uint64_t messages() const { return world_.counters[Count::kMessages]; }
  bool await(Duration limit) {
    return cluster_.run_until([this] { return judge_->outstanding() == 0; }, limit);
  }
  void give_up(const std::string& why) {
    if (!world_.failed()) world_.fail(why);
  }

  // With eyes of its own: every key, then all of them at once in two ways.
  void read_everything() {
    const History& history = cluster_.workload().history();
    const size_t keys = history.keys().size();
    // A node that has just come back may still be called down: then it is asked again.
    for (int round = 0; history.last_codes(judge_->number()).size() < keys; ++round) {
      if (round == kRoundsMax) return give_up("a last read fails again and again");
      if (!read_the_rest(history.last_codes(judge_->number()))) return;
    }
    core::FileRequest request;
    request.kind = core::FileRequest::Kind::kScan;
    if (!call(request)) return give_up("the last scan was not answered");
    request.kind = core::FileRequest::Kind::kCount;
    if (!call(request)) return give_up("the last count was not answered");
    uint64_t found = 0;
    for (const auto& [key, code] : history.last_codes(judge_->number())) {
      found += code == core::Code::kOk ? 1 : 0;
    }
    const uint64_t counted = judge_->last_result()->records;
    if (counted == found && stored_records() == found) return;
    give_up(format("at the end %llu keys can be read, %llu are counted, %llu are stored",
                   static_cast<Ull>(found), static_cast<Ull>(counted),
                   static_cast<Ull>(stored_records())));
  }

  bool read_the_rest(const std::map<size_t, core::Code>& known) {
    for (size_t key = 0; key < cluster_.workload().history().keys().size(); ++key) {
      if (known.contains(key)) continue;
      judge_->submit(core::Op::kRead, key, 0);
      if (judge_->outstanding() < kReadsAtOnce || await(kAnswersMax)) continue;
      break;
    }
    if (await(kAnswersMax)) return true;
    give_up("a last read was not answered");
    return false;
  }

  bool call(const core::FileRequest& request) {
    for (int round = 0; round < kRoundsMax; ++round) {
      judge_->call(request);
      if (!await(kAnswersMax)) return false;
      if (judge_->last_result()->outcome == core::FileResult::Outcome::kOk) return true;
    }
    return false;
  }

  uint64_t stored_records() const {
    uint64_t sum = 0;
    for (const auto& node : cluster_.nodes()) {
      SimShell& shell = *node->shell();
      for (size_t w = 0; w < shell.worker_count(); ++w) sum += shell.server(w).stats().records;
    }
    return sum;
  }

  // A settled file says nothing but that it is alive.
  void check_silence() {
    cluster_.run_for(kQuiet);
    cluster_.watch().start_listening(splits_owed() > 0);
    cluster_.run_for(kQuiet);
    const std::string heard = cluster_.watch().heard();
    if (!heard.empty()) give_up("in a settled file somebody said: " + heard);
  }

  void check_history() {
    History& history = cluster_.workload().history();
    const auto had_by = [&](const PowerLoss& loss) {
      return [&](size_t key) {
        const ReversedHash r = reverse64(*base::hash_key(world_.options.hash, history.keys()[key]));
        return std::any_of(loss.had.begin(), loss.had.end(),
                           [r](const Interval& part) { return part.contains(r); });
      };
    };
    for (const PowerLoss& loss : world_.losses) {
      history.add_power_cut(loss.since, loss.at, had_by(loss));
    }
    for (const PowerLoss& wipe : world_.wipes) {
      history.add_wipe(wipe.since, wipe.at, had_by(wipe));
    }
    const History::Findings found = history.check();
    world_.counters.add(Count::kUndecided, found.undecided);
    if (found.violation) give_up(*found.violation);
  }

  SimCluster cluster_;
  World& world_;
  Faults faults_;
  Driver* judge_ = nullptr;
  uint64_t late_nodes_ = 0;
};

}  // namespace

RunResult run_simulation(const Options& options, std::string_view canary,
                         Transcript::Listener listener) {
  return Run(options, canary, std::move(listener))();
}

}  // namespace lh::sim
