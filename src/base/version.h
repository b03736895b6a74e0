// The version of lhnode: semantic, of the whole product. The wire and the disk have versions of
// their own.
#pragma once

#include <string_view>

namespace lh::base {

inline constexpr std::string_view kVersion = "0.1.0";

}  // namespace lh::base
