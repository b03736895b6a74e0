#include "client/session.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <map>
#include <optional>
#include <string>
#include <thread>

#include "net/socket.h"
#include "tests/client/fake_file.h"
#include "tests/client/temp_files.h"

namespace lh::client {
namespace {

using core::Code;
using core::Op;
using testing::FakeFile;
using testing::FakeSetup;
using Kind = core::FileRequest::Kind;
using Outcome = core::FileResult::Outcome;

// What was answered, by tag; the value of a read in `value`.
struct Answers final : core::ClientSink {
  void on_done(const core::Completion& done) override {
    codes[done.tag] = done.code;
    value = done.value;
    last = done;
    last.key = last.value = {};
  }
  void on_scan_piece(uint64_t tag, const core::ScanReply& piece) override {
    bytes[tag] += piece.matches.size();
  }
  void on_call_done(uint64_t tag, const core::FileResult& result) override {
    results[tag] = result;
  }

  std::map<uint64_t, Code> codes;
  std::map<uint64_t, core::FileResult> results;
  std::map<uint64_t, size_t> bytes;
  std::string value;
  core::Completion last;
};

class SessionTest : public ::testing::Test {
 protected:
  void connect(const FakeFile& file, size_t node = 0) {
    Result<std::unique_ptr<Session>> opened = Session::open({file.address(node)});
    ASSERT_TRUE(opened.ok()) << opened.status().message();
    session_ = std::move(opened).value();
    session_->set_sink(&answers_);
  }

  Code ask(Op op, std::string_view key, std::string_view value = {}) {
    const uint64_t tag = ++tag_;
    session_->submit(op, key, value, tag);
    while (!answers_.codes.contains(tag)) session_->turn(base::ms(50));
    return answers_.codes[tag];
  }

  core::FileResult call(Kind kind, BucketNo bucket = 0) {
    core::FileRequest request;
    request.kind = kind;
    request.bucket = bucket;
    const uint64_t tag = ++tag_;
    session_->call(request, tag);
    while (!answers_.results.contains(tag)) session_->turn(base::ms(50));
    return answers_.results[tag];
  }

  // Inserts records until the file has as many buckets, and waits for the last split.
  void grow(uint64_t buckets) {
    uint64_t have = 0;
    while (have < buckets) {
      for (int k = 0; k < 20; ++k) {
        ++records_;
        ASSERT_EQ(ask(Op::kInsert, "key" + std::to_string(records_), "v"), Code::kOk);
      }
      const core::FileResult settled = call(Kind::kSettle);
      ASSERT_EQ(settled.outcome, Outcome::kOk);
      have = bucket_count(settled.file.state);
    }
  }

  // A key in a bucket of the node, given that the file is as grow() left it.
  std::string key_at(size_t node) {
    for (uint64_t k = 1; k <= records_; ++k) {
      const std::string key = "key" + std::to_string(k);
      EXPECT_EQ(ask(Op::kLocate, key), Code::kOk);
      if (static_cast<size_t>(answers_.last.node) == node + 1) return key;
    }
    ADD_FAILURE() << "no record is there";
    return {};
  }

