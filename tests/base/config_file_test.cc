#include "base/config_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace lh::base {
namespace {

// "1:name=value 3:other=x", or the sentence of the failure.
std::string parsed(std::string_view text) {
  const Result<std::vector<ConfigLine>> lines = parse_config("x.conf", text);
  if (!lines.ok()) return std::string(lines.status().message());
  std::string out;
  for (const ConfigLine& line : lines.value()) {
    if (!out.empty()) out += " ";
    out += std::to_string(line.line) + ":" + line.name + "=" + line.value;
  }
  return out;
}

TEST(ConfigFileTest, namesAndValues) {
  EXPECT_EQ(parsed("workers = 4\ndata-dir=/srv/lh\n"), "1:workers=4 2:data-dir=/srv/lh");
  EXPECT_EQ(parsed("\tworkers\t=\t4\t"), "1:workers=4");
  EXPECT_EQ(parsed("a = b=c"), "1:a=b=c");
  EXPECT_EQ(parsed(""), "");
}

TEST(ConfigFileTest, commentsAndBlankLines) {
  EXPECT_EQ(parsed("# a comment\n\n   # another\nworkers = 4 # four\n\t\n"), "4:workers=4");
  EXPECT_EQ(parsed("name = a#b"), "1:name=a#b");
  EXPECT_EQ(parsed("name = # nothing"), "1:name=");
}

TEST(ConfigFileTest, quotedValues) {
  EXPECT_EQ(parsed("dir = \" a # b \"  # spaced"), "1:dir= a # b ");
  EXPECT_EQ(parsed("dir = \"C:\\\\lh\""), "1:dir=C:\\lh");
  EXPECT_EQ(parsed("dir = \"\""), "1:dir=");
}

TEST(ConfigFileTest, toleratesWhatEditorsAdd) {
  EXPECT_EQ(parsed("\xef\xbb\xbfworkers = 4\r\ncapacity = 3\r\n"), "1:workers=4 2:capacity=3");
  EXPECT_EQ(parsed("\xef\xbb\xbf"), "");
  EXPECT_EQ(parsed("\r\n\r\na = 1"), "3:a=1");
}

TEST(ConfigFileTest, otherLinesAreRefusedWithTheirPlace) {
  const std::string bad = ": this line is not of the form name = value";
  EXPECT_EQ(parsed("a = 1\nworkers 4\n"), "x.conf:2" + bad);
  EXPECT_EQ(parsed("= 4"), "x.conf:1" + bad);
  EXPECT_EQ(parsed("two words = 4"), "x.conf:1" + bad);
  EXPECT_EQ(parsed("a = \"unclosed"), "x.conf:1" + bad);
  EXPECT_EQ(parsed("a = \"b\" c"), "x.conf:1" + bad);
  EXPECT_EQ(parsed("[section]"), "x.conf:1" + bad);
}

TEST(ConfigFileTest, duplicatesAreRefused) {
  EXPECT_EQ(parsed("a = 1\nb = 2\na = 1\n"), "x.conf:3: a is already set in line 1");
}

class ReadConfigFileTest : public testing::Test {
 protected:
  ReadConfigFileTest() : path_(testing::TempDir() + "lhnode_config_" + std::to_string(getpid())) {}
  ~ReadConfigFileTest() override { std::filesystem::remove_all(path_); }

  void write(const std::string& text) { std::ofstream(path_, std::ios::binary) << text; }

  const std::string path_;
};

TEST_F(ReadConfigFileTest, wholeFile) {
  const std::string text = std::string("a = 1\r\n\0b", 9);
  write(text);
  const Result<std::string> read = read_config_file(path_);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read.value(), text);
}

TEST_F(ReadConfigFileTest, missingFile) {
  const Result<std::string> read = read_config_file(path_);
  EXPECT_EQ(read.status().code(), StatusCode::kInvalid);
  EXPECT_EQ(read.status().message(),
            "config file " + path_ + " cannot be read: No such file or directory");
}

TEST_F(ReadConfigFileTest, directory) {
  std::filesystem::create_directory(path_);
  const Result<std::string> read = read_config_file(path_);
  EXPECT_EQ(read.status().message(), "config file " + path_ + " cannot be read: Is a directory");
}

TEST_F(ReadConfigFileTest, sizeIsBounded) {
  write(std::string(kConfigFileSizeMax, '\n'));
  EXPECT_TRUE(read_config_file(path_).ok());
  write(std::string(kConfigFileSizeMax + 1, '\n'));
  EXPECT_EQ(read_config_file(path_).status().message(),
            "config file " + path_ + " cannot be read: it is larger than 1 MiB");
}

}  // namespace
}  // namespace lh::base
