// ClientPort: a place where operations can be submitted: a native client, or the front of a node.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/client_core.h"
#include "core/file_call.h"
#include "core/message.h"

namespace lh::sim {

class PortSink : public core::ClientSink {
 public:
  // The port's connection broke: what was asked and is not answered will never be.
  virtual void on_port_lost() = 0;
};

class ClientPort {
 public:
  virtual ~ClientPort() = default;

  // Who hears of what is finished; set before anything is submitted.
  virtual void set_sink(PortSink* sink) = 0;
  // Whether something may be submitted now.
  virtual bool is_ready() const = 0;
  // Bound for all below: is_ready(). The sink may be called before these return.
  virtual bool has_room() const = 0;
  virtual void submit(const core::Operation& asked, uint64_t tag) = 0;
  virtual void call(const core::FileRequest& request, uint64_t tag) = 0;
};

// Passes on to a sink that comes later than the client whose it is.
class LateSink final : public PortSink {
 public:
  void set(PortSink* sink) { sink_ = sink; }
  void on_done(const core::Completion& done) override {
    if (sink_ != nullptr) sink_->on_done(done);
  }
  void on_scan_piece(uint64_t tag, const core::ScanReply& piece) override {
    if (sink_ != nullptr) sink_->on_scan_piece(tag, piece);
  }
  void on_call_done(uint64_t tag, const core::FileResult& result) override {
    if (sink_ != nullptr) sink_->on_call_done(tag, result);
  }
  void on_port_lost() override {
    if (sink_ != nullptr) sink_->on_port_lost();
  }

 private:
  PortSink* sink_ = nullptr;
};

}  // namespace lh::sim
