// Files of a data directory as lines for people, and the judgement whether they are whole. It only
// reads, and takes no lock: the directory of a node that runs may seem to have a torn tail.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "storage/env.h"

namespace lh::storage {

struct DumpOptions {
  bool frames = true;    // a line for each header and each frame
  bool records = false;  // and for each record
};

// Gets one line at a time, without its newline.
using LineSink = std::function<void(std::string_view)>;

// One file, whichever kind it is. A broken frame is damage: what may be a torn tail can be told
// only from the whole directory.
Status dump_file(Env* env, const std::string& path, DumpOptions options, const LineSink& sink);

// All that the manifest names, then each worker's files checked together, as a start does.
Status dump_directory(Env* env, const std::string& dir, DumpOptions options, const LineSink& sink);

}  // namespace lh::storage
