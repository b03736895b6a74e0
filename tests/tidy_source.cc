#include "tests/tidy_source.h"

#include <algorithm>
#include <initializer_list>

namespace lh::tidy {
namespace {

using std::string;
using std::string_view;

std::vector<string> split_lines(string_view text) {
  std::vector<string> lines;
  while (!text.empty()) {
    const size_t size = text.find('\n');
    lines.emplace_back(text.substr(0, size));
    text.remove_prefix(size == string_view::npos ? text.size() : size + 1);
  }
  return lines;
}

bool is_word_char(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

// Whether the quote at text[i] separates digits, as in 1'000.
bool separates_digits(string_view text, size_t i) {
  size_t start = i;
  while (start > 0 && (is_word_char(text[start - 1]) || text[start - 1] == '\'')) --start;
  return start < i && text[start] >= '0' && text[start] <= '9';
}

// Where the comment or literal that starts at text[i] ends; i itself when none does.
size_t skip_opaque(string_view text, size_t i) {
  const string_view rest = text.substr(i);
  const auto behind = [&](string_view closing, size_t from) {
    const size_t found = text.find(closing, from);
    return found == string_view::npos ? text.size() : found + closing.size();
  };
  if (rest.starts_with("//")) return std::min(text.find('\n', i), text.size());
  if (rest.starts_with("/*")) return behind("*/", i + 2);
  if (rest.starts_with("R\"") && (i == 0 || !is_word_char(text[i - 1]))) {
    const size_t open = text.find('(', i);
    return behind(")" + string(text.substr(i + 2, open - i - 2)) + "\"", open);
  }
  const char quote = text[i];
  if (quote != '"' && (quote != '\'' || separates_digits(text, i))) return i;
  for (size_t end = i + 1; end < text.size(); ++end) {
    if (text[end] == '\\') {
      ++end;
    } else if (text[end] == quote) {
      return end + 1;
    }
  }
  return text.size();
}

// The text with blanks for all that is not code; lines and columns stay. A literal leaves its
// quotes.
string blank_opaque(string_view text) {
  string code(text);
  for (size_t i = 0; i < text.size();) {
    const size_t end = skip_opaque(text, i);
    if (end == i) {
      ++i;
      continue;
    }
    const bool literal = text[i] != '/';
    for (size_t k = i; k < end; ++k) {
      if (code[k] != '\n') code[k] = ' ';
    }
    if (literal) code[i] = code[end - 1] = text[end - 1];
    i = end;
  }
  return code;
}

string_view without_indent(string_view line) {
  return line.substr(std::min(line.find_first_not_of(' '), line.size()));
}

string_view first_word(string_view text) { return text.substr(0, text.find(' ')); }

bool is_one_of(string_view word, std::initializer_list<string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// The statement at lines[first] and what it continues in, up to the line that ends in one of ; { }.
struct Statement {
  string head;
  size_t last = 0;  // the index of its last line
  bool opens() const { return head.ends_with('{'); }
};

Statement statement_at(const std::vector<string>& code, size_t first) {
  Statement s{{}, first};
  for (size_t i = first; i < code.size(); ++i) {
    const string_view part = without_indent(code[i]);
    const size_t size = part.find_last_not_of(' ') + 1;
    s.head.append(s.head.empty() ? "" : " ").append(part.substr(0, size));
    s.last = i;
    if (s.head.ends_with(';') || s.head.ends_with('{') || s.head.ends_with('}')) break;
  }
  return s;
}

string_view without_template(string_view head) {
  if (!head.starts_with("template <")) return head;
  int depth = 0;
  for (size_t i = head.find('<'); i < head.size(); ++i) {
    depth += head[i] == '<' ? 1 : head[i] == '>' ? -1 : 0;
    if (depth == 0) return without_indent(head.substr(i + 1));
  }
  return head;
}

// The line that closes what was opened at this indent.
size_t closing_line(const std::vector<string>& code, size_t from, size_t indent) {
  size_t i = from;
  while (i < code.size() && (code[i].find_first_not_of(' ') != indent || code[i][indent] != '}'))
    ++i;
  return i;
}

enum class Kind {
  kPlain,  // a declaration, or the start of a namespace: what follows is at the same indent
  kType,   // members follow, two columns further in
  kFunction,
  kOther,  // a table, an enumeration
};

Kind kind_of(const Statement& statement) {
  const string_view head = without_template(statement.head);
  const string_view first = first_word(head);
  if (!statement.opens() || is_one_of(first, {"namespace", "extern"})) return Kind::kPlain;
  if (is_one_of(first, {"class", "struct", "union"})) return Kind::kType;
  if (head.find('(') != string_view::npos && !head.ends_with("= {")) return Kind::kFunction;
  return Kind::kOther;
}

bool starts_statement(string_view line, size_t indent) {
  return line.find_first_not_of(' ') == indent && line[indent] != '}' && line[indent] != '#';
}

void find_functions(const std::vector<string>& code, size_t begin, size_t end, size_t indent,
                    std::vector<FunctionSpan>* found) {
  for (size_t i = begin; i < end;) {
    if (!starts_statement(code[i], indent)) {
      ++i;
      continue;
    }
    const Statement statement = statement_at(code, i);
    const Kind kind = kind_of(statement);
    if (kind == Kind::kPlain) {
      i = statement.last + 1;
      continue;
    }
    const size_t close = closing_line(code, statement.last + 1, indent);
    if (kind == Kind::kType) find_functions(code, statement.last + 1, close, indent + 2, found);
    if (kind == Kind::kFunction) found->push_back({i, close - i + 1});
    i = close + 1;
  }
}

}  // namespace

SourceFile make_source(string path, string_view text) {
  return {std::move(path), split_lines(text), split_lines(blank_opaque(text))};
}

std::vector<string_view> split_words(string_view text) {
  std::vector<string_view> words;
  while (!text.empty()) {
    const size_t size = text.find(' ');
    words.push_back(text.substr(0, size));
    text.remove_prefix(size == string_view::npos ? text.size() : size + 1);
  }
  return words;
}

bool has_word(string_view line, string_view word) {
  for (size_t at = line.find(word); at != string_view::npos; at = line.find(word, at + 1)) {
    const size_t end = at + word.size();
    const bool starts = at == 0 || !is_word_char(word.front()) || !is_word_char(line[at - 1]);
    const bool ends = end == line.size() || !is_word_char(word.back()) || !is_word_char(line[end]);
    if (starts && ends) return true;
  }
  return false;
}

string_view include_of(string_view line) {
  constexpr string_view kInclude = "#include ";
  if (!line.starts_with(kInclude)) return {};
  line.remove_prefix(kInclude.size());
  if (line.starts_with('<')) return line.substr(0, line.find('>') + 1);
  if (!line.starts_with('"')) return {};
  return line.substr(1, line.find('"', 1) - 1);
}

size_t column_count(string_view line) {
  return static_cast<size_t>(std::count_if(line.begin(), line.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

bool is_mutable_static(string_view line) {
  const string_view statement = without_indent(line);
  if (statement.empty() || !is_word_char(statement.front())) return false;
  const bool at_top = statement.size() == line.size();
  const string_view first = first_word(statement);
  if (!at_top && !is_one_of(first, {"static", "thread_local"})) return false;
  const string_view head = statement.substr(0, statement.find_first_of("=;{"));
  if (head.size() == statement.size() || head.find(' ') == string_view::npos) return false;
  if (is_one_of(first, {"using", "namespace", "class", "struct", "enum", "union", "template",
                        "friend", "extern", "typedef"})) {
    return false;
  }
  return head.find('(') == string_view::npos && !has_word(head, "const") &&
         !has_word(head, "constexpr") && !has_word(head, "operator");
}

std::vector<FunctionSpan> functions_of(const SourceFile& file) {
  std::vector<FunctionSpan> found;
  find_functions(file.code, 0, file.code.size(), 0, &found);
  return found;
}

}  // namespace lh::tidy
