#include "sim/options.h"

#include <algorithm>
#include <iterator>

#include "base/prng.h"
#include "base/strings.h"

namespace lh::sim {

namespace {

using base::Duration;
using base::ms;
using base::Prng;
using base::us;

template <size_t N>
uint64_t pick(Prng* prng, const uint64_t (&choices)[N]) {
  return choices[prng->below(N)];
}

void choose_file(Options* o, Prng* prng) {
  o->hash = prng->chance(1, 2) ? base::HashMode::kInteger : base::HashMode::kMixed;
  o->capacity = pick(prng, {1, 1, 2, 3, 5, 10, 20, 50});
  o->nodes = prng->between(1, 5);
  if (prng->chance(1, 2)) o->late_nodes = prng->between(1, 3);
  o->workers = prng->chance(1, 3) ? 2 : 1;
  if (prng->chance(1, 8)) o->buckets_max = prng->between(1, 6);
}

void choose_clients(Options* o, Prng* prng) {
  o->clients = prng->between(1, 8);
  o->fronts = prng->below(o->nodes + 1);
  o->listeners = prng->below(5);
  o->sleepers = prng->below(o->clients / 2 + 1);
  o->front_executes_locally = prng->chance(3, 4);
  o->depth = pick(prng, {1, 2, 4, 8, 16, 32});
  const int64_t askers = static_cast<int64_t>(o->clients + o->fronts * o->workers);
  const int64_t lasts_ms = static_cast<int64_t>(pick(prng, {300, 1'000, 3'000, 8'000, 20'000}));
  o->think = us(lasts_ms * 1'000 * askers / static_cast<int64_t>(o->ops));
}

void choose_work(Options* o, Prng* prng) {
  // From files of a bucket or two to some with hundreds.
  o->keys = std::clamp<uint64_t>(o->capacity * pick(prng, {2, 5, 10, 30, 100}), 8, 600);
  o->key_stride = pick(prng, {1, 1, 1, 2, 3, 8, 1'000'003});
  o->open_per_key = prng->between(1, 6);
  o->value_max = pick(prng, {0, 8, 16, 100, 1'000});
  for (uint64_t& weight : o->weights) weight = prng->chance(1, 5) ? 0 : prng->between(1, 10);
  o->weights[0] += 2;  // without inserts nothing ever grows
  o->weights[5] /= 4;  // to locate is to read, for what matters here
  o->calls_permille = pick(prng, {0, 2, 5, 10, 30});
}

// Some runs move large records, so that a split takes many batches and its window fills.
void choose_large_values(Options* o, Prng* prng) {
  const uint64_t kind = prng->below(24);
  if (kind > 2) return;
  o->value_max = kind == 0 ? uint64_t{1} << 20 : uint64_t{200} << 10;
  o->keys = kind == 0 ? 64 : 120;
  o->capacity = kind == 0 ? 24 : 40;
  o->ops = o->ops / (kind == 0 ? 20 : 6) + 100;
  o->weights[0] += 10;  // so that buckets fill
  o->weights[4] = 0;
  o->calls_permille = pick(prng, {0, 10, 40});
  o->depth = prng->between(1, 8);
  if (kind == 0 && prng->chance(1, 2)) o->floods = 1;
}

void choose_network(Options* o, Prng* prng) {
  o->delay_min = us(static_cast<int64_t>(pick(prng, {20, 50, 200})));
  o->delay_max = o->delay_min + us(static_cast<int64_t>(pick(prng, {50, 500, 3'000, 20'000})));
  if (prng->chance(1, 2)) {
    o->spikes_permille = pick(prng, {1, 5, 20, 100});
    o->spike_max = ms(static_cast<int64_t>(pick(prng, {20, 100, 500, 1'500})));
  }
  o->ns_per_kib = static_cast<int64_t>(pick(prng, {0, 1'000, 10'000, 100'000}));
  if (o->floods > 0) o->ns_per_kib /= 100;  // a flood is fast
  o->overtaking = prng->chance(1, 4);
  if (o->overtaking) o->snags_permille = pick(prng, {0, 1, 5, 20});
}

FaultRate choose_rate(Prng* prng, Duration shortest, Duration longest_lasting) {
  if (prng->chance(1, 2)) return {};
  const int64_t factor = static_cast<int64_t>(pick(prng, {1, 2, 5, 10}));
  const int64_t part = static_cast<int64_t>(pick(prng, {1, 4, 16}));
  return {shortest * factor, longest_lasting / part};
}

void choose_faults(Options* o, Prng* prng) {
  if (prng->chance(1, 10)) return;  // everything goes well, which has to be checked as well
  o->breaks = choose_rate(prng, ms(100), Duration());
  o->partitions = choose_rate(prng, ms(300), ms(3'000));
  o->one_way = choose_rate(prng, ms(300), ms(3'000));
  o->isolations = choose_rate(prng, ms(500), ms(3'000));
  o->clogs = choose_rate(prng, ms(300), ms(3'000));
  o->freezes = choose_rate(prng, ms(500), ms(4'000));
  o->crashes = choose_rate(prng, ms(500), ms(4'000));
  o->deaths = choose_rate(prng, ms(1'000), Duration());
  o->coordinator_stops = prng->chance(1, 2);
}

// A few files grow by leaps while requests are stuck between two nodes: these meet a third bucket
// that cannot serve them, and have to begin anew.
void choose_gallop(Options* o, Prng* prng) {
  if (!prng->chance(1, 12) || o->value_max > 1'000) return;
  o->nodes = prng->between(3, 5);
  o->fronts = std::min(o->fronts, o->nodes);
  o->buckets_max = 0;
  o->capacity = 1;
  o->keys = 600;
  o->open_per_key = 6;
  o->clients = prng->between(8, 16);
  o->sleepers = o->clients * 3 / 4;
  o->ops = 4'000;
  o->think = us(static_cast<int64_t>(prng->between(500, 3'000)));
  o->weights[0] = 20;
  o->delay_max = o->delay_min + ms(5);
  o->overtaking = true;
  o->snags_permille = 30;
}

// Drawn apart, so that the rest of a seed does not depend on it.
void choose_disks(Options* o) {
  Prng prng(o->seed ^ 0x6469736b);
  o->disks = prng.chance(1, 2);
  if (!o->disks) return;
  o->sync_min = us(static_cast<int64_t>(pick(&prng, {10, 100, 1'000})));
  o->sync_max = o->sync_min + us(static_cast<int64_t>(pick(&prng, {10, 1'000, 10'000, 100'000})));
  o->segment_bytes = pick(&prng, {512, 4'096, 65'536, 1'048'576});
  o->snapshot_log_bytes = pick(&prng, {1'024, 8'192, 65'536, 1'048'576});
  if (o->keys / o->capacity > 50) o->sync_max = std::min(o->sync_max, o->sync_min + ms(5));
  if (prng.chance(1, 4)) return;  // no harm comes to the disks
  if (!o->crashes.on()) o->crashes = choose_rate(&prng, ms(300), ms(2'000));
  o->flips_permille = pick(&prng, {0, 0, 50, 300});
  o->sync_failures = choose_rate(&prng, ms(1'000), ms(1'000));
  o->full_disks = choose_rate(&prng, ms(500), ms(3'000));
  o->slow_disks = choose_rate(&prng, ms(500), ms(2'000));
}

// A node that never syncs promises nothing about a loss of power: in such a run processes are
// killed, and the system keeps what they wrote.
void choose_fsync(Options* o) {
  Prng prng(o->seed ^ 0x6673796e63);
  if (!o->disks || !prng.chance(1, 3)) return;
  o->fsync = prng.chance(2, 3) ? storage::Fsync::kEverySecond : storage::Fsync::kNever;
  if (o->fsync == storage::Fsync::kNever) o->sync_failures = {};
}

void choose_reserve(Options* o) {
  Prng prng(o->seed ^ 0x72737276);
  if (o->disks) o->reserve_bytes = pick(&prng, {0, 100, 1'000, 10'000});
}

void choose_clears(Options* o) {
  Prng prng(o->seed ^ 0x636c6561);
  o->clears_of_100 = pick(&prng, {0, 0, 0, 2, 10, 30});
  o->expiring_of_100 = pick(&prng, {0, 0, 10, 40, 90});
}

void choose_lost_coordinators(Options* o) {
  Prng prng(o->seed ^ 0x6c6f7374);
  if (!o->disks || o->nodes < 2 || !prng.chance(1, 3)) return;
  o->lost_coordinators = {ms(static_cast<int64_t>(pick(&prng, {500, 2'000, 5'000}))), ms(1'000)};
}

class Description {
 public:
  Description& operator()(std::string_view name, uint64_t value) {
    out_.append(name).append("=").append(std::to_string(value)).append("\n");
    return *this;
  }
  Description& operator()(std::string_view name, Duration value) {
    out_.append(name);
    base::append_format(&out_, "=%lldus\n", static_cast<long long>(value.us()));
    return *this;
  }
  Description& operator()(std::string_view name, const FaultRate& rate) {
    out_.append(name);
    if (!rate.on()) {
      out_ += "=never\n";
    } else {
      base::append_format(&out_, "=every %lldms for up to %lldms\n",
                          static_cast<long long>(rate.every.ms()),
                          static_cast<long long>(rate.lasts_max.ms()));
    }
    return *this;
  }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

}  // namespace

Options choose_options(uint64_t seed, uint64_t ops) {
  Prng prng(seed);
  Options o;
  o.seed = seed;
  o.ops = pick(&prng, {100, 300, 1'000, 2'000, 4'000});
  o.paranoid = prng.chance(1, 4);
  if (o.paranoid) o.ops = std::min<uint64_t>(o.ops, 300);
  choose_file(&o, &prng);
  choose_clients(&o, &prng);
  choose_work(&o, &prng);
  choose_large_values(&o, &prng);
  choose_network(&o, &prng);
  choose_faults(&o, &prng);
  choose_gallop(&o, &prng);
  choose_disks(&o);
  choose_fsync(&o);
  choose_reserve(&o);
  choose_clears(&o);
  choose_lost_coordinators(&o);
  if (ops > 0) o.ops = ops;
  return o;
}

std::string describe(const Options& o) {
  static constexpr std::string_view kOps[] = {"insert", "update", "put",
                                              "read",   "delete", "locate"};
  static_assert(std::size(kOps) == std::size(Options{}.weights));
  Description out;
  out("seed", o.seed)("ops", o.ops)("paranoid", o.paranoid);
  out("hash-integer", o.hash == base::HashMode::kInteger)("capacity", o.capacity);
  out("nodes", o.nodes)("late-nodes", o.late_nodes)("workers", o.workers);
  out("buckets-max", o.buckets_max)("clients", o.clients)("fronts", o.fronts);
  out("listeners-of-4", o.listeners)("sleepers", o.sleepers);
  out("front-executes-locally", o.front_executes_locally)("depth", o.depth)("think", o.think);
  out("keys", o.keys)("key-stride", o.key_stride)("open-per-key", o.open_per_key);
  out("value-max", o.value_max);
  for (size_t k = 0; k < std::size(kOps); ++k) out(kOps[k], o.weights[k]);
  out("calls-permille", o.calls_permille)("clears-of-100", o.clears_of_100)("expiring-of-100",
                                                                            o.expiring_of_100);
  out("floods", o.floods);
  out("delay-min", o.delay_min)("delay-max", o.delay_max);
  out("spikes-permille", o.spikes_permille)("spike-max", o.spike_max);
  out("ns-per-kib", static_cast<uint64_t>(o.ns_per_kib))("overtaking", o.overtaking);
  out("snags-permille", o.snags_permille);
  out("breaks", o.breaks)("partitions", o.partitions)("one-way", o.one_way);
  out("isolations", o.isolations)("clogs", o.clogs)("freezes", o.freezes);
  out("crashes", o.crashes)("deaths", o.deaths)("coordinator-stops", o.coordinator_stops);
  out("disks", o.disks);
  if (!o.disks) return out.take();
  out("fsync", static_cast<uint64_t>(o.fsync));
  out("sync-min", o.sync_min)("sync-max", o.sync_max)("segment-bytes", o.segment_bytes)(
      "reserve-bytes", o.reserve_bytes);
  out("snapshot-log-bytes", o.snapshot_log_bytes)("flips-permille", o.flips_permille);
  out("sync-failures", o.sync_failures)("full-disks", o.full_disks);
  out("slow-disks", o.slow_disks)("lost-coordinators", o.lost_coordinators);
  return out.take();
}

}  // namespace lh::sim
