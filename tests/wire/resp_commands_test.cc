#include "wire/resp_commands.h"

#include <gtest/gtest.h>

#include <string>

namespace lh::wire {
namespace {

TEST(RespCommandsTest, eachIsFoundByItsNameInAnyCase) {
  for (const RespCommand& command : resp_commands()) {
    std::string name(command.name);
    EXPECT_EQ(find_resp_command(name), &command);
    for (char& c : name) c = static_cast<char>(c == '_' ? c : c - 32);
    EXPECT_EQ(find_resp_command(name), &command);
    name.back() = static_cast<char>(name.back() + 32);
    EXPECT_EQ(find_resp_command(name), &command);
  }
}

TEST(RespCommandsTest, nothingElseIsFound) {
  using std::string_view_literals::operator""sv;
  for (const std::string_view word :
       {""sv, "\0"sv, "ge"sv, "gett"sv, "get "sv, "flushalls"sv, "GE\x14"sv, "g\0t"sv,
        "\x47\x45T\0"sv, "PIN\x27"sv, "{et"sv}) {
    EXPECT_EQ(find_resp_command(word), nullptr) << word;
  }
  EXPECT_EQ(find_resp_command(std::string(1'000'000, 'x')), nullptr);
  // Words that overlap with themselves like a shorter one.
  for (const char* word : {"incrincr", "pingping", "gt", "get\r", "gett", "sset", "incrcr"}) {
    EXPECT_EQ(find_resp_command(word), nullptr) << word;
  }
}

TEST(RespCommandsTest, argumentsAreCounted) {
  EXPECT_TRUE(takes(*find_resp_command("get"), 2));
  EXPECT_FALSE(takes(*find_resp_command("get"), 1));
  EXPECT_FALSE(takes(*find_resp_command("get"), 3));
  EXPECT_TRUE(takes(*find_resp_command("mget"), 1'000));
  EXPECT_FALSE(takes(*find_resp_command("mget"), 1));
}

TEST(RespCommandsTest, keyedCommandsSayWhereTheirKeysAre) {
  for (const RespCommand& command : resp_commands()) {
    EXPECT_EQ(command.op.has_value(), command.first_key > 0) << command.name;
    EXPECT_EQ(command.op.has_value(), command.key_step > 0) << command.name;
  }
}

TEST(RespCommandsTest, wordsAreComparedWithoutCase) {
  EXPECT_TRUE(same_word("SetName", "setname"));
  EXPECT_FALSE(same_word("setname", "setnam"));
  EXPECT_FALSE(same_word("[", "{"));
}

}  // namespace
}  // namespace lh::wire
