#include "core/snapshot_walk.h"

#include <gtest/gtest.h>

#include <string>

#include "base/prng.h"
#include "tests/core/journalled_servers.h"

namespace lh::core {
namespace {

using namespace testing;

auto into(Journal* journal) {
  return [journal](uint64_t stream, std::string_view record) {
    journal->push_back({stream, std::string(record)});
  };
}

TEST_F(JournalledServersTest, a_snapshot_and_the_log_behind_it_are_the_server) {
  base::Prng prng(3);
  for (uint64_t c = 0; c < 2'000; ++c) mutate(Op::kPut, c, std::string(50, 'a'));
  for (int run_number = 0; run_number < 8; ++run_number) {
    Journal snapshot;
    const auto append = into(&snapshot);
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

TEST_F(JournalledServersTest, a_snapshot_of_who_divides_meanwhile_is_the_server_too) {
  base::Prng prng(5);
  nodes_[0].server->set_placement(&here_);
  for (uint64_t c = 0; c < 2'000; ++c) mutate(Op::kPut, c, std::string(50, 'a'));
  uint64_t number = 0;
  for (int run_number = 0; run_number < 12; ++run_number) {
    Journal snapshot;
    const auto append = into(&snapshot);
    SnapshotWalk walk(*nodes_[0].server, append);
    const size_t covered = nodes_[0].journal.size();
    for (int slices = 0; walk.slice(nodes_[0].server.get(), 1'500, append); ++slices) {
      for (int k = 0; k < 5; ++k) {
        mutate(prng.chance(1, 3) ? Op::kDelete : Op::kPut, prng.below(2'000), std::to_string(k));
      }
      if (prng.chance(1, 8)) split_any(++number, &prng, prng.chance(3, 4));
      for (size_t k = 0; k < 2; ++k) {
        if (turns_[k]) turn(k);
      }
    }
    snapshot.insert(snapshot.end(), nodes_[0].journal.begin() + static_cast<ptrdiff_t>(covered),
                    nodes_[0].journal.end());
    const auto again = rebuild(snapshot);
    ASSERT_EQ(contents(*again), contents(*nodes_[0].server)) << run_number;
    settle();
    ASSERT_EQ(everything(), model_);
  }
  EXPECT_GT(number, 20u);
}

}  // namespace
}  // namespace lh::core
