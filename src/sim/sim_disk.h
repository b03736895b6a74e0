// SimDisk: the disk of a simulated node and the threads in front of it, which are the product's
// own (storage::LogKeeper on a data directory) but for time: what a thread would wait for comes a
// random while later. The disk outlives the processes of its node; a life is from open() to end().
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "core/record_home.h"
#include "sim/event_queue.h"
#include "sim/world.h"
#include "storage/data_dir.h"
#include "storage/log_keeper.h"
#include "storage/mem_env.h"

namespace lh::sim {

class SimDisk final : public storage::LogQueue,
                      public storage::Syncer,
                      public storage::LogKeeper::Owner {
 public:
  explicit SimDisk(World* world) : world_(world) {}

  // ---- a life
  // Does something in the process, so much later, unless that is dead by then.
  using Later = std::function<void(base::Duration, Action)>;
  struct Host {
    Later later;
    Action on_failed;  // the node has to end
  };
  Status open(uint32_t workers);
  storage::DataDir& dir() { return *dir_; }
  // Hands over every record there is; take says whether it makes sense.
  using Take = std::function<bool(const core::RecordSource&, uint64_t stream, std::string_view)>;
  Status recover(const Take& take);
  Status start(std::vector<storage::LogListener*> listeners, Host host);

  enum class Ending : uint8_t {
    kOrderly,   // what was handed over is written, the directory is closed
    kKilled,    // what was written is there, synced or not
    kPowerCut,  // what was not synced is lost, or torn; with --fsync=never a kill
  };
  // Whether all that anybody was told of is synced.
  bool end(Ending how);
  // What was said to be written longer ago, while the process ran, is synced: with
  // --fsync=everysec.
  base::Duration unsynced_max() const;

  bool has_room() const override { return keeper_ == nullptr || keeper_->has_room(); }

  // ---- faults
  storage::MemEnv& env() { return env_; }
  void set_full(bool full);
  // Until then a sync takes up to so long.
  void slow_down(base::Instant until, base::Duration sync_max);

  // A bit that a restart has to notice: of a manifest or snapshot that counts, or of records that
  // are known to have been durable. Bound: between two lives.
  struct Place {
    std::string path;
    uint64_t bit = 0;
  };
  std::optional<Place> flip_some_bit(base::Prng* prng);
  void flip_back(const Place& place) { env_.flip_bit(place.path, place.bit); }
  // Every byte of every file, for comparisons.
  std::string image() const;

 private:
  void push(storage::LogJob job) override;
  void begin(storage::SyncJob job) override;
  struct Sync {
    storage::SyncJob job;
    base::Instant begun_at;
    bool is_done = false;
  };
  using Syncs = std::list<Sync>;
  void run(Sync* sync);
  void end(Syncs::iterator sync);
  void on_log_failed(const Status& status) override;
  void begin_round();
  void end_round();
  base::Instant keeper_now() const;
  void wait();
  base::Duration sync_time();
  uint64_t guarded_bytes(const std::string& folder, const std::string& name,
                         const storage::ManifestEntry& entry);

  World* world_;
  storage::MemEnv env_;
  std::unique_ptr<storage::DataDir> dir_;
  std::unique_ptr<storage::LogKeeper> keeper_;
  Host host_;
  std::deque<storage::LogJob> jobs_;
  bool busy_ = false;
  Syncs syncs_;  // under way beside the rounds
  uint64_t rounds_ = 0;
  base::Duration longest_round_;  // of this life
  base::Duration longest_sync_;   // the same, of those that nobody waits for
  base::Instant slow_until_;
  base::Duration slow_max_;
};

}  // namespace lh::sim
