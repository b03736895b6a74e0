// RespBatch: the requests at the front of a connection's input, parsed ahead, so that whoever
// executes them can look at all of their keys before the first: the memory that one needs is on its
// way while another is worked on.
//
// What is not an ordinary request makes a batch of its own. The arguments are views into the bytes
// given to parse(): they hold while those stay. Bounded; grows to what a peer sends at a time, then
// nothing is allocated. One thread.
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

  // Parses what `unread` starts with. After kRequest and kBlank there are entries to be executed,
  // after kNeedMore and kBad there is none. `unread` starts behind the last entry that was
  // executed.
  RespStatus parse(std::string_view unread);

  size_t size() const { return count_; }
  Entry& operator[](size_t k) { return entries_[k]; }
  // The entries up to here were executed, those behind are parsed again.
  void executed(size_t count);
  // Bound: parse() said kBad.
  const std::string& error() const { return parser_.error(); }

 private:
  void grow();
  bool take_ordinary(std::string_view unread, size_t* at);
  RespStatus take_any(std::string_view unread);

  RespParser parser_;
  std::vector<Entry> entries_;  // the first count_ of them
  size_t count_ = 0;
  std::vector<RespArgs::Place> places_;  // kOrdinaryArgs for each entry
};

}  // namespace lh::wire
