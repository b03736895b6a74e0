// ReplyPath: how an answer finds its way to the client that asked, whichever bucket answers.
#pragma once

#include <cstdint>
#include <string_view>

#include "lh/types.h"

namespace lh::core {

// An LH* client: a native client process or the front of a node's worker. Chosen at random, so
// that nobody has to hand them out; 0 is no client.
using ClientId = uint64_t;

struct ReplyPath {
  ClientId client = 0;
  NodeId entry = NodeId::kNone;  // the node that the request came in by
  uint64_t link = 0;             // what that node calls the client's connection; opaque elsewhere
  std::string_view listener;     // the client's own port, empty when it has none
};

}  // namespace lh::core
