#include "link/answers.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/change.h"
#include "wire/text_answers.h"

namespace lh::link {
namespace {

using base::HashMode;
using core::Code;
using core::Op;
using Kind = core::FileRequest::Kind;
using Outcome = core::FileResult::Outcome;

constexpr NodeId kFirst{1};
constexpr NodeId kSecond{2};

core::AddressBook two_nodes() {
  core::AddressBook book;
  book.set_node({kFirst, true, "127.0.0.1:1"});
  book.set_node({kSecond, true, "127.0.0.1:2"});
  return book;
}

// The result of a call to a file of three buckets, 0 and 2 at the first node.
core::FileResult result_of(Kind kind) {
  core::FileResult result;
  result.request.kind = kind;
  result.records = 24;
  result.buckets[2] = {{2, 2}, kFirst, 4, 40};
  result.buckets[0] = {{0, 2}, kFirst, 10, 100};
  result.buckets[1] = {{1, 1}, kSecond, 10, 100};
  result.file.state = {1, 1};
  result.file.options.capacity = 10;
  return result;
}

class FileAnswerTest : public ::testing::Test {
 protected:
  void add(const std::vector<std::string>& keys_and_values) {
    std::string matches;
    for (size_t k = 0; k < keys_and_values.size(); k += 2) {
      core::append_put(&matches, {keys_and_values[k], keys_and_values[k + 1]});
    }
    add_bytes(matches);
  }

  void add_bytes(const std::string& matches) {
    core::ScanReply piece;
    piece.matches = matches;
    answer_.add(piece);
  }

  std::string finish(const core::FileResult& result) {
    answer_.finish(result, book_);
    std::string out;
    answer_.append_all(&out);
    return out;
  }

