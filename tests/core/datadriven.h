// Data-driven tests: a script is a text of commands with what they are expected to print, and prose
// between them. A block is
//
//   # Any number of lines that say what happens here.
//   put c1 key=12 value=x
//   run
//   ----
//   c1->n1 Put 12 x seq=1 to=0
//
// one or more commands, `----`, the transcript, and an empty line. With LH_REWRITE=1 in the
// environment the script is written anew with what the commands print now; the difference is then
// for people to review. The idea is that of the tests of etcd's raft.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace lh::core::testing {

struct Command {
  std::string where;                        // file:line, for messages
  std::vector<std::string> words;           // `put`, `c1`
  std::map<std::string, std::string> args;  // key -> `12`

  const std::string& name() const { return words.front(); }
  // The n-th word, 0 being the name; a failure of the test when there is none.
  std::string word(size_t n) const;
  bool has(const std::string& arg) const { return args.contains(arg); }
  std::string text(const std::string& arg, const std::string& otherwise = {}) const;
  uint64_t number(const std::string& arg, uint64_t otherwise = 0) const;
};

// Runs a script of tests/testdata. Execute returns the lines that a command prints, each with its
// line end.
void run_script(const std::string& path, const std::function<std::string(const Command&)>& execute);

}  // namespace lh::core::testing
