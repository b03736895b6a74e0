// What BENCH was asked for: the flags behind its name, read from a table as those of the program.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "lh/status.h"

namespace lh::client {

// The core mixes of YCSB. (Its E is scans, which LH* has of the whole file only.)
enum class Workload : uint8_t {
  kA,  // half reads, half updates
  kB,  // 95 % reads, 5 % updates
  kC,  // reads only
  kD,  // 95 % reads, of the latest records mostly, 5 % inserts
  kF,  // half reads, half read-modify-writes
};
char letter(Workload workload);

enum class KeyOrder : uint8_t { kZipfian, kUniform };

struct BenchOptions {
  Workload workload = Workload::kA;
  KeyOrder keys = KeyOrder::kZipfian;
  uint64_t records = 0;     // put before anything is measured; at least 1
  uint64_t operations = 0;  // 0: the load is all there is
  uint64_t value_size = 0;  // bytes
  uint64_t clients = 0;     // connections, each with an image of its own
  uint64_t depth = 0;       // requests that each may have under way
  uint64_t rate = 0;        // operations a second, of all clients together; 0: as fast as it goes
  bool json = false;
  bool help = false;  // only say what the flags are
};

// args: without BENCH itself. kInvalid with a sentence that names the flag.
Result<BenchOptions> parse_bench_options(std::span<const std::string> args);

// A line for each flag.
std::string bench_help();

}  // namespace lh::client
