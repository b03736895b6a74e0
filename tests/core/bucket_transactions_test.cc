#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/transaction.h"
#include "tests/core/bucket_fixture.h"

namespace lh::core {
namespace {

using testing::BucketTest;
using testing::lines;
using testing::node;

class BucketTransactionsTest : public BucketTest {
 protected:
  BucketTransactionsTest() { host_.options.capacity = 100; }

  static std::string key(uint64_t c) { return std::to_string(c); }
  Version watch(Bucket* bucket, uint64_t c) {
    const Bucket::Answer answer = bucket->execute({Op::kWatch, c, key(c)}, &effects_);
    base::Reader reader(answer.value);
    const Version version = read_version(&reader);
    EXPECT_TRUE(reader.done());
    return version;
  }
  struct Seen {
    uint64_t c = 0;
    Version version = {};
  };
  struct Part {
    Op op = Op::kRead;
    uint64_t c = 0;
    std::string value = {};
    std::string args = {};
  };
  static std::string encode(const std::vector<Seen>& watched, const std::vector<Part>& parts) {
    std::string bytes;
    TransactionWriter writer(&bytes, watched.size());
    for (const Seen& seen : watched) writer.watch({key(seen.c), seen.version});
    for (const Part& part : parts) writer.add({part.op, 0, key(part.c), part.value, part.args});
    return bytes;
  }
  static std::string describe(const Bucket::Answer& answer) {
    if (answer.code != Code::kOk) return to_string(answer.code);
    std::string out;
    base::Reader reader(answer.value);
    Code code = Code::kOk;
    std::string_view value;
    while (read_part(&reader, &code, &value)) {
      out += (out.empty() ? "" : ", ") + to_string(code);
      if (!value.empty()) out.append(" ").append(value);
    }
    EXPECT_TRUE(reader.ok());
    return out;
  }
  std::string transact(Bucket* bucket, const std::vector<Seen>& watched,
                       const std::vector<Part>& parts) {
    const std::string bytes = encode(watched, parts);
    return describe(bucket->execute({Op::kTransact, 0, key(0), bytes}, &effects_));
  }
};

TEST_F(BucketTransactionsTest, the_parts_are_executed_one_after_the_other) {
  Bucket bucket(host_, BucketMark{0, 0});
  EXPECT_EQ(transact(&bucket, {},
                     {{Op::kPut, 1, "5"},
                      {Op::kIncrement, 1, "7"},
                      {Op::kRead, 1},
                      {Op::kRead, 2},
                      {Op::kAppend, 1, "x"},
                      {Op::kIncrement, 1, "1"},
                      {Op::kTake, 1},
                      {Op::kDelete, 1}}),
            "Ok, Ok 12, Ok 12, NotFound, Ok 3, NotInteger, Ok 12x, NotFound")
      << "one that fails does not stop those behind it";
  EXPECT_EQ(bucket.records(), 0u);
}

TEST_F(BucketTransactionsTest, nothing_is_done_when_a_watched_record_was_written) {
  Bucket bucket(host_, BucketMark{0, 0});
  execute(&bucket, Op::kPut, 1, "a");
  const std::vector<Part> put = {{Op::kPut, 2, "b"}};
  const Seen seen{1, watch(&bucket, 1)};
  EXPECT_EQ(watch(&bucket, 1), seen.version) << "to everybody the same";
  execute(&bucket, Op::kRead, 1);
  execute(&bucket, Op::kPut, 3, "other");
  EXPECT_EQ(transact(&bucket, {seen}, put), "Ok");
  EXPECT_EQ(transact(&bucket, {seen}, {{Op::kPut, 1, "mine"}}), "Ok");
  EXPECT_EQ(transact(&bucket, {seen}, put), "Conflict") << "its own write was one";
  for (const auto& [op, value] : {std::pair<Op, std::string>{Op::kPut, "a"},
                                  {Op::kUpdate, "b"},
                                  {Op::kIncrement, "1"},
                                  {Op::kAppend, "1"},
                                  {Op::kSet, "c"},
                                  {Op::kSwap, "d"},
                                  {Op::kDelete, ""},
                                  {Op::kInsert, "e"},
                                  {Op::kTake, ""}}) {
    if (op == Op::kIncrement) execute(&bucket, Op::kPut, 1, "1");
    const Seen again{1, watch(&bucket, 1)};
    execute(&bucket, op, 1, value);
    EXPECT_EQ(transact(&bucket, {again}, put), "Conflict") << to_string(op);
  }
  EXPECT_EQ(execute(&bucket, Op::kRead, 2), "Ok b");
}

TEST_F(BucketTransactionsTest, what_is_absent_is_watched_too) {
  Bucket bucket(host_, BucketMark{0, 0});
  const Seen seen{1, watch(&bucket, 1)};
  EXPECT_EQ(transact(&bucket, {seen}, {{Op::kRead, 1}}), "NotFound");
  execute(&bucket, Op::kInsert, 1, "a");
  execute(&bucket, Op::kDelete, 1);
  EXPECT_EQ(transact(&bucket, {seen}, {{Op::kRead, 1}}), "Conflict") << "as good as never there?";
}

TEST_F(BucketTransactionsTest, to_expire_and_to_be_given_another_expiry_is_to_be_written) {
  Bucket bucket(host_, BucketMark{0, 0});
  host_.now = testing::kStart;
  SetArgs set;
  set.expiry = host_.unix_ms() + 100;
  const std::string args = set.encode();
  bucket.execute({Op::kSet, 1, key(1), "v", args}, &effects_);
  bucket.execute({Op::kPut, 2, key(2), "v"}, &effects_);
  const Seen stays{2, watch(&bucket, 2)};
  const std::string never = ExpireArgs{0, kNever}.encode();
  EXPECT_EQ(transact(&bucket, {stays}, {{Op::kReadExpire, 2, "", never}}), "Ok v");
  EXPECT_EQ(transact(&bucket, {stays}, {}), "") << "it stays, as it did";
  Seen seen{1, watch(&bucket, 1)};
  const std::string later = ExpireArgs{0, host_.unix_ms() + 200}.encode();
  EXPECT_EQ(transact(&bucket, {seen}, {{Op::kExpire, 1, "", later}}), "Ok");
  EXPECT_EQ(transact(&bucket, {seen}, {}), "Conflict");
  seen.version = watch(&bucket, 1);
  host_.now = testing::kStart + base::ms(199);
  EXPECT_EQ(transact(&bucket, {seen}, {{Op::kLength, 1}}), "Ok 1");
  host_.now = testing::kStart + base::ms(200);
  EXPECT_EQ(transact(&bucket, {seen}, {{Op::kLength, 1}}), "Conflict");
}

TEST_F(BucketTransactionsTest, what_had_expired_before_it_was_watched_is_not_written_by_that) {
  Bucket bucket(host_, BucketMark{0, 0});
  host_.now = now_;
  SetArgs set;
  set.expiry = host_.unix_ms() + 5;
  bucket.execute({Op::kSet, 1, key(1), "v", set.encode()}, &effects_);
  host_.now = now_ + base::ms(10);
  const Version seen = watch(&bucket, 1);
  EXPECT_EQ(transact(&bucket, {{1, seen}}, {{Op::kRead, 1}}), "NotFound");
}

TEST_F(BucketTransactionsTest, a_full_disk_refuses_only_what_writes) {
  Bucket bucket(host_, BucketMark{0, 0});
  execute(&bucket, Op::kPut, 1, "a");
  host_.disk_full = true;
  EXPECT_EQ(transact(&bucket, {}, {{Op::kRead, 1}, {Op::kLength, 1}}), "Ok a, Ok 1");
  EXPECT_EQ(transact(&bucket, {}, {{Op::kRead, 1}, {Op::kDelete, 1}}), "NoSpace");
  EXPECT_EQ(execute(&bucket, Op::kRead, 1), "Ok a");
}

TEST_F(BucketTransactionsTest, versions_of_other_lives_and_buckets_are_old) {
  Bucket bucket(host_, BucketMark{0, 0});
  const Version now = watch(&bucket, 1);
  for (Version other : {Version{node(2), now.boot, now.bucket, now.number},
                        Version{now.node, now.boot + 1, now.bucket, now.number},
                        Version{now.node, now.boot, now.bucket + 1, now.number},
                        Version{now.node, now.boot, now.bucket, now.number + 1}, Version{}}) {
    EXPECT_EQ(transact(&bucket, {{1, other}}, {}), "Conflict");
  }
  EXPECT_EQ(transact(&bucket, {{1, now}}, {}), "");
}

TEST_F(BucketTransactionsTest, all_keys_have_to_be_here) {
  Bucket bucket(host_, BucketMark{0, 1});
  EXPECT_EQ(transact(&bucket, {}, {{Op::kPut, 2, "a"}, {Op::kPut, 3, "b"}}), "Cross");
  EXPECT_EQ(transact(&bucket, {{3, {}}}, {{Op::kPut, 2, "a"}}), "Cross");
  EXPECT_EQ(bucket.records(), 0u) << "not even the first was done";
}

TEST_F(BucketTransactionsTest, a_full_node_refuses_all_of_it) {
  Bucket bucket(host_, BucketMark{0, 0});
  execute(&bucket, Op::kPut, 1, "a");
  host_.full = true;
  EXPECT_EQ(transact(&bucket, {}, {{Op::kDelete, 1}, {Op::kPut, 2, "b"}}), "Full");
  EXPECT_EQ(transact(&bucket, {}, {{Op::kRead, 1}, {Op::kDelete, 1}}), "Ok a, Ok");
}

TEST_F(BucketTransactionsTest, an_answer_that_might_be_too_large_is_not_begun) {
  Bucket bucket(host_, BucketMark{0, 0});
  const std::string half(kAnswerBytesMax / 2, 'h');
  EXPECT_EQ(transact(&bucket, {}, {{Op::kPut, 1, half}}), "Ok");
  EXPECT_EQ(transact(&bucket, {}, {{Op::kPut, 2, "x"}, {Op::kRead, 1}, {Op::kRead, 1}}),
            "TooLarge");
  EXPECT_EQ(execute(&bucket, Op::kRead, 2), "NotFound");
  EXPECT_EQ(
      transact(&bucket, {}, {{Op::kDelete, 1}, {Op::kPut, 1, "x"}, {Op::kRead, 1}, {Op::kRead, 1}}),
      "Ok, Ok, Ok x, Ok x")
      << "what is gone is not counted";
  EXPECT_EQ(transact(&bucket, {}, {{Op::kPut, 1, half}}), "Ok");
  const std::string first = RangeArgs{0, 0}.encode();
  EXPECT_EQ(transact(&bucket, {},
                     {{Op::kReadRange, 1, "", first},
                      {Op::kReadRange, 1, "", first},
                      {Op::kReadRange, 1, "", first}}),
            "Ok h, Ok h, Ok h");
  EXPECT_EQ(transact(&bucket, {}, {{Op::kSet, 1, "x"}, {Op::kRead, 1}, {Op::kRead, 1}}),
            "Ok, Ok x, Ok x");
  EXPECT_EQ(transact(&bucket, {}, {{Op::kPut, 1, half}}), "Ok");
  EXPECT_EQ(transact(&bucket, {}, {{Op::kAppend, 1, "x"}, {Op::kRead, 1}}).size(),
            std::string("Ok 4194305, Ok ").size() + half.size() + 1);
  std::vector<Part> many;
  for (uint64_t c = 10; c < 2'000; ++c) {
    many.push_back({Op::kPut, c, std::string(1'000, 'v')});
    many.push_back({Op::kRead, c});
  }
  EXPECT_GT(transact(&bucket, {}, many).size(), 1'990'000u) << "as large as it gets, not larger";
}

TEST_F(BucketTransactionsTest, bytes_that_are_none_are_malformed) {
  Bucket bucket(host_, BucketMark{0, 0});
  for (const std::string_view bytes :
       {std::string_view(), std::string_view("\x05"), std::string_view("\0\xff", 2)}) {
    EXPECT_EQ(describe(bucket.execute({Op::kTransact, 0, key(0), bytes}, &effects_)), "Malformed");
  }
}

TEST_F(BucketTransactionsTest, executed_once_and_recovered_as_a_whole) {
  Bucket bucket(host_, BucketMark{0, 0});
  effects_.keep_journal(true);
  bucket.record_state(&effects_);
  const std::string bytes = encode({}, {{Op::kIncrement, 1, "1"}, {Op::kIncrement, 1, "1"}});
  Request m = testing::request(Op::kTransact, 0, "1", bytes);
  m.seq = 5;
  for (int copy = 0; copy < 2; ++copy) {
    const auto answer = bucket.execute_once(m, 1, &effects_);
    ASSERT_TRUE(answer);
    EXPECT_EQ(describe(*answer), "Ok 1, Ok 2");
  }
  Bucket back(host_, bucket.state());
  effects_.write_journal([&](uint64_t, std::string_view record) {
    const std::optional<RecordKind> kind = take_kind(&record);
    EXPECT_TRUE(kind && (*kind == RecordKind::kState || back.recover(*kind, record)));
    return uint64_t{1};
  });
  EXPECT_EQ(execute(&back, Op::kRead, 1), "Ok 2");
  const auto answer = back.execute_once(m, 1, &effects_);
  ASSERT_TRUE(answer);
  EXPECT_EQ(describe(*answer), "Ok 1, Ok 2") << "what was answered is remembered as well";
}

TEST_F(BucketTransactionsTest, what_leaves_and_what_is_cleared_has_been_written) {
  Bucket bucket(host_, BucketMark{0, 0});
  execute(&bucket, Op::kPut, 1, "a");
  const Seen leaves{1, watch(&bucket, 1)};
  const std::unique_ptr<Bucket> other = bucket.divide({1, {0, 0}, 1, node(1), {}}, &effects_);
  EXPECT_EQ(transact(other.get(), {leaves}, {}), "Conflict");
  EXPECT_EQ(transact(&bucket, {{2, watch(&bucket, 2)}}, {}), "");
}

TEST(WatchesTest, too_many_are_all_forgotten) {
  Watches watches;
  const uint64_t first = watches.version_of(0);
  for (HashValue c = 1; c < Watches::kMax; ++c) watches.version_of(c);
  EXPECT_TRUE(watches.is(0, first));
  const uint64_t last = watches.version_of(Watches::kMax);
  EXPECT_FALSE(watches.is(0, first));
  EXPECT_TRUE(watches.is(Watches::kMax, last));
  EXPECT_NE(watches.version_of(0), first) << "never the same again";
}

}  // namespace
}  // namespace lh::core
