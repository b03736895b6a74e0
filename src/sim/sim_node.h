// SimNode: a machine of the simulated cluster: its place in the network, its disk, and the process
// that runs on it (SimShell), which may end at any moment and be started again. Without a disk
// there is one process for ever, and what it loses it cannot get back.
//
// A bit that flipped has to be noticed by the next start, which says kDamaged and changes nothing;
// then the bit is put back, as from a copy, and the node goes on.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/client_port.h"
#include "sim/sim_disk.h"
#include "sim/sim_network.h"
#include "sim/sim_shell.h"
#include "sim/world.h"

namespace lh::sim {

class SimNode final : public Process {
 public:
  // Adds itself to the network. The first node of all is the coordinator's, and has bucket 0.
  explicit SimNode(const SimParts& parts);
  ~SimNode() override;

  void start();

  ProcessId process() const { return process_; }
  // The number that it had last; kNone before it joined.
  NodeId id() const { return shell_ != nullptr ? shell_->id() : id_; }
  // nullptr while it is down.
  SimShell* shell() { return shell_.get(); }
  bool is_up() const { return shell_ != nullptr; }
  bool has_disk() const { return disk_ != nullptr; }
  SimDisk& disk() { return *disk_; }
  const core::Coordinator* coordinator() const;
  // For text clients of this node; as many as there are workers at first.
  ClientPort* front(size_t worker);
  // Requests of fronts that were sent again.
  uint64_t retries() const;
  uint64_t splits() const;
  // Requests of fronts that were not answered yet.
  uint64_t in_flight() const;

  // ---- with a disk. Bounds: is_up() and !is_up(); not from within the process.
  void stop(SimDisk::Ending how);
  // Half of the time at another address. Tries again until it works, a little later each time.
  void restart();
  // It ends, and what it had on its disk is gone. The coordinator's node: the next restart
  // rebuilds.
  void lose_disk();
  // For the next restart, or the life at hand: dies at the n-th operation on its disk from now on.
  void die_at_operation(uint64_t n) { disk_->env().stop_after(n); }
  // While it is down.
  void flip_a_bit(base::Prng* prng);

  const std::string& name() const override { return name_; }
  bool on_accepted(LinkId link, ProcessId from) override;
  void on_connected(LinkId link) override;
  void on_frame(LinkId link, std::string_view frame) override;
  void on_closed(LinkId link, const Closed& closed) override;

 private:
  class Port;

  Status boot();
  template <typename Count>
  uint64_t sum_of_workers(Count count) const;  // while it is up
  void judge(const Status& status);
  void end_disk(SimDisk::Ending how);
  void note(const std::string& what);
  std::vector<const core::Server*> servers();
  void on_rebuilt();
  void begin_anew();

  SimParts parts_;
  ProcessId process_;
  const ProcessId first_process_;  // its name among the checker's
  std::string name_;
  uint64_t workers_;
  NodeId id_ = NodeId::kNone;
  std::unique_ptr<SimDisk> disk_;
  std::vector<std::unique_ptr<SimDisk>> lost_disks_;
  bool lost_ = false;  // and not rebuilt yet
  Moment lost_at_ = 0;
  std::vector<std::unique_ptr<Port>> ports_;
  std::unique_ptr<SimShell> shell_;
  std::optional<SimDisk::Place> flipped_;
  base::Instant synced_until_;  // while it is down: what was said by then is on its disk
  uint64_t retries_ = 0;        // of the lives that are over
  uint64_t splits_ = 0;
};

}  // namespace lh::sim
