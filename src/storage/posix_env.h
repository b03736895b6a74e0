// The Env of the operating system: open(2) and its family, fdatasync(2), flock(2).
#pragma once

#include "storage/env.h"

namespace lh::storage {

// The one of this process. It has no state of its own and lives for ever.
Env* posix_env();

}  // namespace lh::storage
