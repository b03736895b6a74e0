#include "sim/sim_node.h"

#include <utility>

#include "base/check.h"
#include "base/strings.h"

namespace lh::sim {

namespace {

constexpr base::Duration kTryAgainAfter = base::ms(100);

}  // namespace

// The connection of a text client. When the process dies it breaks: what was asked on it and not
// answered will not be.
class SimNode::Port final : public ClientPort {
 public:
  Port(SimNode* node, size_t worker) : node_(node), worker_(worker) {}

  void set_sink(PortSink* to) override { sink_.set(to); }
  // After a restart there may be fewer workers than there were.
  bool is_ready() const override {
    return node_->is_up() && worker_ < node_->shell_->worker_count() &&
           node_->shell_->is_ready(worker_);
  }
  void submit(const core::Operation& asked, uint64_t tag) override {
    node_->shell_->submit(worker_, asked, tag);
  }
  void call(const core::FileRequest& request, uint64_t tag) override {
    node_->shell_->call(worker_, request, tag);
  }
  bool has_room() const override { return node_->shell_->front(worker_).has_room(); }

  LateSink* sink() { return &sink_; }

 private:
  SimNode* node_;
  size_t worker_;
  LateSink sink_;
};

SimNode::SimNode(const SimParts& parts)
    : parts_(parts),
      process_(parts.network->add(this)),
      first_process_(process_),
      name_(base::format("n%u", process_)),
      workers_(parts.world->options.workers) {
  for (size_t w = 0; w < workers_; ++w) ports_.push_back(std::make_unique<Port>(this, w));
  if (parts.world->options.disks) disk_ = std::make_unique<SimDisk>(parts.world);
}

SimNode::~SimNode() = default;

const core::Coordinator* SimNode::coordinator() const {
  return shell_ != nullptr ? shell_->coordinator() : nullptr;
}

ClientPort* SimNode::front(size_t worker) { return ports_[worker].get(); }

void SimNode::start() {
  const Status status = boot();
  LH_CHECK(status.ok(), status.message());
}

template <typename Count>
uint64_t SimNode::sum_of_workers(Count count) const {
  uint64_t sum = 0;
  for (size_t w = 0; shell_ != nullptr && w < shell_->worker_count(); ++w) sum += count(w);
  return sum;
}

uint64_t SimNode::retries() const {
  return retries_ +
         sum_of_workers([this](size_t w) { return shell_->front(w).counters().retries; });
}

uint64_t SimNode::splits() const {
  return splits_ + sum_of_workers([this](size_t w) { return shell_->server(w).counters().splits; });
}

uint64_t SimNode::in_flight() const {
  return sum_of_workers([this](size_t w) { return shell_->front(w).in_flight(); });
}

// ------------------------------------------------------------------------------------------ lives

Status SimNode::boot() {
  SimShell::Config config;
  config.process = process_;
  config.name = name_;
  config.workers = workers_;
  for (const auto& port : ports_) config.sinks.push_back(port->sink());
  if (disk_ == nullptr) {
    config.incarnation = parts_.world->prng.next() | 1;
    shell_ = std::make_unique<SimShell>(parts_, std::move(config));
  } else {
    if (Status status = disk_->open(static_cast<uint32_t>(workers_)); !status.ok()) return status;
    config.incarnation = disk_->dir().manifest().epoch;
    config.disk = disk_.get();
    config.rebuilds = lost_;
    config.on_rebuilt = [this] { on_rebuilt(); };
    config.on_refused = [this] {
      // Not from within the process.
      parts_.world->events.after(base::Duration(), [this] {
        if (is_up()) begin_anew();
      });
    };
    auto shell = std::make_unique<SimShell>(parts_, std::move(config));
    if (Status status = shell->recover(); !status.ok()) return status;
    const Action on_failed = [this] {
      // Not from within the process.
      parts_.world->events.after(base::Duration(), [this] {
        if (!is_up()) return;
        stop(SimDisk::Ending::kPowerCut);
        restart();
      });
    };
    if (Status status = shell->open_logs(on_failed); !status.ok()) return status;
    shell_ = std::move(shell);
  }
  parts_.network->revive(process_);
  // What it has rebuilt it may have written down and died.
  const bool is_rebuilt = lost_ && shell_->id() != NodeId::kNone;
  shell_->start();
  if (is_rebuilt) {
    on_rebuilt();
  } else if (!lost_) {
    parts_.checker->node_is_up(first_process_, servers(), shell_->coordinator());
  }
  return {};
}

std::vector<const core::Server*> SimNode::servers() {
  std::vector<const core::Server*> servers;
  for (size_t w = 0; w < workers_; ++w) servers.push_back(&shell_->server(w));
  return servers;
}

void SimNode::lose_disk() {
  lost_at_ = parts_.world->next_moment();
  stop(SimDisk::Ending::kKilled);
  note("has lost its disk");
  flipped_.reset();
  lost_ = true;
  lost_disks_.push_back(std::exchange(disk_, std::make_unique<SimDisk>(parts_.world)));
}

// What an operator does with a node that the rebuilt file has no place for.
void SimNode::begin_anew() {
  lose_disk();
  lost_ = false;
  restart();
}

void SimNode::on_rebuilt() {
  note("has rebuilt the file");
  parts_.world->counters.add(Count::kRebuilt);
  lost_ = false;
  std::vector<Interval> empty =
      parts_.checker->node_is_rebuilt(first_process_, servers(), shell_->coordinator());
  parts_.world->wipes.push_back({lost_at_, parts_.world->next_moment(), std::move(empty)});
}

void SimNode::stop(SimDisk::Ending how) {
  static constexpr std::string_view kEndings[] = {"is stopped", "is killed", "loses its power"};
  note(std::string(kEndings[static_cast<size_t>(how)]));
  static constexpr Count kEnds[] = {Count::kStopped, Count::kKilled, Count::kPowerCuts};
  parts_.world->counters.add(kEnds[static_cast<size_t>(how)]);
  id_ = shell_->id();
  retries_ = retries();
  splits_ = splits();
  synced_until_ = parts_.network->ran_since(process_, disk_->unsynced_max());
  parts_.network->kill(process_);
  end_disk(how);
  parts_.checker->node_is_down(first_process_);
  shell_.reset();
  for (const auto& port : ports_) port->sink()->on_port_lost();
}

void SimNode::end_disk(SimDisk::Ending how) {
  World* world = parts_.world;
  if (disk_->end(how)) synced_until_ = world->now();
  if (how != SimDisk::Ending::kPowerCut) return;
  if (world->options.fsync != storage::Fsync::kEverySecond) return;
  const Moment since = world->moment_by(synced_until_);
  world->losses.push_back({since, world->next_moment(), parts_.checker->parts_of(first_process_)});
  synced_until_ = world->now();
}

void SimNode::restart() {
  World* world = parts_.world;
  if (is_up() || world->failed()) return;
  if (process_ != parts_.coordinator && world->prng.chance(1, 4)) {
    process_ = parts_.network->add(this);
  }
  if (world->prng.chance(1, 6)) workers_ = world->prng.between(1, 3);
  const std::string before = flipped_ ? disk_->image() : std::string();
  const Status status = boot();
  if (status.ok() && !flipped_) {
    world->counters.add(Count::kRestarts);
    return note("is back");
  }
  note("cannot start: " + std::string(status.message()));
  if (flipped_ && status.code() != StatusCode::kDamaged) {
    return world->fail("a flipped bit in " + flipped_->path + " was not noticed");
  }
  if (flipped_ && disk_->image() != before) {
    return world->fail("a start that found damage changed the disk");
  }
  // The disk was full, or the power went again.
  end_disk(flipped_ ? SimDisk::Ending::kKilled : SimDisk::Ending::kPowerCut);
  judge(status);
  if (flipped_) disk_->flip_back(*flipped_);
  flipped_.reset();
  world->events.after(kTryAgainAfter, [this] { restart(); });
}

// What a start may say when it does not work.
void SimNode::judge(const Status& status) {
  switch (status.code()) {
    case StatusCode::kDamaged:
      if (flipped_) return parts_.world->counters.add(Count::kDamageFound);
      return parts_.world->fail(name_ + " does not come back: " + std::string(status.message()));
    case StatusCode::kRefused:
    case StatusCode::kIo:
      return parts_.world->counters.add(Count::kStartsFailed);
    default:
      return parts_.world->fail(name_ + " does not come back: " + std::string(status.message()));
  }
}

void SimNode::flip_a_bit(base::Prng* prng) {
  if (flipped_) return;
  flipped_ = disk_->flip_some_bit(prng);
  if (!flipped_) return;
  parts_.world->counters.add(Count::kBitsFlipped);
  note(base::format("has bit %llu flipped in ", static_cast<unsigned long long>(flipped_->bit)) +
       flipped_->path);
}

void SimNode::note(const std::string& what) {
  parts_.world->transcript.note(parts_.world->now(), "NODE " + name_ + " " + what);
}

// -------------------------------------------------------------------------------- from the network

bool SimNode::on_accepted(LinkId link, ProcessId from) { return shell_->on_accepted(link, from); }
void SimNode::on_connected(LinkId link) { shell_->on_connected(link); }
void SimNode::on_frame(LinkId link, std::string_view frame) { shell_->on_frame(link, frame); }
void SimNode::on_closed(LinkId link, const Closed& closed) { shell_->on_closed(link, closed); }

}  // namespace lh::sim
