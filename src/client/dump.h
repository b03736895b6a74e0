// DUMP: writes every record of the file as the pieces of a scan come, so that nothing is held in
// memory and nothing is sorted: the order is by chance.
//
// Into a file it is written beside it (NAME.part) and renamed when all is there, so that a dump
// that fails leaves an older one alone. What exists and is no regular file (a pipe, /dev/null) is
// written to directly.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "client/outcome.h"
#include "client/output.h"
#include "client/progress.h"
#include "client/record_format.h"
#include "client/session.h"

namespace lh::client {

class Dump final : private core::ClientSink {
 public:
  struct Setup {
    RecordFormat format = RecordFormat::kTsv;
    int progress_fd = -1;   // of a terminal
    uint64_t expected = 0;  // records, for the progress; 0: not known
  };

  // The session outlives the dump; its sink is this one's until run() returns. tag: not used before
  // for a call of this session.
  Dump(Session& session, const Setup& setup, uint64_t tag);

  // To a file. *answer gets a line: `OK 46521 records`, or `ERR` and why there is no such file.
  Outcome to_file(const std::string& path, std::string* answer);
  // To an open descriptor. *answer gets nothing on success; records() tells how many there were.
  Outcome to_output(Output* out, std::string* answer);

  uint64_t records() const { return records_; }

 private:
  Outcome write_and_close(int fd, std::string* answer);

  void on_done(const core::Completion&) override {}
  void on_scan_piece(uint64_t tag, const core::ScanReply& piece) override;
  void on_call_done(uint64_t tag, const core::FileResult& result) override;

  Session& session_;
  Setup setup_;
  uint64_t tag_;
  base::SteadyClock clock_;
  Progress progress_;
  Output* out_ = nullptr;
  uint64_t records_ = 0;
  uint64_t expiring_ = 0;  // of them
  bool malformed_ = false;
  bool done_ = false;
  Outcome outcome_ = Outcome::kDone;
  std::string failure_;  // an answer
};

}  // namespace lh::client
