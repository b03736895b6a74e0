// Source text as the rules of tests/tidy_test.cc look at it: lines, code without comments and
// literals, includes, functions. A reader for clang-formatted C++, not a parser: indentation says
// where a body ends. Pure functions over text that the caller owns.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lh::tidy {

struct SourceFile {
  std::string path;                // from the root of the project
  std::vector<std::string> lines;  // as written
  std::vector<std::string> code;   // the same with blanks for comments and what is between quotes
};

SourceFile make_source(std::string path, std::string_view text);

std::vector<std::string_view> split_words(std::string_view text);

// Whether the line has the text with no part of a longer word around it.
bool has_word(std::string_view line, std::string_view word);

// "net/loop.h" or "<sys/stat.h>"; nothing for a line that includes nothing.
std::string_view include_of(std::string_view line);

// In characters, as an editor shows them.
size_t column_count(std::string_view line);

// A variable that outlives the call and can change: marked static or thread_local, or defined at
// namespace scope. A '(' in front of its '=', ';' or '{' makes it a function.
bool is_mutable_static(std::string_view code_line);

// A function with a body of more than one line, from its first line to its closing brace.
struct FunctionSpan {
  size_t first = 0;  // index of the line
  size_t line_count = 0;
};

// All functions of namespaces and of types in them, however deep; not lambdas.
std::vector<FunctionSpan> functions_of(const SourceFile& file);

}  // namespace lh::tidy
