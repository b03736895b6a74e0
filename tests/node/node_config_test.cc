#include "node/node_config.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/node/flags.h"

namespace lh::node {
namespace {

using testing::parse;

NodeConfig config_of(std::vector<std::string> args) {
  const Result<NodeConfig> config = make_node_config(parse(std::move(args)));
  EXPECT_TRUE(config.ok()) << config.status().message();
  return config.ok() ? config.value() : NodeConfig();
}

std::string complaint_about(std::vector<std::string> args) {
  const Result<NodeConfig> config = make_node_config(parse(std::move(args)));
  EXPECT_FALSE(config.ok());
  if (config.ok()) return {};
  EXPECT_EQ(StatusCode::kInvalid, config.status().code());
  return std::string(config.status().message());
}

TEST(NodeConfigTest, ACoordinatorByDefault) {
  const NodeConfig config = config_of({"--role=coordinator"});
  EXPECT_TRUE(config.coordinator);
  EXPECT_EQ("127.0.0.1:19528", config.listen.to_string());
  EXPECT_EQ("", config.advertise);
  EXPECT_EQ("", config.coordinator_address);
  EXPECT_GE(config.workers, 1u);
  EXPECT_EQ(0u, config.buckets_max);
  EXPECT_EQ(10'000u, config.clients_max);
  EXPECT_EQ(base::Duration(), config.idle_timeout);
  EXPECT_EQ(65'536u, config.file.capacity);
  EXPECT_EQ(base::HashMode::kMixed, config.file.hash);
  EXPECT_EQ("", config.data_dir);
  EXPECT_EQ(Fsync::kAlways, config.fsync);
}

TEST(NodeConfigTest, ABucketNodeByDefault) {
  const NodeConfig config = config_of({"--role=bucket", "--coordinator=127.0.0.1:7"});
  EXPECT_FALSE(config.coordinator);
  EXPECT_EQ("127.0.0.1:0", config.listen.to_string());
  EXPECT_EQ("127.0.0.1:7", config.coordinator_address);
}

TEST(NodeConfigTest, EveryFlagIsHeard) {
  const NodeConfig config =
      config_of({"--role=coordinator", "--listen=127.0.0.2:80", "--advertise=127.0.0.3:81",
                 "--workers=3", "--max-buckets=1", "--max-clients=17", "--idle-timeout=60",
                 "--capacity=3", "--hash=integer", "--data-dir=d", "--fsync=everysec"});
  EXPECT_EQ("127.0.0.2:80", config.listen.to_string());
  EXPECT_EQ("127.0.0.3:81", config.advertise);
  EXPECT_EQ(3u, config.workers);
  EXPECT_EQ(1u, config.buckets_max);
  EXPECT_EQ(17u, config.clients_max);
  EXPECT_EQ(base::seconds(60), config.idle_timeout);
  EXPECT_EQ(3u, config.file.capacity);
  EXPECT_EQ(base::HashMode::kInteger, config.file.hash);
  EXPECT_EQ("d", config.data_dir);
  EXPECT_EQ(Fsync::kEverySecond, config.fsync);
}

TEST(NodeConfigTest, TheLongestIdleTimeoutIsStillATime) {
  const NodeConfig config = config_of({"--role=coordinator", "--idle-timeout=1000000000"});
  EXPECT_EQ(base::seconds(1'000'000'000), config.idle_timeout);
  EXPECT_GT(config.idle_timeout, base::Duration());
}

TEST(NodeConfigTest, HostNamesAreResolved) {
  const NodeConfig config = config_of({"--role=bucket", "--coordinator=localhost:7"});
  EXPECT_EQ("127.0.0.1:7", config.coordinator_address);
}

TEST(NodeConfigTest, ListensOnLoopbackOnly) {
  for (const std::string address : {"0.0.0.0:7", "192.0.2.1:7", "[::]:7"}) {
    const std::string complaint = complaint_about({"--role=coordinator", "--listen=" + address});
    EXPECT_NE(complaint.find("--listen=" + address), std::string::npos) << complaint;
    EXPECT_NE(complaint.find("loopback"), std::string::npos) << complaint;
  }
  EXPECT_EQ("[::1]:7", config_of({"--role=coordinator", "--listen=[::1]:7"}).listen.to_string());
}

TEST(NodeConfigTest, AHostThatDoesNotExistNamesItsFlag) {
  // The domain is reserved for names that never exist.
  for (const std::string flag : {"--listen", "--advertise", "--coordinator"}) {
    std::vector<std::string> args = {"--role=bucket"};
    if (flag != "--coordinator") args.emplace_back("--coordinator=127.0.0.1:7");
    args.push_back(flag + "=no-such-host.invalid:7");
    const std::string complaint = complaint_about(args);
    EXPECT_EQ(0u, complaint.find(flag + ": ")) << complaint;
  }
}

}  // namespace
}  // namespace lh::node