  Answers answers_;
  std::unique_ptr<Session> session_;
  uint64_t tag_ = 0;
  uint64_t records_ = 0;
};

TEST_F(SessionTest, keyedRequests) {
  const FakeFile file;
  connect(file);
  EXPECT_EQ(ask(Op::kInsert, "k", "v"), Code::kOk);
  EXPECT_EQ(ask(Op::kInsert, "k", "w"), Code::kExists);
  EXPECT_EQ(ask(Op::kRead, "k"), Code::kOk);
  EXPECT_EQ(answers_.value, "v");
  EXPECT_EQ(ask(Op::kUpdate, "k", "w"), Code::kOk);
  EXPECT_EQ(ask(Op::kPut, "l", ""), Code::kOk);
  EXPECT_EQ(ask(Op::kDelete, "k"), Code::kOk);
  EXPECT_EQ(ask(Op::kRead, "k"), Code::kNotFound);
  EXPECT_EQ(ask(Op::kRead, ""), Code::kNotFound);
  EXPECT_EQ(session_->in_flight(), 0u);
}

TEST_F(SessionTest, learnsTheFilesOptions) {
  FakeSetup setup;
  setup.options.hash = base::HashMode::kInteger;
  const FakeFile file(setup);
  connect(file);
  EXPECT_EQ(session_->hash(), base::HashMode::kInteger);
  EXPECT_EQ(ask(Op::kInsert, "12", "v"), Code::kOk);
  EXPECT_EQ(ask(Op::kInsert, "x", "v"), Code::kBadKey);
}

TEST_F(SessionTest, learnsByImageAdjustments) {
  const FakeFile file;
  connect(file);
  grow(9);
  EXPECT_EQ(call(Kind::kCount).records, records_);

  // A fresh client knows one bucket only; each message that goes astray teaches it.
  connect(file);
  EXPECT_EQ(session_->core().image(), FileState{});
  for (uint64_t k = 1; k <= records_; ++k) {
    EXPECT_EQ(ask(Op::kRead, "key" + std::to_string(k)), Code::kOk);
    EXPECT_LE(answers_.last.hops, 2);
  }
  const core::ClientCore::Counters& counters = session_->core().counters();
  EXPECT_GT(counters.iams, 0u);
  EXPECT_LT(counters.iams, 20u) << "few are enough";
  EXPECT_EQ(counters.retries, 0u);
  EXPECT_GT(bucket_count(session_->core().image()), 1u);
}

TEST_F(SessionTest, answersComeStraightFromTheNodeThatServes) {
  FakeFile file;
  connect(file);
  grow(9);
  connect(file);
  const uint64_t before = file.answers_to_listeners();
  for (uint64_t k = 1; k <= records_; ++k) ask(Op::kRead, "key" + std::to_string(k));
  EXPECT_GT(file.answers_to_listeners(), before);
  EXPECT_EQ(session_->core().counters().retries, 0u);
}

TEST_F(SessionTest, answersComeByTheNodeThatWasAskedToo) {
  FakeSetup setup;
  setup.straight = false;
  FakeFile file(setup);
  connect(file);
  grow(9);
  EXPECT_EQ(file.answers_to_listeners(), 0u);
  EXPECT_GT(session_->core().counters().forwards, 0u);
  EXPECT_EQ(session_->core().counters().retries, 0u);
}

TEST_F(SessionTest, anyNodeWillDoForTheCoordinator) {
  const FakeFile file;
  connect(file, 2);
  grow(9);
  EXPECT_EQ(call(Kind::kFile).records, records_);
  EXPECT_TRUE(session_->fetch_book());
}

TEST_F(SessionTest, manyRequestsAtATime) {
  FakeSetup setup;
  setup.options.capacity = 500;
  const FakeFile file(setup);
  connect(file);
  const uint64_t first = tag_ + 1;
  for (int k = 0; k < 20'000; ++k) {
    while (!session_->has_room()) session_->turn(base::ms(50));
    session_->submit(Op::kPut, std::to_string(k % 5'000), std::to_string(k), ++tag_);
  }
  while (session_->in_flight() > 0) session_->turn(base::ms(50));
  EXPECT_EQ(answers_.codes.size(), 20'000u);
  for (uint64_t tag = first; tag <= tag_; ++tag) ASSERT_EQ(answers_.codes[tag], Code::kOk);
  EXPECT_EQ(call(Kind::kCount).records, 5'000u);
}

// Two sessions in one loop: a turn of one is a turn of both, and either may end first.
TEST_F(SessionTest, sessionsMayShareALoop) {
  const FakeFile file;
  const auto loop = std::move(net::EventLoop::create(session_clock())).value();
  SessionOptions options{file.address()};
  options.loop = loop.get();
  session_ = std::move(Session::open(options)).value();
  session_->set_sink(&answers_);
  {
    const auto other = std::move(Session::open(options)).value();
    Answers answers_of_other;
    other->set_sink(&answers_of_other);
    other->submit(Op::kPut, "k", "v", 1);
    while (answers_of_other.codes.empty()) session_->turn(base::ms(50));
    EXPECT_EQ(Code::kOk, ask(Op::kRead, "k"));
    EXPECT_EQ("v", answers_.value);
    other->submit(Op::kRead, "k", {}, 2);
  }
  EXPECT_EQ(Code::kOk, ask(Op::kRead, "k")) << "what was under way in the other is gone with it";
  session_.reset();
}

TEST_F(SessionTest, questionsAboutTheFile) {
  const FakeFile file;
  connect(file);
  grow(5);
  EXPECT_EQ(call(Kind::kScan).outcome, Outcome::kOk);
  EXPECT_GT(answers_.bytes[tag_], records_);
  const core::FileResult buckets = call(Kind::kBuckets);
  EXPECT_GE(buckets.buckets.size(), 5u);
  EXPECT_EQ(call(Kind::kBucket, 1).outcome, Outcome::kOk);
  EXPECT_EQ(call(Kind::kBucket, 1'000).outcome, Outcome::kNoSuchBucket);
  EXPECT_EQ(call(Kind::kNodes).file.nodes.size(), 3u);
}

// ------------------------------------------------------------------------------------ troubles

TEST_F(SessionTest, nobodyAtTheAddress) {
  std::string address;
  {
    Result<net::Socket> socket = net::Socket::listen(net::SocketAddress::ipv4_loopback(0));
    ASSERT_TRUE(socket.ok());
    address = socket.value().local_address().to_string();
  }
  const Result<std::unique_ptr<Session>> opened = Session::open({address});
  EXPECT_EQ(opened.status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(opened.status().message(), "the coordinator at " + address + " cannot be reached");
}

TEST_F(SessionTest, somebodyWhoSaysNothing) {
  FakeFile file;
  file.silence(0);
  SessionOptions options{file.address(0), base::ms(100)};
  const Result<std::unique_ptr<Session>> opened = Session::open(options);
  EXPECT_EQ(opened.status().message(),
            "the coordinator at " + file.address(0) + " does not answer: is it an lhnode?");
}

// A server that answers the first bytes of a client with bytes of its own, then closes.
class Stranger {
 public:
  explicit Stranger(std::string answer) : socket_(listen()) {
    address = socket_.local_address().to_string();
    thread_ = std::thread([this, text = std::move(answer)] {
      net::Socket client;
      net::SocketAddress peer;
      wait(socket_);
      EXPECT_EQ(0, socket_.accept(&client, &peer));
      EXPECT_GT(read_some(client), 0);
      EXPECT_EQ(static_cast<ssize_t>(text.size()),
                ::send(client.fd(), text.data(), text.size(), MSG_NOSIGNAL));
      ::shutdown(client.fd(), SHUT_WR);
      while (read_some(client) > 0) {
      }
    });
  }
  ~Stranger() { thread_.join(); }
  std::string address;

 private:
  static net::Socket listen() {
    return std::move(net::Socket::listen(net::SocketAddress::ipv4_loopback(0))).value();
  }
  static void wait(const net::Socket& socket) {
    pollfd readable{socket.fd(), POLLIN, 0};
    ::poll(&readable, 1, 10'000);
  }
  static ssize_t read_some(const net::Socket& socket) {
    wait(socket);
    char bytes[1000];
    return ::recv(socket.fd(), bytes, sizeof bytes, 0);
  }

  net::Socket socket_;
  std::thread thread_;
};

TEST_F(SessionTest, somebodyElse) {
  const Stranger stranger("-ERR what is that?\r\n");
  const Result<std::unique_ptr<Session>> opened = Session::open({stranger.address});
  EXPECT_EQ(opened.status().message(),
            "the coordinator at " + stranger.address + " closed the connection: is it an lhnode?");
}

TEST_F(SessionTest, aNodeThatRefusesSaysWhy) {
  std::string frame;
  wire::encode(core::Error{"this node has not joined a file yet"}, wire::Routing::kDirect, &frame);
  const Stranger stranger(frame);
  const Result<std::unique_ptr<Session>> opened = Session::open({stranger.address});
  EXPECT_EQ(opened.status().message(), "the coordinator at " + stranger.address +
                                           " refused: this node has not joined a file yet");
}

TEST_F(SessionTest, aWelcomeWithoutBucket0IsNotBelieved) {
  std::string frame;
  wire::encode(core::Welcome{NodeId{1}, {}, {}}, wire::Routing::kDirect, &frame);
  const Stranger stranger(frame);
  EXPECT_EQ(Session::open({stranger.address}).status().code(), StatusCode::kUnavailable);
}

TEST_F(SessionTest, noAddress) {
  EXPECT_EQ(Session::open({"nowhere"}).status().code(), StatusCode::kInvalid);
}

TEST_F(SessionTest, aDeadNodesBucketsAreDownAndTheOthersGoOn) {
  FakeFile file;
  connect(file);
  grow(9);
  const std::string dead = key_at(1);
  const std::string alive = key_at(2);
  file.kill(1);
  EXPECT_EQ(ask(Op::kRead, dead), Code::kDown);
  EXPECT_EQ(ask(Op::kRead, alive), Code::kOk);
  EXPECT_EQ(ask(Op::kRead, dead), Code::kDown);
  EXPECT_EQ(call(Kind::kCount).outcome, Outcome::kBucketDown);
  EXPECT_EQ(call(Kind::kNodes).outcome, Outcome::kOk);
}

TEST_F(SessionTest, aSilentNodesBucketsAreDownToo) {
  FakeFile file;
  connect(file);
  grow(9);
  const std::string dead = key_at(1);
  file.silence(1);
  EXPECT_EQ(ask(Op::kRead, dead), Code::kDown);
  EXPECT_EQ(call(Kind::kCount).outcome, Outcome::kBucketDown);
}

TEST_F(SessionTest, aBrokenConnectionIsMadeAnew) {
  FakeFile file;
  connect(file);
  grow(9);
  for (size_t node = 0; node < 3; ++node) {
    const std::string key = key_at(node);
    file.drop_clients(node);
    EXPECT_EQ(ask(Op::kRead, key), Code::kOk);
  }
  file.drop_clients(0);
  EXPECT_EQ(call(Kind::kFile).outcome, Outcome::kOk);
  file.drop_clients(0);
  EXPECT_TRUE(session_->fetch_book());
}

TEST_F(SessionTest, aNodeThatMovedIsFound) {
  FakeFile file;
  connect(file);
  grow(9);
  const std::string key = key_at(1);
  file.move(1);
  EXPECT_EQ(ask(Op::kRead, key), Code::kOk);
  EXPECT_EQ(call(Kind::kCount).records, records_);
}

TEST_F(SessionTest, withoutTheCoordinatorKeyedRequestsGoOn) {
  FakeFile file;
  connect(file);
  grow(9);
  const std::string key = key_at(1);
  file.kill(0);
  EXPECT_EQ(ask(Op::kRead, key), Code::kOk);
  EXPECT_EQ(call(Kind::kFile).outcome, Outcome::kNoCoordinator);
  EXPECT_EQ(call(Kind::kNodes).outcome, Outcome::kNoCoordinator);
  EXPECT_FALSE(session_->fetch_book());
  EXPECT_EQ(ask(Op::kRead, key), Code::kOk);
}

TEST_F(SessionTest, aCoordinatorThatFallsSilentIsNoticed) {
  FakeFile file;
  connect(file);
  file.silence(0);
  EXPECT_EQ(call(Kind::kFile).outcome, Outcome::kNoCoordinator);
}

TEST_F(SessionTest, waitsForADescriptor) {
  const FakeFile file;
  connect(file);
  testing::Pipe pipe;
  pipe.write("x");
  session_->wait_readable(pipe.reader());
  std::thread writer([&] { pipe.close_writer(); });
  char byte = 0;
  EXPECT_EQ(1, ::read(pipe.reader(), &byte, 1));
  session_->wait_readable(pipe.reader());
  EXPECT_EQ(0, ::read(pipe.reader(), &byte, 1)) << "the end counts";
  writer.join();
  const testing::TempDir dir;
  const int fd = ::open(dir.write("file", "x").c_str(), O_RDONLY);
  session_->wait_readable(fd);
  ::close(fd);
}

TEST_F(SessionTest, withoutASinkAnswersAreDropped) {
  const FakeFile file;
  connect(file);
  session_->set_sink(nullptr);
  session_->submit(Op::kPut, "k", "v", 1);
  while (session_->in_flight() > 0) session_->turn(base::ms(50));
  session_->set_sink(&answers_);
  EXPECT_EQ(ask(Op::kRead, "k"), Code::kOk);
  EXPECT_FALSE(answers_.codes.contains(0));
}

}  // namespace
}  // namespace lh::client
