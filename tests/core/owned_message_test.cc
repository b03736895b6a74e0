#include "core/owned_message.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace lh::core {
namespace {

// What is kept must not change with the bytes that the message was made from.
class OwnedMessageTest : public ::testing::Test {
 protected:
  OwnedMessage keep_request() {
    Request m;
    m.seq = 5;
    m.op = Op::kPut;
    m.from.listener = listener_;
    m.key = key_;
    m.value = value_;
    OwnedMessage kept(m);
    spoil();
    return kept;
  }
  void spoil() { listener_ = key_ = value_ = std::string(100, '!'); }

  std::string listener_ = "127.0.0.1:4711";
  std::string key_ = "a key";
  std::string value_ = std::string(1000, 'v');
};

TEST_F(OwnedMessageTest, a_request_keeps_all_that_it_borrowed) {
  const OwnedMessage kept = keep_request();
  const Request& m = std::get<Request>(kept.message());
  EXPECT_EQ(m.seq, 5u);
  EXPECT_EQ(m.op, Op::kPut);
  EXPECT_EQ(m.from.listener, "127.0.0.1:4711");
  EXPECT_EQ(m.key, "a key");
  EXPECT_EQ(m.value, std::string(1000, 'v'));
  EXPECT_EQ(kept.borrowed_bytes(), 14u + 5 + 1000);
}

TEST_F(OwnedMessageTest, a_scan_keeps_all_that_it_borrowed) {
  Scan scan;
  scan.client.listener = listener_;
  scan.pattern = value_;
  scan.last = 17;
  const OwnedMessage kept(scan);
  spoil();
  const Scan& m = std::get<Scan>(kept.message());
  EXPECT_EQ(m.client.listener, "127.0.0.1:4711");
  EXPECT_EQ(m.pattern, std::string(1000, 'v'));
  EXPECT_EQ(m.last, 17u);
  EXPECT_EQ(kept.borrowed_bytes(), 14u + 1000);
}

TEST_F(OwnedMessageTest, moving_leaves_the_views_valid) {
  OwnedMessage first = keep_request();
  const OwnedMessage second = std::move(first);
  EXPECT_EQ(std::get<Request>(second.message()).key, "a key");
}

TEST_F(OwnedMessageTest, nothing_borrowed_is_fine_too) {
  const OwnedMessage kept{Request{}};
  EXPECT_EQ(kept.borrowed_bytes(), 0u);
  EXPECT_EQ(std::get<Request>(kept.message()).key, "");
}

}  // namespace
}  // namespace lh::core
