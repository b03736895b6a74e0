// Glob patterns (declared in base/strings.h).
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

}  // namespace

// A star first matches nothing; when what follows fails, the last star takes one byte more. Earlier
// stars need no second try: the leftmost place for what is between two stars leaves most to the
// rest.
bool glob_match(std::string_view pattern, std::string_view text) {
  std::string_view p = pattern;
  std::string_view after_star;
  size_t star_end = 0;
  bool star = false;
  size_t t = 0;
  while (t < text.size()) {
    if (p.starts_with('*')) {
      p.remove_prefix(1);
      if (p.empty()) return true;
      star = true;
      after_star = p;
      star_end = t;
    } else if (!p.empty() && take_one(&p, static_cast<uint8_t>(text[t]))) {
      ++t;
    } else if (star) {
      p = after_star;
      t = ++star_end;
    } else {
      return false;
    }
  }
  return p.find_first_not_of('*') == std::string_view::npos;
}

}  // namespace lh::base
