#include "node/resp_admin.h"

#include <gtest/gtest.h>

#include <string>

#include "wire/resp.h"

namespace lh::node {
namespace {

class RespAdminTest : public ::testing::Test {
 protected:
  RespAdminTest() : shared_(NodeConfig(), "127.0.0.1:7000", 11, 11), admin_(shared_, 42) {}

  std::string call(const std::string& line) {
    wire::RespParser parser;
    EXPECT_EQ(parser.next(line + "\r\n"), wire::RespStatus::kRequest);
    const wire::RespCommand* command = wire::find_resp_command(parser.args()[0]);
    EXPECT_TRUE(command != nullptr && RespAdmin::is_admin(command->verb)) << line;
    std::string out;
    admin_.execute(*command, parser.args(), &out);
    return out;
  }
  static bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  }

  Shared shared_;
  RespAdmin admin_;
};

TEST_F(RespAdminTest, pingAndEcho) {
  EXPECT_EQ(call("PING"), "+PONG\r\n");
  EXPECT_EQ(call("PING hi"), "$2\r\nhi\r\n");
  EXPECT_EQ(call("PING a b"), "-ERR wrong number of arguments for 'ping' command\r\n");
  EXPECT_EQ(call("ECHO hi"), "$2\r\nhi\r\n");
}

TEST_F(RespAdminTest, thereIsOneFile) {
  EXPECT_EQ(call("SELECT 0"), "+OK\r\n");
  EXPECT_EQ(call("SELECT 1"), "-ERR DB index is out of range\r\n");
  EXPECT_EQ(call("SELECT -1"), "-ERR DB index is out of range\r\n");
  EXPECT_EQ(call("SELECT x"), "-ERR value is not an integer or out of range\r\n");
}

TEST_F(RespAdminTest, helloChoosesTheVersion) {
  EXPECT_EQ(call("HELLO").substr(0, 5), "*14\r\n");
  EXPECT_EQ(call("HELLO 3 AUTH default x SETNAME me").substr(0, 4), "%7\r\n");
  EXPECT_EQ(admin_.version(), wire::RespVersion::k3);
  EXPECT_EQ(call("CLIENT GETNAME"), "$2\r\nme\r\n");
  EXPECT_EQ(call("HELLO 99"), "-NOPROTO unsupported protocol version\r\n");
  EXPECT_EQ(call("HELLO abc"), "-ERR Protocol version is not an integer or out of range\r\n");
  EXPECT_EQ(call("HELLO 2 NAME x"), "-ERR Syntax error in HELLO option 'NAME'\r\n");
  EXPECT_EQ(call("HELLO 2 SETNAME"), "-ERR Syntax error in HELLO option 'SETNAME'\r\n");
  EXPECT_EQ(call("HELLO 2 SETNAME 'a b'"),
            "-ERR Client names cannot contain spaces, newlines or special characters.\r\n");
  EXPECT_TRUE(call("HELLO 2 AUTH other x").starts_with("-WRONGPASS "));
  EXPECT_EQ(admin_.version(), wire::RespVersion::k3) << "a refusal changes nothing";
  EXPECT_EQ(call("HELLO 2").substr(0, 5), "*14\r\n");
}

TEST_F(RespAdminTest, clientsSayWhoTheyAre) {
  EXPECT_EQ(call("CLIENT GETNAME"), "$-1\r\n");
  EXPECT_EQ(call("CLIENT SETNAME me"), "+OK\r\n");
  EXPECT_EQ(call("client getname"), "$2\r\nme\r\n");
  EXPECT_EQ(call("CLIENT ID"), ":42\r\n");
  EXPECT_EQ(call("CLIENT SETINFO lib-name x"), "+OK\r\n");
  EXPECT_EQ(call("CLIENT KILL"), "-ERR unknown subcommand 'KILL'. Try CLIENT HELP.\r\n");
}

TEST_F(RespAdminTest, configTellsWhatToolsAskFor) {
  EXPECT_EQ(call("CONFIG GET save"), "*2\r\n$4\r\nsave\r\n$0\r\n\r\n");
  EXPECT_EQ(call("CONFIG GET APPENDONLY nothing"), "*2\r\n$10\r\nappendonly\r\n$2\r\nno\r\n");
  EXPECT_EQ(call("CONFIG GET maxmemory"), "*2\r\n$9\r\nmaxmemory\r\n$1\r\n0\r\n");
  EXPECT_EQ(call("CONFIG GET *").substr(0, 5), "*16\r\n");
  EXPECT_EQ(call("CONFIG GET"), "-ERR wrong number of arguments for 'config|get' command\r\n");
  EXPECT_TRUE(call("CONFIG SET save x").starts_with("-ERR unknown subcommand 'SET'"));
}

TEST_F(RespAdminTest, commandsAreDescribed) {
  const std::string count = std::to_string(wire::resp_commands().size());
  EXPECT_EQ(call("COMMAND COUNT"), ":" + count + "\r\n");
  EXPECT_TRUE(call("COMMAND").starts_with("*" + count + "\r\n*10\r\n$3\r\nget\r\n"));
  EXPECT_EQ(call("COMMAND DOCS"), "*0\r\n");
  EXPECT_TRUE(call("COMMAND LIST").starts_with("*" + count + "\r\n$3\r\nget\r\n"));
  EXPECT_TRUE(call("COMMAND INFO get nothing").ends_with("*0\r\n*-1\r\n"));
  EXPECT_TRUE(call("COMMAND FOO").starts_with("-ERR unknown subcommand"));
}

TEST_F(RespAdminTest, authIsNotConfigured) {
  EXPECT_TRUE(call("AUTH x").starts_with("-ERR AUTH <password> called without any password"));
}

TEST_F(RespAdminTest, infoHasTheSectionsThatAreWanted) {
  core::FileResult file;
  file.records = 7;
  file.expiring = 2;
  std::string all;
  admin_.info({}, file, &all);
  for (const char* line :
       {"# Server\r\n", "redis_version:7.0.0\r\n", "redis_mode:standalone\r\n", "tcp_port:7000\r\n",
        "# Clients\r\n", "connected_clients:0\r\n", "# Memory\r\n", "used_memory:", "# Stats\r\n",
        "expired_keys:0\r\n", "# Replication\r\n", "role:master\r\n", "# Cpu\r\n", "used_cpu_user:",
        "cluster_enabled:0\r\n", "# Keyspace\r\n", "db0:keys=7,expires=2,avg_ttl=0\r\n"}) {
    EXPECT_TRUE(has(all, line)) << line;
  }
  std::string some;
  admin_.info({"CLIENTS", "keyspace", "clients"}, {}, &some);
  EXPECT_EQ(some.find("# Clients"), some.rfind("# Clients"));
  EXPECT_TRUE(has(some, "# Keyspace\r\n"));
  EXPECT_FALSE(has(some, "db0:")) << "an empty one is not listed";
  EXPECT_FALSE(has(some, "# Server"));
  EXPECT_TRUE(RespAdmin::info_counts({}));
  EXPECT_TRUE(RespAdmin::info_counts({"everything"}));
  EXPECT_FALSE(RespAdmin::info_counts({"server", "memory"}));
}

}  // namespace
}  // namespace lh::node
