// The operating system's refusals as Status: "cannot listen on 127.0.0.1:80: Permission denied".
// Pure, safe on any thread.
#pragma once

#include <cstring>
#include <string>

#include "lh/status.h"

namespace lh::base {

// `doing` is what failed ("cannot listen on 127.0.0.1:80"), `error` the errno that explains it.
inline Status os_error(std::string doing, int error, StatusCode code = StatusCode::kIo) {
  const char* words = strerrordesc_np(error);  // unlike strerror() safe with threads
  doing += ": ";
  doing += words != nullptr ? words : "unknown error " + std::to_string(error);
  return {code, std::move(doing)};
}

}  // namespace lh::base
