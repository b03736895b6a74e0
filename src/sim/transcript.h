// Transcript: everything that happened in a run, in order, as a running hash and, when somebody
// listens, as lines of text. Equal hashes mean equal transcripts: the hash takes in the time, the
// parties and every byte of every message.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"

namespace lh::sim {

class Transcript {
 public:
  // A line, with its newline.
  using Listener = std::function<void(std::string_view line)>;
  void set_listener(Listener listener) { listener_ = std::move(listener); }
  bool has_listener() const { return listener_ != nullptr; }

  // A frame reached its destination.
  void delivered(base::Instant at, std::string_view from, std::string_view to,
                 std::string_view frame);
  // Anything else, in words.
  void note(base::Instant at, std::string_view text);

  uint64_t hash() const { return hash_; }

 private:
  void take(base::Instant at, std::string_view bytes);
  void print(base::Instant at, std::string_view text) const;

  uint64_t hash_ = 0;
  Listener listener_;
};

}  // namespace lh::sim
