#include "core/message.h"

#include <gtest/gtest.h>

#include "tests/core/fixture.h"

namespace lh::core {
namespace {

using namespace testing;

// The lines that scenario tests are written in.
TEST(MessageTest, requests_say_where_they_go_and_how_they_came) {
  Request m = request(Op::kPut, 4, "12", "some value");
  m.seq = 3;
  EXPECT_EQ(to_string(Message(m)), "Put 12 \"some value\" seq=3 to=4");
  m.hops = 1;
  m.forwarder = {0, 2};
  EXPECT_EQ(to_string(Message(m)), "Put 12 \"some value\" seq=3 to=4 hops=1 from=(a=0,j=2)");
}

TEST(MessageTest, answers_show_the_iam_only_when_there_was_a_forward) {
  Reply m;
  m.seq = 3;
  m.bucket = {4, 3};
  m.value = "x";
  m.iam = {9, 9};
  EXPECT_EQ(to_string(Message(m)), "Reply seq=3 Ok x bucket=(a=4,j=3)");
  m.hops = 2;
  m.iam = {0, 3};
  m.book = book(1, {2, 3});
  m.book.nodes = {entry(2, "a:1"), entry(3, "b:1", false)};
  EXPECT_EQ(to_string(Message(m)),
            "Reply seq=3 Ok x bucket=(a=4,j=3) hops=2 iam=(a=0,j=3) book=1@n2,2@n3 down=n3");
}

TEST(MessageTest, every_message_has_a_line_of_its_own) {
  EXPECT_EQ(to_string(Message(Overflow{1, 2, 30, 4})),
            "Overflow bucket=1 level=2 records=30 collisions=4");
  EXPECT_EQ(to_string(Message(OverflowAck{1, 4, 3})), "OverflowAck bucket=1 collisions=4 done=3");
  EXPECT_EQ(to_string(Message(SplitOrder{5, {1, 2}, 5, node(3), book(0, {1})})),
            "SplitOrder split=5 source=(a=1,j=2) target=5@n3 book=0@n1");
  EXPECT_EQ(to_string(Message(SplitDone{5, 1, false})), "SplitDone split=5 source=1 not-live");
  EXPECT_EQ(to_string(Message(SplitRecords{5, 1, 2, true, 1, node(2), {5, 3}, 0, "abc"})),
            "SplitRecords split=5 stream=1 batch=2 last target=(a=5,j=3) bytes=3");
  EXPECT_EQ(to_string(Message(SplitRecordsAck{5, 1, 2, 1})),
            "SplitRecordsAck split=5 stream=1 batch=2");
  EXPECT_EQ(to_string(Message(ScanMore{7, 1, 4, 99})), "ScanMore scan=1 to=4");
  EXPECT_EQ(to_string(Message(Heartbeat{node(3), 1, 9, {}})), "Heartbeat id=n3 known=9");
  EXPECT_EQ(to_string(Message(BookQuery{{}, 4})), "BookQuery first=4");
  EXPECT_EQ(to_string(Message(BookUpdate{{}, book(4, {2})})), "BookUpdate book=4@n2");
  EXPECT_EQ(to_string(Message(FileQuery{{}, 2, FileQueryKind::kSettle})),
            "FileQuery query=2 kind=2");
  EXPECT_EQ(to_string(Message(Registered{{}, node(2), {}, {}})), "Registered id=n2");
  EXPECT_EQ(to_string(Message(Hello{})), "Hello version=0 kind=0");
  EXPECT_EQ(to_string(Message(Welcome{})), "Welcome node=n0");
  EXPECT_EQ(to_string(Message(Ping{3})), "Ping 3");
  EXPECT_EQ(to_string(Message(Pong{3})), "Pong 3");
  EXPECT_EQ(to_string(Message(Error{"no such thing"})), "Error \"no such thing\"");
}

TEST(MessageTest, scans_show_their_interval) {
  Scan scan;
  scan.scan = 1;
  scan.to = 4;
  scan.level = 3;
  scan.from = 16;
  EXPECT_EQ(to_string(Message(scan)),
            "Scan scan=1 to=4 level=3 [0000000000000010,ffffffffffffffff]");
  scan.solo = true;
  EXPECT_EQ(to_string(Message(scan)),
            "Scan scan=1 to=4 level=3 solo [0000000000000010,ffffffffffffffff]");
  ScanReply reply;
  reply.scan = 1;
  reply.bucket = {4, 3};
  reply.records = 2;
  reply.more = true;
  reply.last = 15;
  EXPECT_EQ(to_string(Message(reply)),
            "ScanReply scan=1 Ok bucket=(a=4,j=3) records=2 more"
            " [0000000000000000,000000000000000f]");
}

TEST(MessageTest, file_replies_say_why_something_cannot_be_done) {
  FileReply m;
  m.query = 2;
  m.state = {1, 1};
  m.splits_owed = 1;
  EXPECT_EQ(to_string(Message(m)), "FileReply query=2 state=(1,1) owed=1");
  m.error = "no node has room: 1 split owed";
  EXPECT_EQ(to_string(Message(m)),
            "FileReply query=2 state=(1,1) owed=1 error=\"no node has room: 1 split owed\"");
}

TEST(MessageTest, registrations_show_the_address) {
  Register m;
  m.incarnation = 0xabc;
  m.address = "127.0.0.1:4001";
  EXPECT_EQ(to_string(Message(m)), "Register incarnation=abc address=127.0.0.1:4001");
}

TEST(MessageTest, operations_and_codes_have_names) {
  EXPECT_EQ(to_string(Op::kInsert), "Insert");
  EXPECT_EQ(to_string(kOpLast), "Common");
  EXPECT_EQ(to_string(Code::kOk), "Ok");
  EXPECT_EQ(to_string(kCodeLast), "TooLarge");
}

TEST(MessageTest, what_changes_nothing) {
  std::string mutations;
  std::string others;
  for (const OpTraits& t : kOps) {
    ((is_mutation(t.op) ? mutations : others) += t.name) += " ";
    EXPECT_TRUE(is_mutation(t.op) || !needs_memory(t.op)) << t.name;
  }
  EXPECT_EQ(mutations,
            "Insert Update Put Delete Increment Append Set Swap Expire ReadExpire Take Transact "
            "WriteRange IncrementFloat Restore WriteBit WriteFields Rename RenameAbsent Copy "
            "CopyAbsent InsertAll CombineBits ");
  EXPECT_EQ(others,
            "Read Locate Length Expiry Watch ReadRange Type Dump ReadBit CountBits FindBit "
            "ReadFields Common ");
}

}  // namespace
}  // namespace lh::core
