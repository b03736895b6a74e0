#include "core/snapshot_walk.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/prng.h"
#include "tests/core/fixture.h"

namespace lh::core {
namespace {

using namespace testing;

struct Written {
  uint64_t stream;
  std::string record;
};
using Journal = std::vector<Written>;

// Two nodes with a server each, both with a journal; messages between them arrive at once or, when
// a node is killed, never. Node 1 has bucket 0 to begin with.
class JournalledServersTest : public ::testing::Test {
 protected:
  struct Node {
    std::unique_ptr<Server> server = std::make_unique<Server>();
    Journal journal;
    uint32_t boot = 1;
  };

  JournalledServersTest() {
    effects_.keep_journal(true);
    for (uint32_t k = 0; k < 2; ++k) {
      nodes_[k].server->configure(node(k + 1), integer_file(1'000'000), &effects_);
      nodes_[k].server->resume(1, &effects_);
      if (k == 0) nodes_[k].server->create_bucket({0, 0}, &effects_);
      run(k);
    }
  }

  // Writes the journal of the step of node k, then delivers what it sent.
  void run(size_t k) {
    effects_.write_journal([&](uint64_t stream, std::string_view record) {
      nodes_[k].journal.push_back({stream, std::string(record)});
      return nodes_[k].journal.size();
    });
    turns_[k] |= effects_.turn_wanted();
    for (const Outgoing& sent : effects_.sends()) {
      if (sent.to.kind != Destination::Kind::kBucket) continue;
      const auto to = static_cast<size_t>(sent.to.node) - 1;
      std::string frame;
      if (const auto* records = std::get_if<SplitRecords>(&sent.message)) {
        mail_.push_back({to, sent.message, std::string(records->changes)});
      } else {
        mail_.push_back({to, sent.message, {}});
      }
    }
    effects_.clear();
  }
  struct Mail {
    size_t to;
    Message message;
    std::string changes;
  };
  void deliver() {
    while (!mail_.empty()) {
      Mail mail = std::move(mail_.front());
      mail_.erase(mail_.begin());
      if (auto* records = std::get_if<SplitRecords>(&mail.message)) records->changes = mail.changes;
      nodes_[mail.to].server->step(now_, mail.message, &effects_);
      run(mail.to);
    }
  }
  void turn(size_t k) {
    turns_[k] = false;
    nodes_[k].server->turn(now_, &effects_);
    run(k);
    deliver();
  }
  void tick(int64_t ms) {
    now_ = now_ + base::ms(ms);
    for (size_t k = 0; k < 2; ++k) {
      nodes_[k].server->tick(now_, &effects_);
      run(k);
    }
    deliver();
  }
  void settle() {
    for (int k = 0; k < 400; ++k) {
      for (size_t n = 0; n < 2; ++n) {
        if (turns_[n]) turn(n);
      }
      tick(50);
    }
  }

  static std::unique_ptr<Server> rebuild(const Journal& journal) {
    auto server = std::make_unique<Server>();
    for (const Written& w : journal) {
      EXPECT_TRUE(server->recover(w.stream, w.record)) << w.stream;
    }
    return server;
  }
  // kill -9, and a start from the journal. What was under way is lost.
  void kill(size_t k) {
    std::erase_if(mail_, [](const Mail&) { return true; });
    Node& n = nodes_[k];
    n.server = rebuild(n.journal);
    n.server->resume(++n.boot, &effects_);
    run(k);
  }

  void mutate(Op op, uint64_t c, const std::string& value) {
    for (size_t k = 0; k < 2; ++k) {
      for (const auto& [a, bucket] : nodes_[k].server->buckets()) {
        if (!bucket->live() || forward_address(bucket->mark(), c)) continue;
        nodes_[k].server->execute(now_, bucket.get(), op, c, std::to_string(c), value, &effects_);
        run(k);
        if (op == Op::kDelete) {
          model_.erase(c);
        } else {
          model_[c] = value;
        }
        deliver();
        return;
      }
    }
    FAIL() << "nobody serves " << c;
  }

