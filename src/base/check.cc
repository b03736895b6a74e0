#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace lh::base {

void check_failed(const char* file, int line, const char* condition, std::string_view context) {
  std::fprintf(stderr, "%s:%d: check failed: %s%s%.*s\n", file, line, condition,
               context.empty() ? "" : ": ", static_cast<int>(context.size()), context.data());
  std::abort();
}

}  // namespace lh::base
