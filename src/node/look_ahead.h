// What requests that came together, as frames, are going to touch is brought into the cache before
// the first of them is executed: see table::LookAhead.
#pragma once

#include <variant>

#include "core/server.h"
#include "table/look_ahead.h"
#include "wire/frame_batch.h"

namespace lh::node {

inline void look_ahead(core::Server* server, wire::FrameBatch* batch) {
  static_assert(wire::FrameBatch::kMax <= table::LookAhead::kMax);
  if (batch->size() < 2) return;
  table::LookAhead ahead;
  for (size_t k = 0; k < batch->size(); ++k) {
    auto* request = std::get_if<core::Request>(&(*batch)[k].message);
    if (request != nullptr) server->look_ahead(request, &ahead);
  }
  ahead.run();
}

}  // namespace lh::node
