#include "client/command.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace lh::client {
namespace {

using wire::Verb;

class CommandTest : public ::testing::Test {
 protected:
  const Command& line(std::string_view text) { return parser_.parse_line(text); }
  const Command& words(std::vector<std::string> words) {
    words_ = std::move(words);
    return parser_.parse_words(words_);
  }
  std::string error(const Command& command) {
    return command.is_bad() ? std::string(command.text.error) : "none";
  }

  CommandParser parser_;
  std::vector<std::string> words_;
};

TEST_F(CommandTest, linesOfTheTextProtocol) {
  const Command& insert = line("insert \"a b\" the value");
  EXPECT_EQ(insert.own, Own::kNone);
  EXPECT_EQ(insert.text.verb, Verb::kInsert);
  EXPECT_EQ(insert.text.key, "a b");
  EXPECT_EQ(insert.text.value, "the value");
  EXPECT_EQ(line("").text.verb, Verb::kBlank);
  EXPECT_EQ(error(line("bogus")), "ERR unknown command 'bogus': try HELP");
  EXPECT_EQ(error(line("\"read")), "ERR unbalanced quote");
  EXPECT_TRUE(line("Quit").is_quit());
  EXPECT_FALSE(line("count").is_quit());
}

TEST_F(CommandTest, linesOfItsOwn) {
  EXPECT_EQ(line("load a.tsv").own, Own::kLoad);
  EXPECT_EQ(line("LOAD \"a b.tsv\" ").file, "a b.tsv");
  EXPECT_EQ(line(" Dump -").own, Own::kDump);
  EXPECT_EQ(line("image").own, Own::kImage);
  EXPECT_EQ(error(line("load")), "ERR wrong number of arguments: LOAD file");
  EXPECT_EQ(error(line("load a b")), "ERR wrong number of arguments: LOAD file");
  EXPECT_EQ(error(line("image x")), "ERR wrong number of arguments: IMAGE");
  EXPECT_EQ(error(line("load \"a")), "ERR unbalanced quote");
}

TEST_F(CommandTest, benchTakesFlags) {
  EXPECT_EQ(line("bench --ops=5 \"--workload=d\" ").own, Own::kBench);
  EXPECT_EQ(line("bench --ops=5 --workload=d").bench.operations, 5u);
  EXPECT_EQ(line("BENCH").bench.workload, Workload::kA);
  EXPECT_EQ(words({"bench", "--json", "--ops", "7"}).bench.operations, 7u);
  EXPECT_TRUE(words({"bench", "--json"}).bench.json);
  EXPECT_TRUE(words({"bench", "--help"}).bench.help);
  EXPECT_EQ(error(line("bench now")), "ERR 'now' is no flag of bench");
  EXPECT_EQ(error(words({"bench", "now"})), "ERR 'now' is no flag of bench");
  EXPECT_EQ(error(line("bench \"--ops")), "ERR unbalanced quote");
  EXPECT_EQ(line("count").own, Own::kNone) << "nothing of it stays";
}

TEST_F(CommandTest, wordsAreTakenAsTheyAre) {
  const Command& insert = words({"insert", "a b\"", "the\nvalue"});
  EXPECT_EQ(insert.text.verb, Verb::kInsert);
  EXPECT_EQ(insert.text.key, "a b\"");
  EXPECT_EQ(insert.text.value, "the\nvalue");
  EXPECT_EQ(words({"get", ""}).text.verb, Verb::kRead);
  EXPECT_EQ(words({"get", ""}).text.key, "");
  EXPECT_EQ(words({"scan", "key:a*"}).text.scan.match, core::ScanMatch::kKeyGlob);
  EXPECT_EQ(words({"scan", "key:a*"}).text.scan.pattern, "a*");
  EXPECT_EQ(words({"bucket", "3"}).text.bucket, 3u);
  EXPECT_EQ(words({"COUNT"}).text.verb, Verb::kCount);
  EXPECT_EQ(words({"dump", "a b"}).own, Own::kDump);
  EXPECT_EQ(words({"dump", "a b"}).file, "a b");
  EXPECT_EQ(words({"image"}).own, Own::kImage);
}

TEST_F(CommandTest, wordsThatAreNoCommand) {
  EXPECT_EQ(error(words({"bogus", "k"})), "ERR unknown command 'bogus': try HELP");
  EXPECT_EQ(error(words({"a\nb"})), "ERR unknown command 'a\\nb': try HELP");
  EXPECT_EQ(error(words({""})), "ERR unknown command '': try HELP");
  EXPECT_EQ(error(words({"insert", "k"})), "ERR wrong number of arguments: INSERT key value");
  EXPECT_EQ(error(words({"insert", "k", "v", "w"})),
            "ERR wrong number of arguments: INSERT key value");
  EXPECT_EQ(error(words({"count", "x"})), "ERR wrong number of arguments: COUNT");
  EXPECT_EQ(error(words({"load"})), "ERR wrong number of arguments: LOAD file");
  EXPECT_EQ(error(words({"image", "x"})), "ERR wrong number of arguments: IMAGE");
  EXPECT_EQ(error(words({"bucket", "x"})), "ERR bucket is not an integer or out of range");
  EXPECT_EQ(error(words({"bucket", "1099511627776"})),
            "ERR bucket is not an integer or out of range");
}

TEST_F(CommandTest, anErrorIsForgottenByTheNextCommand) {
  EXPECT_TRUE(words({"bogus"}).is_bad());
  EXPECT_FALSE(words({"load", "f"}).is_bad());
  EXPECT_FALSE(line("count").is_bad());
}

TEST_F(CommandTest, helpListsAllCommandsAndCountsThem) {
  std::string help;
  append_client_help(&help);
  EXPECT_NE(help.find("INSERT key value"), std::string::npos);
  EXPECT_NE(help.find("LOAD file: "), std::string::npos);
  EXPECT_NE(help.find("IMAGE: "), std::string::npos);
  const auto lines = std::count(help.begin(), help.end(), '\n');
  EXPECT_TRUE(help.ends_with("\nEND " + std::to_string(lines - 1) + " commands\n"));
  EXPECT_EQ(help.find("END "), help.rfind("END "));
}

TEST_F(CommandTest, namesAreSortedAndIncludeAliases) {
  const std::vector<std::string> names = command_names();
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
  for (const char* name : {"insert", "get", "query", "load", "image", "quit"}) {
    EXPECT_TRUE(std::count(names.begin(), names.end(), name) == 1) << name;
  }
}

}  // namespace
}  // namespace lh::client
