// FrameBatch: the requests at the front of a stream of frames, decoded ahead, so that whoever
// executes them can look at all of them before the first: RespBatch for frames.
//
// Any other message makes a batch of its own. The messages borrow from the bytes given to parse().
// Bounded; grows to what a peer sends at a time, then requests allocate nothing. One thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/message.h"
#include "wire/frame.h"

namespace lh::wire {

class FrameBatch {
 public:
  static constexpr size_t kMax = 64;

  struct Entry {
    core::Message message;
    Routing routing = Routing::kDirect;
    size_t size = 0;  // bytes of its frame
  };

  // Decodes what `unread` starts with. kFrame: there are entries. kNeedMore, kBad: there are none;
  // a frame behind others is not judged before they are done with.
  FrameStatus parse(std::string_view unread);

  size_t size() const { return count_; }
  Entry& operator[](size_t k) { return entries_[k]; }
  // Bound: parse() said kBad.
  std::string_view error() const { return error_; }

 private:
  FrameStatus add(std::string_view unread);

  std::vector<Entry> entries_;  // the first count_ of them
  size_t count_ = 0;
  std::string error_;
};

}  // namespace lh::wire
