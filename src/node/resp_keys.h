// RespKeys: what KEYS, SCAN and RANDOMKEY ask of the whole file. SCAN's cursor is a point of the
// reversed key space, in decimal: all before it has been looked at, wherever buckets have split or
// moved since; 0 at the beginning and behind the end. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "core/file_call.h"
#include "wire/resp.h"
#include "wire/resp_commands.h"

namespace lh::node {

struct RespKeys {
  core::FileRequest file;
  bool wants_one = false;    // RANDOMKEY
  bool has_wrapped = false;  // RANDOMKEY: it has come past the end
  std::string error = {};    // why it is none, without the `-`
};

inline bool is_about_keys(wire::RespVerb verb) {
  return verb == wire::RespVerb::kKeys || verb == wire::RespVerb::kScan ||
         verb == wire::RespVerb::kRandomkey;
}

// Bounds: is_about_keys(), and the command takes so many arguments. chance: where RANDOMKEY begins.
RespKeys read_keys(const wire::RespCommand& command, const wire::RespArgs& args, uint64_t chance);

}  // namespace lh::node
