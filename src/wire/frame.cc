#include "wire/frame.h"

#include "base/check.h"
#include "core/limits.h"

namespace lh::wire {
namespace {

uint8_t byte_at(std::string_view bytes, size_t i) { return static_cast<uint8_t>(bytes[i]); }

Frame need(size_t size) {
  Frame frame;
  frame.size = size;
  return frame;
}

Frame bad(std::string_view why) {
  Frame frame;
  frame.status = FrameStatus::kBad;
  frame.error = why;
  return frame;
}

size_t length_of(std::string_view unread) {
  return size_t{byte_at(unread, 1)} << 16 | size_t{byte_at(unread, 2)} << 8 | byte_at(unread, 3);
}

}  // namespace

Frame next_frame(std::string_view unread) {
  if (unread.empty()) return need(kHeaderBytes);
  if (unread[0] != 0) return bad("frame length is 2^24 or more");
  if (unread.size() < kLengthBytes) return need(kHeaderBytes);
  const size_t length = length_of(unread);
  if (length < kHeaderBytes - kLengthBytes) return bad("frame is too short for its header");
  if (unread.size() > kLengthBytes && byte_at(unread, kLengthBytes) != kWireVersion) {
    return bad("unknown wire version");
  }
  if (unread.size() < kHeaderBytes) return need(kHeaderBytes);

  const uint8_t type = byte_at(unread, kHeaderBytes - 1);
  const bool routed = (type & kRoutedBit) != 0;
  const TypeInfo* info = find_type(type & ~kRoutedBit);
  if (info == nullptr || (routed && !info->routable)) return bad("unknown message type");
  const size_t body_bytes = length - (kHeaderBytes - kLengthBytes);
  if (body_bytes > (routed ? info->routed_bytes_max : info->direct_bytes_max)) {
    return bad("frame is too long for its message type");
  }
  const size_t size = kHeaderBytes + body_bytes;
  if (unread.size() < size) return need(size);
  return {.status = FrameStatus::kFrame,
          .type = info->row.type,
          .routing = routed ? Routing::kRouted : Routing::kDirect,
          .body = unread.substr(kHeaderBytes, body_bytes),
          .size = size,
          .error = {}};
}

void put_header(char* p, MessageType type, Routing routing, size_t body_bytes) {
  const size_t length = body_bytes + (kHeaderBytes - kLengthBytes);
  LH_CHECK(length <= core::kFrameBytesMax);
  p[0] = 0;
  p[1] = static_cast<char>(length >> 16);
  p[2] = static_cast<char>(length >> 8);
  p[3] = static_cast<char>(length);
  p[4] = static_cast<char>(kWireVersion);
  p[5] = static_cast<char>(static_cast<uint8_t>(type) |
                           (routing == Routing::kRouted ? kRoutedBit : 0));
}

}  // namespace lh::wire
