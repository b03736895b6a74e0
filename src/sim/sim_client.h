// SimClient: the simulated shell of a native client: a core::ClientCore, the connections that it
// dials to nodes, and perhaps a listener on which nodes reach it directly.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "core/client_core.h"
#include "core/effects.h"
#include "sim/client_port.h"
#include "sim/file_checker.h"
#include "sim/sim_network.h"
#include "sim/world.h"

namespace lh::sim {

class SimClient final : public Process, public ClientPort {
 public:
  enum class Listening : uint8_t {
    kNo,
    kYes,
    kRefusing,  // it says that it listens, and is behind a firewall
  };
  // contact: the coordinator's process.
  SimClient(World* world, SimNetwork* network, FileChecker* checker, ProcessId contact,
            std::string name, Listening listening);

  void start();
  ProcessId process() const { return process_; }
  // Gone for good: nothing is heard of it any more.
  void die();
  bool is_dead() const { return dead_; }

  void set_sink(PortSink* sink) override { sink_.set(sink); }
  bool is_ready() const override;
  void submit(const core::Operation& asked, uint64_t tag) override;
  void call(const core::FileRequest& request, uint64_t tag) override;
  bool has_room() const override { return core_.has_room(); }
  const core::ClientCore& core() const { return core_; }

  const std::string& name() const override { return name_; }
  bool on_accepted(LinkId link, ProcessId from) override;
  void on_connected(LinkId) override {}
  void on_frame(LinkId link, std::string_view frame) override;
  void on_closed(LinkId link, const Closed& closed) override;

 private:
  void schedule_tick();
  void run();
  void route(const core::Outgoing& outgoing);
  LinkId link_to(ProcessId to);
  void welcome(const core::Welcome& m);

  World* world_;
  SimNetwork* network_;
  FileChecker* checker_;
  ProcessId contact_;
  std::string name_;
  Listening listening_;
  ProcessId process_;
  bool dead_ = false;
  LateSink sink_;
  core::ClientCore core_;
  core::Effects effects_;
  std::map<ProcessId, LinkId> dialed_;
  std::map<LinkId, ProcessId> peers_;  // of what was dialed
};

}  // namespace lh::sim
