#include "core/address_book.h"

#include <gtest/gtest.h>

#include "core/limits.h"
#include "tests/core/fixture.h"

namespace lh::core {
namespace {

using namespace testing;

TEST(AddressBookTest, knows_nothing_at_first) {
  const AddressBook empty;
  EXPECT_EQ(empty.known(), 0u);
  EXPECT_EQ(empty.locate(0), NodeId::kNone);
  EXPECT_EQ(empty.locate(~BucketNo{0}), NodeId::kNone);
  EXPECT_EQ(empty.node(node(1)), nullptr);
}

TEST(AddressBookTest, known_counts_buckets_up_to_the_first_gap) {
  AddressBook addresses;
  addresses.set(0, node(1));
  addresses.set(2, node(3));
  EXPECT_EQ(addresses.known(), 1u);
  EXPECT_EQ(addresses.locate(1), NodeId::kNone);
  EXPECT_EQ(addresses.locate(2), node(3));
  addresses.set(1, node(2));
  EXPECT_EQ(addresses.known(), 3u);
}

TEST(AddressBookTest, a_bucket_may_turn_out_to_be_elsewhere) {
  AddressBook addresses;
  addresses.set(0, node(1));
  addresses.set(0, node(2));
  EXPECT_EQ(addresses.locate(0), node(2));
  EXPECT_EQ(addresses.known(), 1u);
}

TEST(AddressBookTest, learns_what_is_new_and_says_whether_anything_was) {
  AddressBook addresses;
  BookPart part = book(0, {1, 2});
  part.nodes = {entry(1, "a:1"), entry(2, "b:2")};
  EXPECT_TRUE(addresses.learn(part));
  EXPECT_FALSE(addresses.learn(part));
  EXPECT_EQ(addresses.known(), 2u);
  EXPECT_EQ(addresses.node(node(2))->address, "b:2");

  EXPECT_TRUE(addresses.learn({0, {}, {entry(2, "b:3")}})) << "another port";
  EXPECT_EQ(addresses.node(node(2))->address, "b:3");
  EXPECT_TRUE(addresses.learn({0, {}, {entry(2, "b:3", false)}})) << "down";
  EXPECT_FALSE(addresses.node(node(2))->up);
  EXPECT_TRUE(addresses.learn(book(1, {1})));
  EXPECT_FALSE(addresses.learn({}));
}

TEST(AddressBookTest, of_two_words_on_a_node_the_later_one_counts_in_whatever_order_they_come) {
  NodeEntry earlier = entry(2, "b:2");
  earlier.version = 7;
  NodeEntry later = entry(2, "b:3");
  later.version = 8;
  AddressBook addresses;
  EXPECT_TRUE(addresses.learn({0, {}, {entry(2, "b:1")}})) << "what the node says of itself";
  EXPECT_TRUE(addresses.learn({0, {}, {later}}));
  EXPECT_FALSE(addresses.learn({0, {}, {earlier}}));
  EXPECT_FALSE(addresses.learn({0, {}, {entry(2, "b:1")}}));
  EXPECT_EQ(*addresses.node(node(2)), later);
}

TEST(AddressBookTest, passes_over_entries_that_name_nothing) {
  AddressBook addresses;
  EXPECT_FALSE(addresses.learn(book(0, {0, 0})));
  EXPECT_FALSE(addresses.learn({0, {}, {entry(0, "a:1")}}));
  EXPECT_EQ(addresses.known(), 0u);
  EXPECT_TRUE(addresses.nodes().empty());
}

TEST(AddressBookTest, a_wild_bucket_number_costs_no_memory) {
  AddressBook addresses;
  EXPECT_FALSE(addresses.learn(book(kBucketsMax - 1, {1, 1, 1})));
  EXPECT_FALSE(addresses.learn(book(~BucketNo{0}, {1, 1, 1})));
  EXPECT_FALSE(addresses.learn(book(kBookEntriesMax + 1, {1})));
  EXPECT_TRUE(addresses.learn(book(kBookEntriesMax, {1}))) << "as far as one part may reach";
  EXPECT_EQ(addresses.known(), 0u);
}

TEST(AddressBookTest, the_number_of_nodes_is_bounded) {
  AddressBook addresses;
  for (uint32_t number = 1; number <= kNodesMax + 10; ++number) {
    addresses.learn({0, {}, {entry(number, "a:1")}});
  }
  EXPECT_EQ(addresses.nodes().size(), kNodesMax);
  EXPECT_TRUE(addresses.learn({0, {}, {entry(kNodesMax, "a:2")}})) << "known ones may still change";
}

TEST(AddressBookTest, tells_a_part_without_gaps_and_the_nodes_it_names) {
  AddressBook addresses;
  for (const uint32_t number : {1, 2, 3}) {
    addresses.set_node(entry(number, "host:" + std::to_string(number)));
  }
  addresses.learn(book(0, {1, 2, 1, 2}));
  addresses.set(5, node(3));

  const BookPart part = addresses.part_from(1, 100);
  EXPECT_EQ(part.first, 1u);
  EXPECT_EQ(part.at, (std::vector<NodeId>{node(2), node(1), node(2)}));
  ASSERT_EQ(part.nodes.size(), 2u);
  EXPECT_EQ(part.nodes[0].address, "host:1");
  EXPECT_EQ(part.nodes[1].address, "host:2");
}

TEST(AddressBookTest, tells_no_more_than_it_was_asked_for) {
  AddressBook addresses;
  addresses.learn(book(0, {1, 2, 3}));
  EXPECT_EQ(addresses.part_from(0, 2).at.size(), 2u);
  EXPECT_TRUE(addresses.part_from(0, 0).empty());
  EXPECT_TRUE(addresses.part_from(3, 10).empty());
  EXPECT_TRUE(addresses.part_from(~BucketNo{0}, 10).empty());
}

TEST(AddressBookTest, a_part_teaches_another_book_the_same) {
  AddressBook from;
  NodeEntry known = entry(1, "a:1");
  known.version = 3;
  from.set_node(known);
  from.learn(book(0, {1, 1, 1}));
  AddressBook to;
  EXPECT_TRUE(to.learn(from.part_from(0, 10)));
  EXPECT_EQ(to.known(), 3u);
  EXPECT_EQ(*to.node(node(1)), known);
}

}  // namespace
}  // namespace lh::core
