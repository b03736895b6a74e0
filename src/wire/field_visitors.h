// The three visitors of a message's fields (fields.h): FieldWriter turns fields into bytes,
// FieldReader bytes into fields, FieldBound tells how many bytes they take at most. Internal to
// src/wire; codec.h is the way in.
//
// A visitor has these members, one for each kind of field:
//   number(x)             varint of any unsigned type; with a bound: at most that
//   node(id)              varint
//   fixed(x)              8 bytes, little endian: for hashes and random numbers
//   one_of(e)             1 byte: an enumerator for which known(e) holds
//   flag(b)               1 byte: 0 or 1
//   bytes(s, max)         varint length and as many bytes, at most max
//   text(s)               words for people: bytes of at most kTextBytesMax, cut when longer
//   address(s)            "host:port": bytes of at most kAddressBytesMax, printable, no blanks
//   list(v, max)          varint count, at most max, and the fields of each element
//   require(condition)    a relation between fields
//   routed()              whether the ReplyPath is part of the frame
//   has(condition)        whether fields that depend on other fields are there
// `what` names a field in the sentence that reports it. The writer holds us to the same bounds as
// the reader holds the peer: a message beyond them is a bug of the sender (LH_CHECK), not of the
// bytes.
#pragma once

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/check.h"
#include "base/coding.h"
#include "core/limits.h"
#include "wire/message_type.h"

namespace lh::wire {

// Longer texts say nothing that a shorter one could not.
inline constexpr size_t kTextBytesMax = 1024;

// A field of a message as this visitor sees it: only a reader may change it.
template <typename V, typename T>
using Field = std::conditional_t<V::kReads, T, const T>;

inline bool is_address(std::string_view s) {
  return std::all_of(s.begin(), s.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

class FieldWriter {
 public:
  static constexpr bool kReads = false;

  // p has room for what FieldBound says.
  FieldWriter(char* p, Routing routing) : p_(p), routing_(routing) {}

  char* end() const { return p_; }
  bool routed() const { return routing_ == Routing::kRouted; }
  static bool has(bool condition) { return condition; }
  static void require(bool condition, const char* what) { LH_CHECK(condition, what); }

  template <typename T>
  void number(T x, uint64_t max = std::numeric_limits<T>::max(), const char* what = "number") {
    LH_CHECK(x <= max, what);
    p_ = base::put_varint(p_, x);
  }
  void node(NodeId id) { number(static_cast<uint32_t>(id)); }
  void fixed(uint64_t x) {
    std::memcpy(p_, &x, sizeof x);
    p_ += sizeof x;
  }
  template <typename E>
  void one_of(E e, const char* what) {
    LH_CHECK(known(e), what);
    *p_++ = static_cast<char>(e);
  }
  void flag(bool b) { *p_++ = b ? 1 : 0; }
  void bytes(std::string_view s, size_t max, const char* what) {
    LH_CHECK(s.size() <= max, what);
    p_ = base::put_varint(p_, s.size());
    if (!s.empty()) std::memcpy(p_, s.data(), s.size());
    p_ += s.size();
  }
  void text(std::string_view s) { bytes(s.substr(0, kTextBytesMax), kTextBytesMax, "text"); }
  void address(std::string_view s) {
    LH_CHECK(is_address(s), s);
    bytes(s, core::kAddressBytesMax, "address");
  }
  template <typename T>
  void list(const std::vector<T>& v, size_t max, const char* what) {
    LH_CHECK(v.size() <= max, what);
    number(v.size());
    for (const T& element : v) fields(*this, element);
  }

 private:
  char* p_;
  Routing routing_;
};

class FieldReader {
 public:
  static constexpr bool kReads = true;

  FieldReader(std::string_view body, Routing routing) : in_(body), routing_(routing) {}

  // Nullptr when all was as it should be, else what was not.
  const char* error() const {
    if (in_.done()) return nullptr;
    if (in_.ok()) return "bytes after its end";
    return what_ != nullptr ? what_ : "ends too early, or a number is misspelt";
  }

  bool routed() const { return routing_ == Routing::kRouted; }
  static bool has(bool condition) { return condition; }
  void require(bool condition, const char* what) {
    if (!condition) bad(what);
  }

  template <typename T>
  void number(T& x, uint64_t max = std::numeric_limits<T>::max(), const char* what = "number") {
    const uint64_t value = in_.varint();
    if (value > max) return bad(what);
    x = static_cast<T>(value);
  }
  void node(NodeId& id) {
    uint32_t value = 0;
    number(value);
    id = NodeId{value};
  }
  void fixed(uint64_t& x) { x = in_.u64(); }
  template <typename E>
  void one_of(E& e, const char* what) {
    const E value{in_.u8()};
    if (!known(value)) return bad(what);
    e = value;
  }
  void flag(bool& b) {
    const uint8_t value = in_.u8();
    if (value > 1) return bad("flag");
    b = value == 1;
  }
  template <typename S>
  void bytes(S& s, size_t max, const char* what) {
    const uint64_t n = in_.varint();
    if (n > max) return bad(what);
    s = in_.bytes(n);
  }
  template <typename S>
  void text(S& s) {
    bytes(s, kTextBytesMax, "text");
  }
  template <typename S>
  void address(S& s) {
    bytes(s, core::kAddressBytesMax, "address");
    if (!is_address(s)) bad("address");
  }
  // An element takes a byte at least, so a count beyond the bytes that are there is a lie, and
  // memory is only taken for as many elements as there are bytes.
  template <typename T>
  void list(std::vector<T>& v, size_t max, const char* what) {
    const uint64_t count = in_.varint();
    if (count > max || count > in_.remaining()) return bad(what);
    v.reserve(count);
    for (uint64_t k = 0; k < count && in_.ok(); ++k) fields(*this, v.emplace_back());
  }

 private:
  [[gnu::cold]] void bad(const char* what) {
    if (in_.ok()) what_ = what;
    in_.fail();
  }

  base::Reader in_;
  Routing routing_;
  const char* what_ = nullptr;
};

// With kWorst: how many bytes any valid message of the type takes at most. Without: this message.
// Numbers count as the largest of their type, which is cheaper than to look.
template <bool kWorst>
class FieldBound {
 public:
  static constexpr bool kReads = false;

  explicit FieldBound(Routing routing) : routing_(routing) {}

  size_t size() const { return size_; }
  bool routed() const { return routing_ == Routing::kRouted; }
  static bool has(bool condition) { return kWorst || condition; }
  static void require(bool, const char*) {}

  template <typename T>
  void number(T, uint64_t = 0, const char* = nullptr) {
    size_ += base::varint_size(std::numeric_limits<T>::max());
  }
  void node(NodeId) { number(uint32_t{0}); }
  void fixed(uint64_t) { size_ += sizeof(uint64_t); }
  template <typename E>
  void one_of(E, const char*) {
    size_ += 1;
  }
  void flag(bool) { size_ += 1; }
  void bytes(std::string_view s, size_t max, const char*) {
    size_ += base::varint_size(max) + (kWorst ? max : s.size());
  }
  void text(std::string_view s) { bytes(s, kTextBytesMax, nullptr); }
  void address(std::string_view s) { bytes(s, core::kAddressBytesMax, nullptr); }
  template <typename T>
  void list(const std::vector<T>& v, size_t max, const char*) {
    number(max);
    if (kWorst) {
      FieldBound element(routing_);
      fields(element, T{});
      size_ += max * element.size();
    } else {
      for (const T& element : v) fields(*this, element);
    }
  }

 private:
  size_t size_ = 0;
  Routing routing_;
};

}  // namespace lh::wire
