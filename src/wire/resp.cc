#include "wire/resp.h"

#include <algorithm>

#include "base/strings.h"
#include "wire/text.h"

namespace lh::wire {
namespace {

// Places of an ordinary request; beyond it they are given back.
constexpr size_t kPlacesKept = 1'024;
// Digits of the longest number that anybody means.
constexpr size_t kDigitsMax = 20;

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r') || c == '\0'; }
constexpr bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

constexpr int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

constexpr char unescape(char c) {
  switch (c) {
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'b':
      return '\b';
    case 'a':
      return '\a';
    default:
      return c;
  }
}

// The digit, or more than 9.
constexpr unsigned digit(char c) { return static_cast<unsigned char>(c) - unsigned{'0'}; }

}  // namespace

size_t take_ordinary(std::string_view unread, RespArgs::Place* places, size_t* count) {
  static_assert(kOrdinaryArgs < 10);
  constexpr ptrdiff_t kArrayMin = 4;  // "*1\r\n"
  constexpr ptrdiff_t kBulkMin = 6;   // "$0\r\n\r\n", and as much as the longest header: "$999\r\n"
  const char* const begin = unread.data();
  const char* const end = begin + unread.size();
  const char* p = begin;
  if (end - p < kArrayMin || p[0] != '*' || p[2] != '\r' || p[3] != '\n') return 0;
  const size_t args = digit(p[1]);
  if (args - 1 >= kOrdinaryArgs) return 0;
  p += kArrayMin;
  for (size_t k = 0; k < args; ++k) {
    if (end - p < kBulkMin || *p != '$') return 0;
    size_t size = digit(p[1]);
    if (p[2] == '\r') {
      if (size > 9 || p[3] != '\n') return 0;
      p += 4;
    } else {
      // One spelling of each number: no zero in front.
      const size_t second = digit(p[2]);
      if (size - 1 > 8 || second > 9) return 0;
      size = size * 10 + second;
      if (p[3] == '\r') {
        if (p[4] != '\n') return 0;
        p += 5;
      } else {
        const size_t third = digit(p[3]);
        if (third > 9 || p[4] != '\r' || p[5] != '\n') return 0;
        size = size * 10 + third;
        p += 6;
      }
    }
    if (end - p < static_cast<ptrdiff_t>(size) + 2 || p[size] != '\r' || p[size + 1] != '\n')
      return 0;
    places[k] = {static_cast<uint32_t>(p - begin), static_cast<uint32_t>(size)};
    p += size + 2;
  }
  *count = args;
  return static_cast<size_t>(p - begin);
}

void RespParser::reset() {
  if (places_.capacity() > kPlacesKept) places_ = {};
  places_.clear();
  if (words_.capacity() > kPlacesKept) words_ = {};
  words_.clear();
  step_ = Step::kStart;
  done_ = false;
  at_ = left_ = scanned_ = 0;
}

RespStatus RespParser::next(std::string_view unread) {
  if (done_) reset();
  unread_ = unread;
  base_ = unread.data();
  const RespStatus status = step_ == Step::kStart ? start() : bulks();
  done_ = status != RespStatus::kNeedMore;
  return status;
}

RespStatus RespParser::bad(std::string_view why) {
  error_.assign("ERR Protocol error: ").append(why);
  return RespStatus::kBad;
}

RespStatus RespParser::start() {
  if (unread_.empty()) return RespStatus::kNeedMore;
  if (unread_[0] != '*') return inline_command();
  at_ = 1;
  int64_t count = 0;
  switch (read_number(&count)) {
    case Number::kNeedMore:
      return RespStatus::kNeedMore;
    case Number::kTooBig:
      return bad("too big mbulk count string");
    case Number::kBad:
      return bad("invalid multibulk length");
    case Number::kOk:
      break;
  }
  if (count > static_cast<int64_t>(kRespArgsMax)) return bad("invalid multibulk length");
  if (count <= 0) return RespStatus::kBlank;
  left_ = static_cast<size_t>(count);
  step_ = Step::kLength;
  return bulks();
}

// The number at at_ and the end of its line, which at_ then is behind. A byte that cannot belong to
// it is bad at once: who sends it need not end the line.
RespParser::Number RespParser::read_number(int64_t* number) {
  const char* const begin = unread_.data() + at_;
  const char* const end = unread_.data() + unread_.size();
  const char* p = begin;
  if (p != end && *p == '-') ++p;
  int64_t value = 0;
  for (; p != end && is_digit(*p); ++p) {
    if (p - begin < static_cast<ptrdiff_t>(kDigitsMax) - 2) value = value * 10 + (*p - '0');
  }
  const auto size = static_cast<size_t>(p - begin);
  if (size >= kLineBytesMax) return Number::kTooBig;
  if (p == end) return Number::kNeedMore;
  if (*p != '\r') return Number::kBad;
  if (p + 1 == end) return Number::kNeedMore;
  if (p[1] != '\n') return Number::kBad;
  const bool negative = size > 0 && *begin == '-';
  const char* const digits = begin + (negative ? 1 : 0);
  // One spelling of each number, of which the longest are beyond all bounds.
  if (p == digits || (*digits == '0' && size > 1)) return Number::kBad;
  if (size > kDigitsMax - 2) return Number::kBad;
  *number = negative ? -value : value;
  at_ += size + 2;
  return Number::kOk;
}

RespStatus RespParser::bulks() {
  for (; left_ > 0; --left_) {
    if (step_ == Step::kLength) {
      if (at_ == unread_.size()) return RespStatus::kNeedMore;
      if (const char c = unread_[at_]; c != '$') {
        return bad(std::string("expected '$', got '") + (is_control(c) ? ' ' : c) + "'");
      }
      ++at_;
      int64_t length = 0;
      switch (read_number(&length)) {
        case Number::kNeedMore:
          --at_;
          return RespStatus::kNeedMore;
        case Number::kTooBig:
          return bad("too big bulk count string");
        case Number::kBad:
          return bad("invalid bulk length");
        case Number::kOk:
          break;
      }
      if (length < 0 || length > static_cast<int64_t>(core::kValueBytesMax)) {
        return bad("invalid bulk length");
      }
      length_ = static_cast<size_t>(length);
      if (at_ + length_ > kRespRequestBytesMax) return bad("too big request");
      step_ = Step::kBytes;
    }
    if (unread_.size() - at_ < length_ + 2) return RespStatus::kNeedMore;
    if (unread_[at_ + length_] != '\r' || unread_[at_ + length_ + 1] != '\n') {
      return bad("expected an end of line behind a bulk string of its length");
    }
    places_.push_back({static_cast<uint32_t>(at_), static_cast<uint32_t>(length_)});
    at_ += length_ + 2;
    step_ = Step::kLength;
  }
  return RespStatus::kRequest;
}

RespStatus RespParser::inline_command() {
  const size_t end = unread_.find('\n', scanned_);
  if (std::min(end, unread_.size()) > kLineBytesMax) return bad("too big inline request");
  if (end == std::string_view::npos) {
    scanned_ = unread_.size();
    return RespStatus::kNeedMore;
  }
  at_ = end + 1;
  if (!split_words(unread_.substr(0, end))) return bad("unbalanced quotes in request");
  base_ = words_.data();
  return places_.empty() ? RespStatus::kBlank : RespStatus::kRequest;
}

// By the rules of redis-cli: blanks separate words; "..." takes escapes, '...' only \'; a closing
// quote ends its word.
bool RespParser::split_words(std::string_view line) {
  words_.reserve(line.size());
  size_t at = 0;
  while (true) {
    while (at < line.size() && is_blank(line[at])) ++at;
    if (at == line.size()) return true;
    const size_t begin = words_.size();
    while (at < line.size() && !is_blank(line[at])) {
      if (line[at] == '"' || line[at] == '\'') {
        if (!take_quoted(line, &at)) return false;
        break;
      }
      words_.push_back(line[at++]);
    }
    places_.push_back({static_cast<uint32_t>(begin), static_cast<uint32_t>(words_.size() - begin)});
  }
}

bool RespParser::take_quoted(std::string_view line, size_t* at) {
  const char quote = line[*at];
  size_t k = *at + 1;
  for (; k < line.size() && line[k] != quote; ++k) {
    if (line[k] != '\\' || k + 1 == line.size()) {
      words_.push_back(line[k]);
    } else if (quote == '\'') {
      if (line[k + 1] == '\'') ++k;
      words_.push_back(line[k]);
    } else if (k + 3 < line.size() && line[k + 1] == 'x' && hex_digit(line[k + 2]) >= 0 &&
               hex_digit(line[k + 3]) >= 0) {
      words_.push_back(static_cast<char>(hex_digit(line[k + 2]) * 16 + hex_digit(line[k + 3])));
      k += 3;
    } else {
      words_.push_back(unescape(line[++k]));
    }
  }
  if (k == line.size()) return false;
  *at = k + 1;
  return *at == line.size() || is_blank(line[*at]);
}

}  // namespace lh::wire
