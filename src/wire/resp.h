// RESP requests, the protocol of Redis, parsed in place: a request is an array of bulk strings or,
// as people type it, an inline command of words. The grammar is in FORMAT.md.
//
// Incremental: asked again with more bytes, the parser goes on where it stopped, so that a request
// which comes byte by byte costs no more than one that comes at once. Nothing is allocated by what
// a peer claims; memory grows with what has come. Bounds: kRespArgsMax arguments, values of
// core::kValueBytesMax, kRespRequestBytesMax for a request, kLineBytesMax for lines. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/limits.h"

namespace lh::wire {

inline constexpr size_t kRespArgsMax = size_t{1} << 20;
// Of a whole request, so that a peer cannot fill memory with one that never ends.
inline constexpr size_t kRespRequestBytesMax = size_t{32} << 20;
static_assert(kRespRequestBytesMax > core::kValueBytesMax + core::kKeyBytesMax + 1024);

enum class RespStatus : uint8_t {
  kNeedMore,  // the request is not complete
  kRequest,   // args() has it
  kBlank,     // an empty line or array: no request, no answer
  kBad,       // error() says why; there is no telling where the next request starts
};

// The arguments of a request, as views into the bytes it was parsed from.
class RespArgs {
 public:
  struct Place {
    uint32_t at;
    uint32_t size;
  };
  RespArgs() = default;
  RespArgs(const char* base, const Place* places, size_t count)
      : base_(base), places_(places), count_(count) {}

  // The places are there now.
  void move_to(const Place* places) { places_ = places; }

  size_t size() const { return count_; }
  const Place& place(size_t k) const { return places_[k]; }
  std::string_view operator[](size_t k) const { return {base_ + places_[k].at, places_[k].size}; }

 private:
  const char* base_ = nullptr;
  const Place* places_ = nullptr;
  size_t count_ = 0;
};

// A request as nearly all are: an array of at most kOrdinaryArgs bulk strings of fewer than 1,000
// bytes, there as a whole. Its arguments go to places[0..*count). Returns its size; 0 when it is
// something else, or something is wrong with it, which is for a RespParser to find out.
inline constexpr size_t kOrdinaryArgs = 8;
size_t take_ordinary(std::string_view unread, RespArgs::Place* places, size_t* count);

class RespParser {
 public:
  // `unread` starts where the request does: with the same bytes as in the call before, and perhaps
  // more of them, after kNeedMore; anywhere after anything else. They may have moved.
  RespStatus next(std::string_view unread);

  // The next bytes are others than those that the last call asked for more of.
  void forget() { done_ = true; }
  // In the middle of a request.
  bool has_begun() const { return !done_; }

  // Bound: next() just said kRequest. Holds until the next call, and as long as the bytes do.
  RespArgs args() const { return {base_, places_.data(), places_.size()}; }
  // Whether args() are views into `unread` itself; those of an inline command are not.
  bool in_place() const { return words_.empty(); }
  // Bytes of the request or blank.
  size_t size() const { return at_; }
  // A whole error line's text, without its `-` and end. Bound: next() just said kBad.
  const std::string& error() const { return error_; }

 private:
  enum class Step : uint8_t { kStart, kLength, kBytes };
  enum class Number : uint8_t { kOk, kNeedMore, kBad, kTooBig };

  RespStatus start();
  RespStatus bulks();
  RespStatus inline_command();
  bool split_words(std::string_view line);
  bool take_quoted(std::string_view line, size_t* at);
  Number read_number(int64_t* number);
  RespStatus bad(std::string_view why);
  void reset();

  std::string_view unread_;
  const char* base_ = nullptr;
  std::vector<RespArgs::Place> places_;
  std::string words_;  // of an inline command
  std::string error_;
  Step step_ = Step::kStart;
  bool done_ = true;
  size_t at_ = 0;       // parsed up to here
  size_t left_ = 0;     // arguments to come
  size_t length_ = 0;   // of the argument that is being read
  size_t scanned_ = 0;  // no end of line before this place
};

}  // namespace lh::wire
