// Which bytes are enumerators, for each enumeration that is on the wire. Internal to src/wire.
//
// The switches have no default: who adds an enumerator is told by the compiler that it has no place
// on the wire yet. Of operations and outcomes the tables in core/op.h are complete.
#pragma once

#include "base/hash.h"
#include "core/message.h"

namespace lh::wire {

constexpr bool known(core::Op op) { return op <= core::kOpLast; }
constexpr bool known(core::Code code) { return code <= core::kCodeLast; }
constexpr bool known(core::SplitPolicy policy) {
  switch (policy) {
    case core::SplitPolicy::kUncontrolled:
      return true;
  }
  return false;
}
constexpr bool known(base::HashMode mode) {
  switch (mode) {
    case base::HashMode::kMixed:
    case base::HashMode::kInteger:
      return true;
  }
  return false;
}
constexpr bool known(core::ScanKind kind) {
  using enum core::ScanKind;
  switch (kind) {
    case kRecords:
    case kStats:
    case kSettle:
    case kClear:
    case kKeys:
      return true;
  }
  return false;
}
constexpr bool known(core::ScanMatch match) {
  using enum core::ScanMatch;
  switch (match) {
    case kAll:
    case kValueContains:
    case kKeyGlob:
    case kValueGlob:
      return true;
  }
  return false;
}
constexpr bool known(core::FileQueryKind kind) {
  using enum core::FileQueryKind;
  switch (kind) {
    case kFile:
    case kNodes:
    case kSettle:
      return true;
  }
  return false;
}
constexpr bool known(core::PeerKind kind) {
  switch (kind) {
    case core::PeerKind::kClient:
    case core::PeerKind::kNode:
      return true;
  }
  return false;
}

}  // namespace lh::wire
