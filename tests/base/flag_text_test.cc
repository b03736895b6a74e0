#include "base/flag_text.h"

#include <gtest/gtest.h>

namespace lh::base {
namespace {

constexpr FlagRoles kServer = 1;
constexpr FlagRoles kClient = 2;

constexpr Flag kFlags[] = {
    {.name = "role", .kind = FlagKind::kWord, .help = "what to be", .words = "server|client"},
    {.name = "listen",
     .kind = FlagKind::kHostPort,
     .roles = kServer,
     .default_text = "127.0.0.1:0",
     .help = "the one port of this node; all protocols share it, whoever speaks first decides"},
    {.name = "coordinator",
     .kind = FlagKind::kHostPort,
     .roles = kClient,
     .help = "where the file is",
     .required = true},
    {.name = "durability-of-acknowledged-writes",
     .kind = FlagKind::kWord,
     .help = "when a write is on disk",
     .words = "always|remote",
     .later = "comes later",
     .later_words = "remote"},
    {.name = "standby", .help = "hidden", .later = "comes later"},
    {.name = "help", .kind = FlagKind::kSwitch, .help = "this text", .stops = true},
};
constexpr FlagTable kTable = {.usage = "usage: x [flags]", .env_prefix = "X_", .flags = kFlags};

TEST(FlagTextTest, environmentName) {
  EXPECT_EQ(environment_name("LHNODE_", "data-dir"), "LHNODE_DATA_DIR");
}

TEST(FlagTextTest, placeOfWord) {
  EXPECT_EQ(place_of_word("a|b|c", "a"), 0u);
  EXPECT_EQ(place_of_word("a|b|c", "c"), 2u);
  EXPECT_EQ(place_of_word("a|b|c", "a|b"), std::nullopt);
  EXPECT_EQ(place_of_word("a|b|c", ""), std::nullopt);
}

TEST(FlagTextTest, ranges) {
  EXPECT_EQ(range_text({.name = "n", .kind = FlagKind::kU64}), "");
  EXPECT_EQ(range_text({.name = "n", .kind = FlagKind::kU64, .least = 1}), "at least 1");
  EXPECT_EQ(range_text({.name = "n", .kind = FlagKind::kU64, .most = 9}), "0 to 9");
  EXPECT_EQ(range_text({.name = "n", .kind = FlagKind::kU64, .least = 1, .most = 9}), "1 to 9");
  EXPECT_EQ(range_text({.name = "n", .kind = FlagKind::kDouble, .least_real = 0.5}),
            "at least 0.5");
  EXPECT_EQ(range_text({.name = "n", .kind = FlagKind::kHostPort, .least = 1}),
            "a port of at least 1");
}

TEST(FlagTextTest, roleLists) {
  EXPECT_EQ(role_list(kTable, kServer), "server");
  EXPECT_EQ(role_list(kTable, kServer | kClient), "all");
  EXPECT_EQ(role_list(kTable, kAllRoles), "all");
  EXPECT_EQ(roles_of_name(kTable, "listen"), kServer);
  EXPECT_EQ(roles_of_name(kTable, "nothing"), 0u);
}

TEST(FlagTextTest, closestFlag) {
  EXPECT_EQ(closest_flag(kTable, "lisen"), "listen");
  EXPECT_EQ(closest_flag(kTable, "listten"), "listen");
  EXPECT_EQ(closest_flag(kTable, "cordinatr"), "coordinator");
  EXPECT_EQ(closest_flag(kTable, "data-dir"), "");
  EXPECT_EQ(closest_flag(kTable, ""), "");
}

TEST(FlagTextTest, helpFollowsFromTheTable) {
  EXPECT_EQ(flag_help(kTable),
            "usage: x [flags]\n"
            "\n"
            "  --role=server|client      what to be\n"
            "  --listen=HOST:PORT        the one port of this node; all protocols share it,\n"
            "                            whoever speaks first decides (server; default\n"
            "                            127.0.0.1:0)\n"
            "  --coordinator=HOST:PORT   where the file is (client; required)\n"
            "  --durability-of-acknowledged-writes=always\n"
            "                            when a write is on disk\n"
            "  --help                    this text\n");
}

TEST(FlagTextTest, sourcesHaveNames) {
  EXPECT_EQ(to_string(FlagSource::kDefault), "default");
  EXPECT_EQ(to_string(FlagSource::kFile), "config file");
  EXPECT_EQ(to_string(FlagSource::kEnvironment), "environment");
  EXPECT_EQ(to_string(FlagSource::kFlag), "flag");
}

}  // namespace
}  // namespace lh::base
