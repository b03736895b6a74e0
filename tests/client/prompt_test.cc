#include "client/prompt.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <termios.h>

#include <string>
#include <thread>

#include "tests/client/fake_file.h"
#include "tests/client/temp_files.h"

namespace lh::client {
namespace {

using testing::FakeFile;
using testing::TempDir;

// A prompt on a pseudo terminal: the test is the person at the other end.
class PromptTest : public ::testing::Test {
 protected:
  void SetUp() override {
    winsize size{24, 60, 0, 0};
    ASSERT_EQ(0, ::openpty(&person_, &terminal_, nullptr, nullptr, &size));
    ASSERT_EQ(0, ::tcgetattr(terminal_, &before_));
    session_ = std::move(Session::open({file_.address()})).value();
    prompt_ = std::thread([this] {
      Output out(terminal_);
      Output errors(terminal_);
      Runner runner(*session_, out, {false, RecordFormat::kTsv, -1, true, &errors});
      outcome_ = run_prompt(*session_, runner, out, {terminal_, colour_, dir_.path("history")});
    });
  }

  void TearDown() override {
    if (prompt_.joinable()) end();
    ::close(person_);
    ::close(terminal_);
  }

  void type(std::string_view keys) const {
    ASSERT_EQ(static_cast<ssize_t>(keys.size()), ::write(person_, keys.data(), keys.size()));
  }

  // What the screen gets, up to and with this text.
  std::string until(std::string_view text) {
    while (screen_.find(text) == std::string::npos) {
      pollfd waiting{person_, POLLIN, 0};
      char bytes[1000];
      ssize_t got = 0;
      if (::poll(&waiting, 1, 10'000) == 1) got = ::read(person_, bytes, sizeof bytes);
      if (got <= 0) {
        ADD_FAILURE() << "never came: " << text << "; screen: " << screen_;
        return {};
      }
      screen_.append(bytes, static_cast<size_t>(got));
    }
    const size_t size = screen_.find(text) + text.size();
    const std::string seen = screen_.substr(0, size);
    screen_.erase(0, size);
    return seen;
  }

  // The line is shown, empty and with its cursor.
  void await_prompt() { until("lhnode> \x1b[K\r\x1b[8C"); }

  // Bound: the prompt is shown. Between two of them the terminal itself takes these keys.
  void end() {
    type("\x15\x04");
    prompt_.join();
  }

  bool colour_ = false;
  FakeFile file_;
  TempDir dir_;
  int person_ = -1;
  int terminal_ = -1;
  termios before_{};
  std::unique_ptr<Session> session_;
  std::thread prompt_;
  std::string screen_;
  Outcome outcome_ = Outcome::kDone;
};

TEST_F(PromptTest, commandsAndAnswers) {
  await_prompt();
  type("put k v\r");
  until("\nOK\r\n");
  await_prompt();
  type("read k\r");
  until("\nv\r\n");
  await_prompt();
  type("read l\r");
  until("\nNOT FOUND\r\n");
  await_prompt();
  end();
  EXPECT_EQ(outcome_, Outcome::kFailed) << "that of the last command";
}

TEST_F(PromptTest, editing) {
  await_prompt();
  type("cu\x1b[Do\x05nt");
  until("lhnode> count");
  type(
      "\x7f\x7f\x7f\x7f\x1b[H\x0b"
      "cou\t");
  until("lhnode> count \x1b[K\r\x1b[14C");
  type("\r");
  until("\n0\r\n");
  await_prompt();
  type("\x1b[A");
  until("lhnode> count \x1b[K");
  type("\r");
  until("\n0\r\n");
  await_prompt();
  type("\t");
  until("bucket  buckets  count");
}

TEST_F(PromptTest, cancelAndClear) {
  await_prompt();
  type("delete everything\x03");
  until("^C\r\n");
  await_prompt();
  type("\x0c");
  until("\x1b[H\x1b[2J\rlhnode> ");
}

TEST_F(PromptTest, typedAheadAndPasted) {
  await_prompt();
  type("put a 1\rput b 2\rcount\r");
  until("\nOK\r\n");
  until("\nOK\r\n");
  until("\n2\r\n");
  await_prompt();
}

TEST_F(PromptTest, quitEndsItAndTheTerminalIsAsBefore) {
  await_prompt();
  type("quit\r");
  prompt_.join();
  termios after{};
  ASSERT_EQ(0, ::tcgetattr(terminal_, &after));
  EXPECT_EQ(after.c_lflag, before_.c_lflag);
  EXPECT_EQ(after.c_iflag, before_.c_iflag);
}

TEST_F(PromptTest, theEndOfTheTerminalEndsIt) {
  await_prompt();
  ::close(person_);
  prompt_.join();
  person_ = ::open("/dev/null", O_RDONLY);
}

TEST_F(PromptTest, theHistoryIsKept) {
  await_prompt();
  type("count\r");
  until("\n0\r\n");
  await_prompt();
  end();
  EXPECT_EQ(testing::read_file(dir_.path("history")), "count\n");
}

class ColourPromptTest : public PromptTest {
 protected:
  ColourPromptTest() { colour_ = true; }
};

TEST_F(ColourPromptTest, thePromptIsBold) { until("\x1b[1mlhnode> \x1b[0m\x1b[K\r\x1b[8C"); }

}  // namespace
}  // namespace lh::client
