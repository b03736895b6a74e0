#include "wire/text_answers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "base/strings.h"
#include "wire/text_commands.h"

namespace lh::wire {
namespace {

using core::Code;
using core::Op;
using std::string_view_literals::operator""sv;

template <typename Append, typename... Args>
std::string line(Append append, const Args&... args) {
  std::string out;
  append(&out, args...);
  return out;
}

std::string keyed(Op op, Code code, std::string_view value = {}) {
  core::Reply reply;
  reply.code = code;
  reply.bucket = {3, 2};
  reply.value = value;
  return line(append_keyed, op, reply);
}

TEST(TextAnswersTest, keyedCommands) {
  EXPECT_EQ(keyed(Op::kInsert, Code::kOk), "OK\n");
  EXPECT_EQ(keyed(Op::kInsert, Code::kExists), "ERR key exists\n");
  EXPECT_EQ(keyed(Op::kUpdate, Code::kOk), "OK\n");
  EXPECT_EQ(keyed(Op::kUpdate, Code::kNotFound), "ERR no such key\n");
  EXPECT_EQ(keyed(Op::kPut, Code::kOk), "OK\n");
  EXPECT_EQ(keyed(Op::kRead, Code::kOk, "v"), "v\n");
  EXPECT_EQ(keyed(Op::kRead, Code::kNotFound), "NOT FOUND\n");
  EXPECT_EQ(keyed(Op::kDelete, Code::kOk), "OK\n");
  EXPECT_EQ(keyed(Op::kDelete, Code::kNotFound), "NOT FOUND\n");
}

TEST(TextAnswersTest, keyedCommandsThatFail) {
  EXPECT_EQ(keyed(Op::kRead, Code::kDown), "ERR bucket 3 is down\n");
  EXPECT_EQ(keyed(Op::kLocate, Code::kBadKey), "ERR key is not an integer\n");
  EXPECT_EQ(keyed(Op::kPut, Code::kBusy), "ERR bucket 3 is busy: try again\n");
  EXPECT_EQ(keyed(Op::kPut, Code::kRetry), "ERR bucket 3 is moving records: try again\n");
  EXPECT_EQ(keyed(Op::kPut, Code::kNoBucket), "ERR bucket 3 is not where it was: try again\n");
}

TEST(TextAnswersTest, valuesAreQuotedWhenTheyHaveToBe) {
  EXPECT_EQ(keyed(Op::kRead, Code::kOk, "two words"), "two words\n");
  EXPECT_EQ(keyed(Op::kRead, Code::kOk, ""), "\"\"\n");
  EXPECT_EQ(keyed(Op::kRead, Code::kOk, "a\nb\0"sv), "\"a\\nb\\x00\"\n");
  EXPECT_EQ(keyed(Op::kRead, Code::kOk, "\"x\""), "\"\\\"x\\\"\"\n");
}

TEST(TextAnswersTest, dataIsNotTakenForAnAnswer) {
  EXPECT_EQ(keyed(Op::kRead, Code::kOk, "NOT FOUND"), "\"NOT FOUND\"\n");
  EXPECT_EQ(keyed(Op::kRead, Code::kOk, "ERR key exists"), "\"ERR key exists\"\n");
  EXPECT_EQ(keyed(Op::kRead, Code::kOk, "OK"), "OK\n") << "a read never answers OK";
  EXPECT_EQ(line(append_record, "END", "x"), "\"END\" x\n");
  EXPECT_EQ(line(append_record, "ENDING", "x"), "\"ENDING\" x\n");
  EXPECT_EQ(line(append_record, "ERR", "x"), "\"ERR\" x\n");
  EXPECT_EQ(line(append_record, "end", "END"), "end END\n");
}

TEST(TextAnswersTest, recordsReadBackAsTheyAre) {
  EXPECT_EQ(line(append_record, "k", "some value"), "k some value\n");
  for (std::string_view key : {"k"sv, ""sv, "a b"sv, "END"sv, "\"q\""sv, "\x01\xff"sv}) {
    for (std::string_view value : {"v"sv, ""sv, " x "sv, "a\tb\n"sv, "\""sv, "ERR \xc3\xa4"sv}) {
      const std::string record = line(append_record, key, value);
      ASSERT_EQ(record.back(), '\n');
      std::string_view rest = std::string_view(record).substr(0, record.size() - 1);
      std::string key_scratch;
      std::string value_scratch;
      std::string_view got;
      ASSERT_EQ(base::parse_word(&rest, &key_scratch, &got), base::WordStatus::kOk);
      EXPECT_EQ(got, key);
      ASSERT_EQ(base::parse_value(&rest, &value_scratch, &got), base::WordStatus::kOk);
      EXPECT_EQ(got, value);
    }
  }
}

TEST(TextAnswersTest, errorsStayOnTheirLine) {
  EXPECT_EQ(line(append_error, "no node has room: 1 split owed"),
            "ERR no node has room: 1 split owed\n");
  EXPECT_EQ(line(append_error, "a\nb\x1b"), "ERR a\\nb\\x1b\n");
}

TEST(TextAnswersTest, linesOfTheInterface) {
  const std::string_view address = "127.0.0.1:40123";
  EXPECT_EQ(line(append_located, HashValue{9}, BucketMark{9, 4}, address),
            "c=9 bucket=9 level=4 node=127.0.0.1:40123\n");
  EXPECT_EQ(line(append_count, uint64_t{24}), "24\n");
  EXPECT_EQ(line(append_bucket, BucketMark{4, 3}, uint64_t{3}, address),
            "bucket=4 level=3 records=3 node=127.0.0.1:40123\n");
  EXPECT_EQ(line(append_buckets_end, uint64_t{10}), "END 10 buckets\n");
  EXPECT_EQ(line(append_bucket_end, uint64_t{3}, Level{3}), "END 3 records level=3\n");
  EXPECT_EQ(line(append_scan_end, uint64_t{3}, uint64_t{5}), "END 3 records from 5 buckets\n");
  EXPECT_EQ(line(append_nodes_end, uint64_t{3}), "END 3 nodes\n");

  core::NodeReport node;
  node.address = address;
  node.stats = {2, 5, 1180};
  EXPECT_EQ(line(append_node, node),
            "node=127.0.0.1:40123 state=up buckets=2 records=5 bytes=1180\n");
  node.up = false;
  EXPECT_EQ(line(append_node, node),
            "node=127.0.0.1:40123 state=down buckets=2 records=5 bytes=1180\n");
}

TEST(TextAnswersTest, aFullNodeSaysSo) {
  core::Reply reply;
  reply.code = core::Code::kFull;
  EXPECT_EQ(line(append_keyed, core::Op::kPut, reply),
            "ERR OOM command not allowed when used memory > 'maxmemory'.\n");
  reply.code = core::Code::kNoSpace;
  EXPECT_EQ(line(append_keyed, core::Op::kPut, reply),
            "ERR the disk is full: nothing was written\n");
}

TEST(TextAnswersTest, fileLine) {
  core::FileOptions options;
  options.capacity = 3;
  EXPECT_EQ(line(append_file, uint64_t{0}, FileState{3, 2}, options, uint64_t{24}),
            "file=0 i=3 n=2 buckets=10 records=24 capacity=3 load=0.800 split=uncontrolled\n");
  options.capacity = ~uint64_t{0};
  EXPECT_EQ(line(append_file, uint64_t{0}, FileState{}, options, uint64_t{0}),
            "file=0 i=0 n=0 buckets=1 records=0 capacity=18446744073709551615 load=0.000 "
            "split=uncontrolled\n");
}

TEST(TextAnswersTest, helpHasALineACommand) {
  const std::string help = line(append_help);
  EXPECT_EQ(static_cast<size_t>(std::count(help.begin(), help.end(), '\n')), commands().size() + 1);
  EXPECT_NE(help.find("READ key, GET, QUERY: show a value\n"), std::string::npos) << help;
  EXPECT_NE(help.find("INSERT key value: add a record\n"), std::string::npos) << help;
  EXPECT_NE(help.find("\nEND " + std::to_string(commands().size()) + " commands\n"),
            std::string::npos);
}

}  // namespace
}  // namespace lh::wire
