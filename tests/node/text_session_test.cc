#include "node/text_session.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "core/limits.h"
#include "tests/node/two_workers_fixture.h"

namespace lh::node {
namespace {

using testing::Cluster;
using testing::integer_file;
using testing::Peer;
using testing::TestNode;

std::string number(uint64_t n) { return std::to_string(n); }

class TextSessionTest : public testing::TwoWorkers {
 protected:
  TextSessionTest() : TwoWorkers(0) {}

  static std::string value(const std::string& key) { return "v" + key + "\n"; }
};

// ------------------------------------------------------------------------------------- commands

TEST_F(TextSessionTest, EveryCommandHasItsAnswer) {
  Peer& p = *peer_;
  EXPECT_EQ("OK\n", ask(p, "INSERT 1000 a"));
  EXPECT_EQ("ERR key exists\n", ask(p, "INSERT 1000 b"));
  EXPECT_EQ("OK\n", ask(p, "UPDATE 1000 c"));
  EXPECT_EQ("ERR no such key\n", ask(p, "UPDATE 1001 c"));
  EXPECT_EQ("OK\n", ask(p, "PUT 1001 d"));
  EXPECT_EQ("c\n", ask(p, "READ 1000"));
  EXPECT_EQ("d\n", ask(p, "GET 1001"));
  EXPECT_EQ("NOT FOUND\n", ask(p, "QUERY 1002"));
  EXPECT_EQ("OK\n", ask(p, "DELETE 1000"));
  EXPECT_EQ("NOT FOUND\n", ask(p, "DELETE 1000"));
  EXPECT_EQ(number(kRecords + 1) + "\n", ask(p, "COUNT"));
  EXPECT_EQ("OK\n", ask(p, "SETTLE"));
  EXPECT_EQ(0u, ask(p, "FILE").find("file=0 i="));
  EXPECT_EQ("1001 d\nEND 1 records from " + number(node_.live_buckets()) + " buckets\n",
            ask_listing(p, "SCAN d"));
  EXPECT_EQ("PONG\n", ask(p, "PING"));
  EXPECT_EQ("ERR unknown command 'x': try HELP\n", ask(p, "x"));
  EXPECT_NE(std::string::npos, ask_listing(p, "HELP").find("INSERT key value"));
  EXPECT_EQ("ERR no such bucket\n", ask_listing(p, "BUCKET 99999"));
}

TEST_F(TextSessionTest, ListingsNameNodesAndBuckets) {
  const std::string buckets = ask_listing(*peer_, "BUCKETS");
  EXPECT_EQ(0u, buckets.find("bucket=0 level="));
  EXPECT_NE(std::string::npos, buckets.find(" node=" + node_.address() + "\n"));
  EXPECT_NE(std::string::npos, buckets.find("END " + number(node_.live_buckets()) + " buckets\n"));
  const std::string nodes = ask_listing(*peer_, "NODES");
  EXPECT_EQ(0u, nodes.find("node=" + node_.address() + " state=up buckets="));
  EXPECT_NE(std::string::npos, nodes.find("END 1 nodes\n"));
  const std::string bucket = ask_listing(*peer_, "BUCKET 1");
  EXPECT_NE(std::string::npos, bucket.find("1 v1\n"));
}

TEST_F(TextSessionTest, LocateTellsTheSameOfWhatIsNearAndFar) {
  for (const std::string& key : {near(0), far(0)}) {
    const std::string located = ask(*peer_, "LOCATE " + key);
    EXPECT_EQ(0u, located.find("c=" + key + " bucket=")) << located;
    EXPECT_NE(std::string::npos, located.find(" node=" + node_.address() + "\n")) << located;
  }
}

TEST_F(TextSessionTest, BlankLinesHaveNoAnswer) {
  peer_->send("\n\r\n   \t\nPING\n\n");
  settle();
  EXPECT_EQ("PONG\n", peer_->take());
}

TEST_F(TextSessionTest, AnAnswerThatIsAnErrorLeavesTheConnectionOpen) {
  EXPECT_EQ("ERR key is not an integer\n", ask(*peer_, "GET abc"));
  EXPECT_EQ("ERR key is not an integer\n", ask(*peer_, "LOCATE -1"));
  EXPECT_EQ("ERR wrong number of arguments: READ key\n", ask(*peer_, "READ"));
  EXPECT_EQ(0u, ask(*peer_, "GET \"abc").find("ERR unbalanced quote"));
  EXPECT_EQ("PONG\n", ask(*peer_, "PING"));
}

// -------------------------------------------------------------------------------- large answers

class TextSessionLargeTest : public Cluster {
 protected:
  // Two workers with a bucket each, and a bit more than `megabytes` of values.
  void load(size_t records, size_t value_bytes, size_t result_bytes_max = kResultBytesMax) {
    node_ = &start_coordinator(integer_file(records / 2),
                               {.workers = 2, .result_bytes_max = result_bytes_max});
    Peer& peer = connect(*node_, 0);
    const std::string value(value_bytes, 'v');
    for (size_t k = 0; k < records; ++k) {
      peer.send("INSERT " + number(k) + " " + value + "\n");
      if (k % 100 == 0) settle();
    }
    ASSERT_TRUE(within(base::seconds(5), [&] { return peer.lines() == records; }));
    ASSERT_EQ(std::string::npos, peer.take().find("ERR"));
    ASSERT_EQ("OK\n", ask(peer, "SETTLE"));
    ASSERT_GT(node_->worker(1).server().stats().records, 0u);
  }
  // Whether the listing names each key once, in order, and ends as it should.
  static void expect_listing(std::string_view text, size_t records) {
    size_t at = 0;
    for (size_t k = 0; k < records; ++k) {
      const size_t end = text.find('\n', at);
      ASSERT_NE(std::string_view::npos, end);
      ASSERT_EQ(number(k) + " v", text.substr(at, number(k).size() + 2));
      at = end + 1;
    }
    EXPECT_EQ("END " + number(records) + " records from",
              text.substr(at, text.rfind(" from") + 5 - at));
    EXPECT_EQ(text.size() - 1, text.find('\n', at));
  }

