// What the tests of the core share: points in time, messages in few words, and effects as lines of
// text.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "core/effects.h"
#include "core/message.h"

namespace lh::core::testing {

// A test's clock starts at some moment, not at the zero that means "never yet".
inline constexpr base::Instant kStart = base::Instant::from_ns(1'000'000'000);
constexpr base::Instant at_ms(int64_t ms) { return kStart + base::ms(ms); }

constexpr NodeId node(uint64_t number) { return NodeId{static_cast<uint32_t>(number)}; }

inline FileOptions integer_file(uint64_t capacity = 3) {
  FileOptions options;
  options.capacity = capacity;
  options.hash = base::HashMode::kInteger;
  return options;
}

// Where the map says that buckets first, first + 1, ... are.
inline BookPart book(BucketNo first, std::vector<uint32_t> nodes) {
  BookPart part;
  part.first = first;
  for (const uint32_t number : nodes) part.at.push_back(node(number));
  return part;
}

inline NodeEntry entry(uint32_t number, std::string address, bool up = true) {
  return {node(number), up, std::move(address), 0};
}

// A request of client 7 as the client itself would send it.
inline Request request(Op op, BucketNo to, std::string_view key, std::string_view value = {}) {
  Request m;
  m.from.client = 7;
  m.op = op;
  m.to = to;
  m.key = key;
  m.value = value;
  return m;
}

inline std::string to_string(const Destination& to) {
  const auto number = std::to_string(static_cast<uint32_t>(to.node));
  switch (to.kind) {
    case Destination::Kind::kBucket:
      return "b" + std::to_string(to.bucket) + "@n" + number;
    case Destination::Kind::kNode:
      return "n" + number;
    case Destination::Kind::kCoordinator:
      return "coordinator";
    case Destination::Kind::kReply:
      return "reply";
  }
  return "?";
}

// `b4@n2: Put 12 x seq=1 to=4`, a message a line.
inline std::vector<std::string> lines(const Effects& effects) {
  std::vector<std::string> all;
  for (const Outgoing& sent : effects.sends()) {
    all.push_back(to_string(sent.to) + ": " + to_string(sent.message));
  }
  return all;
}

using Lines = std::vector<std::string>;

// The messages of one type among the effects, in order. They borrow as the effects do.
template <typename M>
std::vector<M> all_of(const Effects& effects) {
  std::vector<M> found;
  for (const Outgoing& sent : effects.sends()) {
    if (const M* m = std::get_if<M>(&sent.message)) found.push_back(*m);
  }
  return found;
}

// The only message of this type.
template <typename M>
M one_of(const Effects& effects) {
  const std::vector<M> found = all_of<M>(effects);
  EXPECT_EQ(found.size(), 1u);
  return found.empty() ? M{} : found.front();
}

template <typename M>
size_t count_of(const Effects& effects) {
  return all_of<M>(effects).size();
}

}  // namespace lh::core::testing
