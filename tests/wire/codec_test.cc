#include "wire/codec.h"

#include <gtest/gtest.h>

#include <string>

#include "core/limits.h"
#include "tests/format_document.h"
#include "tests/wire/test_frames.h"
#include "tests/wire/test_visitors.h"

namespace lh::wire {
namespace {

// ------------------------------------------------------------------------------- all messages

TEST(CodecTest, everyMessageComesBackAsItWent) {
  RandomMessages random(1);
  for (int round = 0; round < 300; ++round) {
    for (size_t index = 0; index < RandomMessages::kTypes; ++index) {
      for (Routing asked : kRoutings) {
        const core::Message sent = random.draw(index, asked);
        const Routing routing = routing_of(sent, asked);
        const std::string bytes = encoded(sent, asked);
        const Frame frame = framed(bytes);
        ASSERT_EQ(frame.routing, routing);
        ASSERT_LE(bytes.size(), frame_bytes_max(sent, asked));
        core::Message got;
        const Status status = decode(frame, &got);
        ASSERT_TRUE(status.ok()) << status.message() << '\n' << print(sent, routing);
        ASSERT_EQ(print(got, routing), print(sent, routing));
      }
    }
  }
}

TEST(CodecTest, everyTruncationIsRefused) {
  RandomMessages random(2);
  for (int round = 0; round < 20; ++round) {
    for (size_t index = 0; index < RandomMessages::kTypes; ++index) {
      for (Routing asked : kRoutings) {
        const std::string bytes = encoded(random.draw(index, asked), asked);
        const Frame frame = framed(bytes);
        for (size_t size = 0; size < frame.body.size(); ++size) {
          const std::string cut(frame.body.substr(0, size));
          ASSERT_NE(decode_error(frame.type, cut, frame.routing), "")
              << "type " << static_cast<int>(frame.type) << " cut to " << size;
        }
      }
    }
  }
}

TEST(CodecTest, everyMessageWithAByteTooManyIsRefused) {
  RandomMessages random(3);
  for (size_t index = 0; index < RandomMessages::kTypes; ++index) {
    for (Routing asked : kRoutings) {
      const std::string bytes = encoded(random.draw(index, asked), asked);
      const Frame frame = framed(bytes);
      const std::string body = std::string(frame.body) + '\0';
      const std::string error = decode_error(frame.type, body, frame.routing);
      EXPECT_NE(error.find(": bytes after its end"), std::string::npos) << error;
    }
  }
}

// One message has one spelling: whatever is accepted is what would have been sent. So a decoder
// cannot accept what the encoder would refuse either.
TEST(CodecTest, everySingleByteChangeIsRefusedOrAnotherMessage) {
  RandomMessages random(4);
  for (size_t index = 0; index < RandomMessages::kTypes; ++index) {
    for (Routing asked : kRoutings) {
      const std::string bytes = encoded(random.draw(index, asked), asked);
      const Frame frame = framed(bytes);
      std::string body(frame.body);
      for (char& c : body) {
        const char before = c;
        for (int change = 1; change < 256; ++change) {
          c = static_cast<char>(before ^ change);
          core::Message got;
          if (!decode(with_body(frame.type, frame.routing, body), &got).ok()) continue;
          const std::string again = encoded(got, frame.routing);
          ASSERT_EQ(std::string_view(again).substr(kHeaderBytes), body);
        }
        c = before;
      }
    }
  }
}

// ---------------------------------------------------------------------- requests and replies

core::Request forwarded_request() {
  core::Request request;
  request.from = {0x0123456789abcdef, NodeId{3}, 77, "127.0.0.1:40123"};
  request.seq = 1'000'000;
  request.acked = 999'000;
  request.op = core::Op::kPut;
  request.to = 9;
  request.known = 4;
  request.hops = 1;
  request.forwarder = {1, 4};
  request.key = "key";
  request.value = "value";
  return request;
}

void expect_same_asked(const core::Request& a, const core::Request& b) {
  EXPECT_EQ(a.seq, b.seq);
  EXPECT_EQ(a.acked, b.acked);
  EXPECT_EQ(a.op, b.op);
  EXPECT_EQ(a.to, b.to);
  EXPECT_EQ(a.known, b.known);
  EXPECT_EQ(a.key, b.key);
  EXPECT_EQ(a.value, b.value);
}

TEST(CodecTest, routedRequestSaysWhereTheAnswerGoes) {
  const core::Request sent = forwarded_request();
  std::string bytes;
  encode(sent, Routing::kRouted, &bytes);
  core::Message message;
  ASSERT_TRUE(decode(framed(bytes), &message).ok());
  const auto& got = std::get<core::Request>(message);
  expect_same_asked(sent, got);
  EXPECT_EQ(got.from.client, sent.from.client);
  EXPECT_EQ(got.from.entry, sent.from.entry);
  EXPECT_EQ(got.from.link, sent.from.link);
  EXPECT_EQ(got.from.listener, sent.from.listener);
  EXPECT_EQ(got.hops, 1);
  EXPECT_EQ(got.forwarder, sent.forwarder);
}

TEST(CodecTest, directRequestLeavesThePathToTheNode) {
  core::Request sent = forwarded_request();
  sent.hops = 0;
  std::string bytes;
  encode(sent, Routing::kDirect, &bytes);
  core::Message message = forwarded_request();
  ASSERT_TRUE(decode(framed(bytes), &message).ok());
  const auto& got = std::get<core::Request>(message);
  expect_same_asked(sent, got);
  EXPECT_EQ(got.from.client, 0u);
  EXPECT_EQ(got.from.entry, NodeId::kNone);
  EXPECT_EQ(got.from.link, 0u);
  EXPECT_EQ(got.from.listener, "");
  EXPECT_EQ(got.hops, 0);
  EXPECT_EQ(got.forwarder, BucketMark{});
}

TEST(CodecDeathTest, directRequestCannotHaveBeenForwarded) {
  std::string bytes;
  EXPECT_DEATH(encode(forwarded_request(), Routing::kDirect, &bytes), "hops == 0");
}

TEST(CodecTest, replyBringsTheIamAndTheAddresses) {
  core::Reply sent;
  sent.seq = 7;
  sent.code = core::Code::kNotFound;
  sent.bucket = {9, 4};
  sent.node = NodeId{2};
  sent.hops = 2;
  sent.iam = {1, 4};
  sent.value = "v";
  sent.book = {.first = 4,
               .at = {NodeId{2}, NodeId{1}, NodeId{70'000}},
               .nodes = {{NodeId{2}, true, "10.0.0.2:1"}, {NodeId{1}, false, "[::1]:2"}}};
  const std::string bytes = encoded(sent);
  const auto got = decoded<core::Reply>(bytes);
  EXPECT_EQ(got.seq, 7u);
  EXPECT_EQ(got.code, core::Code::kNotFound);
  EXPECT_EQ(got.bucket, sent.bucket);
  EXPECT_EQ(got.node, NodeId{2});
  EXPECT_EQ(got.hops, 2);
  EXPECT_EQ(got.iam, sent.iam);
  EXPECT_EQ(got.value, "v");
  EXPECT_EQ(got.book.first, 4u);
  EXPECT_EQ(got.book.at, sent.book.at);
  ASSERT_EQ(got.book.nodes.size(), 2u);
  EXPECT_EQ(got.book.nodes[1].id, NodeId{1});
  EXPECT_FALSE(got.book.nodes[1].up);
  EXPECT_EQ(got.book.nodes[1].address, "[::1]:2");
}

TEST(CodecTest, reusedMessagesForgetWhatTheyHeld) {
  core::Reply with_book;
  with_book.book.at.resize(3);
  std::string bytes = encoded(with_book);
  core::Message got;
  ASSERT_TRUE(decode(framed(bytes), &got).ok());
  ASSERT_EQ(std::get<core::Reply>(got).book.at.size(), 3u);
  bytes = encoded(core::Reply{});
  ASSERT_TRUE(decode(framed(bytes), &got).ok());
  EXPECT_TRUE(std::get<core::Reply>(got).book.empty());
}

TEST(CodecTest, viewsBorrowFromTheBytes) {
  core::Request sent;
  sent.key = "some key";
  sent.value = "some value";
  const std::string bytes = encoded(sent);
  const auto got = decoded<core::Request>(bytes);
  EXPECT_GE(got.key.data(), bytes.data());
  EXPECT_LE(got.value.data() + got.value.size(), bytes.data() + bytes.size());
}

TEST(CodecTest, encodeAppends) {
  std::string bytes = "before";
  encode(core::Message(core::Ping{5}), Routing::kDirect, &bytes);
  EXPECT_EQ(bytes.substr(0, 6), "before");
  EXPECT_EQ(decoded<core::Ping>(std::string_view(bytes).substr(6)).token, 5u);
}

TEST(CodecTest, largestRecordFits) {
  const std::string key(core::kKeyBytesMax, 'k');
  const std::string value(core::kValueBytesMax, 'v');
  core::Request sent = forwarded_request();
  sent.key = key;
  sent.value = value;
  const std::string bytes = encoded(sent, Routing::kRouted);
  const auto got = decoded<core::Request>(bytes);
  EXPECT_EQ(got.key, key);
  EXPECT_EQ(got.value, value);
}

TEST(CodecTest, largestBookFitsBesideTheLargestValue) {
  const std::string value(core::kValueBytesMax, 'v');
  core::Reply sent;
  sent.value = value;
  sent.book.at.assign(core::kBookEntriesMax, NodeId{~uint32_t{0}});
  sent.book.nodes.assign(core::kNodesMax,
                         {NodeId{~uint32_t{0}}, true, std::string(core::kAddressBytesMax, 'a')});
  const std::string bytes = encoded(sent, Routing::kRouted);
  const auto got = decoded<core::Reply>(bytes);
  EXPECT_EQ(got.book.at, sent.book.at);
  EXPECT_EQ(got.book.nodes.size(), core::kNodesMax);
}

// ----------------------------------------------------------------- the examples of the document

std::string example(const std::string& title) { return lh::testing::format_example("wire", title); }

TEST(CodecTest, requestOfTheFormatDocument) {
  core::Request request;
  request.seq = 300;
  request.acked = 299;
  request.op = core::Op::kPut;
  request.to = 1;
  request.known = 2;
  request.key = "key";
  request.value = "hello";
  EXPECT_EQ(example("Request"), encoded(request));
}

TEST(CodecTest, replyOfTheFormatDocument) {
  core::Reply reply;
  reply.seq = 300;
  reply.bucket = {9, 4};
  reply.node = NodeId{2};
  reply.hops = 1;
  reply.iam = {1, 4};
  reply.book = {.first = 2,
                .at = {NodeId{1}, NodeId{2}},
                .nodes = {{NodeId{1}, true, "h:1", 4}, {NodeId{2}, true, "h:2", 5}}};
  EXPECT_EQ(example("Reply"), encoded(reply));
}

}  // namespace
}  // namespace lh::wire
