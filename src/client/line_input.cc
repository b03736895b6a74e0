#include "client/line_input.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace lh::client {
namespace {

constexpr size_t kChunk = size_t{256} << 10;

}  // namespace

LineInput::LineInput(int fd, size_t line_max, std::function<void()> before_read)
    : fd_(fd), line_max_(line_max), before_read_(std::move(before_read)) {}

LineInput::Outcome LineInput::next(std::string_view* line) {
  while (true) {
    scanned_ = std::max(scanned_, begin_);
    const size_t end = buffer_.find('\n', scanned_);
    if (end != std::string::npos) return take(end - begin_, 1, line);
    scanned_ = buffer_.size();
    const size_t held = buffer_.size() - begin_;
    if (held > line_max_ + 1) return Outcome::kTooLong;
    if (ended_) return held == 0 ? Outcome::kEnd : take(held, 0, line);
    const ptrdiff_t got = fill();
    if (got < 0) return Outcome::kFailed;
    ended_ = got == 0;
  }
}

LineInput::Outcome LineInput::take(size_t size, size_t end_size, std::string_view* line) {
  *line = std::string_view(buffer_).substr(begin_, size);
  begin_ += size + end_size;
  if (line->ends_with('\r')) line->remove_suffix(1);
  return line->size() <= line_max_ ? Outcome::kLine : Outcome::kTooLong;
}

ptrdiff_t LineInput::fill() {
  buffer_.erase(0, begin_);
  scanned_ -= begin_;
  begin_ = 0;
  const size_t held = buffer_.size();
  // Doubled for long lines, so that reading one costs time in proportion to its length.
  buffer_.resize(std::max(held * 2, held + kChunk));
  ptrdiff_t got = 0;
  do {
    before_read_();
    got = ::read(fd_, buffer_.data() + held, buffer_.size() - held);
  } while (got < 0 && (errno == EINTR || errno == EAGAIN));
  buffer_.resize(held + static_cast<size_t>(std::max<ptrdiff_t>(got, 0)));
  bytes_read_ += static_cast<uint64_t>(std::max<ptrdiff_t>(got, 0));
  return got;
}

}  // namespace lh::client
