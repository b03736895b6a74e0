#include "tests/core/datadriven.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "base/strings.h"

namespace lh::core::testing {

namespace {

constexpr char kSeparator[] = "----";

std::vector<std::string> read_lines(const std::string& path) {
  std::ifstream in(path);
  EXPECT_TRUE(in.good()) << path << ": cannot be read (tests run in the top folder)";
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

Command parse(const std::string& line, const std::string& where) {
  Command command;
  command.where = where;
  std::istringstream in(line);
  for (std::string word; in >> word;) {
    const size_t equals = word.find('=');
    if (equals == std::string::npos) {
      command.words.push_back(word);
    } else {
      command.args[word.substr(0, equals)] = word.substr(equals + 1);
    }
  }
  EXPECT_FALSE(command.words.empty()) << where << ": no command";
  return command;
}

// Reads a script once from top to bottom, and writes what it should be.
class Script {
 public:
  Script(const std::string& path, const std::function<std::string(const Command&)>& execute)
      : path_(path), execute_(execute), lines_(read_lines(path)) {}

  void run() {
    while (at_ < lines_.size()) {
      if (lines_[at_].empty() || lines_[at_][0] == '#') {
        written_ += lines_[at_++] + "\n";
      } else {
        run_block();
      }
    }
    if (std::getenv("LH_REWRITE") != nullptr) std::ofstream(path_) << written_;
  }

 private:
  void run_block() {
    std::string printed;
    const std::string where = here();
    for (; at_ < lines_.size() && lines_[at_] != kSeparator; ++at_) {
      ASSERT_FALSE(lines_[at_].empty()) << here() << ": a block needs " << kSeparator;
      written_ += lines_[at_] + "\n";
      if (lines_[at_][0] != '#') printed += execute_(parse(lines_[at_], here()));
    }
    ++at_;
    std::string expected;
    for (; at_ < lines_.size() && !lines_[at_].empty(); ++at_) expected += lines_[at_] + "\n";
    written_ += std::string(kSeparator) + "\n" + printed;
    if (std::getenv("LH_REWRITE") != nullptr) return;
    EXPECT_EQ(printed, expected) << where;
  }
  std::string here() const { return path_ + ":" + std::to_string(at_ + 1); }

  std::string path_;
  const std::function<std::string(const Command&)>& execute_;
  std::vector<std::string> lines_;
  size_t at_ = 0;
  std::string written_;
};

}  // namespace

std::string Command::word(size_t n) const {
  EXPECT_LT(n, words.size()) << where << ": a word is missing";
  return n < words.size() ? words[n] : std::string();
}

std::string Command::text(const std::string& arg, const std::string& otherwise) const {
  const auto it = args.find(arg);
  return it == args.end() ? otherwise : it->second;
}

uint64_t Command::number(const std::string& arg, uint64_t otherwise) const {
  const auto it = args.find(arg);
  if (it == args.end()) return otherwise;
  const std::optional<uint64_t> value = base::parse_u64(it->second);
  EXPECT_TRUE(value.has_value()) << where << ": " << arg << " is no number";
  return value.value_or(otherwise);
}

void run_script(const std::string& path,
                const std::function<std::string(const Command&)>& execute) {
  Script(path, execute).run();
}

}  // namespace lh::core::testing
