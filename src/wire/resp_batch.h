// RespBatch: the requests at the front of a connection's input, parsed ahead, so that whoever
// executes them can look at all of their keys before the first: the memory that one needs is on its
// way while another is worked on.
//
// The arguments are views into the bytes given to parse(): they hold while those stay. Bounded;
// nothing is allocated once it has been used. One thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "lh/types.h"
#include "wire/resp.h"
#include "wire/resp_commands.h"

namespace lh::wire {

class RespBatch {
 public:
  static constexpr size_t kRequestsMax = 64;

  struct Entry {
    const RespCommand* command = nullptr;  // nullptr: unknown, or blank when there are no arguments
    RespArgs args;
    size_t size = 0;             // bytes of the input
    std::optional<HashValue> c;  // the executor's
  };

  // Parses what `unread` starts with. After kRequest there are entries to be executed; after
  // kNeedMore and kBad there is none. `unread` starts behind the last entry that was executed.
  RespStatus parse(std::string_view unread);

  size_t size() const { return entries_.size(); }
  Entry& operator[](size_t k) { return entries_[k]; }
  // The entries up to here were executed, those behind are parsed again.
  void executed(size_t count);
  // Bound: parse() said kBad.
  const std::string& error() const { return parser_.error(); }

 private:
  void add(std::string_view unread, size_t at);

  // Requests with more arguments than that make a batch of their own, as inline commands do.
  static constexpr size_t kArgsMax = 8;

  RespParser parser_;
  std::vector<Entry> entries_;
  std::vector<RespArgs::Place> places_;
};

}  // namespace lh::wire
