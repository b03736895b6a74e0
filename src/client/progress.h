// Progress: a line on a terminal that says how far a long command has come, drawn over itself a few
// times a second and taken away at the end:
//
//   [###########.........]  55%  25600 records  85300/s  0:03 left
//
// No ANSI sequences, so that it is right on any terminal.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"

namespace lh::client {

class Progress {
 public:
  // fd: of a terminal; negative shows nothing. unit: what is counted; outlives it.
  Progress(int fd, base::Instant start, const char* unit = "records")
      : fd_(fd), start_(start), drawn_at_(start), unit_(unit) {}
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // count: of the unit. done and total measure the work in any unit (bytes, say); total 0 is
  // unknown.
  void update(base::Instant now, uint64_t count, uint64_t done, uint64_t total);

  // Takes the line away.
  void clear();

 private:
  int fd_;
  base::Instant start_;
  base::Instant drawn_at_;
  const char* unit_;
  size_t width_ = 0;  // of what is on the screen
};

// The line, without its end.
std::string progress_line(base::Duration elapsed, uint64_t count, const char* unit, uint64_t done,
                          uint64_t total);

}  // namespace lh::client
