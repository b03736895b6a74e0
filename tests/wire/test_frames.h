// Short words for encoding and decoding in tests.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <variant>

#include "wire/codec.h"

namespace lh::wire {

inline constexpr Routing kRoutings[] = {Routing::kDirect, Routing::kRouted};

inline std::string encoded(const core::Message& message, Routing routing = Routing::kDirect) {
  std::string bytes;
  encode(message, routing, &bytes);
  return bytes;
}

inline Frame framed(std::string_view bytes) {
  const Frame frame = next_frame(bytes);
  EXPECT_EQ(frame.status, FrameStatus::kFrame) << frame.error;
  EXPECT_EQ(frame.size, bytes.size());
  return frame;
}

// A frame as if it had come with this body.
inline Frame with_body(MessageType type, Routing routing, std::string_view body) {
  Frame frame;
  frame.status = FrameStatus::kFrame;
  frame.type = type;
  frame.routing = routing;
  frame.body = body;
  return frame;
}

inline std::string decode_error(MessageType type, std::string_view body,
                                Routing routing = Routing::kDirect) {
  core::Message message;
  return std::string(decode(with_body(type, routing, body), &message).message());
}

template <typename M>
M decoded(std::string_view bytes) {
  core::Message message;
  const Status status = decode(framed(bytes), &message);
  EXPECT_TRUE(status.ok()) << status.message();
  return std::get<M>(message);
}

}  // namespace lh::wire
