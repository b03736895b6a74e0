// What the tests of binary sessions share.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/node/fixture.h"

namespace lh::node::testing {

inline std::string frame_of(const core::Message& message,
                            wire::Routing routing = wire::Routing::kDirect) {
  std::string frame;
  wire::encode(message, routing, &frame);
  return frame;
}

// The text of the Error that the peer got; empty when there was none.
inline std::string refusal(Peer& peer) {
  const auto received = take_message_of<core::Error>(peer);
  return received ? std::string(std::get<core::Error>(received->message).text) : std::string();
}

inline constexpr uint64_t kCapacity = 10;

// A coordinator's node with two workers and four buckets: 0 and 2 near, in the connections' worker
// 0, 1 and 3 far, in worker 1.
class BinarySessionTest : public Cluster {
 protected:
  BinarySessionTest() : BinarySessionTest(TestNode::kMailMax) {}
  explicit BinarySessionTest(size_t mail_max)
      : node_(start_coordinator(integer_file(kCapacity), {.workers = 2, .mail_max = mail_max})) {
    grow_to_four_buckets(connect(node_, 0));
    EXPECT_EQ(0u, node_.worker_of(2));
    EXPECT_EQ(1u, node_.worker_of(3));
  }

  // Each record of bucket 0 that is one too many is one split.
  void grow_to_four_buckets(Peer& peer) {
    for (uint64_t k = 0; k < 3; ++k) insert(peer, k + 1);
    for (uint64_t k = 0; node_.live_buckets() < 4; ++k) {
      ASSERT_LT(k, 2 * kCapacity);
      insert(peer, 4 * k);
      ASSERT_EQ("OK\n", ask(peer, "SETTLE"));
    }
    records_ = std::stoull(ask(peer, "COUNT"));
  }
  void insert(Peer& peer, uint64_t key) {
    const std::string k = std::to_string(key);
    ASSERT_EQ("OK\n", ask(peer, "INSERT " + k + " v" + k));
  }

  Peer& connect_client(core::ClientId client, std::string_view listener = {}) {
    return Cluster::connect_client(node_, client, 0, listener);
  }
  core::Reply reply_to(Peer& peer, const core::Request& m) {
    send_message(peer, m);
    std::unique_ptr<Received> received;
    EXPECT_TRUE(within(base::seconds(1),
                       [&] { return (received = take_message_of<core::Reply>(peer)) != nullptr; }));
    if (!received) return {};
    last_ = std::move(received);
    return std::get<core::Reply>(last_->message);
  }
  // The sequence numbers of all replies that the peer has.
  static std::vector<uint64_t> replies(Peer& peer) {
    std::vector<uint64_t> seqs;
    while (const auto received = take_message_of<core::Reply>(peer)) {
      seqs.push_back(std::get<core::Reply>(received->message).seq);
    }
    return seqs;
  }

  TestNode& node_;
  uint64_t records_ = 0;
  std::unique_ptr<Received> last_;
};

}  // namespace lh::node::testing
