#include <gtest/gtest.h>

#include <string>

#include "base/prng.h"
#include "core/bucket.h"
#include "core/snapshot_walk.h"
#include "tests/core/journalled_servers.h"

namespace lh::core {
namespace {

using namespace testing;

TEST_F(JournalledServersTest, a_server_is_its_journal) {
  for (uint64_t c = 0; c < 300; ++c) mutate(Op::kPut, c, "v" + std::to_string(c));
  for (uint64_t c = 0; c < 300; c += 3) mutate(Op::kDelete, c, "");
  for (uint64_t c = 1; c < 300; c += 3) mutate(Op::kUpdate, c, "new");
  const auto again = rebuild(nodes_[0].journal);
  EXPECT_EQ(contents(*again), model_);
  EXPECT_EQ(again->self(), node(1));
  EXPECT_EQ(again->boot().number, 1u);
}

// Reports are not answered here: all collisions but the first wait.
TEST_F(JournalledServersTest, inserts_that_wait_to_be_reported_survive_and_no_others) {
  FileOptions options = integer_file(10);
  nodes_[0] = {};
  nodes_[0].server->configure(node(1), options, &effects_);
  nodes_[0].server->create_bucket({0, 0}, &effects_);
  run(0);
  const auto overdue = [](Server& server) { return server.find(0)->state().overdue; };
  for (uint64_t c = 0; c < 30; ++c) {
    mutate(c % 2 == 0 ? Op::kInsert : Op::kPut, c, "v");
    EXPECT_EQ(overdue(*nodes_[0].server), c < 11 ? 0 : c - 10);
    EXPECT_EQ(overdue(*rebuild(nodes_[0].journal)), overdue(*nodes_[0].server)) << c;
  }
  for (uint64_t taken_in = 1; taken_in <= 20; ++taken_in) {
    nodes_[0].server->step(now_, OverflowAck{0, taken_in, taken_in}, &effects_);
    run(0);
  }
  EXPECT_EQ(overdue(*nodes_[0].server), 0u);
  kill(0);
  EXPECT_EQ(overdue(*nodes_[0].server), 0u) << "30 records, room for 10, all paid for";
}

TEST_F(JournalledServersTest, that_nothing_was_changed_is_remembered_too) {
  mutate(Op::kPut, 5, "there");
  Request m = request(Op::kInsert, 0, "5", "again");
  m.seq = 4;
  nodes_[0].server->step(now_, m, &effects_);
  EXPECT_EQ(one_of<Reply>(effects_).code, Code::kExists);
  run(0);
  kill(0);
  mutate(Op::kDelete, 5, "");
  nodes_[0].server->step(now_, m, &effects_);
  EXPECT_EQ(one_of<Reply>(effects_).code, Code::kExists) << "as the client was told";
  run(0);
  EXPECT_TRUE(contents(*nodes_[0].server).empty());
}

TEST_F(JournalledServersTest, a_source_or_target_that_is_killed_anywhere_in_a_split_loses_nothing) {
  base::Prng prng(7);
  for (uint64_t c = 0; c < 4'000; ++c) mutate(Op::kPut, c, std::string(100, 'a'));
  uint64_t number = 0;
  for (Level j = 0; j < 5; ++j) {
    // The coordinator repeats its order until the split is done; nodes die meanwhile.
    ++number;
    for (int round = 0; nodes_[0].server->find(0)->mark().j == j || turns_[0] || turns_[1];
         ++round) {
      ASSERT_LT(round, 10'000);
      if (nodes_[0].server->find(0)->mark().j == j && round % 7 == 0)
        split(number, {0, j}, node(2));
      if (prng.chance(1, 5)) kill(prng.below(2));
      if (prng.chance(1, 2)) mutate(Op::kPut, prng.below(4'000), std::to_string(round));
      for (size_t k = 0; k < 2; ++k) {
        if (turns_[k] && prng.chance(2, 3)) turn(k);
      }
      if (prng.chance(1, 4)) tick(100);
    }
    kill(0);
    kill(1);
    settle();
    EXPECT_EQ(everything(), model_) << "after split " << number;
    EXPECT_EQ(nodes_[0].server->find(0)->split(), nullptr);
  }
}

TEST_F(JournalledServersTest, what_divides_within_a_server_moves_no_record_and_is_its_journal) {
  nodes_[0].server->set_placement(&here_);
  for (uint64_t c = 0; c < 1'000; ++c) mutate(Op::kPut, c, std::string(50, 'a'));
  const uint64_t bytes = nodes_[0].server->find(0)->table().memory_bytes();
  const size_t journal = nodes_[0].journal.size();
  for (uint64_t number = 1; number <= 7; ++number) {
    const FileState file = state_of_count(number);
    split(number, {file.n, file.i}, node(1));
    EXPECT_EQ(nodes_[0].server->buckets().size(), number + 1) << "in one step";
  }
  uint64_t bytes_of_all = 0;
  for (const auto& [a, bucket] : nodes_[0].server->buckets()) {
    EXPECT_EQ(bucket->mark(), (BucketMark{a, 3}));
    EXPECT_EQ(bucket->records(), 125u);
    bytes_of_all += bucket->table().memory_bytes();
  }
  EXPECT_LT(bytes_of_all, bytes + bytes / 4);
  size_t written = 0;
  for (size_t k = journal; k < nodes_[0].journal.size(); ++k) {
    written += nodes_[0].journal[k].record.size();
  }
  EXPECT_LT(written, 1'000u) << "of 50,000 bytes of values";
  kill(0);
  EXPECT_EQ(nodes_[0].server->buckets().size(), 8u);
  EXPECT_EQ(everything(), model_);
}

TEST_F(JournalledServersTest, an_order_to_divide_that_is_repeated_is_answered_again) {
  nodes_[0].server->set_placement(&here_);
  const SplitOrder first = order(3, {0, 0}, node(1));
  for (int k = 0; k < 3; ++k) {
    nodes_[0].server->step(now_, first, &effects_);
    const SplitDone done = one_of<SplitDone>(effects_);
    EXPECT_EQ(done.split, 3u);
    EXPECT_EQ(done.source, 0u);
    EXPECT_TRUE(done.live);
    run(0);
    if (k == 1) kill(0);
  }
  EXPECT_EQ(nodes_[0].server->buckets().size(), 2u);
}

TEST_F(JournalledServersTest, who_divided_remembers_what_it_answered_in_both_halves) {
  nodes_[0].server->set_placement(&here_);
  Request m = request(Op::kIncrement, 0, "5", "3");
  m.from.client = 9;
  m.seq = 1;
  nodes_[0].server->step(now_, m, &effects_);
  run(0);
  split(1, {0, 0}, node(1));
  kill(0);
  m.to = 1;
  nodes_[0].server->step(now_, m, &effects_);
  EXPECT_EQ(one_of<Reply>(effects_).value, "3");
  run(0);
}

TEST_F(JournalledServersTest, who_divides_and_splits_and_is_killed_loses_nothing) {
  base::Prng prng(11);
  nodes_[0].server->set_placement(&here_);
  for (uint64_t c = 0; c < 2'000; ++c) mutate(Op::kPut, c, std::string(40, 'a'));
  for (uint64_t number = 1; number <= 60; ++number) {
    split_any(number, &prng, prng.chance(2, 3));
    for (int k = 0; k < 20; ++k) {
      mutate(prng.chance(1, 4) ? Op::kDelete : Op::kPut, prng.below(2'000), std::to_string(k));
      for (size_t n = 0; n < 2; ++n) {
        if (turns_[n] && prng.chance(2, 3)) turn(n);
      }
    }
    if (prng.chance(1, 3)) {
      kill(prng.below(2));
      nodes_[0].server->set_placement(&here_);
      settle();
    }
    if (number % 10 == 0) {
      settle();
      ASSERT_EQ(everything(), model_) << number;
    }
  }
  EXPECT_GT(nodes_[0].server->buckets().size(), 10u);
}

TEST_F(JournalledServersTest, a_mutation_that_was_answered_is_not_done_again_by_one_who_returns) {
  Request m = request(Op::kIncrement, 0, "5", "3");
  m.from.client = 9;
  m.seq = 1;
  nodes_[0].server->step(now_, m, &effects_);
  run(0);
  kill(0);
  nodes_[0].server->step(now_, m, &effects_);
  EXPECT_EQ(one_of<Reply>(effects_).value, "3");
  run(0);
  EXPECT_EQ(contents(*nodes_[0].server).at(5), "3");
}

TEST_F(JournalledServersTest, what_a_source_cleared_after_the_hand_over_is_not_the_targets) {
  for (const bool with_snapshot : {false, true}) {
    const Level level = nodes_[0].server->find(0)->mark().j;
    const BucketNo target = BucketNo{1} << level;
    for (uint64_t c = 0; c < 100; ++c) mutate(Op::kPut, c << level, "v");
    split(level + 1u, {0, level}, node(2));
    while (nodes_[0].server->find(0)->mark().j == level) {
      deliver();
      nodes_[0].server->turn(now_, &effects_);
      run(0);
    }
    mail_.clear();  // the last batch is lost

    Scan clear;
    clear.kind = ScanKind::kClear;
    clear.client.client = 9;
    clear.scan = level + 1u;
    clear.to = 0;
    clear.level = static_cast<Level>(level + 1);
    clear.last = interval_of(nodes_[0].server->find(0)->mark()).last;
    nodes_[0].server->step(now_, clear, &effects_);
    EXPECT_EQ(one_of<ScanReply>(effects_).records, 50u);
    run(0);
    if (with_snapshot) {
      Journal snapshot;
      const auto append = [&](uint64_t stream, std::string_view record) {
        snapshot.push_back({stream, std::string(record)});
      };
      SnapshotWalk walk(*nodes_[0].server, append);
      while (walk.slice(nodes_[0].server.get(), 2'000, append)) {
      }
      nodes_[0].journal = snapshot;
    }
    kill(0);
    settle();

    clear.to = target;
    clear.from = interval_of({target, clear.level}).first;
    clear.last = interval_of({target, clear.level}).last;
    nodes_[1].server->step(now_, clear, &effects_);
    EXPECT_EQ(one_of<ScanReply>(effects_).records, 50u) << with_snapshot;
    run(1);
    nodes_[1].server->step(now_, clear, &effects_);
    EXPECT_EQ(one_of<ScanReply>(effects_).records, 0u);
    run(1);
  }
}

TEST_F(JournalledServersTest, one_who_returns_does_not_know_whether_its_report_arrived) {
  BucketState state = nodes_[0].server->find(0)->state();
  state.collisions = 2;
  state.answered = 1;
  std::string record;
  append_state(&record, state);
  nodes_[0].journal.push_back({stream_of(0), record});
  kill(0);
  EXPECT_FALSE(nodes_[0].server->find(0)->reports_settled());
  OverflowAck ack;
  ack.bucket = 0;
  ack.collisions = 2;
  nodes_[0].server->step(now_, ack, &effects_);
  run(0);
  EXPECT_TRUE(nodes_[0].server->find(0)->reports_settled());
}

TEST_F(JournalledServersTest, records_that_make_no_sense_are_refused) {
  Server fresh;
  std::string state;
  append_state(&state, BucketState{});
  EXPECT_FALSE(fresh.recover(stream_of(0), state)) << "before the identity";
  fresh.configure(node(1), integer_file());
  EXPECT_FALSE(fresh.recover(stream_of(3), state)) << "of another bucket";
  EXPECT_FALSE(fresh.recover(stream_of(0), "")) << "empty";
  EXPECT_FALSE(fresh.recover(stream_of(0), "\x01")) << "changes before a state";
  ASSERT_TRUE(fresh.recover(stream_of(0), state));
  EXPECT_FALSE(fresh.recover(stream_of(0), std::string("\x01\x01\x01k\x00", 5))) << "no integer";
  EXPECT_FALSE(fresh.recover(stream_of(0), "\x63"));
  EXPECT_FALSE(fresh.recover(kNodeStream, "\x63"));
}

}  // namespace
}  // namespace lh::core
