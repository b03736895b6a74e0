#include "core/journal.h"

#include <gtest/gtest.h>

#include <string>

#include "core/coordinator_event.h"
#include "tests/core/fixture.h"

namespace lh::core {
namespace {

using namespace testing;

// The rest behind the kind, which has to be `kind`.
std::string_view rest_of(std::string_view record, RecordKind kind) {
  EXPECT_EQ(take_kind(&record), kind);
  return record;
}

// A record that is cut anywhere, or has something behind it, is none.
template <typename Read>
void expect_all_or_nothing(const std::string& record, Read read) {
  for (size_t size = 1; size < record.size(); ++size) {
    EXPECT_FALSE(read(std::string_view(record).substr(1, size - 1))) << size;
  }
  EXPECT_TRUE(read(std::string_view(record).substr(1)));
  EXPECT_FALSE(read(std::string(record.substr(1)) + "x"));
}

TEST(JournalTest, streams_are_buckets_or_the_node) {
  EXPECT_NE(stream_of(0), kNodeStream);
  EXPECT_EQ(bucket_of(stream_of(77)), 77u);
}

TEST(JournalTest, a_state_comes_back_whole) {
  const BucketState state{{5, 3},   true, 300, 299, 7, 17, 18, node(4), 9, uint64_t{3} << 32,
                          1'000'000};
  std::string record;
  append_state(&record, state);
  BucketState read;
  ASSERT_TRUE(read_state(rest_of(record, RecordKind::kState), &read));
  EXPECT_EQ(read, state);
  expect_all_or_nothing(record, [&](std::string_view bytes) { return read_state(bytes, &read); });
}

TEST(JournalTest, a_state_that_no_bucket_can_have_is_damage) {
  BucketState read;
  for (const BucketState& state : {BucketState{{8, 3}, true, 0, 0, 0, 0, 0, node(0), 0, 0, 0},
                                   BucketState{{0, 0}, true, 0, 0, 0, 0, 1, node(2), 0, 0, 0},
                                   BucketState{{1, 1}, false, 0, 0, 0, 0, 1, node(2), 0, 0, 0},
                                   BucketState{{1, 1}, true, 3, 1, 0, 0, 0, node(0), 0, 0, 0},
                                   BucketState{{1, 1}, true, 3, 4, 0, 0, 0, node(0), 0, 0, 0},
                                   BucketState{{0, 41}, true, 0, 0, 0, 0, 0, node(0), 0, 0, 0}}) {
    std::string record;
    append_state(&record, state);
    EXPECT_FALSE(read_state(rest_of(record, RecordKind::kState), &read));
  }
}

TEST(JournalTest, identity_boot_and_book_come_back) {
  std::string record;
  FileOptions options = integer_file(9);
  options.id = 0x123456789abcdef;
  append_identity(&record, {node(3), options});
  Identity identity;
  ASSERT_TRUE(read_identity(rest_of(record, RecordKind::kIdentity), &identity));
  EXPECT_EQ(identity.node, node(3));
  EXPECT_EQ(identity.options, options);
  expect_all_or_nothing(record,
                        [&](std::string_view bytes) { return read_identity(bytes, &identity); });

  record.clear();
  append_boot(&record, 70'000);
  uint32_t boot = 0;
  ASSERT_TRUE(read_boot(rest_of(record, RecordKind::kBoot), &boot));
  EXPECT_EQ(boot, 70'000u);
  expect_all_or_nothing(record, [&](std::string_view bytes) { return read_boot(bytes, &boot); });

  record.clear();
  append_divided(&record, 300);
  uint64_t split = 0;
  ASSERT_TRUE(read_divided(rest_of(record, RecordKind::kDivided), &split));
  EXPECT_EQ(split, 300u);
  expect_all_or_nothing(record,
                        [&](std::string_view bytes) { return read_divided(bytes, &split); });

  record.clear();
  append_room(&record, 300);
  uint64_t records = 0;
  ASSERT_TRUE(read_room(rest_of(record, RecordKind::kRoom), &records));
  EXPECT_EQ(records, 300u);

  record.clear();
  BookPart part = book(2, {1, 300});
  part.nodes = {entry(1, "a:1"), entry(300, "b:2", false)};
  append_book(&record, part);
  BookPart read;
  ASSERT_TRUE(read_book(rest_of(record, RecordKind::kBook), &read));
  EXPECT_EQ(read.first, 2u);
  EXPECT_EQ(read.at, part.at);
  ASSERT_EQ(read.nodes.size(), 2u);
  EXPECT_EQ(read.nodes[1].address, "b:2");
  EXPECT_FALSE(read.nodes[1].up);
  expect_all_or_nothing(record, [&](std::string_view bytes) { return read_book(bytes, &read); });
}

TEST(JournalTest, what_is_claimed_and_is_not_there_costs_nothing) {
  BookPart part;
  EXPECT_FALSE(read_book(std::string("\x00\xff\xff\xff\xff\x0f", 6), &part));
  CoordinatorEvent event;
  EXPECT_FALSE(read_event(std::string("\x26\x00\x00\x00\x00\xff\xff\xff\xff\x0f", 10), &event));
}

TEST(JournalTest, an_identity_without_a_node_or_of_an_unknown_file_is_damage) {
  Identity identity;
  std::string record;
  append_identity(&record, {NodeId::kNone, integer_file()});
  EXPECT_FALSE(read_identity(rest_of(record, RecordKind::kIdentity), &identity));
  record.clear();
  append_identity(&record, {node(1), integer_file(0)});
  EXPECT_FALSE(read_identity(rest_of(record, RecordKind::kIdentity), &identity));
}

}  // namespace
}  // namespace lh::core
