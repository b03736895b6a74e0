// Operations on several records, which have to be of one bucket (kCross otherwise): what their
// arguments are, and what is done with the values. They are a peer's: read() believes nothing.
//
//   kRename, kRenameAbsent, kCopy, kCopyAbsent
//                 key: from  value: to
//   kInsertAll    key: one of them  value: for each key, value (each with a varint length)
//   kCombineBits  key: where the result goes  value: the keys (each with a varint length)
//                 args: BitLogic (1 byte)
//   kCommon       key: one  value: the other's key  args: CommonForm (1 byte)  matches (varint:
//                 the shortest that is told of)
//
// Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/operation.h"

namespace lh::core {

// The keys of such an operation besides its own, views of it; of others none.
bool read_other_keys(const Operation& operation, std::vector<std::string_view>* keys);

// Byte by byte; the shorter ones go on with zeros. kNot: of one.
enum class BitLogic : uint8_t { kAnd, kOr, kXor, kNot };

std::string encode(BitLogic logic);
bool read(std::string_view bytes, BitLogic* logic);
std::string combine(BitLogic logic, const std::vector<std::string_view>& values);

// How the answer to kCommon tells of the longest common subsequence; it begins with this byte.
enum class CommonForm : uint8_t {
  kText,
  kLength,          // varint
  kMatches,         // length, then for each first_a, first_b, bytes; all varints
  kMatchesAndSizes  // the same, for those who want to show `bytes`, too
};

struct CommonArgs {
  CommonForm form = CommonForm::kText;
  uint64_t match_bytes_min = 0;

  std::string encode() const;
  bool read(std::string_view bytes);
};

// A part of both values that is the same.
struct CommonMatch {
  uint64_t first_a = 0;
  uint64_t first_b = 0;
  uint64_t bytes = 0;
};
struct Common {
  std::string text;
  std::vector<CommonMatch> matches;  // the last one first
};
// The work and the memory grow with the product of the sizes.
inline constexpr uint64_t kCommonCellsMax = uint64_t{1} << 24;
// Bound: a.size() * b.size() <= kCommonCellsMax.
Common common_of(std::string_view a, std::string_view b);

struct CommonAnswer {
  CommonForm form = CommonForm::kText;
  std::string_view text;  // kText
  uint64_t length = 0;    // others
  std::vector<CommonMatch> matches;

  bool read(std::string_view bytes);
};
void append_answer(std::string* out, const Common& common, const CommonArgs& args);

}  // namespace lh::core
