#include "core/split_source.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>

#include "core/bucket.h"
#include "core/change.h"
#include "core/limits.h"
#include "core/mail_order.h"
#include "tests/core/fixture.h"

namespace lh::core {
namespace {

using namespace testing;

// Split 5 of bucket 0, level 1, at node 1, which creates bucket 2 at node 2. Keys are integers: 2,
// 6, 10, ... move, 4, 8, 12, ... stay.
class SplitSourceTest : public ::testing::Test {
 protected:
  SplitSourceTest() : split_(SplitOrder{5, {0, 1}, 2, node(2), {}}, node(1), boot_) {}

  void put(uint64_t c, const std::string& value) {
    table_.put(c, std::to_string(c), value);
    split_.on_put(reverse64(c), {std::to_string(c), value});
  }
  void erase(uint64_t c) {
    table_.erase(c, std::to_string(c));
    split_.on_erase(reverse64(c), std::to_string(c));
  }
  void fill(int count, size_t value_bytes) {
    for (int k = 1; k <= count; ++k) {
      const uint64_t c = 2 * static_cast<uint64_t>(k);
      table_.put(c, std::to_string(c), std::string(value_bytes, 'x'));
    }
  }

  bool slice() {
    return run([this] { return split_.slice(now_, table_, &effects_); });
  }
  // The target takes the opening batch and says so.
  void open() {
    slice();
    ack(0);
  }
  void hand_over(const Dedup& dedup = {}, uint64_t overdue = 0) {
    run([&] { return split_.close(now_, dedup, overdue, &effects_), true; });
  }
  void ack(uint32_t batch, uint64_t stream = 1, uint64_t split = 5) {
    run([&] { return split_.on_ack(now_, {split, stream, batch, 0}, &effects_), true; });
  }
  void tick(int64_t ms) {
    now_ = now_ + base::ms(ms);
    run([this] { return split_.tick(now_, &effects_), true; });
  }
  // A step, whose batches then arrive at the target unless they are `lost_`.
  template <typename Step>
  bool run(Step step) {
    effects_.clear();
    const bool more = step();
    for (const SplitRecords& m : all_of<SplitRecords>(effects_)) {
      if (!lost_) receive(m);
    }
    return more;
  }

  // What a target does with a stream, as dumb as can be.
  void receive(const SplitRecords& m) {
    if (m.stream != stream_) target_.clear(), next_ = 0, stream_ = m.stream;
    if (m.batch != next_) return;
    ++next_;
    ChangeReader reader(m.changes);
    Change change;
    while (reader.next(&change)) {
      if (change.kind == Change::Kind::kPut) target_[std::string(change.key)] = change.value;
      if (change.kind == Change::Kind::kErase) target_.erase(std::string(change.key));
      if (change.kind == Change::Kind::kAnswer) ++answers_;
    }
    EXPECT_TRUE(reader.ok());
    live_ = m.last;
  }
  void stream_to_the_end() {
    for (int k = 0; k < 1000 && !split_.ready_to_close(); ++k) {
      slice();
      if (next_ > 0) ack(next_ - 1, stream_);
    }
    ASSERT_TRUE(split_.ready_to_close());
  }
  // `0 1 2` for the batches among the effects, in order.
  std::string batches() const {
    std::string out;
    for (const SplitRecords& m : all_of<SplitRecords>(effects_)) {
      out += (out.empty() ? "" : " ") + std::to_string(m.batch) + (m.last ? "!" : "");
    }
    return out;
  }