  static std::map<uint64_t, std::string> contents(const Server& server) {
    std::map<uint64_t, std::string> all;
    for (const auto& [a, bucket] : server.buckets()) {
      if (!bucket->live()) continue;
      const Interval mine = interval_of(bucket->mark());
      for (std::optional<ReversedHash> at = mine.first; at;) {
        at = bucket->table().walk(*at, mine.last, 1'000,
                                  [&](HashValue c, std::string_view, std::string_view value) {
                                    EXPECT_TRUE(all.emplace(c, value).second) << c;
                                  });
      }
    }
    return all;
  }
  std::map<uint64_t, std::string> everything() const {
    std::map<uint64_t, std::string> all = contents(*nodes_[0].server);
    for (const auto& entry : contents(*nodes_[1].server)) {
      EXPECT_TRUE(all.insert(entry).second) << entry.first << " is in two buckets";
    }
    return all;
  }
  SplitOrder order(uint64_t split, BucketMark source, NodeId target) const {
    SplitOrder order;
    order.split = split;
    order.source = source;
    order.target = source.a + (BucketNo{1} << source.j);
    order.target_node = target;
    order.book = book(0, {1});
    return order;
  }
  void split(uint64_t number, BucketMark source, NodeId target) {
    nodes_[0].server->step(now_, order(number, source, target), &effects_);
    run(0);
    deliver();
  }

  Effects effects_;
  base::Instant now_ = kStart;
  Node nodes_[2];
  bool turns_[2] = {};
  std::vector<Mail> mail_;
  std::map<uint64_t, std::string> model_;
};

TEST_F(JournalledServersTest, a_server_is_its_journal) {
  for (uint64_t c = 0; c < 300; ++c) mutate(Op::kPut, c, "v" + std::to_string(c));
  for (uint64_t c = 0; c < 300; c += 3) mutate(Op::kDelete, c, "");
  for (uint64_t c = 1; c < 300; c += 3) mutate(Op::kUpdate, c, "new");
  const auto again = rebuild(nodes_[0].journal);
  EXPECT_EQ(contents(*again), model_);
  EXPECT_EQ(again->self(), node(1));
  EXPECT_EQ(again->boot(), 1u);
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

TEST_F(JournalledServersTest, a_snapshot_and_the_log_behind_it_are_the_server) {
  base::Prng prng(3);
  for (uint64_t c = 0; c < 2'000; ++c) mutate(Op::kPut, c, std::string(50, 'a'));
  for (int run_number = 0; run_number < 8; ++run_number) {
    Journal snapshot;
    const auto append = [&](uint64_t stream, std::string_view record) {
      snapshot.push_back({stream, std::string(record)});
    };
    SnapshotWalk walk(*nodes_[0].server, append);
    const size_t covered = nodes_[0].journal.size();
    const Level level = nodes_[0].server->find(0)->mark().j;
    int slices = 0;
    while (walk.slice(nodes_[0].server.get(), 2'000, append)) {
      ++slices;
      const uint64_t c = prng.below(2'000);
      mutate(prng.chance(1, 3) ? Op::kDelete : Op::kPut, c, std::to_string(slices));
      // A split in the middle of it.
      if (slices == 5 && level < 4) split(run_number + 1u, {0, level}, node(2));
      for (size_t k = 0; k < 2; ++k) {
        if (turns_[k]) turn(k);
      }
    }
    EXPECT_GT(slices, 2);
    snapshot.insert(snapshot.end(), nodes_[0].journal.begin() + static_cast<ptrdiff_t>(covered),
                    nodes_[0].journal.end());
    const auto again = rebuild(snapshot);
    EXPECT_EQ(contents(*again), contents(*nodes_[0].server));
    settle();
    EXPECT_EQ(everything(), model_);
  }
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
