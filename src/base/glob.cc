// Glob patterns (declared in base/strings.h).
#include <cstring>
#include <utility>

#include "base/strings.h"

namespace lh::base {
namespace {

// Takes one byte of a set off *p, resolving an escape. Bound: *p is not empty.
uint8_t take_member(std::string_view* p) {
  if (p->front() == '\\' && p->size() > 1) p->remove_prefix(1);
  const auto byte = static_cast<uint8_t>(p->front());
  p->remove_prefix(1);
  return byte;
}

// Takes a set, whose '[' is gone already, off *p and says whether it holds the byte.
bool take_set(std::string_view* p, uint8_t byte) {
  const bool negated = p->starts_with('^');
  if (negated) p->remove_prefix(1);
  bool found = false;
  while (!p->empty() && p->front() != ']') {
    uint8_t first = take_member(p);
    uint8_t last = first;
    if (p->size() >= 2 && p->front() == '-') {
      p->remove_prefix(1);
      last = take_member(p);
    }
    if (first > last) std::swap(first, last);
    found = found || (first <= byte && byte <= last);
  }
  if (!p->empty()) p->remove_prefix(1);
  return found != negated;
}

// Takes what matches exactly one byte off *p and says whether it matches this one. Bound: *p is not
// empty and does not start with '*'.
bool take_one(std::string_view* p, uint8_t byte) {
  const char c = p->front();
  if (c == '[') {
    p->remove_prefix(1);
    return take_set(p, byte);
  }
  if (c == '?') {
    p->remove_prefix(1);
    return true;
  }
  return take_member(p) == byte;
}

// Takes elements that match one byte each off *p, and the bytes they match off *text, up to the
// next star or the end of *p. False when a byte is missing or does not match.
bool take_front(std::string_view* p, std::string_view* text) {
  while (!p->empty() && p->front() != '*') {
    if (text->empty() || !take_one(p, static_cast<uint8_t>(text->front()))) return false;
    text->remove_prefix(1);
  }
  return true;
}

// What stands between two stars, or behind the last one.
struct Segment {
  std::string_view pattern;
  size_t matched_size = 0;  // how many bytes it matches: one an element
};

Segment segment_at(std::string_view p) {
  Segment segment;
  std::string_view rest = p;
  while (!rest.empty() && rest.front() != '*') {
    take_one(&rest, 0);
    ++segment.matched_size;
  }
  segment.pattern = p.substr(0, p.size() - rest.size());
  return segment;
}

// Drops what is in front of the first place that has these bytes. False when there is none.
// memmem, unlike string_view::find, takes linear time whatever the bytes.
bool skip_to(std::string_view bytes, std::string_view* text) {
  if (bytes.empty()) return true;
  const void* found = memmem(text->data(), text->size(), bytes.data(), bytes.size());
  if (found == nullptr) return false;
  text->remove_prefix(static_cast<size_t>(static_cast<const char*>(found) - text->data()));
  return true;
}

// Drops all of *text up to the end of the first place where the segment matches.
bool skip_behind(const Segment& segment, std::string_view* text) {
  const std::string_view literal = segment.pattern.substr(0, segment.pattern.find_first_of("?[\\"));
  while (text->size() >= segment.matched_size && skip_to(literal, text)) {
    std::string_view p = segment.pattern;
    std::string_view rest = *text;
    if (take_front(&p, &rest)) {
      *text = rest;
      return true;
    }
    if (text->empty()) return false;
    text->remove_prefix(1);
  }
  return false;
}

}  // namespace

// No star is tried twice: the first place for what is between two stars leaves most to the rest,
// and what is behind the last star can only stand at the end.
bool glob_match(std::string_view pattern, std::string_view text) {
  if (!take_front(&pattern, &text)) return false;
  while (!pattern.empty()) {
    pattern.remove_prefix(1);
    const Segment segment = segment_at(pattern);
    if (segment.pattern.size() == pattern.size()) {
      if (segment.matched_size > text.size()) return false;
      text.remove_prefix(text.size() - segment.matched_size);
      return take_front(&pattern, &text);
    }
    if (!skip_behind(segment, &text)) return false;
    pattern.remove_prefix(segment.pattern.size());
  }
  return text.empty();
}

}  // namespace lh::base
