// Visitors of message fields for tests (see wire/field_visitors.h): one fills a message with random
// valid values, one writes down all that a message says, one notes which members were visited.
#pragma once

#include <algorithm>
#include <deque>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/prng.h"
#include "wire/fields.h"

namespace lh::wire {

// Fills fields with values that are often at or near their bounds. Strings live in the filler.
class FieldFiller {
 public:
  static constexpr bool kReads = true;

  FieldFiller(base::Prng* prng, Routing routing) : prng_(prng), routing_(routing) {}

  // False when the values drawn break a relation: draw again.
  bool valid() const { return valid_; }

  bool routed() const { return routing_ == Routing::kRouted; }
  static bool has(bool condition) { return condition; }
  void require(bool condition, const char*) { valid_ = valid_ && condition; }

  template <typename T>
  void number(T& x, uint64_t max = std::numeric_limits<T>::max(), const char* = nullptr) {
    x = static_cast<T>(draw(max));
  }
  void node(NodeId& id) {
    uint32_t value = 0;
    number(value);
    id = NodeId{value};
  }
  void fixed(uint64_t& x) { x = draw(~uint64_t{0}); }
  template <typename E>
  void one_of(E& e, const char*) {
    do {
      e = E(prng_->below(16));
    } while (!known(e));
  }
  void flag(bool& b) { b = prng_->chance(1, 2); }
  template <typename S>
  void bytes(S& s, size_t max, const char*) {
    s = string(max, 0, 255);
  }
  template <typename S>
  void text(S& s) {
    s = string(kTextBytesMax, 0, 255);
  }
  template <typename S>
  void address(S& s) {
    s = string(core::kAddressBytesMax, '!', '~');
  }
  template <typename T>
  void list(std::vector<T>& v, size_t, const char*) {
    v.resize(prng_->below(4));
    for (T& element : v) fields(*this, element);
  }

 private:
  uint64_t draw(uint64_t max) {
    switch (prng_->below(8)) {
      case 0:
        return 0;
      case 1:
        return max;
      default:
        return std::min(max, prng_->next() >> prng_->below(64));
    }
  }

  std::string_view string(size_t max, char first, uint8_t last) {
    const size_t size = std::min<size_t>(max, prng_->below(prng_->chance(1, 20) ? 300 : 12));
    std::string& s = strings_.emplace_back(size, '\0');
    for (char& c : s) {
      c = static_cast<char>(prng_->between(static_cast<uint8_t>(first), last));
    }
    return s;
  }

  base::Prng* prng_;
  Routing routing_;
  bool valid_ = true;
  std::deque<std::string> strings_;
};

// Writes every field in words of its own, to compare messages without relying on the codec.
class FieldPrinter {
 public:
  static constexpr bool kReads = false;

  explicit FieldPrinter(Routing routing) : routing_(routing) {}

  const std::string& text() const { return out_; }

  bool routed() const { return routing_ == Routing::kRouted; }
  static bool has(bool condition) { return condition; }
  static void require(bool, const char*) {}

  template <typename T>
  void number(T x, uint64_t = 0, const char* = nullptr) {
    out_ += std::to_string(x) + ' ';
  }
  void node(NodeId id) { out_ += "node " + std::to_string(static_cast<uint32_t>(id)) + ' '; }
  void fixed(uint64_t x) { out_ += "fixed " + std::to_string(x) + ' '; }
  template <typename E>
  void one_of(E e, const char* what) {
    out_ += std::string(what) + ' ' + std::to_string(static_cast<unsigned>(e)) + ' ';
  }
  void flag(bool b) { out_ += b ? "yes " : "no "; }
  void bytes(std::string_view s, size_t, const char*) {
    out_ += '[' + std::to_string(s.size()) + ' ';
    out_.append(s) += "] ";
  }
  void text(std::string_view s) { bytes(s, 0, nullptr); }
  void address(std::string_view s) { bytes(s, 0, nullptr); }
  template <typename T>
  void list(const std::vector<T>& v, size_t, const char*) {
    out_ += '{';
    for (const T& element : v) fields(*this, element);
    out_ += "} ";
  }

 private:
  std::string out_;
  Routing routing_;
};

// Notes the addresses of the fields that a description visits, those that depend on others too.
class FieldTracer {
 public:
  static constexpr bool kReads = true;

  bool visited(const void* first, size_t size) const {
    const auto* begin = static_cast<const char*>(first);
    return std::any_of(visited_.begin(), visited_.end(),
                       [=](const char* p) { return p >= begin && p < begin + size; });
  }
  void note(const void* p) { visited_.push_back(static_cast<const char*>(p)); }

  static bool routed() { return true; }
  static bool has(bool) { return true; }
  static void require(bool, const char*) {}

  template <typename T>
  void number(T& x, uint64_t = 0, const char* = nullptr) {
    note(&x);
  }
  void node(NodeId& id) { note(&id); }
  void fixed(uint64_t& x) { note(&x); }
  template <typename E>
  void one_of(E& e, const char*) {
    note(&e);
  }
  void flag(bool& b) { note(&b); }
  template <typename S>
  void bytes(S& s, size_t, const char*) {
    note(&s);
  }
  template <typename S>
  void text(S& s) {
    note(&s);
  }
  template <typename S>
  void address(S& s) {
    note(&s);
  }
  template <typename T>
  void list(std::vector<T>& v, size_t, const char*) {
    note(&v);
  }

 private:
  std::vector<const char*> visited_;
};

// All that a message says in a frame of this routing.
template <typename M>
std::string print(const M& message, Routing routing) {
  FieldPrinter printer(routing);
  body(printer, message);
  return std::string(kRow<M>.name) + ' ' + printer.text();
}
inline std::string print(const core::Message& message, Routing routing) {
  return std::visit([=](const auto& m) { return print(m, routing); }, message);
}

// A random valid message of each type, with the strings that it borrows.
class RandomMessages {
 public:
  explicit RandomMessages(uint64_t seed) : prng_(seed) {}

  static constexpr size_t kTypes = std::variant_size_v<core::Message>;

  // Of the alternative `index`; holds until the next draw.
  core::Message draw(size_t index, Routing routing) {
    return draw(index, routing, std::make_index_sequence<kTypes>());
  }
  base::Prng& prng() { return prng_; }

 private:
  template <size_t... I>
  core::Message draw(size_t index, Routing routing, std::index_sequence<I...>) {
    core::Message message;
    ((index == I ? fill(&message.emplace<I>(), routing) : void()), ...);
    return message;
  }
  template <typename M>
  void fill(M* message, Routing routing) {
    const Routing actual = kPath<M> != nullptr ? routing : Routing::kDirect;
    do {
      fillers_.clear();
      *message = {};
      body(fillers_.emplace_back(&prng_, actual), *message);
    } while (!fillers_.back().valid());
  }

  base::Prng prng_;
  std::deque<FieldFiller> fillers_;
};

// Where a message of this type goes on the wire when routed frames are asked for.
inline Routing routing_of(const core::Message& message, Routing asked) {
  return std::visit(
      [=](const auto& m) {
        return kPath<std::remove_cvref_t<decltype(m)>> != nullptr ? asked : Routing::kDirect;
      },
      message);
}

}  // namespace lh::wire