  core::AddressBook book_ = two_nodes();
  FileAnswer answer_{HashMode::kMixed, 1'000};
};

TEST_F(FileAnswerTest, scanIsSortedByKeyBytewise) {
  add({"b", "2", "10", "x"});
  add({"a b", "1", "9", "y"});
  EXPECT_EQ(finish(result_of(Kind::kScan)),
            "10 x\n9 y\n\"a b\" 1\nb 2\nEND 4 records from 3 buckets\n");
  EXPECT_FALSE(answer_.failed());
}

TEST_F(FileAnswerTest, scanOfAnIntegerFileIsSortedByNumber) {
  answer_ = FileAnswer(HashMode::kInteger);
  add({"10", "x", "9", "y"});
  add({"18446744073709551615", "z", "0", "w"});
  EXPECT_EQ(finish(result_of(Kind::kScan)),
            "0 w\n9 y\n10 x\n18446744073709551615 z\nEND 4 records from 3 buckets\n");
}

TEST_F(FileAnswerTest, scanThatFindsNothing) {
  EXPECT_EQ(finish(result_of(Kind::kScan)), "END 0 records from 3 buckets\n");
}

TEST_F(FileAnswerTest, bucketSaysItsLevel) {
  add({"k", "v"});
  core::FileResult result;
  result.request.kind = Kind::kBucket;
  result.request.bucket = 4;
  result.buckets[4] = {{4, 3}, kFirst, 1, 2};
  EXPECT_EQ(finish(result), "k v\nEND 1 records level=3\n");
}

TEST_F(FileAnswerTest, portionsEndBetweenLines) {
  add({"c", "3", "a", "1"});
  add({"b", "2"});
  answer_.finish(result_of(Kind::kScan), book_);
  std::string out;
  EXPECT_TRUE(answer_.append_some(&out, 1));
  EXPECT_EQ(out, "a 1\n");
  EXPECT_TRUE(answer_.append_some(&out, 4));
  EXPECT_EQ(out, "a 1\nb 2\n");
  EXPECT_FALSE(answer_.append_some(&out, 5));
  EXPECT_EQ(out, "a 1\nb 2\nc 3\nEND 3 records from 3 buckets\n");
}

TEST_F(FileAnswerTest, countFileAndBuckets) {
  EXPECT_EQ(finish(result_of(Kind::kCount)), "24\n");
  answer_ = FileAnswer(HashMode::kMixed);
  EXPECT_EQ(finish(result_of(Kind::kFile)),
            "file=0 i=1 n=1 buckets=3 records=24 capacity=10 load=0.800 split=uncontrolled\n");
  answer_ = FileAnswer(HashMode::kMixed);
  EXPECT_EQ(finish(result_of(Kind::kBuckets)),
            "bucket=0 level=2 records=10 node=127.0.0.1:1\n"
            "bucket=1 level=1 records=10 node=127.0.0.1:2\n"
            "bucket=2 level=2 records=4 node=127.0.0.1:1\n"
            "END 3 buckets\n");
}

TEST_F(FileAnswerTest, nodeThatTheBookLacksIsUnknown) {
  core::FileResult result = result_of(Kind::kBuckets);
  result.buckets = {{0, {{0, 0}, NodeId{7}, 1, 1}}};
  EXPECT_EQ(finish(result), "bucket=0 level=0 records=1 node=unknown\nEND 1 buckets\n");
}

core::FileResult nodes_result() {
  core::FileResult result = result_of(Kind::kNodes);
  result.file.nodes = {{kFirst, true, "127.0.0.1:1", {1, 2, 3}},
                       {kSecond, false, "127.0.0.1:2", {4, 5, 6}},
                       {NodeId{3}, true, "127.0.0.1:3", {7, 8, 9}}};
  return result;
}

TEST_F(FileAnswerTest, nodesAreCountedFromWhatTheirBucketsSay) {
  EXPECT_EQ(finish(nodes_result()),
            "node=127.0.0.1:1 state=up buckets=2 records=14 bytes=140\n"
            "node=127.0.0.1:2 state=down buckets=1 records=10 bytes=100\n"
            "node=127.0.0.1:3 state=up buckets=0 records=0 bytes=0\n"
            "END 3 nodes\n");
}

TEST_F(FileAnswerTest, nodesAreAsTheCoordinatorLastHeardWhenABucketIsMissing) {
  core::FileResult result = nodes_result();
  result.buckets.erase(1);
  EXPECT_EQ(finish(result),
            "node=127.0.0.1:1 state=up buckets=1 records=2 bytes=3\n"
            "node=127.0.0.1:2 state=down buckets=4 records=5 bytes=6\n"
            "node=127.0.0.1:3 state=up buckets=7 records=8 bytes=9\n"
            "END 3 nodes\n");
}

TEST_F(FileAnswerTest, settle) {
  core::FileResult result = result_of(Kind::kSettle);
  EXPECT_EQ(finish(result), "OK\n");
  answer_ = FileAnswer(HashMode::kMixed);
  result.file.error = "no node has room: 1 split owed";
  EXPECT_EQ(finish(result), "ERR no node has room: 1 split owed\n");
  EXPECT_TRUE(answer_.failed());
}

TEST_F(FileAnswerTest, failuresDropWhatWasGathered) {
  add({"k", "v"});
  core::FileResult result = result_of(Kind::kScan);
  result.outcome = Outcome::kBucketDown;
  result.down = 3;
  EXPECT_EQ(finish(result), "ERR bucket 3 is down\n");
  EXPECT_TRUE(answer_.failed());

  answer_ = FileAnswer(HashMode::kMixed);
  result.outcome = Outcome::kNoCoordinator;
  EXPECT_EQ(finish(result), "ERR the coordinator cannot be reached\n");
  answer_ = FileAnswer(HashMode::kMixed);
  result.outcome = Outcome::kNoSuchBucket;
  EXPECT_EQ(finish(result), "ERR no such bucket\n");
}

TEST_F(FileAnswerTest, resultBeyondTheBoundIsRefused) {
  add({"k", std::string(900, 'v')});
  EXPECT_EQ(finish(result_of(Kind::kScan)).substr(0, 3), "k v");

  answer_ = FileAnswer(HashMode::kMixed, 1'000);
  add({"k", std::string(900, 'v')});
  add({"l", std::string(90, 'v')});
  add({"m", "v"});
  EXPECT_EQ(finish(result_of(Kind::kScan)), "ERR result too large: narrow the pattern\n");
  EXPECT_TRUE(answer_.failed());

  answer_ = FileAnswer(HashMode::kMixed, 1'000);
  add({"k", std::string(1'000, 'v')});
  EXPECT_EQ(finish(result_of(Kind::kBucket)), "ERR result too large: use SCAN with a pattern\n");
}

TEST_F(FileAnswerTest, whoHasNoRoomForItSaysWhy) {
  add({"k", "v"});
  EXPECT_GT(answer_.bytes(), 2u);
  answer_.give_up("no room");
  add({"l", "v"});
  EXPECT_EQ(answer_.bytes(), 0u);
  EXPECT_EQ(finish(result_of(Kind::kScan)), "ERR no room\n");
  EXPECT_TRUE(answer_.failed());
}

TEST_F(FileAnswerTest, piecesThatAreNoRecordsAreNotBelieved) {
  add({"k", "v"});
  add_bytes("\x01\xff");
  add({"l", "v"});
  EXPECT_EQ(finish(result_of(Kind::kScan)),
            "ERR a bucket answered with something else than records\n");

  answer_ = FileAnswer(HashMode::kMixed);
  std::string erase;
  core::append_erase(&erase, "k");
  add_bytes(erase);
  EXPECT_EQ(finish(result_of(Kind::kScan)),
            "ERR a bucket answered with something else than records\n");
}

// ---------------------------------------------------------------------------------------------

std::string completion(Op op, Code code, std::string_view value = {}, NodeId node = kSecond) {
  core::Completion done;
  done.op = op;
  done.code = code;
  done.value = value;
  done.c = 9;
  done.bucket = {9, 4};
  done.node = node;
  std::string out;
  append_completion(&out, done, two_nodes());
  return out;
}

TEST(CompletionAnswerTest, keyedRequests) {
  EXPECT_EQ(completion(Op::kInsert, Code::kOk), "OK\n");
  EXPECT_EQ(completion(Op::kRead, Code::kOk, "v"), "v\n");
  EXPECT_EQ(completion(Op::kRead, Code::kNotFound), "NOT FOUND\n");
  EXPECT_EQ(completion(Op::kPut, Code::kDown), "ERR bucket 9 is down\n");
  EXPECT_EQ(completion(Op::kLocate, Code::kBadKey), "ERR key is not an integer\n");
}

TEST(CompletionAnswerTest, locate) {
  EXPECT_EQ(completion(Op::kLocate, Code::kOk), "c=9 bucket=9 level=4 node=127.0.0.1:2\n");
  EXPECT_EQ(completion(Op::kLocate, Code::kOk, {}, NodeId{7}),
            "c=9 bucket=9 level=4 node=unknown\n");
}

// ---------------------------------------------------------------------------------------------

TEST(RequestTest, commandsAreKeyedOrAboutTheFileOrNeither) {
  wire::TextParser parser;
  EXPECT_EQ(keyed_op(parser.parse("query k")), Op::kRead);
  EXPECT_EQ(keyed_op(parser.parse("locate k")), Op::kLocate);
  EXPECT_EQ(keyed_op(parser.parse("count")), std::nullopt);
  EXPECT_FALSE(file_request(parser.parse("query k")).has_value());
  for (const char* line : {"help", "ping", "quit", "", "bogus"}) {
    EXPECT_EQ(keyed_op(parser.parse(line)), std::nullopt) << line;
    EXPECT_FALSE(file_request(parser.parse(line)).has_value()) << line;
  }
}

TEST(RequestTest, questionsAboutTheFile) {
  wire::TextParser parser;
  const auto kind = [&](const char* line) { return file_request(parser.parse(line))->kind; };
  EXPECT_EQ(kind("count"), Kind::kCount);
  EXPECT_EQ(kind("file"), Kind::kFile);
  EXPECT_EQ(kind("buckets"), Kind::kBuckets);
  EXPECT_EQ(kind("nodes"), Kind::kNodes);
  EXPECT_EQ(kind("settle"), Kind::kSettle);
  const core::FileRequest bucket = *file_request(parser.parse("bucket 3"));
  EXPECT_EQ(bucket.kind, Kind::kBucket);
  EXPECT_EQ(bucket.bucket, 3u);
  const core::FileRequest scan = *file_request(parser.parse("scan value:a*"));
  EXPECT_EQ(scan.kind, Kind::kScan);
  EXPECT_EQ(scan.match, core::ScanMatch::kValueGlob);
  EXPECT_EQ(scan.pattern, "a*");
}

TEST(KeyOrderTest, integersByNumberOthersBytewise) {
  EXPECT_TRUE(key_before(HashMode::kInteger, "9", "10"));
  EXPECT_FALSE(key_before(HashMode::kMixed, "9", "10"));
  EXPECT_TRUE(key_before(HashMode::kMixed, "", "a"));
  EXPECT_TRUE(key_before(HashMode::kMixed, "a", "\xff"));
  EXPECT_FALSE(key_before(HashMode::kInteger, "10", "10"));
}

}  // namespace
}  // namespace lh::link
