// Output: text on its way to a descriptor, gathered and written in large pieces, blocking. An error
// (the disk is full, nobody reads any more) is kept, and what follows it is dropped. One thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "lh/status.h"

namespace lh::client {

class Output {
 public:
  // fd stays the caller's.
  explicit Output(int fd) : fd_(fd) {}

  // To append to; flush_if_full() bounds it.
  std::string* text() { return &text_; }
  void append(std::string_view bytes) { text_.append(bytes); }

  void flush();
  void flush_if_full() {
    if (text_.size() >= kFull) flush();
  }

  // kIo once something could not be written.
  const Status& status() const { return status_; }
  int fd() const { return fd_; }

 private:
  static constexpr size_t kFull = size_t{64} << 10;

  int fd_;
  std::string text_;
  Status status_;
};

}  // namespace lh::client
