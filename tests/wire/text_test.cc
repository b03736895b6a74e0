#include "wire/text.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/limits.h"

namespace lh::wire {
namespace {

using std::string_view_literals::operator""sv;

// -------------------------------------------------------------------------------------- lines

TEST(NextLineTest, lfAndCrlfEndALine) {
  Line line = next_line("PING\nmore");
  ASSERT_EQ(line.status, LineStatus::kLine);
  EXPECT_EQ(line.text, "PING");
  EXPECT_EQ(line.size, 5u);
  line = next_line("PING\r\nmore");
  ASSERT_EQ(line.status, LineStatus::kLine);
  EXPECT_EQ(line.text, "PING");
  EXPECT_EQ(line.size, 6u);
  line = next_line("\n");
  ASSERT_EQ(line.status, LineStatus::kLine);
  EXPECT_EQ(line.text, "");
  EXPECT_EQ(line.size, 1u);
}

TEST(NextLineTest, onlyTheCrBeforeTheLfBelongsToTheEnd) {
  EXPECT_EQ(next_line("a\rb\r\r\n").text, "a\rb\r");
}

TEST(NextLineTest, oneByteAtATime) {
  std::string buffer;
  std::vector<std::string> lines;
  for (char c : "INSERT a b\r\n\nREAD a\n"sv) {
    buffer += c;
    const Line line = next_line(buffer);
    ASSERT_NE(line.status, LineStatus::kBad);
    if (line.status == LineStatus::kNeedMore) continue;
    EXPECT_EQ(line.size, buffer.size());
    lines.emplace_back(line.text);
    buffer.clear();
  }
  EXPECT_EQ(lines, (std::vector<std::string>{"INSERT a b", "", "READ a"}));
}

TEST(NextLineTest, nulIsDataOfALine) { EXPECT_EQ(next_line("a\0b\n"sv).text, "a\0b"sv); }

TEST(NextLineTest, longestLine) {
  const std::string longest(kLineBytesMax, 'x');
  EXPECT_EQ(next_line(longest).status, LineStatus::kNeedMore);
  EXPECT_EQ(next_line(longest + "\r").status, LineStatus::kNeedMore);
  EXPECT_EQ(next_line(longest + "\n").text, longest);
  EXPECT_EQ(next_line(longest + "\r\n").text, longest);
}

TEST(NextLineTest, tooLong) {
  const std::string more(kLineBytesMax + 1, 'x');
  EXPECT_EQ(next_line(more + "\n").status, LineStatus::kBad);
  EXPECT_EQ(next_line(more + "\r\n").status, LineStatus::kBad);
  EXPECT_EQ(next_line(more + "x").status, LineStatus::kBad);
  EXPECT_EQ(next_line(more + "xxxxx\n").error, "ERR line too long");
}

// ----------------------------------------------------------------------------------- commands

class TextParserTest : public testing::Test {
 protected:
  const TextCommand& parse(std::string_view line) { return parser_.parse(line); }
  std::string error(std::string_view line) {
    const TextCommand& command = parse(line);
    EXPECT_EQ(command.verb == Verb::kBad, !command.error.empty());
    return std::string(command.error);
  }

