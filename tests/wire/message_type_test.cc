#include "wire/message_type.h"

#include <gtest/gtest.h>

#include <variant>

#include "core/limits.h"

namespace lh::wire {
namespace {

const TypeInfo& info(MessageType type) { return *find_type(static_cast<uint8_t>(type)); }

TEST(MessageTypeTest, onlyMessagesWithAPathCanBeRouted) {
  EXPECT_TRUE(info(MessageType::kRequest).routable);
  EXPECT_TRUE(info(MessageType::kReply).routable);
  EXPECT_TRUE(info(MessageType::kScan).routable);
  EXPECT_TRUE(info(MessageType::kScanReply).routable);
  EXPECT_TRUE(info(MessageType::kBookQuery).routable);
  EXPECT_TRUE(info(MessageType::kFileQuery).routable);
  EXPECT_TRUE(info(MessageType::kFileReply).routable);
  EXPECT_FALSE(info(MessageType::kPing).routable);
  EXPECT_FALSE(info(MessageType::kHello).routable);
  EXPECT_FALSE(info(MessageType::kScanMore).routable);
  EXPECT_FALSE(info(MessageType::kSplitOrder).routable);
}

TEST(MessageTypeTest, everyMessageHasANumberOfItsOwnAndFitsAFrame) {
  size_t types = 0;
  for (unsigned number = 0; number < kRoutedBit; ++number) {
    const TypeInfo* type = find_type(static_cast<uint8_t>(number));
    if (type == nullptr) continue;
    ++types;
    EXPECT_EQ(static_cast<unsigned>(type->row.type), number);
    EXPECT_LE(type->direct_bytes_max, type->routed_bytes_max);
    EXPECT_LE(type->routed_bytes_max + 2, core::kFrameBytesMax) << type->row.name;
  }
  EXPECT_EQ(types, std::variant_size_v<core::Message>);
}

TEST(MessageTypeTest, numbersOutOfRangeAreNoTypes) {
  EXPECT_EQ(find_type(0), nullptr);
  EXPECT_EQ(find_type(kRoutedBit - 1), nullptr);
  EXPECT_EQ(find_type(kRoutedBit), nullptr);
  EXPECT_EQ(find_type(255), nullptr);
}

TEST(MessageTypeTest, smallMessagesHaveSmallBounds) {
  EXPECT_EQ(info(MessageType::kPing).direct_bytes_max, 10u);
  EXPECT_LT(info(MessageType::kHello).direct_bytes_max, 300u);
  EXPECT_GT(info(MessageType::kRequest).direct_bytes_max,
            core::kKeyBytesMax + core::kValueBytesMax);
  EXPECT_GT(info(MessageType::kRequest).routed_bytes_max,
            info(MessageType::kRequest).direct_bytes_max);
}

TEST(MessageTypeTest, clientsSpeakForThemselvesAndDoNotSplit) {
  EXPECT_TRUE(client_may_send(MessageType::kHello, Routing::kDirect));
  EXPECT_TRUE(client_may_send(MessageType::kRequest, Routing::kDirect));
  EXPECT_TRUE(client_may_send(MessageType::kScan, Routing::kDirect));
  EXPECT_FALSE(client_may_send(MessageType::kRequest, Routing::kRouted));
  EXPECT_FALSE(client_may_send(MessageType::kReply, Routing::kDirect));
  EXPECT_FALSE(client_may_send(MessageType::kSplitOrder, Routing::kDirect));
  EXPECT_FALSE(client_may_send(MessageType::kRegister, Routing::kDirect));
  EXPECT_FALSE(client_may_send(MessageType::kBookUpdate, Routing::kDirect));
  EXPECT_FALSE(client_may_send(MessageType{0}, Routing::kDirect));
}

}  // namespace
}  // namespace lh::wire
