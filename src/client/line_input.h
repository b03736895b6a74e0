// LineInput: the lines of a descriptor, however long they are up to a bound. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace lh::client {

class LineInput {
 public:
  enum class Outcome : uint8_t {
    kLine,
    kEnd,
    kTooLong,  // and no more lines come
    kFailed,   // errno says why
  };

  // line_max: bytes without the end of line. before_read is called before each read that may block.
  LineInput(int fd, size_t line_max, std::function<void()> before_read);

  // The next line, without LF or CRLF; the last one need not have an end. The view holds until the
  // next call.
  Outcome next(std::string_view* line);

  // Whether next() would give a line without reading.
  bool has_line() const { return buffer_.find('\n', begin_) != std::string::npos; }

  // Bytes read so far, for showing how far a file has come.
  uint64_t bytes_read() const { return bytes_read_; }

 private:
  Outcome take(size_t size, size_t end_size, std::string_view* line);
  // Bytes read; 0 at the end, negative for an error.
  ptrdiff_t fill();

  int fd_;
  size_t line_max_;
  std::function<void()> before_read_;
  std::string buffer_;
  size_t begin_ = 0;    // of what was not handed out
  size_t scanned_ = 0;  // up to here there is no LF
  uint64_t bytes_read_ = 0;
  bool ended_ = false;
};

}  // namespace lh::client
