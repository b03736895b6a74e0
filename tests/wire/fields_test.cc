#include "wire/fields.h"

#include <gtest/gtest.h>

#include <typeinfo>
#include <utility>
#include <variant>
#include <vector>

#include "tests/wire/test_visitors.h"

// A member that somebody adds to a message and forgets to describe would silently stay behind.
namespace lh::wire {
namespace {

// Converts to anything, to count the members of an aggregate.
struct Anything {
  template <typename T>
  operator T() const;
};

template <typename T, typename... A>
constexpr size_t member_count() {
  if constexpr (requires { T{A{}..., Anything{}}; }) {
    return member_count<T, A..., Anything>();
  } else {
    return sizeof...(A);
  }
}

struct Member {
  const void* at;
  size_t size;
};
template <typename... T>
std::vector<Member> ranges(const T&... member) {
  return {Member{&member, sizeof member}...};
}

template <typename T>
std::vector<Member> members(const T& t) {
  constexpr size_t n = member_count<T>();
  static_assert(n >= 1 && n <= 16, "add a line below");
  if constexpr (n == 1) {
    const auto& [a] = t;
    return ranges(a);
  }
  if constexpr (n == 2) {
    const auto& [a, b] = t;
    return ranges(a, b);
  }
  if constexpr (n == 3) {
    const auto& [a, b, c] = t;
    return ranges(a, b, c);
  }
  if constexpr (n == 4) {
    const auto& [a, b, c, d] = t;
    return ranges(a, b, c, d);
  }
  if constexpr (n == 5) {
    const auto& [a, b, c, d, e] = t;
    return ranges(a, b, c, d, e);
  }
  if constexpr (n == 6) {
    const auto& [a, b, c, d, e, f] = t;
    return ranges(a, b, c, d, e, f);
  }
  if constexpr (n == 7) {
    const auto& [a, b, c, d, e, f, g] = t;
    return ranges(a, b, c, d, e, f, g);
  }
  if constexpr (n == 8) {
    const auto& [a, b, c, d, e, f, g, h] = t;
    return ranges(a, b, c, d, e, f, g, h);
  }
  if constexpr (n == 9) {
    const auto& [a, b, c, d, e, f, g, h, i] = t;
    return ranges(a, b, c, d, e, f, g, h, i);
  }
  if constexpr (n == 10) {
    const auto& [a, b, c, d, e, f, g, h, i, j] = t;
    return ranges(a, b, c, d, e, f, g, h, i, j);
  }
  if constexpr (n == 11) {
    const auto& [a, b, c, d, e, f, g, h, i, j, k] = t;
    return ranges(a, b, c, d, e, f, g, h, i, j, k);
  }
  if constexpr (n == 12) {
    const auto& [a, b, c, d, e, f, g, h, i, j, k, l] = t;
    return ranges(a, b, c, d, e, f, g, h, i, j, k, l);
  }
  if constexpr (n == 13) {
    const auto& [a, b, c, d, e, f, g, h, i, j, k, l, m] = t;
    return ranges(a, b, c, d, e, f, g, h, i, j, k, l, m);
  }
  if constexpr (n == 14) {
    const auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, o] = t;
    return ranges(a, b, c, d, e, f, g, h, i, j, k, l, m, o);
  }
  if constexpr (n == 15) {
    const auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, o, p] = t;
    return ranges(a, b, c, d, e, f, g, h, i, j, k, l, m, o, p);
  }
  if constexpr (n == 16) {
    const auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, o, p, q] = t;
    return ranges(a, b, c, d, e, f, g, h, i, j, k, l, m, o, p, q);
  }
}

template <typename T>
void expect_traced(const FieldTracer& tracer, const T& t) {
  size_t number = 0;
  for (const Member& member : members(t)) {
    EXPECT_TRUE(tracer.visited(member.at, member.size))
        << "member " << number << " of " << typeid(T).name() << " is missing in its description";
    ++number;
  }
}

// What a message carries within a process only.
template <typename M>
void note_unsent(const M&, FieldTracer*) {}
void note_unsent(const core::Request& request, FieldTracer* tracer) { tracer->note(&request.c); }

template <typename M>
void expect_message_described(M message) {
  FieldTracer tracer;
  body(tracer, message);
  note_unsent(message, &tracer);
  expect_traced(tracer, message);
}

template <typename T>
void expect_part_described() {
  T part;
  FieldTracer tracer;
  fields(tracer, part);
  expect_traced(tracer, part);
}

template <size_t... I>
void expect_all_described(std::index_sequence<I...>) {
  (expect_message_described(std::variant_alternative_t<I, core::Message>()), ...);
}

TEST(FieldsTest, noMemberOfAMessageIsLeftOffTheWire) {
  expect_all_described(std::make_index_sequence<RandomMessages::kTypes>());
  expect_part_described<core::ReplyPath>();
  expect_part_described<core::FileOptions>();
  expect_part_described<core::NodeEntry>();
  expect_part_described<core::BookPart>();
  expect_part_described<core::NodeStats>();
  expect_part_described<core::NodeReport>();
  expect_part_described<FileState>();
  expect_part_described<BucketMark>();
}

}  // namespace
}  // namespace lh::wire
