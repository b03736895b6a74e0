// The lines of --trace and --stats. Pure.
#pragma once

#include <string>

#include "core/client_core.h"
#include "lh/types.h"

namespace lh::client {

// `trace c=9 path=0>1>9 forwards=2 iam=(a=1,j=4) image=(3,2)`. The path: the bucket that the client
// addressed, the last forwarder when that is another one, the bucket that answered. Without iam
// when there was no forward. Nothing for a request that never left (a bad key).
void append_trace(std::string* out, const core::Completion& done);

// `stats ops=100 messages=203 forwards=3 iams=2 image=(3,2)`
void append_stats(std::string* out, const core::ClientCore::Counters& counters, FileState image);

}  // namespace lh::client
