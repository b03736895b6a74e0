#include "client/line_editor.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace lh::client {
namespace {

using Event = LineEditor::Event;

class LineEditorTest : public ::testing::Test {
 protected:
  // Types keys up to the first event; the rest is dropped.
  Event type(std::string_view keys) { return editor_.feed(&keys); }

  // The line with a bar where the cursor is.
  std::string shown() const {
    std::string line = editor_.line();
    return line.insert(editor_.cursor(), "|");
  }

  std::string after(std::string_view keys) {
    editor_.start();
    EXPECT_EQ(type(keys), Event::kNone);
    return shown();
  }

  std::string drawn(size_t columns) const {
    std::string out;
    editor_.draw(&out, "> ", 2, columns);
    return out;
  }

  History history_;
  LineEditor editor_{history_, {"bucket", "buckets", "count", "insert"}};
};

TEST_F(LineEditorTest, typing) {
  EXPECT_EQ(after("ab"), "ab|");
  EXPECT_EQ(after("\u00e9\u6f22"), "\u00e9\u6f22|");
  EXPECT_EQ(after("a\x01\x62"), "b|a");
  EXPECT_EQ(after("a\xff\x62\x0e\xc2\x85"), "ab|") << "stray bytes and controls are passed over";
}

TEST_F(LineEditorTest, moving) {
  EXPECT_EQ(after("ab\x1b[D"), "a|b");
  EXPECT_EQ(after("ab\x1b[D\x1b[D\x1b[D"), "|ab");
  EXPECT_EQ(after("ab\x1b[D\x1b[C\x1b[C"), "ab|");
  EXPECT_EQ(after("ab\x02\x02\x06"), "a|b");
  EXPECT_EQ(after("a\u6f22\x1b[D"), "a|\u6f22");
  EXPECT_EQ(after("a\u6f22\x1b[D\x1b[D\x1b[C\x1b[C"), "a\u6f22|");
  for (const char* home : {"\x01", "\x1b[H", "\x1bOH", "\x1b[1~", "\x1b[7~"}) {
    EXPECT_EQ(after(std::string("ab") + home), "|ab");
    for (const char* end : {"\x05", "\x1b[F", "\x1bOF", "\x1b[4~", "\x1b[8~"}) {
      EXPECT_EQ(after(std::string("ab") + home + end), "ab|");
    }
  }
  for (const char* back : {"\x1b[1;5D", "\x1b[1;3D",
                           "\x1b"
                           "b"}) {
    EXPECT_EQ(after(std::string("one  two ") + back), "one  |two ");
    EXPECT_EQ(after(std::string("one  two") + back + back + back), "|one  two");
  }
  for (const char* forth : {"\x1b[1;5C", "\x1b[1;3C",
                            "\x1b"
                            "f"}) {
    EXPECT_EQ(after(std::string("one two\x01") + forth), "one| two");
    EXPECT_EQ(after(std::string("one two\x01") + forth + forth + forth), "one two|");
  }
}

TEST_F(LineEditorTest, erasing) {
  EXPECT_EQ(after("abc\x7f"), "ab|");
  EXPECT_EQ(after("abc\x08\x08\x08\x08"), "|");
  EXPECT_EQ(after("a\u6f22\x7f"), "a|");
  EXPECT_EQ(after("abc\x01\x04"), "|bc");
  EXPECT_EQ(after("abc\x01\x1b[3~"), "|bc");
  EXPECT_EQ(after("abc\x04"), "abc|") << "nothing is right of the cursor";
  EXPECT_EQ(after("one two  \x17"), "one |");
  EXPECT_EQ(after("one two\x17\x17\x17"), "|");
  EXPECT_EQ(after("abc\x02\x15"), "|c");
  EXPECT_EQ(after("abc\x02\x0b"), "ab|");
}

TEST_F(LineEditorTest, events) {
  std::string_view keys = "count\rrest";
  EXPECT_EQ(editor_.feed(&keys), Event::kLine);
  EXPECT_EQ(editor_.line(), "count");
  EXPECT_EQ(keys, "rest");
  editor_.start();
  EXPECT_EQ(type("a\n"), Event::kLine);
  EXPECT_EQ(type("\x03"), Event::kCancel);
  EXPECT_EQ(type("\x0c"), Event::kClear);
  EXPECT_EQ(type("\x01\x04"), Event::kNone) << "a line with something in it has no end";
  EXPECT_EQ(type("\x04"), Event::kEnd);
}

TEST_F(LineEditorTest, keysThatCameInPieces) {
  for (const std::string_view keys : {"x\x1b[1;5Dy", "x\u6f22\x1b[Dy", "x\x1bOHy\x1b[3~z"}) {
    const std::string whole = after(keys);
    editor_.start();
    for (const char key : keys) EXPECT_EQ(type(std::string_view(&key, 1)), Event::kNone);
    EXPECT_EQ(shown(), whole);
  }
  EXPECT_EQ(after("\x1b"), "|");
  EXPECT_EQ(type("["), Event::kNone);
  EXPECT_EQ(type("Da\r"), Event::kLine);
  EXPECT_EQ(editor_.line(), "a");
}

TEST_F(LineEditorTest, sequencesThatMeanNothingAreSwallowed) {
  EXPECT_EQ(after("a\x1b[15~\x1b[Z\x1bOP\x1bx\x1b[200~b"), "ab|");
  EXPECT_EQ(after("a\x1b\x1b[Db"), "b|a");
  EXPECT_EQ(after("\x1b[0000000000000000b"), "|") << "far too long, and then a letter ends it";
}

TEST_F(LineEditorTest, history) {
  history_.add("one");
  history_.add("two");
  EXPECT_EQ(after("new\x1b[A"), "two|");
  EXPECT_EQ(after("new\x1b[A\x1b[A\x1b[A"), "one|");
  EXPECT_EQ(after("new\x10\x10\x0e"), "two|");
  EXPECT_EQ(after("new\x1b[A\x1b[A\x1b[B\x1b[B\x1b[B"), "new|") << "what was typed is not lost";
  EXPECT_EQ(after("\x1b[Ax\x1b[A\x1b[B"), "two|") << "changes to an old line are not kept";
}

TEST_F(LineEditorTest, completion) {
  EXPECT_EQ(after("in\t"), "insert |");
  EXPECT_EQ(after("IN\t"), "insert |");
  EXPECT_EQ(after("b\t"), "bucket|");
  EXPECT_EQ(after("buckets\t"), "buckets |");
  EXPECT_EQ(after("x\t"), "x|");
  EXPECT_EQ(after("insert b\t"), "insert b|") << "only the first word is a command";
  EXPECT_EQ(after("in k\x01\x06\x06\t"), "insert| k");
  editor_.start();
  EXPECT_EQ(type("bucket\t"), Event::kChoices);
  EXPECT_EQ(editor_.choices(), (std::vector<std::string>{"bucket", "buckets"}));
  editor_.start();
  EXPECT_EQ(type("\t"), Event::kChoices);
  EXPECT_EQ(editor_.choices().size(), 4u);
}

TEST_F(LineEditorTest, aLineIsBounded) {
  const std::string most(65'536, 'x');
  EXPECT_EQ(after(most + "y"), most + "|");
}

TEST_F(LineEditorTest, drawing) {
  after("ab\x1b[D");
  EXPECT_EQ(drawn(80), "\r> ab\x1b[K\r\x1b[3C");
  after("\u6f22\u00e9");
  EXPECT_EQ(drawn(80), "\r> \u6f22\u00e9\x1b[K\r\x1b[5C");
}

TEST_F(LineEditorTest, aLineThatIsTooLongIsShownAroundTheCursor) {
  after("0123456789");
  EXPECT_EQ(drawn(8), "\r> 56789\x1b[K\r\x1b[7C");
  type("\x01");
  EXPECT_EQ(drawn(8), "\r> 01234\x1b[K\r\x1b[2C");
  type("\x06\x06\x06\x06\x06\x06");
  EXPECT_EQ(drawn(8), "\r> 12345\x1b[K\r\x1b[7C");
  after("\u6f22\u6f22\u6f22");
  EXPECT_EQ(drawn(8), "\r> \u6f22\u6f22\x1b[K\r\x1b[6C");
  after("ab");
  EXPECT_EQ(drawn(1), "\r> b\x1b[K\r\x1b[3C") << "a screen too small for the prompt";
}

}  // namespace
}  // namespace lh::client
