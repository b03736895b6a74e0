#include "link/frame_stream.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "net/output_gate.h"
#include "tests/link/fixture.h"
#include "tests/net/fixture.h"
#include "wire/frame.h"

namespace lh::link {
namespace {

using net::testing::make_loop;
using net::testing::make_socket_pair;
using testing::Peer;
using testing::request;
using testing::RestProbe;
using testing::send_message;
using testing::take_message;
using testing::take_message_of;

std::string encoded(const core::Message& message) {
  std::string bytes;
  wire::encode(message, wire::Routing::kDirect, &bytes);
  return bytes;
}

std::string encoded_request(uint64_t seq) {
  return encoded(request(seq, core::Op::kPut, 0, "key" + std::to_string(seq), "value"));
}

// Writes down what happens to its stream, and does in its calls what a test wants done.
class Recorder final : public FrameHandler {
 public:
  bool on_message(FrameStream& stream, core::Message& message) override {
    story.push_back(core::to_string(message));
    return message_body == nullptr || message_body(stream);
  }
  void look_ahead(wire::FrameBatch& batch) override { looked_at.push_back(batch.size()); }
  void on_announced(core::Message&) override { ++announced; }
  void on_end_of_input(FrameStream& stream) override {
    story.emplace_back("end");
    end_body ? end_body(stream) : FrameHandler::on_end_of_input(stream);
  }
  void on_closed(FrameStream& stream, net::CloseReason reason) override {
    story.emplace_back(net::to_string(reason));
    if (closed_body) closed_body(stream);
  }

  std::vector<std::string> story;
  std::vector<size_t> looked_at;
  size_t announced = 0;
  std::function<bool(FrameStream&)> message_body;
  std::function<void(FrameStream&)> end_body;
  std::function<void(FrameStream&)> closed_body;
};

class FrameStreamTest : public ::testing::Test {
 protected:
  FrameStreamTest() { open(); }

  void open(std::string_view unread = {}) {
    net::testing::SocketPair pair = make_socket_pair();
    peer_ = std::make_unique<Peer>(std::move(pair.there));
    stream_ = std::make_unique<FrameStream>(*loop_, group_, handler_);
    const Status status = stream_->open(std::move(pair.here), unread);
    ASSERT_TRUE(status.ok()) << status.message();
  }
  // Until nobody has anything to do.
  void settle() {
    for (int turns = 0; turns < 100'000; ++turns) {
      const bool moved = peer_->pump();
      if (probe_.turn(false) && !moved) return;
    }
    FAIL() << "the loop never comes to rest";
  }
  void peer_sends(std::string_view bytes) {
    peer_->send(bytes);
    settle();
  }
  // The texts of the Error messages that the peer got.
  std::vector<std::string> errors() {
    std::vector<std::string> texts;
    while (const auto received = take_message_of<core::Error>(*peer_)) {
      texts.emplace_back(std::get<core::Error>(received->message).text);
    }
    return texts;
  }
  using Story = std::vector<std::string>;

