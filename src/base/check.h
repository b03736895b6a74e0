// LH_CHECK: an invariant that stays on in release builds. A false condition is a bug in lhnode: the
// process prints what it knew and aborts rather than go on with a state that nobody reasoned about.
// Conditions of the world (a peer, a disk, a flag) are a Status, never a check.
#pragma once

#include <string_view>

namespace lh::base {

// Prints `file:line: check failed: condition: context` to stderr in one write and aborts.
// Safe on any thread.
[[noreturn]] void check_failed(const char* file, int line, const char* condition,
                               std::string_view context = {});

}  // namespace lh::base

// LH_CHECK(condition) or LH_CHECK(condition, context): context is anything a string_view is made
// from, evaluated only on failure.
#define LH_CHECK(condition, ...)                                                           \
  do {                                                                                     \
    if (__builtin_expect(!(condition), 0))                                                 \
      ::lh::base::check_failed(__FILE__, __LINE__, #condition __VA_OPT__(, ) __VA_ARGS__); \
  } while (false)

#define LH_UNREACHABLE(...) \
  ::lh::base::check_failed(__FILE__, __LINE__, "unreachable" __VA_OPT__(, ) __VA_ARGS__)

// a implies b.
#define LH_IMPLIES(a, b) (!(a) || (b))
