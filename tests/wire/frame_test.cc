#include "wire/frame.h"

#include <gtest/gtest.h>

#include <string>

#include "core/limits.h"

namespace lh::wire {
namespace {

std::string frame(uint32_t length, uint8_t version, uint8_t type, std::string_view body = {}) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(length >> shift);
  bytes += static_cast<char>(version);
  bytes += static_cast<char>(type);
  return bytes.append(body);
}

constexpr auto kPing = static_cast<uint8_t>(MessageType::kPing);
constexpr auto kRequest = static_cast<uint8_t>(MessageType::kRequest);

std::string ping(std::string_view body) {
  return frame(static_cast<uint32_t>(body.size() + 2), kWireVersion, kPing, body);
}

std::string_view error_of(std::string_view bytes) {
  const Frame f = next_frame(bytes);
  EXPECT_EQ(f.status, FrameStatus::kBad);
  return f.error;
}

TEST(FrameTest, isFoundAtTheStartOfTheBytes) {
  const std::string bytes = ping("abc") + "whatever follows";
  const Frame f = next_frame(bytes);
  ASSERT_EQ(f.status, FrameStatus::kFrame);
  EXPECT_EQ(f.type, MessageType::kPing);
  EXPECT_EQ(f.routing, Routing::kDirect);
  EXPECT_EQ(f.body, "abc");
  EXPECT_EQ(f.body.data(), bytes.data() + kHeaderBytes) << "a view, not a copy";
  EXPECT_EQ(f.size, kHeaderBytes + 3);
}

TEST(FrameTest, topBitOfTheTypeSaysRouted) {
  const Frame f = next_frame(frame(2, kWireVersion, kRequest | kRoutedBit));
  ASSERT_EQ(f.status, FrameStatus::kFrame);
  EXPECT_EQ(f.type, MessageType::kRequest);
  EXPECT_EQ(f.routing, Routing::kRouted);
}

TEST(FrameTest, putHeaderIsWhatNextFrameReads) {
  char header[kHeaderBytes];
  put_header(header, MessageType::kReply, Routing::kRouted, 0x012345);
  EXPECT_EQ(std::string_view(header, kHeaderBytes),
            frame(0x012347, kWireVersion, static_cast<uint8_t>(MessageType::kReply) | kRoutedBit));
}

TEST(FrameTest, oneByteAtATime) {
  const std::string bytes = ping("12345") + ping("");
  std::string buffer;
  std::string seen;
  for (char c : bytes) {
    buffer += c;
    const Frame f = next_frame(buffer);
    ASSERT_NE(f.status, FrameStatus::kBad) << f.error;
    if (f.status == FrameStatus::kNeedMore) {
      EXPECT_GT(f.size, buffer.size()) << "it must ask for more than there is";
      continue;
    }
    EXPECT_EQ(f.size, buffer.size());
    seen.append(f.body).append(";");
    buffer.clear();
  }
  EXPECT_EQ(seen, "12345;;");
}

TEST(FrameTest, asksForNoMoreThanTheFrame) {
  const std::string bytes = ping("12345");
  EXPECT_EQ(next_frame("").size, kHeaderBytes);
  EXPECT_EQ(next_frame(std::string_view(bytes).substr(0, 3)).size, kHeaderBytes);
  EXPECT_EQ(next_frame(std::string_view(bytes).substr(0, kHeaderBytes)).size, bytes.size());
}

TEST(FrameTest, wildLengths) {
  EXPECT_EQ(error_of(frame(0xffffffff, kWireVersion, kPing)), "frame length is 2^24 or more");
  EXPECT_EQ(error_of(frame(1u << 24, kWireVersion, kPing)), "frame length is 2^24 or more");
  EXPECT_EQ(error_of(frame(0, kWireVersion, kPing)), "frame is too short for its header");
  EXPECT_EQ(error_of(frame(1, kWireVersion, kPing)), "frame is too short for its header");
}

TEST(FrameTest, lengthIsBoundedByTheType) {
  EXPECT_EQ(error_of(frame((1u << 24) - 1, kWireVersion, kPing)),
            "frame is too long for its message type");
  const TypeInfo* info = find_type(kRequest);
  const auto most = static_cast<uint32_t>(info->direct_bytes_max + 2);
  EXPECT_EQ(next_frame(frame(most, kWireVersion, kRequest)).status, FrameStatus::kNeedMore);
  EXPECT_EQ(next_frame(frame(most + 1, kWireVersion, kRequest)).status, FrameStatus::kBad);
}

TEST(FrameTest, wrongVersions) {
  for (unsigned version = 0; version < 256; ++version) {
    if (version == kWireVersion) continue;
    EXPECT_EQ(error_of(frame(2, static_cast<uint8_t>(version), kPing)), "unknown wire version");
  }
}

TEST(FrameTest, everyTypeByteIsKnownOrRefused) {
  unsigned known = 0;
  for (unsigned type = 0; type < 256; ++type) {
    const Frame f = next_frame(frame(2, kWireVersion, static_cast<uint8_t>(type)));
    const TypeInfo* info = find_type(type & 0x7f);
    const bool routed = type >= kRoutedBit;
    const bool valid = info != nullptr && (!routed || info->routable);
    EXPECT_EQ(f.status, valid ? FrameStatus::kFrame : FrameStatus::kBad) << type;
    EXPECT_EQ(f.error, valid ? "" : "unknown message type");
    known += valid && !routed;
  }
  EXPECT_EQ(known, std::variant_size_v<core::Message>);
}

TEST(FrameTest, badIsSaidByTheFirstByteThatIsBad) {
  EXPECT_EQ(next_frame("\x01").status, FrameStatus::kBad);
  EXPECT_EQ(next_frame(std::string(4, '\0')).status, FrameStatus::kBad);
  EXPECT_EQ(next_frame(frame(2, 7, kPing).substr(0, 5)).status, FrameStatus::kBad);
  EXPECT_EQ(next_frame(frame(9, kWireVersion, 0).substr(0, 6)).status, FrameStatus::kBad);
}

TEST(FrameTest, otherProtocolsAreNoFrames) {
  for (std::string_view bytes : {"*1\r\n$4\r\nPING\r\n", "GET / HTTP/1.1\r\n\r\n", "PING\n",
                                 "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"}) {
    EXPECT_EQ(next_frame(bytes).status, FrameStatus::kBad) << bytes;
  }
}

}  // namespace
}  // namespace lh::wire
