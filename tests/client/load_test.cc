#include "client/load.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/client/fake_file.h"
#include "tests/client/temp_files.h"

namespace lh::client {
namespace {

using testing::FakeFile;
using testing::FakeSetup;
using testing::Pipe;
using testing::TempDir;

class LoadTest : public ::testing::Test {
 protected:
  void connect(const FakeFile& file) {
    session_ = std::move(Session::open({file.address()})).value();
  }

  // The answer to loading this text.
  std::string load(std::string_view text, RecordFormat format = RecordFormat::kTsv) {
    const int fd = ::open(dir_.write("records", text).c_str(), O_RDONLY);
    const std::string answer = load_from(fd, format);
    ::close(fd);
    return answer;
  }

  std::string load_from(int fd, RecordFormat format = RecordFormat::kTsv) {
    Pipe errors;
    Output error_output(errors.writer());
    Load load(*session_, {format, -1, &error_output});
    std::string answer;
    outcome_ = load.run(fd, &answer);
    errors_ = errors.read_all();
    return answer;
  }

  std::string read(std::string_view key) {
    struct Sink final : core::ClientSink {
      void on_done(const core::Completion& done) override { value = done.value, ready = true; }
      void on_scan_piece(uint64_t, const core::ScanReply&) override {}
      void on_call_done(uint64_t, const core::FileResult&) override {}
      std::string value;
      bool ready = false;
    } sink;
    session_->set_sink(&sink);
    session_->submit(core::Op::kRead, key, {}, 1);
    while (!sink.ready) session_->turn(base::ms(50));
    session_->set_sink(nullptr);
    return sink.value;
  }

  TempDir dir_;
  std::unique_ptr<Session> session_;
  Outcome outcome_ = Outcome::kDone;
  std::string errors_;
};

TEST_F(LoadTest, recordsOfBothFormats) {
  const FakeFile file;
  connect(file);
  EXPECT_EQ(load("a\t1\r\n\nb\tx\\ty\nc\t"), "OK 3 records\n");
  EXPECT_EQ(outcome_, Outcome::kDone);
  EXPECT_EQ(errors_, "");
  EXPECT_EQ(read("a"), "1");
  EXPECT_EQ(read("b"), "x\ty");
  EXPECT_EQ(load(R"({"key":"a","value":"2"})", RecordFormat::kJsonl), "OK 1 records\n");
  EXPECT_EQ(read("a"), "2") << "what is there is updated";
}

TEST_F(LoadTest, nothing) {
  const FakeFile file;
  connect(file);
  EXPECT_EQ(load(""), "OK 0 records\n");
}

TEST_F(LoadTest, moreThanTheWindowTakes) {
  FakeSetup setup;
  setup.options.capacity = 2'000;
  const FakeFile file(setup);
  connect(file);
  std::string text;
  for (int k = 0; k < 40'000; ++k) text += std::to_string(k) + "\tv\n";
  EXPECT_EQ(load(text), "OK 40000 records\n");
  EXPECT_EQ(session_->core().counters().ops, 40'000u);
}

TEST_F(LoadTest, ofAKeyThatComesTwiceTheLastValueStays) {
  const FakeFile file;
  connect(file);
  std::string text;
  for (int k = 0; k < 2'000; ++k) {
    text += std::to_string(k % 20) + "\t" + std::to_string(k) + "\n";
  }
  EXPECT_EQ(load(text), "OK 2000 records\n");
  for (int k = 0; k < 20; ++k) EXPECT_EQ(read(std::to_string(k)), std::to_string(1'980 + k));
}

TEST_F(LoadTest, badLinesAreSaidAndTheOthersLoaded) {
  FakeSetup setup;
  setup.options.hash = base::HashMode::kInteger;
  const FakeFile file(setup);
  connect(file);
  EXPECT_EQ(load("1\ta\nno tab\n2\tb\nx\tc\nneither\n"),
            "ERR 2 records loaded, 3 failed: key is not an integer (1), "
            "no TAB between key and value (2)\n");
  EXPECT_EQ(outcome_, Outcome::kFailed);
  EXPECT_EQ(errors_,
            "line 2: no TAB between key and value\n"
            "line 4: key is not an integer\n"
            "line 5: no TAB between key and value\n");
  EXPECT_EQ(read("2"), "b");
}

TEST_F(LoadTest, manyBadLinesAreNotAllSaid) {
  const FakeFile file;
  connect(file);
  std::string text;
  for (int k = 0; k < 100; ++k) text += "bad\n";
  EXPECT_EQ(load(text), "ERR 0 records loaded, 100 failed: no TAB between key and value (100)\n");
  EXPECT_TRUE(errors_.ends_with("line 10: no TAB between key and value\n... and perhaps more\n"));
}

TEST_F(LoadTest, whatCannotBeRead) {
  const FakeFile file;
  connect(file);
  const int fd = ::open(dir_.path("").c_str(), O_RDONLY);
  EXPECT_EQ(load_from(fd), "ERR 0 records loaded, 1 failed: cannot read: Is a directory (1)\n");
  ::close(fd);
}

TEST_F(LoadTest, aDeadNodeFailsItsRecordsOnly) {
  FakeFile file;
  connect(file);
  std::string text;
  for (int k = 0; k < 30; ++k) text += std::to_string(k) + "\tv\n";
  ASSERT_EQ(load(text), "OK 30 records\n");
  file.kill(1);
  const std::string answer = load(text);
  EXPECT_TRUE(answer.starts_with("ERR ")) << answer;
  EXPECT_NE(answer.find("is down ("), std::string::npos) << answer;
  EXPECT_EQ(outcome_, Outcome::kUnreachable);
}

}  // namespace
}  // namespace lh::client