  Boot boot_;
  table::Arena arena_;
  table::HashTable table_{{1, table_hash(base::HashMode::kInteger), &arena_}};
  SplitSource split_;
  Effects effects_;
  base::Instant now_ = kStart;
  bool lost_ = false;
  std::map<std::string, std::string> target_;
  uint64_t stream_ = 1;
  uint32_t next_ = 0;
  int answers_ = 0;
  bool live_ = false;
};

TEST_F(SplitSourceTest, batch_zero_opens_the_stream_even_when_there_is_nothing_to_move) {
  slice();
  EXPECT_EQ(lines(effects_),
            Lines{"b2@n2: SplitRecords split=5 stream=1 batch=0 target=(a=2,j=2) bytes=0"});
  EXPECT_FALSE(split_.ready_to_close());
  ack(0);
  EXPECT_TRUE(split_.ready_to_close());
}

// A target that died before it said a word would get a bucket that nobody could take back.
TEST_F(SplitSourceTest, a_stream_is_opened_when_the_boot_in_its_number_is_durable) {
  const auto place = [this] {
    return effects_.write_journal([](uint64_t, std::string_view) { return uint64_t{0}; });
  };
  boot_.logged.sequence = 7;
  slice();
  ASSERT_EQ(batches(), "0");
  EXPECT_EQ(place(), 7u);
  EXPECT_TRUE(is_promise(effects_.sends()[0].message));
  fill(1, 10);
  put(6, "x");
  ack(0);
  slice();
  ASSERT_EQ(batches(), "1");
  EXPECT_EQ(place(), 0u) << "the rest comes behind it";
  EXPECT_FALSE(is_promise(effects_.sends()[0].message));
}

TEST_F(SplitSourceTest, is_handed_over_only_to_a_target_that_has_acknowledged_the_walk) {
  fill(300, 1000);
  while (slice()) {
  }
  const uint32_t walked = next_;
  ASSERT_GT(walked, 1u);
  ack(walked - 2);
  EXPECT_FALSE(split_.can_go_on());
  EXPECT_FALSE(split_.ready_to_close());
  ack(walked - 1);
  EXPECT_TRUE(split_.can_go_on());
  EXPECT_TRUE(split_.ready_to_close());
}

// Otherwise a bucket that is written to all the time would never be handed over.
TEST_F(SplitSourceTest, changes_under_way_do_not_delay_the_hand_over) {
  open();
  put(2, "x");
  slice();
  EXPECT_EQ(batches(), "1");
  put(6, "y");
  EXPECT_TRUE(split_.ready_to_close());
  hand_over();
  EXPECT_EQ(target_, (std::map<std::string, std::string>{{"2", "x"}, {"6", "y"}}));
}

TEST_F(SplitSourceTest, moves_exactly_the_keys_whose_next_bit_is_set) {
  for (uint64_t c = 2; c <= 20; c += 2) put(c, "v" + std::to_string(c));
  stream_to_the_end();
  hand_over();
  EXPECT_TRUE(live_);
  EXPECT_EQ(target_, (std::map<std::string, std::string>{
                         {"2", "v2"}, {"6", "v6"}, {"10", "v10"}, {"14", "v14"}, {"18", "v18"}}));
}

TEST_F(SplitSourceTest, goes_from_streaming_over_handed_over_to_done) {
  open();
  EXPECT_FALSE(split_.handed_over());
  hand_over();
  EXPECT_EQ(batches(), "1!");
  EXPECT_TRUE(split_.handed_over());
  EXPECT_FALSE(split_.done());
  ack(1);
  EXPECT_TRUE(split_.done());
}

TEST_F(SplitSourceTest, a_long_walk_is_cut_in_slices_and_waits_when_the_window_is_full) {
  fill(10'000, 1000);
  int slices = 0;
  while (slice()) ++slices;
  EXPECT_GT(slices, 3);
  EXPECT_FALSE(split_.can_go_on());
  EXPECT_FALSE(split_.ready_to_close());
  const uint32_t sent = next_;
  EXPECT_EQ(sent, kSplitWindowBatches);
  slice();
  EXPECT_EQ(batches(), "") << "nothing more until the target acknowledges";
  ack(3);
  EXPECT_TRUE(split_.can_go_on());
  slice();
  ASSERT_GT(count_of<SplitRecords>(effects_), 0u);
  EXPECT_EQ(all_of<SplitRecords>(effects_).front().batch, sent);
}

TEST_F(SplitSourceTest, the_bytes_under_way_are_bounded_whatever_the_size_of_a_batch) {
  fill(64, size_t{1} << 20);
  while (slice()) {
  }
  EXPECT_LT(next_, kSplitWindowBatches);
  EXPECT_FALSE(split_.can_go_on()) << "only an acknowledgement brings it on";
  ack(next_ - 1);
  EXPECT_TRUE(split_.can_go_on());
  stream_to_the_end();
  EXPECT_EQ(target_.size(), 32u);
}

// Changes to what was walked go on the stream, in order; those ahead of the walk will be met by it.
TEST_F(SplitSourceTest, changes_during_the_stream_arrive) {
  fill(20'000, 100);
  slice();
  for (uint64_t c = 2; c <= 40'000; c += 14) put(c, "changed");
  for (uint64_t c = 2; c <= 40'000; c += 22) erase(c);
  put(50'002, "new");
  stream_to_the_end();
  put(6, "changed again");
  erase(10);
  hand_over();

  std::map<std::string, std::string> expected;
  const Interval moving = interval_of({2, 2});
  table_.walk(moving.first, moving.last, ~size_t{0}, [&](HashValue, const table::Record& record) {
    expected.emplace(record.key, record.value);
  });
  EXPECT_EQ(expected["6"], "changed again");
  EXPECT_EQ(expected["50002"], "new");
  EXPECT_EQ(target_, expected);
}

TEST_F(SplitSourceTest, changes_to_what_stays_are_not_sent) {
  slice();
  put(4, "stays");
  erase(8);
  slice();
  EXPECT_EQ(batches(), "");
}

TEST_F(SplitSourceTest, lost_batches_are_repeated_from_the_last_acknowledged_one) {
  fill(1000, 1000);
  slice();
  slice();
  slice();
  ack(0);
  EXPECT_EQ(next_, 3u);
  tick(299);
  EXPECT_EQ(batches(), "");
  tick(1);
  EXPECT_EQ(batches(), "1 2");
  tick(299);
  EXPECT_EQ(batches(), "") << "and again only after as long";
  tick(1);
  EXPECT_EQ(batches(), "1 2");
}

TEST_F(SplitSourceTest, every_acknowledgement_is_progress) {
  fill(1000, 1000);
  slice();
  slice();
  tick(200);
  ack(0);
  tick(200);
  EXPECT_EQ(batches(), "");
}

TEST_F(SplitSourceTest, a_target_that_lost_everything_gets_everything_again) {
  fill(300, 1000);
  lost_ = true;
  while (slice()) {
  }
  lost_ = false;
  tick(300);
  stream_to_the_end();
  hand_over();
  EXPECT_EQ(target_.size(), 150u);
}

TEST_F(SplitSourceTest, the_last_batch_is_repeated_too) {
  open();
  lost_ = true;
  hand_over();
  lost_ = false;
  EXPECT_FALSE(live_);
  tick(300);
  EXPECT_EQ(batches(), "1!");
  EXPECT_TRUE(live_);
}

TEST_F(SplitSourceTest, after_the_end_nothing_is_repeated) {
  open();
  hand_over();
  ack(1);
  tick(10'000);
  EXPECT_EQ(batches(), "");
}

TEST_F(SplitSourceTest, acknowledgements_of_other_splits_and_streams_mean_nothing) {
  open();
  hand_over();
  ack(1, 1, 4);
  ack(1, 2, 5);
  ack(1, 0, 5);
  EXPECT_FALSE(split_.done());
}

// A target that is too slow for the changes must not cost the source its memory.
TEST_F(SplitSourceTest, when_too_many_changes_pile_up_the_stream_starts_again) {
  slice();
  const std::string large(size_t{1} << 20, 'x');
  while (split_.stream() == 1) put(2, large);
  put(6, "behind the start");
  EXPECT_EQ(split_.stream(), 2u);
  stream_to_the_end();
  hand_over();
  EXPECT_EQ(target_, (std::map<std::string, std::string>{{"2", large}, {"6", "behind the start"}}));
}

TEST_F(SplitSourceTest, the_pile_of_erased_keys_is_bounded_too) {
  slice();
  const std::string key(60'000, '2');  // stands for a key with this hash
  for (size_t bytes = 0; bytes <= kSplitPendingBytesMax; bytes += key.size()) {
    split_.on_erase(reverse64(2), key);
  }
  EXPECT_EQ(split_.stream(), 2u);
}

TEST_F(SplitSourceTest, the_targets_share_of_unreported_inserts_goes_with_the_last_batch) {
  slice();
  EXPECT_EQ(one_of<SplitRecords>(effects_).overdue, 0u);
  ack(0);
  hand_over({}, 5);
  EXPECT_EQ(one_of<SplitRecords>(effects_).overdue, 5u);
}

TEST_F(SplitSourceTest, the_remembered_answers_go_with_the_last_batches) {
  Dedup dedup;
  Code code;
  std::string_view value;
  for (uint64_t seq = 1; seq <= 16'000; ++seq) {
    dedup.admit(7, seq, 0, &code, &value);
    dedup.remember(7, seq, Code::kOk, {});
  }
  open();
  hand_over(dedup);
  EXPECT_GT(count_of<SplitRecords>(effects_), 2u) << "batches of the usual size";
  EXPECT_EQ(answers_, 16'000);
  EXPECT_TRUE(live_);
}

TEST_F(SplitSourceTest, all_that_is_left_goes_out_before_what_is_forwarded_then) {
  Dedup dedup;
  Code code;
  std::string_view value;
  for (ClientId client = 1; client <= 20; ++client) {
    for (uint64_t seq = 1; seq <= 10'000; ++seq) {
      dedup.admit(client, seq, 0, &code, &value);
      dedup.remember(client, seq, Code::kOk, {});
    }
  }
  open();
  hand_over(dedup);
  EXPECT_GT(count_of<SplitRecords>(effects_), kSplitWindowBatches) << "window or not";
  EXPECT_TRUE(live_);
}

TEST_F(SplitSourceTest, a_target_that_has_lost_everything_gets_it_all_again_also_after_the_end) {
  fill(20, 10);
  open();
  while (slice()) {
  }
  hand_over();
  EXPECT_EQ(split_.stream(), 1u);
  ack(kNoBatch, 9);
  EXPECT_EQ(split_.stream(), 1u) << "that was about another stream";
  ack(kNoBatch);
  EXPECT_EQ(split_.stream(), 2u);
  EXPECT_TRUE(split_.streaming());
  EXPECT_TRUE(split_.handed_over()) << "the target is the same";
  target_.clear();
  while (slice()) {
  }
  EXPECT_EQ(target_.size(), 10u);
}

}  // namespace
}  // namespace lh::core
