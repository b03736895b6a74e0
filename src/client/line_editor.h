// LineEditor: one line of input as it is typed: keys come in as the bytes that a terminal sends,
// and draw() makes the bytes that show the line. It knows no terminal, so it can be tested with
// strings.
//
//   arrows, Home, End, ^A ^E ^B ^F    move; Ctrl or Alt with an arrow, Alt-B, Alt-F: by words
//   Backspace, Delete, ^H ^D          remove one character; ^W a word, ^U to the start, ^K to the
//   end Up, Down, ^P ^N                   the history; what was being typed is the last entry of it
//   Tab                               completes the name of a command
//   Enter, ^C, ^D on an empty line, ^L  are events for the caller
//
// The line is UTF-8: what is typed and is not, or is a control byte, is passed over. Bound: a line
// takes kLineBytesMax. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "client/history.h"

namespace lh::client {

class LineEditor {
 public:
  enum class Event : uint8_t {
    kNone,     // all bytes are taken
    kLine,     // Enter: line() is complete
    kCancel,   // ^C
    kEnd,      // ^D on an empty line
    kClear,    // ^L: clear the screen
    kChoices,  // Tab with several completions: show choices()
  };

  // Completes the words in `names`. The history outlives the editor, which does not add to it.
  LineEditor(const History& history, std::vector<std::string> names);

  // Begins a new, empty line.
  void start();

  // Takes bytes off *bytes up to the first event. What is cut off in the middle of a key waits for
  // the next call.
  Event feed(std::string_view* bytes);

  const std::string& line() const { return line_; }
  size_t cursor() const { return cursor_; }  // in bytes
  const std::vector<std::string>& choices() const { return choices_; }

  // Appends what shows the prompt and the line on a screen line of that width, whatever stood
  // there. A line that is too long is shown around the cursor. prompt_columns: what the prompt
  // takes, which may have colours in it.
  void draw(std::string* out, std::string_view prompt, size_t prompt_columns, size_t columns) const;

 private:
  Event take_key(std::string_view* bytes);
  Event take_control(char key);
  bool take_escape(std::string_view* bytes);
  void on_sequence(std::string_view parameters, char final);
  void insert(std::string_view text);
  void erase(size_t from, size_t to);
  size_t before(size_t place) const;
  size_t after(size_t place) const;
  size_t word_before(size_t place) const;
  size_t word_after(size_t place) const;
  void recall(size_t index);
  Event complete();

  const History& history_;
  const std::vector<std::string> names_;
  std::string line_;
  size_t cursor_ = 0;
  std::string unfinished_;  // the beginning of a key
  size_t recalled_ = 0;     // of the history; its size when the line is a new one
  std::string typed_;       // the new line, while an old one is shown
  std::vector<std::string> choices_;
};

}  // namespace lh::client
