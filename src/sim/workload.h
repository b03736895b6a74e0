// Workload: clients at work on a few keys that they all use: each asks for this and that at random,
// several things at a time, remembers what it was told, and complains at once about what can never
// be right (what needs the whole history to be judged is left to it).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/client_core.h"
#include "core/file_call.h"
#include "sim/client_port.h"
#include "sim/file_checker.h"
#include "sim/history.h"
#include "sim/world.h"

namespace lh::sim {

// The keys of a run.
std::vector<std::string> make_keys(const Options& options);

class Workload;

// What one client does.
class Driver final : public PortSink {
 public:
  Driver(Workload* workload, ClientPort* port, uint32_t number, bool sleeper);

  // Begins to ask by itself, until the workload has asked for everything.
  void start();
  // The client has gone: what it asked will never be answered.
  void abandon() { abandoned_ = true; }

  bool is_ready() const { return port_->is_ready() && port_->has_room(); }
  // Asks once. Bound: is_ready().
  // One of a key that is added to adds to it, unless it only reads or deletes.
  // core::Op::kSet: with an expiry.
  void submit(core::Op op, size_t key, size_t value_size);
  void call(const core::FileRequest& request);

  size_t outstanding() const { return abandoned_ ? 0 : asked_.size() + calls_.size(); }
  uint32_t number() const { return number_; }
  const core::FileResult* last_result() const { return has_result_ ? &last_result_ : nullptr; }

  void on_done(const core::Completion& done) override;
  void on_scan_piece(uint64_t tag, const core::ScanReply& piece) override;
  void on_call_done(uint64_t tag, const core::FileResult& result) override;
  void on_port_lost() override;

 private:
  struct Asked {
    core::Op op = core::Op::kRead;
    size_t key = 0;
    uint64_t file_version = 0;
    base::Instant at;
    std::string transacted = {};  // as a transaction: the value that it leaves
  };
  struct CallMade {
    size_t number = 0;  // in the history
    uint64_t file_version = 0;
    uint64_t collisions = 0;
    uint64_t deaths = 0;  // of nodes that had died
    base::Instant at;
  };
  // A request for this key went astray.
  struct Stray {
    uint64_t file_version = 0;  // when it was submitted
    base::Instant at;           // when that was heard
  };

  void pulse();
  void ask_something();
  bool pick_key(size_t* key);
  void ask_call();
  void transact(uint64_t id, const std::string& value);
  void check_parts(const Asked& asked, std::string_view answer);
  void ask_bad_key();
  core::ExpiryMs pick_expiry(uint64_t id);
  void check_answer(const Asked& asked, const core::Completion& done);
  void check_stray(const Asked& asked, const core::Completion& done);
  void check_result(const CallMade& made, const core::FileResult& result);
  void check_buckets(const CallMade& made, const core::FileResult& result);
  void fail(const std::string& what);

  Workload* workload_;
  World* world_;
  ClientPort* port_;
  uint32_t number_;
  bool sleeper_;
  bool abandoned_ = false;
  uint64_t burst_left_ = 0;
  std::map<uint64_t, Asked> asked_;     // by id
  std::map<uint64_t, CallMade> calls_;  // by tag
  std::map<size_t, Stray> strays_;      // by key
  uint64_t next_call_ = 1;
  core::FileResult last_result_;
  bool has_result_ = false;
};

class Workload {
 public:
  Workload(World* world, FileChecker* checker);

  Driver* add(ClientPort* port, bool sleeper);

  // What may still be asked for, over all drivers.
  bool take_one() {
    if (left_ == 0) return false;
    --left_;
    return true;
  }
  bool asked_all() const { return left_ == 0; }
  void stop_asking() { left_ = 0; }
  bool is_idle() const;

  World* world() const { return world_; }
  FileChecker* checker() const { return checker_; }
  History& history() { return history_; }
  const std::vector<std::unique_ptr<Driver>>& drivers() const { return drivers_; }
  base::Prng& prng() { return prng_; }

  // Whether one more request for the key keeps its history short enough to be checked.
  bool is_free(size_t key) const;
  void on_begin(size_t key) { ++open_[key]; }
  void on_end(size_t key, bool known);

 private:
  World* world_;
  FileChecker* checker_;
  base::Prng prng_;
  History history_;
  uint64_t left_;
  std::vector<uint64_t> open_;     // by key: under way
  std::vector<uint64_t> unknown_;  // by key: ended, nobody knows how
  std::vector<std::unique_ptr<Driver>> drivers_;
};

}  // namespace lh::sim
