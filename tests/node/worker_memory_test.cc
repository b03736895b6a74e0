#include <gtest/gtest.h>

#include <string>

#include "node/worker.h"
#include "tests/node/fixture.h"

namespace lh::node {
namespace {

using testing::Cluster;
using testing::integer_file;
using testing::Peer;
using testing::TestNode;

class WorkerMemoryTest : public Cluster {};

TEST_F(WorkerMemoryTest, aFullNodeRefusesWritesUntilSomethingIsDeleted) {
  TestNode& node =
      start_coordinator(integer_file(1'000), {.workers = 2, .memory_max = size_t{1} << 20});
  Peer& peer = connect(node, 0);
  const std::string value(50'000, 'v');
  const std::string full = "ERR OOM command not allowed when used memory > 'maxmemory'.\n";
  int taken = 0;
  for (; taken < 100; ++taken) {
    const std::string answer = ask(peer, "INSERT " + std::to_string(taken) + " " + value);
    if (answer == full) break;
    ASSERT_EQ("OK\n", answer);
  }
  EXPECT_GE(taken, 15);
  EXPECT_LE(taken, 22);
  EXPECT_EQ(full, ask(peer, "PUT 0 x"));
  EXPECT_EQ(full, ask(peer, "UPDATE 0 x"));
  EXPECT_EQ(full, ask(connect(node, 1), "PUT 1000 x")) << "of whichever worker";
  EXPECT_EQ(value + "\n", ask(peer, "READ 0"));
  EXPECT_EQ(std::to_string(taken) + "\n", ask(peer, "COUNT"));
  Peer& resp = connect(node, 1);
  resp.send("*3\r\n$3\r\nSET\r\n$1\r\n7\r\n$1\r\nx\r\n");
  ASSERT_TRUE(within(base::seconds(1), [&] { return resp.lines() > 0; }));
  EXPECT_EQ("-OOM command not allowed when used memory > 'maxmemory'.\r\n", resp.take());
  for (int k = 0; k < 8; ++k) EXPECT_EQ("OK\n", ask(peer, "DELETE " + std::to_string(k)));
  EXPECT_EQ("OK\n", ask(peer, "PUT 0 x"));
}

}  // namespace
}  // namespace lh::node
