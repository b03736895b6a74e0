// The house rules, held by a test: which layer may include which, what may not be said where, how
// long a line, a function and a file may be. The tables below are the rules; the code under them is
// only their reader. Source is read as text: on clang-formatted code no compiler is needed.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/tidy_source.h"

namespace lh::tidy {
namespace {

using std::string;
using std::string_view;

// ---------------------------------------------------------------------------------------------
// The rules.

// What the files of a folder may include beside their own folder, include/lh and the standard
// library: whole folders, or single headers of one. A folder that is not listed may not exist.
struct Layer {
  string_view folder;
  string_view allowed;
};
constexpr Layer kLayers[] = {
    {"base", ""},
    {"table", "base"},
    {"erasure", "base"},
    {"net", "base"},
    {"storage", "base table"},
    {"core", "base table erasure"},
    {"lookup", "base core/message core/effects"},
    {"wire", "base core/message core/operation core/bits core/several core/limits"},
    {"link", "base core wire net"},
    {"client", "base core wire net link"},
    {"node", "base table erasure core lookup storage wire net link"},
    {"apps", "base"},
    {"sim", "base table core lookup storage wire"},
};

// What may not be said under these folders ("src" is all of it), and what to do instead. <...> and
// names of headers are prefixes of includes; everything else is looked for in code, not in comments
// or strings, as whole words.
struct Ban {
  string_view folders;
  string_view text;
  string_view instead;
};
constexpr string_view kPure = "src/core src/lookup";
constexpr string_view kNoSystem = "src/core src/lookup src/table src/erasure";
constexpr string_view kNoDescriptors = "src/wire";
constexpr string_view kNoThreads = "src/core src/lookup src/sim";
constexpr string_view kNoSockets = "src/base src/storage src/sim";
constexpr string_view kProduct = "src tools include";
constexpr string_view kEverything = "src tools include tests";
constexpr string_view kSystemElsewhere = "the operating system is reached in storage, net and node";
constexpr string_view kOneThread = "one thread owns this; workers are the business of the shell";
constexpr string_view kTimeIsGiven = "time is an argument here: take an Instant";
constexpr string_view kOwnRandom = "use base/prng.h: its seeds mean the same on every machine";
constexpr string_view kOwnParser = "use base::parse_u64: it notices junk";
constexpr string_view kWaitForIt = "wait for the event itself";
constexpr Ban kBans[] = {
    {kNoSystem, "<sys/", kSystemElsewhere},
    {kNoSystem, "<unistd.h>", kSystemElsewhere},
    {kNoSystem, "<fcntl.h>", kSystemElsewhere},
    {kNoDescriptors, "<sys/", "bytes in, values out: descriptors belong to net"},
    {kNoDescriptors, "<unistd.h>", "bytes in, values out: descriptors belong to net"},
    {kNoThreads, "<thread>", kOneThread},
    {kNoThreads, "<mutex>", kOneThread},
    {kNoThreads, "base/mutex.h", kOneThread},
    {kNoThreads, "<chrono>", kTimeIsGiven},
    {kNoThreads, "SteadyClock", kTimeIsGiven},
    {kNoThreads, "wall_clock_ms", kTimeIsGiven},
    {kNoThreads, "time(", kTimeIsGiven},
    {kNoSockets, "<sys/socket.h>", "sockets belong to net"},
    {kNoSockets, "<sys/epoll.h>", "epoll belongs to net"},
    {kNoSockets, "<netinet/", "sockets belong to net"},
    {kNoSockets, "<arpa/", "sockets belong to net"},
    {kPure, "<iostream>", "return Effects; the shell prints"},
    {kEverything, "<random>", kOwnRandom},
    {kEverything, "rand(", kOwnRandom},
    {kEverything, "srand(", kOwnRandom},
    {kEverything, "strcpy(", "use std::string"},
    {kEverything, "strcat(", "use std::string"},
    {kEverything, "sprintf(", "use base::format"},
    {kEverything, "vsprintf(", "use base::format"},
    {kEverything, "atoi(", kOwnParser},
    {kEverything, "atol(", kOwnParser},
    {kEverything, "atoll(", kOwnParser},
    {kEverything, "strtoul(", kOwnParser},
    {kEverything, "strtoull(", kOwnParser},
    {kEverything, "gmtime(", "use gmtime_r: it is safe on any thread"},
    {kEverything, "localtime(", "use gmtime_r: times are UTC"},
    {kEverything, "std::endl", "use a newline: endl flushes"},
    {kEverything, "using namespace std", "name what is used"},
    {kEverything, "NULL", "use nullptr"},
    {kEverything, "assert(", "use LH_CHECK: it stays on in release builds"},
    {kEverything, "usleep(", kWaitForIt},
    {kEverything, "nanosleep(", kWaitForIt},
    {kEverything, "sleep_for(", kWaitForIt},
    {kEverything, "sleep_until(", kWaitForIt},
    {"tests", "sleep(", kWaitForIt},
    {"tests", "SUCCEED(", "say what has to be true: a test that cannot fail shows nothing"},
    {kProduct, "throw", "return a Status"},
    {kProduct, "catch", "return a Status"},
};

// What may not stand anywhere in a source, a script or a document, comments and strings included.
constexpr string_view kUnfinished = "finish it, or say in a header what is not covered";
constexpr string_view kOneMachine = "paths of one machine mean nothing on another";
struct TextBan {
  string_view text;
  string_view instead;
};
constexpr TextBan kTextBans[] = {
    {"FIXME", kUnfinished},
    {"TODO", kUnfinished},
    {"XXX", kUnfinished},
    {"not implemented", kUnfinished},
    {"not yet implemented", kUnfinished},
    {"/root/", kOneMachine},
    {"/home/", kOneMachine},
};

constexpr size_t kColumnsMax = 100;
constexpr size_t kFunctionLinesMax = 70;
constexpr size_t kSourceLinesMax = 600;
constexpr size_t kHeaderLinesMax = 300;

// Findings that are right as they are. An exception that excuses nothing is a finding itself.
struct Exception {
  string_view path;
  string_view finding;  // a part of its text
  string_view reason;
};
constexpr Exception kExceptions[] = {
    {"src/node/disk.cc", "has no test", "run by nodes that are killed, in tests/system/crash.sh"},
    {"src/main.cc", "has no test", "run as a process by the regression tests"},
    {"src/table/slab_space.cc", "says <sys/", "where the memory of all tables comes from"},
    {"tests/system/harness.sh", "says sleep",
     "eventually(), for what tells nobody when it happens"},
    {"tests/tidy_test.cc", "says", "it holds the words that it looks for"},
};

// ---------------------------------------------------------------------------------------------
// Judging. Findings read "src/core/scan.cc:7: core may not include net (allowed: base table)".

using Findings = std::vector<string>;

bool is_code(string_view path) { return path.ends_with(".cc") || path.ends_with(".h"); }

bool is_header(const SourceFile& file) { return file.path.ends_with(".h"); }

bool is_under(string_view path, string_view folder) {
  return path.starts_with(folder) && path.substr(folder.size()).starts_with('/');
}

bool is_under_any(string_view path, string_view folders) {
  const std::vector<string_view> all = split_words(folders);
  return std::any_of(all.begin(), all.end(), [path](string_view f) { return is_under(path, f); });
}

// "core" for src/core/scan.cc; nothing for a file outside the layers.
string_view layer_of(string_view path) {
  if (!is_under(path, "src")) return {};
  const string_view below = path.substr(4);
  const size_t size = below.find('/');
  return size == string_view::npos ? string_view() : below.substr(0, size);
}

void report(const SourceFile& file, size_t index, const string& what, Findings* findings) {
  findings->push_back(file.path + ":" + std::to_string(index + 1) + ": " + what);
}

bool may_include(string_view layer, string_view allowed, string_view header) {
  const string_view folder = header.substr(0, header.find('/'));
  if (folder == layer || folder == "lh") return true;
  const std::vector<string_view> all = split_words(allowed);
  return std::any_of(all.begin(), all.end(), [&](string_view entry) {
    return entry == folder || string(entry) + ".h" == header;
  });
}

// "may not include net (allowed: base table erasure)"; names the header where only parts of its
// folder are allowed.
string refusal(const Layer& layer, string_view header) {
  const string folder(header.substr(0, header.find('/')));
  const bool in_part = layer.allowed.find(folder + "/") != string_view::npos;
  return string(layer.folder) + " may not include " +
         (in_part ? string(header.substr(0, header.rfind('.'))) : folder) +
         " (allowed: " + string(layer.allowed.empty() ? "nothing" : layer.allowed) + ")";
}

void check_includes(const SourceFile& file, const Layer& layer, Findings* findings) {
  for (size_t i = 0; i < file.lines.size(); ++i) {
    const string_view header = include_of(file.lines[i]);
    if (header.empty() || header.starts_with('<')) continue;
    if (!may_include(layer.folder, layer.allowed, header)) {
      report(file, i, refusal(layer, header), findings);
    }
  }
}

void check_layer(const SourceFile& file, Findings* findings) {
  constexpr Layer kPublic = {"include/lh", ""};
  if (is_under(file.path, "include")) check_includes(file, kPublic, findings);
  const string_view name = layer_of(file.path);
  if (name.empty()) return;
  const auto layer = std::find_if(std::begin(kLayers), std::end(kLayers),
                                  [name](const Layer& l) { return l.folder == name; });
  if (layer != std::end(kLayers)) {
    check_includes(file, *layer, findings);
  } else {
    report(file, 0, "folder " + string(name) + " is no layer: add it to the table", findings);
  }
}

bool is_include_ban(const Ban& ban) {
  return ban.text.starts_with('<') || ban.text.ends_with(".h");
}

void check_ban(const SourceFile& file, const Ban& ban, Findings* findings) {
  if (!is_under_any(file.path, ban.folders)) return;
  for (size_t i = 0; i < file.code.size(); ++i) {
    const bool said = is_include_ban(ban) ? include_of(file.lines[i]).starts_with(ban.text)
                                          : has_word(file.code[i], ban.text);
    if (said) report(file, i, "says " + string(ban.text) + ": " + string(ban.instead), findings);
  }
}

void check_text_ban(const SourceFile& file, const TextBan& ban, Findings* findings) {
  for (size_t i = 0; i < file.lines.size(); ++i) {
    if (!has_word(file.lines[i], ban.text)) continue;
    report(file, i, "says " + string(ban.text) + ": " + string(ban.instead), findings);
  }
}

// Scripts start with #! or are sourced and called .sh.
void check_script(const SourceFile& file, Findings* findings) {
  if (!file.path.ends_with(".sh") && !file.lines.at(0).starts_with("#!")) return;
  for (size_t i = 0; i < file.lines.size(); ++i) {
    const string_view line = file.lines[i];
    const bool said = has_word(line.substr(0, line.find("# ")), "sleep ");
    if (said) report(file, i, "says sleep: " + string(kWaitForIt), findings);
  }
}

void check_statics(const SourceFile& file, Findings* findings) {
  if (!is_under_any(file.path, kPure)) return;
  for (size_t i = 0; i < file.code.size(); ++i) {
    if (!is_mutable_static(file.code[i])) continue;
    report(file, i, "mutable static state: equal inputs would not give equal outputs", findings);
  }
}

void check_sizes(const SourceFile& file, Findings* findings) {
  for (size_t i = 0; i < file.lines.size(); ++i) {
    const size_t columns = column_count(file.lines[i]);
    if (columns <= kColumnsMax) continue;
    report(file, i, std::to_string(columns) + " columns (at most 100)", findings);
  }
  const size_t most = is_header(file) ? kHeaderLinesMax : kSourceLinesMax;
  if (file.lines.size() <= most) return;
  report(file, most,
         std::to_string(file.lines.size()) + " lines (at most " + std::to_string(most) + ")",
         findings);
}

void check_pragma(const SourceFile& file, Findings* findings) {
  if (!is_header(file)) return;
  const bool there =
      std::find(file.lines.begin(), file.lines.end(), "#pragma once") != file.lines.end();
  if (!there) report(file, 0, "a header says #pragma once", findings);
}

void check_functions(const SourceFile& file, Findings* findings) {
  for (const FunctionSpan& function : functions_of(file)) {
    if (function.line_count <= kFunctionLinesMax) continue;
    report(file, function.first,
           "this function has " + std::to_string(function.line_count) + " lines (at most 70)",
           findings);
  }
}

// All rules that a file can break alone.
Findings check_file(const SourceFile& file) {
  Findings findings;
  for (const TextBan& ban : kTextBans) check_text_ban(file, ban, &findings);
  if (!file.lines.empty()) check_script(file, &findings);
  if (!is_code(file.path)) return findings;
  check_layer(file, &findings);
  for (const Ban& ban : kBans) check_ban(file, ban, &findings);
  check_statics(file, &findings);
  check_sizes(file, &findings);
  check_pragma(file, &findings);
  check_functions(file, &findings);
  return findings;
}

// tests/core/scan_test.cc for src/core/scan.cc.
string test_of(string_view path) {
  return "tests/" + string(path.substr(4, path.rfind('.') - 4)) + "_test.cc";
}

// A file as others include it: "core/scan.h" for src/core/scan.h, "lh/types.h" for
// include/lh/types.h.
string include_name(string_view path) { return string(path.substr(path.find('/') + 1)); }

// A header, its .cc and its test: they refer to each other, which shows nothing.
bool is_family(const SourceFile& file, const SourceFile& header) {
  const string stem = header.path.substr(0, header.path.rfind('.'));
  return file.path == header.path || file.path == stem + ".cc" || file.path == test_of(header.path);
}

bool includes(const SourceFile& file, string_view name) {
  return std::any_of(file.lines.begin(), file.lines.end(),
                     [name](const string& line) { return include_of(line) == name; });
}

// Rules about files together.
Findings check_tree(const std::vector<SourceFile>& files) {
  Findings findings;
  std::set<string> paths;
  for (const SourceFile& file : files) paths.insert(file.path);
  for (const SourceFile& file : files) {
    if (is_under(file.path, "src") && file.path.ends_with(".cc") &&
        !paths.contains(test_of(file.path))) {
      report(file, 0, "has no test: " + test_of(file.path) + " does not exist", &findings);
    }
    if (!is_header(file) || !is_under_any(file.path, "src include")) continue;
    const string name = include_name(file.path);
    const bool used = std::any_of(files.begin(), files.end(), [&](const SourceFile& other) {
      return !is_family(other, file) && includes(other, name);
    });
    if (!used) report(file, 0, "nobody includes this header", &findings);
  }
  return findings;
}

// ---------------------------------------------------------------------------------------------
// The tree that this test runs in.

namespace fs = std::filesystem;

// The root of the project: the working directory or the first one above it that looks like it.
fs::path project_root() {
  fs::path root = fs::current_path();
  while (!fs::exists(root / "include/lh/types.h") && root.has_relative_path()) {
    root = root.parent_path();
  }
  return root;
}

// Code, documents and scripts. Not data, and not the programs that a build leaves here.
bool is_read(const fs::path& path) {
  const string extension = path.extension().string();
  const bool text = is_code(extension) || extension == ".md" || extension == ".sh" ||
                    extension == ".run" || extension.empty();
  constexpr uintmax_t kTextSizeMax = 1 << 20;
  return text && fs::is_regular_file(path) && fs::file_size(path) <= kTextSizeMax;
}

void read_source(const fs::path& root, const fs::path& path, std::vector<SourceFile>* files) {
  if (!is_read(path)) return;
  std::ifstream in(path, std::ios::binary);
  const string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  const bool program = text.find('\0') != string::npos;
  if (!program) files->push_back(make_source(fs::relative(path, root).string(), text));
}

std::vector<SourceFile> read_tree(const fs::path& root) {
  std::vector<SourceFile> files;
  for (const auto& entry : fs::directory_iterator(root)) read_source(root, entry.path(), &files);
  for (const string_view folder : split_words(kEverything)) {
    if (!fs::exists(root / folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      read_source(root, entry.path(), &files);
    }
  }
  std::sort(files.begin(), files.end(),
            [](const SourceFile& a, const SourceFile& b) { return a.path < b.path; });
  return files;
}

bool excuses(const Exception& exception, string_view finding) {
  return finding.starts_with(string(exception.path) + ":") &&
         finding.find(exception.finding) != string_view::npos;
}

// The folders of this very machine: where the project lies, and where temporary files go.
std::vector<string> machine_folders(const fs::path& root) {
  std::vector<string> folders = {fs::temp_directory_path().string() + "/"};
  const fs::path above = root.parent_path();
  if (above.has_relative_path()) folders.push_back(above.string() + "/");
  return folders;
}

Findings all_findings(const fs::path& root) {
  const std::vector<SourceFile> files = read_tree(root);
  const std::vector<string> folders = machine_folders(root);
  Findings findings = check_tree(files);
  for (const SourceFile& file : files) {
    const Findings of_file = check_file(file);
    findings.insert(findings.end(), of_file.begin(), of_file.end());
    for (const string& folder : folders) check_text_ban(file, {folder, kOneMachine}, &findings);
  }
  return findings;
}

TEST(TidyTest, theTreeKeepsTheRules) {
  const fs::path root = project_root();
  ASSERT_TRUE(root.has_relative_path()) << "run from within the project";
  Findings findings = all_findings(root);
  for (const Exception& exception : kExceptions) {
    const size_t excused =
        std::erase_if(findings, [&](const string& finding) { return excuses(exception, finding); });
    EXPECT_GT(excused, 0u) << exception.path << ": the exception for '" << exception.finding
                           << "' excuses nothing";
  }
  std::sort(findings.begin(), findings.end());
  string text;
  for (const string& finding : findings) text += finding + "\n";
  EXPECT_TRUE(findings.empty()) << findings.size() << " findings\n" << text;
}

// ---------------------------------------------------------------------------------------------
// The reader itself, on sources that break each rule.

string found(string_view path, string_view text) {
  string all;
  for (const string& finding : check_file(make_source(string(path), text))) {
    all += (all.empty() ? "" : "\n") + finding;
  }
  return all;
}

TEST(TidyReaderTest, includesFollowTheLayers) {
  EXPECT_EQ(found("src/core/scan.cc", "\n#include \"net/loop.h\"\n"),
            "src/core/scan.cc:2: core may not include net (allowed: base table erasure)");
  EXPECT_EQ(found("src/core/scan.cc", "#include \"table/record.h\"\n#include \"lh/types.h\"\n"),
            "");
  EXPECT_EQ(found("src/core/scan.cc", "#include <vector>\n#include \"core/scan.h\"\n"), "");
  EXPECT_EQ(found("src/wire/codec.cc", "#include \"core/message.h\"\n"), "");
  EXPECT_EQ(found("src/wire/codec.cc", "#include \"core/bucket.h\"\n"),
            "src/wire/codec.cc:1: wire may not include core/bucket (allowed: base core/message "
            "core/operation core/bits core/several core/limits)");
  EXPECT_EQ(found("src/base/log.cc", "#include \"net/loop.h\"\n"),
            "src/base/log.cc:1: base may not include net (allowed: nothing)");
  EXPECT_EQ(found("include/lh/client.h", "#pragma once\n#include \"base/log.h\"\n"),
            "include/lh/client.h:2: include/lh may not include base (allowed: nothing)");
  EXPECT_EQ(found("src/util/x.cc", "#include \"base/log.h\"\n"),
            "src/util/x.cc:1: folder util is no layer: add it to the table");
  EXPECT_EQ(found("src/main.cc", "#include \"node/node.h\"\n#include \"sim/sim.h\"\n"), "");
}

TEST(TidyReaderTest, bansHoldInTheirFolders) {
  EXPECT_EQ(found("src/core/x.cc", "#include <unistd.h>\n"),
            "src/core/x.cc:1: says <unistd.h>: the operating system is reached in storage, net and "
            "node");
  EXPECT_EQ(found("src/net/x.cc", "#include <unistd.h>\n"), "");
  EXPECT_NE(found("src/core/x.cc", "  return std::time(nullptr);\n"), "");
  EXPECT_EQ(found("src/core/x.cc", "  wait_time(3);\n"), "");
  EXPECT_NE(found("src/core/x.cc", "#include \"base/mutex.h\"\n"), "");
  EXPECT_NE(found("tests/core/x.cc", "  std::this_thread::sleep_for(x);\n"), "");
  EXPECT_NE(found("tests/core/x.cc", "  SUCCEED();\n"), "");
  EXPECT_NE(found("tests/core/x.cc", "  ::sleep(1);\n"), "");
  EXPECT_EQ(found("src/net/x.cc", "  sleep(timeout);\n"), "");
  EXPECT_NE(found("src/net/x.cc", "  assert(x);\n"), "");
  EXPECT_EQ(found("src/net/x.cc", "static_assert(x);\n  snprintf(b, 1, f);\n"), "");
}

TEST(TidyReaderTest, scriptsWaitForWhatTheyNeed) {
  EXPECT_EQ(found("tests/x.sh", "until f; do sleep 1; done\n"),
            "tests/x.sh:1: says sleep: wait for the event itself");
  EXPECT_NE(found("tools/x", "#!/usr/bin/env bash\nsleep 0.1\n"), "");
  EXPECT_EQ(found("tests/x.sh", "# No sleep here.\ntail --sleep-interval=1 f  # or sleep 1\n"), "");
  EXPECT_EQ(found("tests/queries/x", "PUT sleep 1\n"), "");
}

TEST(TidyReaderTest, bansLookAtCodeOnly) {
  EXPECT_EQ(found("src/net/x.cc", "// assert(x) is gone\n/* rand(\n rand( */ f(\"rand(\");\n"), "");
  EXPECT_EQ(found("src/net/x.cc", "f(R\"(assert( \" )\", '\"', '\\'');\n"), "");
  EXPECT_EQ(found("src/net/x.cc", "f(1'000'000, '\"'); assert(x);  // 1'0\n"),
            "src/net/x.cc:1: says assert(: use LH_CHECK: it stays on in release builds");
}

TEST(TidyReaderTest, unfinishedWorkIsFoundInCommentsToo) {
  EXPECT_NE(found("src/net/x.cc", "// TODO: more\n"), "");
  EXPECT_NE(found("tests/x.cc", "f(\"/home/me/x\");\n"), "");
  EXPECT_EQ(found("src/net/x.cc", "f(\"log_XXXXXX\");\n"), "");
}

TEST(TidyReaderTest, documentsAreHeldToTheTextBansOnly) {
  EXPECT_EQ(found("README.md", "assert( " + string(200, 'x') + "\n"), "");
  EXPECT_EQ(found("README.md", "put it in /home/me/x\n"),
            "README.md:1: says /home/: paths of one machine mean nothing on another");
}

TEST(TidyReaderTest, coreHasNoMutableStatics) {
  for (const string_view bad :
       {"static int counter = 0;", "  static int counter;", "  static std::vector<int> v{1};",
        "int counter = 0;", "inline int counter = 0;", "thread_local Foo foo;", "Foo foo{1};"}) {
    EXPECT_NE(found("src/core/x.cc", string(bad) + "\n"), "") << bad;
    EXPECT_EQ(found("src/net/x.cc", string(bad) + "\n"), "") << bad;
  }
  for (const string_view good :
       {"static constexpr int kMax = 3;", "constexpr int kMax = 3;", "  static Foo make(int x);",
        "  static const Foo kFoo{1};", "int f(int x = 3);", "using Foo = int;", "struct Foo {",
        "  int member_ = 0;", "bool operator==(const Foo&, const Foo&);", "namespace lh {",
        "static_assert(sizeof(Foo) == 8);", "class Bar;", "inline int f() { return 0; }"}) {
    EXPECT_EQ(found("src/core/x.cc", string(good) + "\n"), "") << good;
  }
}

string body_of(size_t lines, string_view indent) {
  string body;
  for (size_t i = 0; i < lines; ++i) body += string(indent) + "f();\n";
  return body;
}

TEST(TidyReaderTest, longFunctionsAreFound) {
  const string head = "namespace lh {\n\nint g(int x,\n      int y) {\n";
  EXPECT_EQ(found("src/net/x.cc", head + body_of(67, "  ") + "}\n}\n"), "");
  EXPECT_EQ(found("src/net/x.cc", head + body_of(68, "  ") + "}\n}\n"),
            "src/net/x.cc:3: this function has 71 lines (at most 70)");
  const string member = "template <class T>\nclass A {\n public:\n  int g(int x) const {\n";
  EXPECT_EQ(found("src/net/x.cc", member + body_of(68, "    ") + "  }\n};\n"), "");
  EXPECT_EQ(found("src/net/x.cc", member + body_of(69, "    ") + "  }\n};\n"),
            "src/net/x.cc:4: this function has 71 lines (at most 70)");
  EXPECT_EQ(found("tests/x.cc", "TEST(A, b) {\n" + body_of(69, "  ") + "}\n"),
            "tests/x.cc:1: this function has 71 lines (at most 70)");
}

TEST(TidyReaderTest, functionsAreFoundWhateverTheyStartWith) {
  for (const string_view start :
       {"[[nodiscard]] int g() {", "template <typename T>\nrequires Foo<T>\nvoid g() {",
        "static inline int g() {", "struct A {\n  struct B {\n    ~B() {",
        "Foo::Foo()\n    : a_(1) {", "extern \"C\" {\nint g() {",
        "bool operator==(const A& a, const A& b) {"}) {
    const string indent = start.find("~B") == string_view::npos ? "" : "    ";
    const string text = string(start) + "\n" + body_of(70, indent + "  ") + indent + "}\n";
    EXPECT_NE(found("src/net/x.cc", text), "") << start;
  }
}

TEST(TidyReaderTest, longTypesAndTablesAreNoFunctions) {
  EXPECT_EQ(found("src/net/x.cc", "struct A {\n" + body_of(80, "  ") + "};\n"), "");
  EXPECT_EQ(found("src/net/x.cc", "constexpr A kTable[] = {\n" + body_of(80, "    ") + "};\n"), "");
  EXPECT_EQ(found("src/net/x.cc", "enum class A : uint8_t {\n" + body_of(80, "  ") + "};\n"), "");
}

TEST(TidyReaderTest, sizes) {
  EXPECT_EQ(found("src/net/x.cc", "//" + string(98, 'x') + "\n"), "");
  EXPECT_EQ(found("src/net/x.cc", "//" + string(99, 'x') + "\n"),
            "src/net/x.cc:1: 101 columns (at most 100)");
  EXPECT_EQ(found("src/net/x.cc", "// " + string("é").append(string(96, 'x')) + "\n"), "");
  EXPECT_EQ(found("src/net/x.cc", string(600, '\n')), "");
  EXPECT_EQ(found("src/net/x.cc", string(601, '\n')), "src/net/x.cc:601: 601 lines (at most 600)");
  EXPECT_EQ(found("src/net/x.h", "#pragma once\n" + string(300, '\n')),
            "src/net/x.h:301: 301 lines (at most 300)");
  EXPECT_EQ(found("src/net/x.h", "\n"), "src/net/x.h:1: a header says #pragma once");
}

TEST(TidyReaderTest, eachSourceHasATestAndEachHeaderAReader) {
  const auto source = [](string_view path, string_view text) {
    return make_source(string(path), text);
  };
  const std::vector<SourceFile> files = {
      source("src/net/a.cc", "#include \"net/a.h\"\n"),
      source("src/net/a.h", ""),
      source("src/net/b.cc", "#include \"net/b.h\"\n#include \"lh/c.h\"\n"),
      source("src/net/b.h", ""),
      source("include/lh/c.h", ""),
      source("src/net/d.cc", "#include \"net/b.h\"\n"),
      source("tests/net/a_test.cc", "#include \"net/a.h\"\n"),
      source("tests/net/b_test.cc", "")};
  EXPECT_EQ(check_tree(files),
            (Findings{"src/net/a.h:1: nobody includes this header",
                      "src/net/d.cc:1: has no test: tests/net/d_test.cc does not exist"}));
}

}  // namespace
}  // namespace lh::tidy