  TextParser parser_;
};

TEST_F(TextParserTest, keyedCommands) {
  for (std::string_view line : {"INSERT k some value", "UPDATE k some value", "PUT k some value"}) {
    const TextCommand& command = parse(line);
    EXPECT_EQ(command.key, "k");
    EXPECT_EQ(command.value, "some value");
  }
  EXPECT_EQ(parse("INSERT k v").verb, Verb::kInsert);
  EXPECT_EQ(parse("UPDATE k v").verb, Verb::kUpdate);
  EXPECT_EQ(parse("PUT k v").verb, Verb::kPut);
  for (std::string_view line : {"READ k", "GET k", "QUERY k"}) {
    EXPECT_EQ(parse(line).verb, Verb::kRead);
    EXPECT_EQ(parse(line).key, "k");
  }
  EXPECT_EQ(parse("DELETE k").verb, Verb::kDelete);
  EXPECT_EQ(parse("LOCATE k").verb, Verb::kLocate);
  EXPECT_EQ(parse("LOCATE k").key, "k");
}

TEST_F(TextParserTest, commandsWithoutArguments) {
  EXPECT_EQ(parse("COUNT").verb, Verb::kCount);
  EXPECT_EQ(parse("FILE").verb, Verb::kFile);
  EXPECT_EQ(parse("BUCKETS").verb, Verb::kBuckets);
  EXPECT_EQ(parse("NODES").verb, Verb::kNodes);
  EXPECT_EQ(parse("SETTLE").verb, Verb::kSettle);
  EXPECT_EQ(parse("PING").verb, Verb::kPing);
  EXPECT_EQ(parse("HELP").verb, Verb::kHelp);
  EXPECT_EQ(parse("QUIT").verb, Verb::kQuit);
}

TEST_F(TextParserTest, verbsInAnyCaseBlanksAnywhere) {
  EXPECT_EQ(parse("ping").verb, Verb::kPing);
  EXPECT_EQ(parse(" \t PiNg \t").verb, Verb::kPing);
  EXPECT_EQ(parse("\tget\t \tk\t").key, "k");
}

TEST_F(TextParserTest, blankLinesAreNoCommands) {
  EXPECT_EQ(parse("").verb, Verb::kBlank);
  EXPECT_EQ(parse(" \t ").verb, Verb::kBlank);
}

TEST_F(TextParserTest, valueIsTheRestOfTheLine) {
  EXPECT_EQ(parse("PUT k  a  b \t").value, "a  b \t");
  EXPECT_EQ(parse("PUT k say \"hi\" \\n").value, "say \"hi\" \\n");
  EXPECT_EQ(parse("PUT k a\tb").value, "a\tb");
  EXPECT_EQ(parse("PUT k \xc3\xa4\xff").value, "\xc3\xa4\xff");
}

TEST_F(TextParserTest, quotedWords) {
  const TextCommand& command = parse(R"(PUT "a key" "\"v\"\\\n\r\t\x00\xfF" )");
  EXPECT_EQ(command.key, "a key");
  EXPECT_EQ(command.value, "\"v\"\\\n\r\t\0\xff"sv);
  EXPECT_EQ(parse(R"(PUT "\x41" "\x42")").key, "A");
  EXPECT_EQ(parse(R"(PUT "\x41" "\x42")").value, "B");
  EXPECT_EQ(parse(R"(PUT "" "")").verb, Verb::kPut);
  EXPECT_EQ(parse(R"("GET" k)").verb, Verb::kRead);
}

TEST_F(TextParserTest, unbalancedQuotes) {
  for (std::string_view line :
       {R"(GET "k)", R"(GET k")", R"(GET "k"x)", R"(GET "\)", R"(PUT k "v)", R"(PUT k "v" w)",
        R"(PUT "k v)", R"(")", R"("GET k)", R"(SCAN a"b)"}) {
    EXPECT_EQ(error(line), "ERR unbalanced quote") << line;
  }
}

TEST_F(TextParserTest, badEscapes) {
  for (std::string_view line : {R"(GET "\q")", R"(GET "\x4")", R"(GET "\x4)", R"(PUT k "\q")",
                                R"(PUT k "\xzz" w)", R"("\q")", R"(SCAN "a\ b)"}) {
    EXPECT_EQ(error(line), "ERR bad escape") << line;
  }
}

TEST_F(TextParserTest, commandsOfLaterVersions) {
  EXPECT_EQ(error("FILES"), "ERR FILES is not in this version: there is one file, number 0");
  EXPECT_EQ(error("create file=1"),
            "ERR CREATE is not in this version: there is one file, number 0");
  EXPECT_EQ(error("USE 1"), "ERR USE is not in this version: there is one file, number 0");
  EXPECT_EQ(error("DROP file=0"), "ERR DROP is not in this version: there is one file, number 0");
  EXPECT_EQ(
      error("auth x"),
      "ERR AUTH is not in this version: nobody is authenticated, and only loopback is served");
}

TEST_F(TextParserTest, wrongNumberOfArguments) {
  const std::string wrong = "ERR wrong number of arguments: ";
  EXPECT_EQ(error("INSERT"), wrong + "INSERT key value");
  EXPECT_EQ(error("insert k"), wrong + "INSERT key value");
  EXPECT_EQ(error("INSERT k  "), wrong + "INSERT key value");
  EXPECT_EQ(error("GET"), wrong + "READ key");
  EXPECT_EQ(error("GET a b"), wrong + "READ key");
  EXPECT_EQ(error("DELETE a b c"), wrong + "DELETE key");
  EXPECT_EQ(error("SCAN"), wrong + "SCAN pattern");
  EXPECT_EQ(error("SCAN a b"), wrong + "SCAN pattern");
  EXPECT_EQ(error("BUCKET"), wrong + "BUCKET n");
  EXPECT_EQ(error("BUCKET 1 2"), wrong + "BUCKET n");
  EXPECT_EQ(error("PING x"), wrong + "PING");
}

TEST_F(TextParserTest, unknownCommands) {
  EXPECT_EQ(error("FLUSHALL"), "ERR unknown command 'FLUSHALL': try HELP");
  EXPECT_EQ(error("GETS k"), "ERR unknown command 'GETS': try HELP");
  EXPECT_EQ(error("\"\""), "ERR unknown command '': try HELP");
  EXPECT_EQ(error("nope \"unbalanced"), "ERR unknown command 'nope': try HELP");
  EXPECT_EQ(error("\x1b[2J\x07"), "ERR unknown command '\\x1b[2J\\x07': try HELP");
  EXPECT_EQ(error("a\0b"sv), "ERR unknown command 'a\\x00b': try HELP");
  EXPECT_EQ(error(std::string(60'000, 'x')),
            "ERR unknown command '" + std::string(64, 'x') + "': try HELP");
}

TEST_F(TextParserTest, rawControlsAreRefusedOutsideQuotes) {
  const std::string unprintable = "ERR unprintable byte: write it as \\xHH in quotes";
  EXPECT_EQ(error("GET a\0b"sv), unprintable);
  EXPECT_EQ(error("GET a\rb"), unprintable);
  EXPECT_EQ(error("GET a\x7f"), unprintable);
  EXPECT_EQ(error("PUT k a\x08"), unprintable);
  EXPECT_EQ(error("PUT k\x01 a"), unprintable);
  EXPECT_EQ(error("SCAN \x1f"), unprintable);
  EXPECT_EQ(parse("GET \"a\0b\""sv).key, "a\0b"sv) << "in quotes they are data";
}

TEST_F(TextParserTest, keysAndValuesThatAreTooLong) {
  const std::string key(core::kKeyBytesMax, 'k');
  EXPECT_EQ(parse("GET " + key).key, key);
  EXPECT_EQ(error("GET " + key + "k"), "ERR key too long");
  EXPECT_EQ(error("PUT " + key + "k v"), "ERR key too long");
  const std::string value(core::kValueBytesMax, 'v');
  EXPECT_EQ(parse("PUT k " + value).value.size(), value.size());
  EXPECT_EQ(error("PUT k " + value + "v"), "ERR value too long");
  EXPECT_EQ(error("SCAN " + std::string(core::kScanPatternBytesMax, 'p')), "");
  EXPECT_EQ(error("SCAN " + std::string(core::kScanPatternBytesMax + 1, 'p')),
            "ERR pattern too long");
}

TEST_F(TextParserTest, scanPatterns) {
  EXPECT_EQ(parse("SCAN ab").scan.match, core::ScanMatch::kValueContains);
  EXPECT_EQ(parse("SCAN ab").scan.pattern, "ab");
  EXPECT_EQ(parse("SCAN key:a*").scan.match, core::ScanMatch::kKeyGlob);
  EXPECT_EQ(parse("SCAN key:a*").scan.pattern, "a*");
  EXPECT_EQ(parse("SCAN \"value:a b?\"").scan.match, core::ScanMatch::kValueGlob);
  EXPECT_EQ(parse("SCAN \"value:a b?\"").scan.pattern, "a b?");
  EXPECT_EQ(parse("SCAN \"\"").scan.match, core::ScanMatch::kAll);
  EXPECT_EQ(parse("SCAN keys").scan.match, core::ScanMatch::kValueContains);
}

TEST_F(TextParserTest, bucketNumbers) {
  EXPECT_EQ(parse("BUCKET 12").verb, Verb::kBucket);
  EXPECT_EQ(parse("BUCKET 12").bucket, 12u);
  EXPECT_EQ(parse("BUCKET " + std::to_string(kBucketsMax - 1)).bucket, kBucketsMax - 1);
  for (std::string_view n : {"-1", "x", "1x", "\"\"", "1.0", "18446744073709551616"}) {
    EXPECT_EQ(error("BUCKET " + std::string(n)), "ERR bucket is not an integer or out of range");
  }
  EXPECT_EQ(error("BUCKET " + std::to_string(kBucketsMax)),
            "ERR bucket is not an integer or out of range");
}

TEST_F(TextParserTest, nothingIsLeftOfTheCommandBefore) {
  parse("PUT k v");
  EXPECT_EQ(parse("GET x y").key, "");
  const TextCommand& command = parse("COUNT");
  EXPECT_EQ(command.key, "");
  EXPECT_EQ(command.value, "");
  EXPECT_EQ(command.error, "");
}

TEST_F(TextParserTest, otherProtocolsGetOneSentence) {
  EXPECT_EQ(error("POST / HTTP/1.1"), "ERR unknown command 'POST': try HELP");
  EXPECT_EQ(error("$4"), "ERR unknown command '$4': try HELP");
  EXPECT_EQ(error("set k 0 0 5"), "ERR unknown command 'set': try HELP");
}

}  // namespace
}  // namespace lh::wire