  base::ManualClock clock_{base::Instant::from_ns(1'000'000'000)};
  std::unique_ptr<net::EventLoop> loop_ = make_loop(clock_);
  RestProbe probe_{*loop_};
  net::ConnectionGroup group_;
  Recorder handler_;
  std::unique_ptr<Peer> peer_;
  std::unique_ptr<FrameStream> stream_;
};

// --------------------------------------------------------------------------------------- frames

TEST_F(FrameStreamTest, FramesThatComeTogetherAreHandedOnInOrder) {
  peer_sends(encoded_request(1) + encoded_request(2) + encoded_request(3));
  ASSERT_EQ(3u, handler_.story.size());
  EXPECT_NE(handler_.story[0].find("key1"), std::string::npos);
  EXPECT_NE(handler_.story[1].find("key2"), std::string::npos);
  EXPECT_NE(handler_.story[2].find("key3"), std::string::npos);
  EXPECT_EQ(0u, stream_->unread_bytes());
}

TEST_F(FrameStreamTest, AFrameMayComeByteByByte) {
  const std::string frame = encoded_request(1);
  for (size_t k = 0; k < frame.size(); ++k) {
    EXPECT_TRUE(handler_.story.empty()) << "after " << k << " bytes";
    peer_sends(frame.substr(k, 1));
  }
  EXPECT_EQ(1u, handler_.story.size());
}

TEST_F(FrameStreamTest, AFrameMayBeCutAnywhere) {
  const std::string frames = encoded_request(1) + encoded_request(2);
  for (size_t cut = 1; cut < frames.size(); ++cut) {
    handler_.story.clear();
    peer_sends(frames.substr(0, cut));
    peer_sends(frames.substr(cut));
    ASSERT_EQ(2u, handler_.story.size()) << "cut behind byte " << cut;
    ASSERT_NE(handler_.story[1].find("key2"), std::string::npos);
  }
}

TEST_F(FrameStreamTest, WhatWasReadBeforeTheStreamOpenedComesFirst) {
  const std::string frames = encoded_request(1) + encoded_request(2);
  open(frames.substr(0, 10));
  peer_->send(frames.substr(10));
  settle();
  ASSERT_EQ(2u, handler_.story.size());
  EXPECT_NE(handler_.story[0].find("key1"), std::string::npos);
}

TEST_F(FrameStreamTest, SendsBothFormsOfAReplyAlike) {
  core::Reply reply;
  reply.to = {7, NodeId{1}, 99, "127.0.0.1:1"};
  reply.seq = 3;
  reply.value = "value";
  stream_->send(reply, wire::Routing::kRouted);
  settle();
  const std::string typed = peer_->take();
  stream_->send(core::Message(reply), wire::Routing::kRouted);
  settle();
  EXPECT_EQ(typed, peer_->take());
  stream_->send(reply, wire::Routing::kDirect);
  settle();
  const auto received = take_message(*peer_);
  ASSERT_TRUE(received);
  EXPECT_EQ(0u, std::get<core::Reply>(received->message).to.client) << "a direct frame has no path";
  EXPECT_EQ("value", std::get<core::Reply>(received->message).value);
}

TEST_F(FrameStreamTest, SendsFramesThatWereEncodedBefore) {
  stream_->send_frames(encoded_request(1) + encoded_request(2));
  settle();
  EXPECT_EQ(encoded_request(1) + encoded_request(2), peer_->take());
}

TEST_F(FrameStreamTest, RequestsThatComeTogetherAreLookedAtBeforeTheyAreHandedOn) {
  handler_.message_body = [this](FrameStream&) { return !handler_.looked_at.empty(); };
  const std::string one = encoded_request(1);
  peer_sends(one + one + one + encoded(core::Ping{1}) + one + one + one.substr(0, 9));
  EXPECT_EQ((std::vector<size_t>{3, 1, 2}), handler_.looked_at);
  EXPECT_EQ(5u, handler_.story.size());
  peer_sends(one.substr(9));
  EXPECT_EQ((std::vector<size_t>{3, 1, 2, 1}), handler_.looked_at);
  EXPECT_EQ(6u, handler_.story.size());
}

TEST_F(FrameStreamTest, OneThatComesAloneIsAnnouncedBeforeTheGroupsInputsAreRun) {
  net::DeferredList inputs;
  group_.inputs = &inputs;
  const std::string one = encoded_request(1);
  peer_sends(one);
  EXPECT_EQ(handler_.announced, 1u);
  EXPECT_TRUE(handler_.story.empty());
  inputs.run_present();
  EXPECT_EQ(handler_.story.size(), 1u);
  peer_sends(one + one);
  inputs.run_present();
  EXPECT_EQ(handler_.announced, 1u) << "these have each other";
  EXPECT_EQ(handler_.story.size(), 3u);
  peer_sends(one.substr(0, 9));
  inputs.run_present();
  peer_sends(one.substr(9));
  inputs.run_present();
  EXPECT_EQ(handler_.announced, 2u);
  EXPECT_EQ(handler_.story.size(), 4u);
}

TEST_F(FrameStreamTest, AStreamThatEndsAmongRequestsHandsOnNoMore) {
  handler_.message_body = [](FrameStream& stream) {
    stream.close();
    return true;
  };
  peer_sends(encoded_request(1) + encoded_request(2) + encoded_request(3));
  ASSERT_EQ(2u, handler_.story.size()) << "the first, and that it was closed";
}

// ---------------------------------------------------------------------------------------- pings

TEST_F(FrameStreamTest, AnswersPingsByItself) {
  peer_sends(encoded(core::Ping{42}) + encoded_request(1) + encoded(core::Ping{43}));
  EXPECT_EQ(1u, handler_.story.size());
  for (const uint64_t token : {42u, 43u}) {
    const auto received = take_message(*peer_);
    ASSERT_TRUE(received);
    EXPECT_EQ(token, std::get<core::Pong>(received->message).token);
  }
}

TEST_F(FrameStreamTest, PongsGoAheadOfAnswersThatWait) {
  net::OutputGate gate;
  group_.gate = &gate;
  handler_.message_body = [&gate](FrameStream& stream) {
    const net::OutputBarrier barrier(gate, 1);
    stream.send_frames(encoded_request(7));
    return true;
  };
  peer_sends(encoded(core::Ping{42}) + encoded_request(1) + encoded(core::Ping{43}));
  EXPECT_TRUE(take_message_of<core::Pong>(*peer_));
  EXPECT_TRUE(take_message_of<core::Pong>(*peer_));
  EXPECT_FALSE(take_message(*peer_));
  gate.release(1);
  settle();
  EXPECT_TRUE(take_message_of<core::Request>(*peer_));
  stream_.reset();
  group_.gate = nullptr;
}

TEST_F(FrameStreamTest, APongIsHeardAndNotHandedOn) {
  clock_.advance(base::seconds(1));
  peer_sends(encoded(core::Pong{42}));
  EXPECT_TRUE(handler_.story.empty());
  EXPECT_EQ(clock_.now(), stream_->last_heard_at());
}

// ------------------------------------------------------------------------------------- refusing

TEST_F(FrameStreamTest, AFrameThatIsNoneEndsTheStreamWithAnExplanation) {
  peer_sends(encoded_request(1) + std::string("\0\0\0\x02\x01\x0e", 6) + encoded_request(2));
  ASSERT_EQ(2u, handler_.story.size()) << "what follows is not looked at";
  EXPECT_EQ("closed here", handler_.story[1]);
  EXPECT_FALSE(stream_->refusal().empty());
  EXPECT_EQ(Story{std::string(stream_->refusal())}, errors());
  EXPECT_TRUE(peer_->ended());
}

TEST_F(FrameStreamTest, ABodyThatIsNoneEndsTheStreamToo) {
  std::string frame = encoded_request(1);
  frame.back() = frame[frame.size() - 6];
  frame[frame.size() - 6] = '\x7f';  // the value's length
  peer_sends(frame);
  EXPECT_EQ(Story{"closed here"}, handler_.story);
  EXPECT_EQ(Story{std::string(stream_->refusal())}, errors());
}

TEST_F(FrameStreamTest, AHandlerThatRefusesGetsNothingMore) {
  handler_.message_body = [](FrameStream& stream) {
    stream.refuse("not today");
    return false;
  };
  peer_sends(encoded_request(1) + encoded_request(2));
  EXPECT_EQ(2u, handler_.story.size());
  EXPECT_EQ("closed here", handler_.story.back());
  EXPECT_EQ(Story{"not today"}, errors());
  EXPECT_EQ("not today", stream_->refusal());
}

TEST_F(FrameStreamTest, APeerThatDoesNotReadIsToldOnce) {
  peer_->stop_reading();
  stream_->send_frames(std::string(size_t{1} << 20, 'x'));  // more than the kernel takes
  settle();
  for (int k = 0; k < 3; ++k) {
    stream_->refuse("a frame was begun and not finished");
    settle();
  }
  peer_->go_on_reading();
  settle();
  const std::string all = peer_->take();
  const size_t found = all.find("a frame was begun");
  ASSERT_NE(found, std::string::npos);
  EXPECT_EQ(std::string::npos, all.find("a frame was begun", found + 1));
}

TEST_F(FrameStreamTest, AFrameLargerThanTheInputMayBeIsClosedForItsSize) {
  group_.limits.input_max = 4'096;
  open();
  peer_sends(encoded(request(1, core::Op::kPut, 0, "key", std::string(10'000, 'v'))));
  EXPECT_EQ(Story{"input limit"}, handler_.story);
}

// ------------------------------------------------------------------------- pauses, backpressure

TEST_F(FrameStreamTest, AHandlerThatPausesGetsTheRestWhenItResumes) {
  handler_.message_body = [](FrameStream& stream) {
    stream.pause_reading();
    return true;
  };
  peer_sends(encoded_request(1) + encoded_request(2) + encoded(core::Ping{1}));
  EXPECT_EQ(1u, handler_.story.size());
  EXPECT_TRUE(stream_->is_paused());
  EXPECT_GT(stream_->unread_bytes(), 0u);
  stream_->resume_reading();
  settle();
  EXPECT_EQ(2u, handler_.story.size()) << "paused again, by the second one";
  EXPECT_FALSE(take_message(*peer_)) << "the ping waits behind it";
  stream_->resume_reading();
  settle();
  EXPECT_TRUE(take_message_of<core::Pong>(*peer_));
  EXPECT_EQ(0u, stream_->unread_bytes());
}

TEST_F(FrameStreamTest, APausedStreamDoesNotReadOn) {
  stream_->pause_reading();
  settle();
  peer_sends(encoded_request(1));
  EXPECT_EQ(0u, stream_->unread_bytes());
  stream_->resume_reading();
  settle();
  EXPECT_EQ(1u, handler_.story.size());
}

TEST_F(FrameStreamTest, APeerThatDoesNotReadIsNotServedUntilItDoes) {
  group_.limits.output_soft_max = 64 << 10;
  open();
  peer_->stop_reading();
  size_t answered = 0;
  const std::string value(16 << 10, 'v');
  handler_.message_body = [&](FrameStream& stream) {
    core::Reply reply;
    reply.seq = ++answered;
    reply.value = value;
    stream.send(reply, wire::Routing::kDirect);
    return true;
  };
  constexpr size_t kRequests = 200;
  std::string all;
  for (size_t k = 1; k <= kRequests; ++k) all += encoded_request(k);
  peer_sends(all);
  EXPECT_LT(answered, kRequests);
  EXPECT_LT(stream_->output_size(), (64u << 10) + (17u << 10)) << "one answer beyond the bound";
  peer_->go_on_reading();
  settle();
  EXPECT_EQ(kRequests, answered);
  for (size_t k = 1; k <= kRequests; ++k) {
    const auto received = take_message(*peer_);
    ASSERT_TRUE(received);
    ASSERT_EQ(k, std::get<core::Reply>(received->message).seq);
  }
}

// -------------------------------------------------------------------------------------- the end

TEST_F(FrameStreamTest, EndOfInputClosesWhenEverythingIsSent) {
  peer_->send(encoded_request(1));
  peer_->half_close();
  settle();
  ASSERT_EQ(3u, handler_.story.size());
  EXPECT_EQ("end", handler_.story[1]);
  EXPECT_EQ("peer closed", handler_.story[2]);
}

TEST_F(FrameStreamTest, AHandlerMayAnswerAfterTheEndOfInput) {
  handler_.end_body = [](FrameStream&) {};
  peer_->half_close();
  settle();
  EXPECT_TRUE(stream_->is_open());
  stream_->send(core::Ping{1}, wire::Routing::kDirect);
  stream_->close_after_flush();
  settle();
  EXPECT_TRUE(take_message_of<core::Ping>(*peer_));
  EXPECT_EQ("peer closed", handler_.story.back());
}

TEST_F(FrameStreamTest, HalfAFrameAndTheEndIsNoMessage) {
  peer_->send(encoded_request(1).substr(0, 9));
  peer_->half_close();
  settle();
  EXPECT_EQ((Story{"end", "peer closed"}), handler_.story);
}

TEST_F(FrameStreamTest, WhatIsSentToAClosedStreamIsDropped) {
  stream_->close();
  EXPECT_FALSE(stream_->is_open());
  stream_->send(core::Ping{1}, wire::Routing::kDirect);
  stream_->send(core::Reply(), wire::Routing::kDirect);
  stream_->refuse("too late");
  settle();
  EXPECT_EQ(Story{"closed here"}, handler_.story);
  stream_->send(core::Ping{1}, wire::Routing::kDirect);
  stream_->refuse("later still");
  settle();
  EXPECT_EQ("", peer_->take());
  EXPECT_TRUE(peer_->ended());
  EXPECT_TRUE(stream_->refusal().empty());
}

TEST_F(FrameStreamTest, AHandlerThatClosesGetsNothingMore) {
  handler_.message_body = [](FrameStream& stream) {
    stream.close();
    return true;
  };
  peer_sends(encoded_request(1) + encoded_request(2));
  EXPECT_EQ(2u, handler_.story.size());
  EXPECT_EQ("closed here", handler_.story[1]);
}

// ------------------------------------------------------------------ a handler that destroys it

TEST_F(FrameStreamTest, MayBeDestroyedWhileItHandsAMessageOn) {
  handler_.message_body = [&](FrameStream&) {
    stream_.reset();
    return true;
  };
  peer_->send(encoded_request(1) + encoded_request(2));
  settle();
  EXPECT_EQ(1u, handler_.story.size());
  EXPECT_TRUE(peer_->ended());
}

TEST_F(FrameStreamTest, MayBeDestroyedAsItRefuses) {
  handler_.message_body = [&](FrameStream& stream) {
    stream.refuse("no");
    stream_.reset();
    return false;
  };
  peer_->send(encoded_request(1) + encoded_request(2));
  settle();
  EXPECT_EQ(1u, handler_.story.size());
}

TEST_F(FrameStreamTest, MayBeDestroyedAtTheEndOfInput) {
  handler_.end_body = [&](FrameStream&) { stream_.reset(); };
  peer_->half_close();
  settle();
  EXPECT_EQ(Story{"end"}, handler_.story);
  EXPECT_TRUE(peer_->ended());
}

TEST_F(FrameStreamTest, MayBeDestroyedWhenItIsClosed) {
  handler_.closed_body = [&](FrameStream&) { stream_.reset(); };
  peer_->hang_up();
  settle();
  EXPECT_EQ((Story{"end", "peer closed"}), handler_.story);
  EXPECT_FALSE(stream_);
}

}  // namespace
}  // namespace lh::link
