// RespOperation: what a RESP request about one key asks of the bucket: the operation, its value and
// arguments, out of the words that users type. Times become Unix times here, as the node that a
// client talks to counts them. Pure.
#pragma once

#include <string>
#include <string_view>

#include "core/operation.h"
#include "wire/resp.h"
#include "wire/resp_commands.h"

namespace lh::wire {

struct RespOperation {
  core::Op op = core::Op::kRead;
  std::string_view asked_value = {};  // borrows from the request
  std::string args = {};
  std::string made_value = {};  // is the value, if there is one
  std::string error = {};       // why it is no operation, without the `-`

  std::string_view value() const { return made_value.empty() ? asked_value : made_value; }
};

// Bounds: the command is about one key and takes so many arguments.
RespOperation read_operation(const RespCommand& command, const RespArgs& args,
                             core::ExpiryMs unix_ms);

}  // namespace lh::wire
