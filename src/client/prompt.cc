#include "client/prompt.h"

#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/strings.h"
#include "client/command.h"
#include "client/line_editor.h"

namespace lh::client {
namespace {

constexpr std::string_view kPrompt = "lhnode> ";
constexpr std::string_view kBoldPrompt = "\x1b[1mlhnode> \x1b[0m";
constexpr std::string_view kClearScreen = "\x1b[H\x1b[2J";
constexpr size_t kColumns = 80;  // of a terminal that does not say

// Keys come as they are typed, nothing is echoed, signals are bytes; output stays cooked.
class RawMode {
 public:
  explicit RawMode(int fd) : fd_(fd), active_(::tcgetattr(fd, &before_) == 0) {
    if (!active_) return;
    termios raw = before_;
    raw.c_iflag &= ~static_cast<tcflag_t>(ICRNL | IXON | ISTRIP);
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO | ISIG | IEXTEN);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    ::tcsetattr(fd_, TCSADRAIN, &raw);
  }
  ~RawMode() {
    if (active_) ::tcsetattr(fd_, TCSADRAIN, &before_);
  }
  RawMode(const RawMode&) = delete;
  RawMode& operator=(const RawMode&) = delete;

 private:
  int fd_;
  termios before_{};
  bool active_;
};

class Prompt {
 public:
  Prompt(Session& session, Output& out, const PromptSetup& setup)
      : session_(session),
        out_(out),
        setup_(setup),
        history_(setup.history_path.empty() ? History() : History(setup.history_path)),
        editor_(history_, command_names()) {}

  // False at the end of input.
  bool read_line(std::string* line) {
    const RawMode raw(setup_.input_fd);
    editor_.start();
    while (true) {
      draw();
      switch (next_event()) {
        case LineEditor::Event::kLine:
          *line = editor_.line();
          history_.add(*line);
          end_line();
          return true;
        case LineEditor::Event::kEnd:
          end_line();
          return false;
        case LineEditor::Event::kCancel:
          out_.append("^C");
          end_line();
          editor_.start();
          break;
        case LineEditor::Event::kClear:
          out_.append(kClearScreen);
          break;
        case LineEditor::Event::kChoices:
          end_line();
          for (const std::string& choice : editor_.choices()) out_.append(choice + "  ");
          end_line();
          break;
        case LineEditor::Event::kNone:
          break;
      }
    }
  }

 private:
  void draw() {
    winsize size{};
    const bool known = ::ioctl(out_.fd(), TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    editor_.draw(out_.text(), setup_.colour ? kBoldPrompt : kPrompt, kPrompt.size(),
                 known ? size.ws_col : kColumns);
    out_.flush();
  }

  void end_line() {
    out_.append("\n");
    out_.flush();
  }

  // Of the keys that are there, else of those that come next.
  LineEditor::Event next_event() {
    if (keys_.empty() && !read_keys()) return LineEditor::Event::kEnd;
    std::string_view rest = keys_;
    const LineEditor::Event event = editor_.feed(&rest);
    keys_.erase(0, keys_.size() - rest.size());
    return event;
  }

  bool read_keys() {
    char bytes[4096];
    ssize_t got = 0;
    do {
      session_.wait_readable(setup_.input_fd);
      got = ::read(setup_.input_fd, bytes, sizeof bytes);
    } while (got < 0 && (errno == EINTR || errno == EAGAIN));
    if (got <= 0) return false;
    keys_.assign(bytes, static_cast<size_t>(got));
    return true;
  }

  Session& session_;
  Output& out_;
  const PromptSetup& setup_;
  History history_;
  LineEditor editor_;
  std::string keys_;  // typed ahead
};

}  // namespace

Outcome run_prompt(Session& session, Runner& runner, Output& out, const PromptSetup& setup) {
  Prompt prompt(session, out, setup);
  CommandParser parser;
  Outcome outcome = Outcome::kDone;
  std::string line;
  while (out.status().ok() && prompt.read_line(&line)) {
    const Command& command = parser.parse_line(line);
    if (command.is_quit()) break;
    outcome = runner.run(command);
    out.flush();
  }
  return worse(Outcome::kDone, outcome);
}

}  // namespace lh::client
