#include "wire/text_commands.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace lh::wire {
namespace {

TEST(TextCommandsTest, everyVerbHasOneRow) {
  std::set<Verb> verbs;
  for (const CommandSpec& spec : commands()) EXPECT_TRUE(verbs.insert(spec.verb).second);
  EXPECT_EQ(verbs.size(), static_cast<size_t>(Verb::kQuit) - static_cast<size_t>(Verb::kBad));
  EXPECT_FALSE(verbs.contains(Verb::kBlank));
  EXPECT_FALSE(verbs.contains(Verb::kBad));
}

TEST(TextCommandsTest, namesAreCapitalsAndUnique) {
  std::set<std::string_view> names;
  const auto expect_new = [&](std::string_view name) {
    EXPECT_TRUE(names.insert(name).second) << name;
    for (char c : name) EXPECT_TRUE(c >= 'A' && c <= 'Z') << name;
  };
  for (const CommandSpec& spec : commands()) {
    expect_new(spec.name);
    for (std::string_view alias : spec.aliases) {
      if (!alias.empty()) expect_new(alias);
    }
  }
}

TEST(TextCommandsTest, foundByNameAndAlias) {
  EXPECT_EQ(find_command("READ")->verb, Verb::kRead);
  EXPECT_EQ(find_command("get")->verb, Verb::kRead);
  EXPECT_EQ(find_command("Query")->verb, Verb::kRead);
  EXPECT_EQ(find_command("BUCKET")->verb, Verb::kBucket);
  EXPECT_EQ(find_command("BUCKETS")->verb, Verb::kBuckets);
  EXPECT_EQ(find_command(""), nullptr);
  EXPECT_EQ(find_command("GE"), nullptr);
  EXPECT_EQ(find_command("GET "), nullptr);
  EXPECT_EQ(find_command("PUT\x7f"), nullptr);
}

TEST(TextCommandsTest, keyedCommandsKnowTheirOperation) {
  EXPECT_EQ(find_command("INSERT")->op, core::Op::kInsert);
  EXPECT_EQ(find_command("UPDATE")->op, core::Op::kUpdate);
  EXPECT_EQ(find_command("PUT")->op, core::Op::kPut);
  EXPECT_EQ(find_command("READ")->op, core::Op::kRead);
  EXPECT_EQ(find_command("DELETE")->op, core::Op::kDelete);
  EXPECT_EQ(find_command("LOCATE")->op, core::Op::kLocate);
  EXPECT_EQ(find_command("SCAN")->op, std::nullopt);
}

}  // namespace
}  // namespace lh::wire