  TestNode* node_ = nullptr;
};

TEST_F(TextSessionLargeTest, ALongListingIsPrintedInPortionsAsTheReaderReads) {
  constexpr size_t kRecords = 4'000;
  load(kRecords, 2'000);
  Peer& slow = connect_narrow(*node_, 0);
  slow.read_slowly(10'000);
  slow.send("SCAN v\nPING\n");
  Peer& other = connect(*node_, 0);
  for (int k = 0; k < 10; ++k) EXPECT_EQ("PONG\n", ask(other, "PING"));
  EXPECT_LT(slow.received().size(), size_t{2} << 20) << "others do not wait for it";
  ASSERT_TRUE(until([&] { return slow.received().ends_with("PONG\n"); }));
  std::string text = slow.take();
  text.resize(text.size() - 5);
  expect_listing(text, kRecords);
}

TEST_F(TextSessionLargeTest, AReaderThatStopsGetsTheRestWhenItGoesOn) {
  constexpr size_t kRecords = 4'000;
  load(kRecords, 2'000);
  Peer& slow = connect_narrow(*node_, 0);
  slow.stop_reading();
  slow.send("SCAN v\n");
  pass(base::seconds(30));
  EXPECT_FALSE(slow.ended());
  slow.go_on_reading();
  ASSERT_TRUE(until([&] { return slow.received().find("END ") != std::string::npos; }));
  expect_listing(slow.take(), kRecords);
}

TEST_F(TextSessionLargeTest, AReaderThatStopsForGoodIsClosed) {
  load(4'000, 2'000);
  Peer& slow = connect_narrow(*node_, 0);
  slow.stop_reading();
  slow.send("SCAN v\n");
  pass(base::seconds(32));
  slow.go_on_reading();
  ASSERT_TRUE(until([&] { return slow.ended(); }));
  EXPECT_EQ(std::string::npos, slow.received().find("END "));
}

TEST_F(TextSessionLargeTest, AllScansTogetherHaveABound) {
  constexpr size_t kBytesMax = size_t{20} << 20;
  load(4'000, 2'000, kBytesMax);
  Peer& first = connect_narrow(*node_, 0);
  Peer& second = connect_narrow(*node_, 1);
  for (Peer* slow : {&first, &second}) {
    slow->stop_reading();
    slow->send("SCAN v\n");
    pass(base::ms(100));
  }
  const size_t held = node_->shared().results.used();
  EXPECT_GT(held, size_t{16'000'000});
  Peer& third = connect(*node_, 0);
  EXPECT_EQ("ERR too many results under way: try again later, or narrow the pattern\n",
            ask_listing(third, "SCAN v"));
  EXPECT_EQ(held, node_->shared().results.used());
  EXPECT_EQ("4000\n", ask(third, "COUNT"));
  EXPECT_EQ("1 " + std::string(2'000, 'v') + "\nEND 1 records from 2 buckets\n",
            ask_listing(third, "SCAN key:1"))
      << "small ones go on";
  first.hang_up();
  settle();
  expect_listing(ask_listing(third, "SCAN v"), 4'000);
}

TEST_F(TextSessionLargeTest, WhoHoldMostAndDoNotReadAreClosedEarly) {
  load(4'000, 2'000, size_t{20} << 20);
  Peer& first = connect_narrow(*node_, 0);
  Peer& second = connect_narrow(*node_, 0);
  for (Peer* slow : {&first, &second}) {
    slow->stop_reading();
    slow->send("SCAN v\n");
    pass(base::ms(100));
  }
  pass(base::seconds(2));
  EXPECT_EQ(1u, node_->shared().reports[0].unread.load()) << "one alone may hold half of it all";
  EXPECT_LT(node_->shared().results.used(), size_t{10} << 20);
  first.go_on_reading();
  second.go_on_reading();
  ASSERT_TRUE(until([&] { return first.ended() || second.ended(); }));
  Peer& stays = first.ended() ? second : first;
  ASSERT_TRUE(until([&] { return stays.received().find("END ") != std::string::npos; }));
  expect_listing(stays.take(), 4'000);
  EXPECT_EQ(0u, node_->shared().results.used());
}

TEST_F(TextSessionLargeTest, TheEndOfInputDoesNotCutALongListing) {
  constexpr size_t kRecords = 4'000;
  load(kRecords, 2'000);
  Peer& slow = connect_narrow(*node_, 0);
  slow.stop_reading();
  slow.send("SCAN v\nPING\n");
  slow.half_close();
  settle();
  slow.go_on_reading();
  ASSERT_TRUE(until([&] { return slow.ended(); }));
  std::string text = slow.take();
  ASSERT_TRUE(text.ends_with("PONG\n"));
  text.resize(text.size() - 5);
  expect_listing(text, kRecords);
}

TEST_F(TextSessionLargeTest, TheAnswersOfAPipelineMayBeMoreThanTheOutputHolds) {
  constexpr size_t kRecords = 200;
  load(kRecords, 65'000);
  node_->worker(0).text_group().limits.output_max = size_t{2} << 20;
  std::string lines;
  for (size_t k = 1; k < kRecords; k += 2) lines += "GET " + number(k) + "\n";
  Peer& peer = connect(*node_, 0);
  node_->freeze(1);
  peer.send(lines + "PING\n");
  settle();
  peer.stop_reading();
  node_->thaw();
  settle();
  peer.go_on_reading();
  ASSERT_TRUE(until([&] { return peer.received().ends_with("PONG\n") || peer.ended(); }));
  EXPECT_EQ(kRecords / 2 + 1, peer.lines());
}

// -------------------------------------------------------------------------------------- the end

TEST_F(TextSessionTest, ALineThatIsTooLongEndsTheConnectionBehindWhatIsOwed) {
  EXPECT_EQ(
      "", answers_before_thaw("GET " + far(0) + "\nGET " + std::string(70'000, '1') + "\nPING\n"));
  EXPECT_EQ(value(far(0)) + "ERR line too long\n", answers_after_thaw());
  EXPECT_TRUE(peer_->ended());
}

TEST_F(TextSessionTest, TheLongestLineIsACommand) {
  const std::string start = "PUT " + near(0) + " ";
  const std::string longest(wire::kLineBytesMax - start.size(), 'v');
  EXPECT_EQ("OK\n", ask(*peer_, start + longest));
  EXPECT_EQ(longest + "\n", ask(*peer_, "GET " + near(0)));
}

TEST_F(TextSessionTest, DrainingPrintsALongListingToItsEnd) {
  for (uint64_t k = 0; k < 400; ++k) {
    ASSERT_EQ("OK\n", ask(*peer_, "PUT " + number(1'000 + k) + " " + std::string(8'000, 'w')));
  }
  ASSERT_EQ("OK\n", ask(*peer_, "SETTLE"));
  Peer& slow = connect_narrow(node_, 0);
  slow.stop_reading();
  slow.send("SCAN w\n");
  settle();
  node_.worker(0).drain();
  settle();
  slow.go_on_reading();
  ASSERT_TRUE(until([&] { return slow.ended(); }));
  EXPECT_EQ(401u, slow.lines());
}

// ----------------------------------------------------------------------------------- not joined

TEST_F(TextSessionTest, ANodeThatHasNotJoinedSaysSo) {
  TestNode& alone = start_bucket_node_at("127.0.0.1:1", {});
  Peer& peer = connect(alone, 0);
  EXPECT_EQ("ERR this node has not joined a file yet\n", ask(peer, "GET 1"));
  EXPECT_EQ("ERR this node has not joined a file yet\n", ask(peer, "COUNT"));
  EXPECT_EQ("PONG\n", ask(peer, "PING"));
  EXPECT_EQ("ERR unknown command 'x': try HELP\n", ask(peer, "x"));
}

}  // namespace
}  // namespace lh::node
