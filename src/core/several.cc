#include "core/several.h"

#include <algorithm>

#include "base/coding.h"
#include "core/limits.h"

namespace lh::core {

bool read_other_keys(const Operation& operation, std::vector<std::string_view>* keys) {
  base::Reader reader(operation.value);
  switch (operation.op) {
    case Op::kRename:
    case Op::kRenameAbsent:
    case Op::kCopy:
    case Op::kCopyAbsent:
    case Op::kCommon:
      keys->push_back(operation.value);
      return operation.value.size() <= kKeyBytesMax;
    case Op::kInsertAll:
      while (reader.ok() && reader.remaining() > 0) {
        keys->push_back(reader.prefixed(kKeyBytesMax));
        reader.prefixed();
      }
      return reader.ok();
    case Op::kCombineBits:
      while (reader.ok() && reader.remaining() > 0) keys->push_back(reader.prefixed(kKeyBytesMax));
      return reader.ok();
    default:
      return true;
  }
}

std::string encode(BitLogic logic) { return {static_cast<char>(logic)}; }

bool read(std::string_view bytes, BitLogic* logic) {
  base::Reader reader(bytes);
  const uint8_t number = reader.u8();
  *logic = static_cast<BitLogic>(number);
  return reader.done() && number <= static_cast<uint8_t>(BitLogic::kNot);
}

std::string combine(BitLogic logic, const std::vector<std::string_view>& values) {
  size_t size = 0;
  for (const std::string_view value : values) size = std::max(size, value.size());
  std::string out(values.front());
  out.resize(size, '\0');
  if (logic == BitLogic::kNot) {
    for (char& byte : out) byte = static_cast<char>(~byte);
  }
  for (size_t k = 1; k < values.size(); ++k) {
    const std::string_view value = values[k];
    for (size_t at = 0; at < value.size(); ++at) {
      if (logic == BitLogic::kAnd) {
        out[at] = static_cast<char>(out[at] & value[at]);
      } else if (logic == BitLogic::kOr) {
        out[at] = static_cast<char>(out[at] | value[at]);
      } else {
        out[at] = static_cast<char>(out[at] ^ value[at]);
      }
    }
    if (logic == BitLogic::kAnd)
      std::fill(out.begin() + static_cast<ptrdiff_t>(value.size()), out.end(), '\0');
  }
  return out;
}

// ---------------------------------------------------------------------------- common subsequences

std::string CommonArgs::encode() const {
  std::string bytes(1, static_cast<char>(form));
  base::Writer<>(&bytes).varint(match_bytes_min);
  return bytes;
}

bool CommonArgs::read(std::string_view bytes) {
  base::Reader reader(bytes);
  const uint8_t number = reader.u8();
  form = static_cast<CommonForm>(number);
  match_bytes_min = reader.varint();
  return reader.done() && number <= static_cast<uint8_t>(CommonForm::kMatchesAndSizes);
}

// The table of the textbooks: the length for all prefixes of both, and then the way back from its
// end, on which bytes that are the same and in a row on both sides are one match. Where both ways
// are as long, b's last byte is given up, as Redis does.
Common common_of(std::string_view a, std::string_view b) {
  const size_t width = b.size() + 1;
  std::vector<uint32_t> lengths((a.size() + 1) * width, 0);
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j) {
      const uint32_t* above = &lengths[(i - 1) * width + j];
      lengths[i * width + j] =
          a[i - 1] == b[j - 1] ? *(above - 1) + 1 : std::max(*above, lengths[i * width + j - 1]);
    }
  }
  Common common;
  common.text.resize(lengths.back());
  size_t left = common.text.size();
  CommonMatch match;
  const auto end_match = [&] {
    if (match.bytes > 0) common.matches.push_back(match);
    match = {};
  };
  for (size_t i = a.size(), j = b.size(); i > 0 && j > 0;) {
    if (a[i - 1] == b[j - 1]) {
      common.text[--left] = a[i - 1];
      const bool goes_on = match.bytes > 0 && match.first_a == i && match.first_b == j;
      if (!goes_on) end_match();
      match = {i - 1, j - 1, match.bytes + 1};
      --i;
      --j;
    } else if (lengths[(i - 1) * width + j] > lengths[i * width + j - 1]) {
      --i;
    } else {
      --j;
    }
  }
  end_match();
  return common;
}

void append_answer(std::string* out, const Common& common, const CommonArgs& args) {
  base::Writer<> writer(out);
  writer.u8(static_cast<uint8_t>(args.form));
  if (args.form == CommonForm::kText) return writer.bytes(common.text);
  writer.varint(common.text.size());
  if (args.form == CommonForm::kLength) return;
  for (const CommonMatch& match : common.matches) {
    if (match.bytes < args.match_bytes_min) continue;
    writer.varint(match.first_a);
    writer.varint(match.first_b);
    writer.varint(match.bytes);
  }
}

bool CommonAnswer::read(std::string_view bytes) {
  base::Reader reader(bytes);
  form = static_cast<CommonForm>(reader.u8());
  if (form == CommonForm::kText) {
    text = reader.rest();
    return reader.ok();
  }
  length = reader.varint();
  while (reader.ok() && reader.remaining() > 0) {
    CommonMatch match;
    match.first_a = reader.varint();
    match.first_b = reader.varint();
    match.bytes = reader.varint();
    matches.push_back(match);
  }
  return reader.ok() && form <= CommonForm::kMatchesAndSizes;
}

}  // namespace lh::core
