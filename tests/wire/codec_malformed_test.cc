// Bodies that no honest peer sends, and what is said about them.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <variant>

#include "base/coding.h"
#include "core/limits.h"
#include "tests/wire/test_frames.h"
#include "wire/codec.h"
#include "wire/field_visitors.h"

namespace lh::wire {
namespace {

std::string varint(uint64_t value) {
  char buffer[base::kVarintBytesMax];
  return {buffer, base::put_varint(buffer, value)};
}

// A direct Request's body of these parts.
std::string request_body(std::string_view op, std::string_view to, std::string_view known,
                         std::string_view key, std::string_view value) {
  const std::string no_args = varint(0);
  return varint(1).append(varint(0)).append(op).append(to).append(known).append(key).append(
      std::string(value) + no_args);
}

TEST(CodecMalformedTest, requestWithAFieldOutOfBounds) {
  const std::string one = varint(1);
  const std::string word = varint(1) + "k";
  const auto error = [](std::string_view op, std::string_view to, std::string_view known,
                        std::string_view key, std::string_view value) {
    return decode_error(MessageType::kRequest, request_body(op, to, known, key, value));
  };
  EXPECT_EQ(error(one, one, one, word, word), "");
  EXPECT_EQ(error("\x24", one, one, word, word), "bad Request: operation");
  EXPECT_EQ(error("\xff", one, one, word, word), "bad Request: operation");
  EXPECT_EQ(error(one, varint(kBucketsMax), one, word, word), "bad Request: bucket number");
  EXPECT_EQ(error(one, varint(kBucketsMax - 1), varint(kBucketsMax), word, word), "");
  EXPECT_EQ(error(one, one, varint(kBucketsMax + 1), word, word),
            "bad Request: count of known buckets");
  EXPECT_EQ(error(one, one, one, varint(core::kKeyBytesMax + 1) + "k", word),
            "bad Request: key too long");
  EXPECT_EQ(error(one, one, one, varint(~uint64_t{0}) + "k", word), "bad Request: key too long");
  EXPECT_EQ(error(one, one, one, word, varint(core::kValueBytesMax + 1)),
            "bad Request: value too long");
  EXPECT_EQ(error(one, one, one, word, varint(3) + "v"),
            "bad Request: ends too early, or a number is misspelt");
  EXPECT_EQ(error(one, one, one, varint(9) + "k", word),
            "bad Request: ends too early, or a number is misspelt");
  EXPECT_EQ(error(one, one, one, word, word + varint(0)), "bad Request: bytes after its end");
  EXPECT_EQ(error(one, one, one, word, word + varint(core::kArgsBytesMax + 1)),
            "bad Request: arguments too long");
  EXPECT_EQ(error(one, one, one, varint(0), varint(0)), "") << "an empty key is a key";
}

TEST(CodecMalformedTest, misspeltNumbers) {
  EXPECT_EQ(decode_error(MessageType::kPing, "\x05"), "");
  EXPECT_NE(decode_error(MessageType::kPing, std::string("\x85\x00", 2)), "") << "longer than need";
  EXPECT_EQ(decode_error(MessageType::kPing, varint(~uint64_t{0})), "");
  EXPECT_NE(decode_error(MessageType::kPing, std::string(9, '\xff') + "\x02"), "") << "65 bits";
  EXPECT_NE(decode_error(MessageType::kPing, std::string(11, '\xff')), "") << "no end";
  EXPECT_NE(decode_error(MessageType::kPing, ""), "");
}

std::string routed_request(std::string_view hops_and_forwarder) {
  return std::string(8, 'c') + varint(1) + varint(1) + varint(0) + std::string(hops_and_forwarder) +
         request_body(varint(1), varint(1), varint(1), varint(0), varint(0));
}

TEST(CodecMalformedTest, forwardsAndForwardersOutOfBounds) {
  const auto error = [](std::string_view hops_and_forwarder) {
    return decode_error(MessageType::kRequest, routed_request(hops_and_forwarder),
                        Routing::kRouted);
  };
  EXPECT_EQ(error(varint(0)), "");
  EXPECT_EQ(error(varint(2) + varint(7) + varint(3)), "");
  EXPECT_EQ(error(varint(3) + varint(7) + varint(3)), "bad Request: hops");
  EXPECT_EQ(error(varint(255) + varint(7) + varint(3)), "bad Request: hops");
  EXPECT_EQ(error(varint(1) + varint(8) + varint(3)),
            "bad Request: bucket number beyond its level");
  EXPECT_EQ(error(varint(1) + varint(0) + varint(kLevelMax)), "");
  EXPECT_EQ(error(varint(1) + varint(0) + varint(kLevelMax + 1)), "bad Request: level");
  EXPECT_EQ(error(varint(1) + varint(0) + varint(255)), "bad Request: level");
  EXPECT_EQ(error(varint(1) + varint(0) + varint(256)), "bad Request: level");
}

TEST(CodecMalformedTest, listsThatClaimMoreThanThereIsTakeNoMemory) {
  const auto refuse = [](const std::string& body) {
    core::Message message;
    const Status status =
        decode(with_body(MessageType::kBookUpdate, Routing::kDirect, body), &message);
    EXPECT_FALSE(status.ok());
    const core::BookPart& book = std::get<core::BookUpdate>(message).book;
    EXPECT_LE(book.at.capacity(), body.size());
    EXPECT_LE(book.nodes.capacity(), body.size());
    return std::string(status.message());
  };
  EXPECT_EQ(refuse(varint(0) + varint(core::kBookEntriesMax)), "bad BookUpdate: count of buckets");
  EXPECT_EQ(refuse(varint(0) + varint(core::kBookEntriesMax + 1) +
                   std::string(core::kBookEntriesMax + 2, '\1')),
            "bad BookUpdate: count of buckets");
  EXPECT_EQ(refuse(varint(0) + varint(~uint64_t{0})), "bad BookUpdate: count of buckets");
  EXPECT_EQ(refuse(varint(0) + varint(0) + varint(core::kNodesMax)),
            "bad BookUpdate: count of nodes");
  EXPECT_EQ(refuse(varint(0) + varint(0) + varint(core::kNodesMax + 1) +
                   std::string(core::kNodesMax * 4, '\0')),
            "bad BookUpdate: count of nodes");
  EXPECT_EQ(refuse(varint(0) + varint(0) + varint(3) + varint(1) + '\1' + varint(0)),
            "bad BookUpdate: ends too early, or a number is misspelt");
}

TEST(CodecMalformedTest, booksThatEndBeyondTheLargestFile) {
  EXPECT_EQ(decode_error(MessageType::kBookUpdate,
                         varint(kBucketsMax - 1) + varint(1) + varint(1) + varint(0)),
            "");
  EXPECT_EQ(decode_error(MessageType::kBookUpdate,
                         varint(kBucketsMax - 1) + varint(2) + varint(1) + varint(1) + varint(0)),
            "bad BookUpdate: buckets beyond the largest file");
}

TEST(CodecMalformedTest, addressesArePrintableAndShort) {
  const auto error = [](const std::string& address) {
    const std::string body = varint(1) + '\0' + std::string(8, 'c') + varint(0) +
                             std::string(8, 'f') + varint(address.size()) + address;
    return decode_error(MessageType::kHello, body);
  };
  EXPECT_EQ(error(""), "");
  EXPECT_EQ(error("[::1]:19528"), "");
  EXPECT_EQ(error(std::string(core::kAddressBytesMax, 'a')), "");
  EXPECT_EQ(error(std::string(core::kAddressBytesMax + 1, 'a')), "bad Hello: address");
  EXPECT_EQ(error("host :1"), "bad Hello: address");
  EXPECT_EQ(error("host:1\n"), "bad Hello: address");
  EXPECT_EQ(error("\x1b[2J"), "bad Hello: address");
  EXPECT_EQ(error("h\xc3\xb6st:1"), "bad Hello: address");
}

TEST(CodecMalformedTest, intervalsThatEndBeforeTheyStart) {
  core::Scan scan;
  scan.from = 5;
  scan.last = 5;
  std::string body = encoded(scan).substr(kHeaderBytes);
  EXPECT_EQ(decode_error(MessageType::kScan, body), "");
  body[body.size() - 9] = 4;  // of `last`; records_max is behind it
  EXPECT_EQ(decode_error(MessageType::kScan, body), "bad Scan: interval ends before it starts");
  EXPECT_EQ(
      decode_error(MessageType::kScanReply, varint(1) + '\0' + varint(0) + varint(0) + varint(1) +
                                                std::string(8, '\2') + std::string(8, '\1') +
                                                varint(0) + varint(0) + '\0' + varint(0)),
      "bad ScanReply: interval ends before it starts");
}

TEST(CodecMalformedTest, statesAndOptionsThatNoFileHas) {
  const auto error = [](std::string_view state, std::string_view options) {
    return decode_error(MessageType::kFileReply, varint(1).append(state).append(options) +
                                                     varint(0) + varint(0) + varint(0));
  };
  const std::string state = varint(3) + varint(7);
  const std::string options = varint(100) + '\0' + '\0' + std::string(8, 'i');
  EXPECT_EQ(error(state, options), "");
  EXPECT_EQ(error(varint(3) + varint(8), options), "bad FileReply: split pointer beyond its level");
  EXPECT_EQ(error(varint(kLevelMax + 1) + varint(0), options), "bad FileReply: level");
  EXPECT_EQ(error(state, varint(0) + '\0' + '\0'), "bad FileReply: capacity");
  EXPECT_EQ(error(state, varint(1) + '\2' + '\0'), "bad FileReply: hash mode");
  EXPECT_EQ(error(state, varint(1) + '\0' + '\x7f'), "bad FileReply: split policy");
}

TEST(CodecMalformedTest, flagsAre0Or1) {
  EXPECT_EQ(
      decode_error(MessageType::kSplitDone, varint(1) + varint(2) + '\1' + varint(3) + varint(4)),
      "");
  EXPECT_EQ(decode_error(MessageType::kSplitDone, varint(1) + varint(2) + '\2'),
            "bad SplitDone: flag");
}

TEST(CodecMalformedTest, numbersWiderThanTheirField) {
  const std::string ids = varint(1) + varint(1);
  EXPECT_EQ(decode_error(MessageType::kSplitRecordsAck, ids + varint(0xffffffff) + varint(0)), "");
  EXPECT_EQ(decode_error(MessageType::kSplitRecordsAck, ids + varint(0x100000000) + varint(0)),
            "bad SplitRecordsAck: number");
}

TEST(CodecMalformedTest, textsForPeopleAreCutWhenSentAndRefusedWhenLong) {
  const std::string essay(kTextBytesMax + 100, 'x');
  const std::string bytes = encoded(core::Error{essay});
  EXPECT_EQ(decoded<core::Error>(bytes).text, essay.substr(0, kTextBytesMax));
  EXPECT_EQ(decode_error(MessageType::kError, varint(essay.size()) + essay), "bad Error: text");
}

TEST(CodecMalformedDeathTest, whatNoDecoderAcceptsIsNotEncoded) {
  std::string bytes;
  const auto send = [&](const core::Message& message) {
    encode(message, Routing::kDirect, &bytes);
  };
  EXPECT_DEATH(send(core::OverflowAck{kBucketsMax, 0}), "bucket number");
  EXPECT_DEATH(send(core::BookUpdate{{}, {kBucketsMax - 1, {{}, {}}, {}}}), "largest file");
  EXPECT_DEATH(send(core::Hello{0, {}, 0, {}, 0, "no address"}), "no address");
}

}  // namespace
}  // namespace lh::wire
