// Outcome: how a command of the client ended, worst last; the number is the exit status.
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/file_call.h"
#include "core/message.h"

namespace lh::client {

enum class Outcome : uint8_t {
  kDone = 0,
  kFailed = 1,       // no such key, key exists, refused
  kUsage = 2,        // not understood
  kUnreachable = 3,  // a node or the coordinator cannot be reached
};

// Of several commands in a row: a failure is a failure, and one that could not be reached most of
// all. A line that was not understood failed, as the others went on.
constexpr Outcome worse(Outcome a, Outcome b) {
  const auto plain = [](Outcome o) { return o == Outcome::kUsage ? Outcome::kFailed : o; };
  return std::max(plain(a), plain(b));
}

constexpr Outcome outcome_of(core::Code code) {
  if (code == core::Code::kOk) return Outcome::kDone;
  return code == core::Code::kDown ? Outcome::kUnreachable : Outcome::kFailed;
}

constexpr Outcome outcome_of(core::FileResult::Outcome outcome) {
  switch (outcome) {
    case core::FileResult::Outcome::kOk:
      return Outcome::kDone;
    case core::FileResult::Outcome::kNoSuchBucket:
      return Outcome::kFailed;
    case core::FileResult::Outcome::kBucketDown:
    case core::FileResult::Outcome::kNoCoordinator:
      return Outcome::kUnreachable;
  }
  return Outcome::kFailed;
}

}  // namespace lh::client
