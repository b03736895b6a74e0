// LOAD: puts the records of a file, as many under way at a time as the session has room for. Keys
// that are there get the new value. Of a key that comes twice the last value stays: a record waits
// for the one with the same key before it.
//
// Lines that are no record, and records that the file refuses, are counted, the first of them said
// on stderr with their line numbers, and the rest is loaded.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>

#include "client/outcome.h"
#include "client/output.h"
#include "client/progress.h"
#include "client/record_format.h"
#include "client/session.h"

namespace lh::client {

class Load final : private core::ClientSink {
 public:
  struct Setup {
    RecordFormat format = RecordFormat::kTsv;
    int progress_fd = -1;  // of a terminal
    Output* errors = nullptr;
  };

  // Both outlive the load; the session's sink is this one's until run() returns.
  Load(Session& session, const Setup& setup);

  // Reads fd to its end. *answer gets a line: `OK 46521 records`, or `ERR` and what failed.
  Outcome run(int fd, std::string* answer);

 private:
  void take_line(std::string_view line);
  void put();
  void report(uint64_t line, std::string_view why);
  std::string summary() const;

  void on_done(const core::Completion& done) override;
  void on_scan_piece(uint64_t, const core::ScanReply&) override {}
  void on_call_done(uint64_t, const core::FileResult&) override {}

  Session& session_;
  Setup setup_;
  RecordParser parser_;
  uint64_t line_ = 0;
  uint64_t records_ = 0;                              // stored
  std::unordered_map<uint64_t, uint64_t> under_way_;  // hash of a key -> line
  uint64_t failed_ = 0;
  std::map<std::string, uint64_t> reasons_;
  Outcome outcome_ = Outcome::kDone;
};

}  // namespace lh::client
