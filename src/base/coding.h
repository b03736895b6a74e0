// Bytes <-> numbers, for the wire and the disk: fixed-width little-endian integers, varints
// (LEB128, 7 bits a byte, low first) and byte strings with their length in front.
//
// Reader takes what a peer or a disk hands us and believes nothing: every length is checked before
// it is used, and a failed read makes it fail for good (reads then yield zeros and empty strings),
// so that a decoder reads all its fields and asks ok() or done() once at the end. Writer appends to
// any sink of bytes. Neither owns the bytes; both are values of one thread.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace lh::base {

static_assert(std::endian::native == std::endian::little,
              "fixed-width integers are copied as they are in memory");

// A varint takes at most this many bytes: ceil(64 / 7).
inline constexpr size_t kVarintBytesMax = 10;

// How many bytes a varint of this value takes: 1..kVarintBytesMax.
constexpr size_t varint_size(uint64_t value) {
  return static_cast<size_t>((std::bit_width(value | 1) + 6) / 7);
}

// Writes value as a varint to p, which has room for kVarintBytesMax, and returns the byte after it.
inline char* put_varint(char* p, uint64_t value) {
  for (; value >= 0x80; value >>= 7) *p++ = static_cast<char>(value | 0x80);
  *p++ = static_cast<char>(value);
  return p;
}

class Reader {
 public:
  explicit Reader(std::string_view bytes) : p_(bytes.data()), end_(p_ + bytes.size()) {}

  uint8_t u8() { return fixed<uint8_t>(); }
  uint16_t u16() { return fixed<uint16_t>(); }
  uint32_t u32() { return fixed<uint32_t>(); }
  uint64_t u64() { return fixed<uint64_t>(); }

  // Fails on more than 64 bits and on a spelling that is longer than need be: one value, one form.
  uint64_t varint() {
    if (p_ != end_ && static_cast<uint8_t>(*p_) < 0x80) return static_cast<uint8_t>(*p_++);
    return long_varint();
  }

  // The next n bytes, a view of the input.
  std::string_view bytes(uint64_t n) {
    if (n > remaining()) return fail();
    const std::string_view taken(p_, n);
    p_ += n;
    return taken;
  }

  // A varint length of at most size_max, then as many bytes.
  std::string_view prefixed(uint64_t size_max = ~uint64_t{0}) {
    const uint64_t n = varint();
    return n <= size_max ? bytes(n) : fail();
  }

  // What has not been read yet; reads it.
  std::string_view rest() { return bytes(remaining()); }

  // For a decoder that finds a value out of its range.
  std::string_view fail() {
    failed_ = true;
    p_ = end_;
    return {};
  }

  size_t remaining() const { return static_cast<size_t>(end_ - p_); }
  bool ok() const { return !failed_; }
  // Everything was there, and nothing is left over.
  bool done() const { return !failed_ && p_ == end_; }

 private:
  template <typename T>
  T fixed() {
    T value{};
    if (remaining() < sizeof value) {
      fail();
      return value;
    }
    std::memcpy(&value, p_, sizeof value);
    p_ += sizeof value;
    return value;
  }

  uint64_t long_varint();

  const char* p_;
  const char* end_;
  bool failed_ = false;
};

// What a Writer appends to: a std::string, or a buffer with the same append.
template <typename T>
concept ByteSink = requires(T& sink, const char* p, size_t n) {
  sink.append(p, n);
};

template <ByteSink Sink = std::string>
class Writer {
 public:
  // sink outlives the Writer.
  explicit Writer(Sink* sink) : sink_(sink) {}

  void u8(uint8_t value) { fixed(value); }
  void u16(uint16_t value) { fixed(value); }
  void u32(uint32_t value) { fixed(value); }
  void u64(uint64_t value) { fixed(value); }

  void varint(uint64_t value) {
    char buffer[kVarintBytesMax];
    const char* end = put_varint(buffer, value);
    sink_->append(buffer, static_cast<size_t>(end - buffer));
  }

  void bytes(std::string_view b) { sink_->append(b.data(), b.size()); }

  void prefixed(std::string_view b) {
    varint(b.size());
    bytes(b);
  }

 private:
  template <typename T>
  void fixed(T value) {
    char buffer[sizeof value];
    std::memcpy(buffer, &value, sizeof value);
    sink_->append(buffer, sizeof buffer);
  }

  Sink* sink_;
};

}  // namespace lh::base
