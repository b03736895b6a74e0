#include "client/dump.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <set>
#include <string>
#include <thread>

#include "client/load.h"
#include "tests/client/fake_file.h"
#include "tests/client/temp_files.h"

namespace lh::client {
namespace {

using testing::exists;
using testing::FakeFile;
using testing::FakeSetup;
using testing::Pipe;
using testing::read_file;
using testing::TempDir;

class DumpTest : public ::testing::Test {
 protected:
  void connect(const FakeFile& file) {
    session_ = std::move(Session::open({file.address()})).value();
  }

  void load(std::string_view text, RecordFormat format = RecordFormat::kTsv) {
    const int fd = ::open(dir_.write("in", text).c_str(), O_RDONLY);
    Output errors(STDERR_FILENO);
    Load load(*session_, {format, -1, &errors});
    std::string answer;
    ASSERT_EQ(load.run(fd, &answer), Outcome::kDone) << answer;
    ::close(fd);
  }

  std::string dump(const std::string& path, RecordFormat format = RecordFormat::kTsv) {
    Dump dump(*session_, {format, -1, 0}, ++tag_);
    std::string answer;
    outcome_ = dump.to_file(path, &answer);
    return answer;
  }

  static std::multiset<std::string> lines_of(const std::string& text) {
    std::multiset<std::string> lines;
    for (size_t at = 0; at < text.size();) {
      const size_t end = text.find('\n', at);
      lines.insert(text.substr(at, end - at));
      at = end + 1;
    }
    return lines;
  }

  TempDir dir_;
  std::unique_ptr<Session> session_;
  uint64_t tag_ = 0;
  Outcome outcome_ = Outcome::kDone;
};

TEST_F(DumpTest, whatWasLoadedComesOut) {
  const FakeFile file;
  connect(file);
  std::string text;
  for (int k = 0; k < 200; ++k) text += std::to_string(k) + "\tMoscow\\ RU \\\\n" + "\n";
  load(text);
  EXPECT_EQ(dump(dir_.path("out")), "OK 200 records\n");
  EXPECT_EQ(outcome_, Outcome::kDone);
  EXPECT_EQ(lines_of(read_file(dir_.path("out"))), lines_of(text));
  EXPECT_FALSE(exists(dir_.path("out.part")));
}

TEST_F(DumpTest, jsonl) {
  const FakeFile file;
  connect(file);
  load("a\t\xff\n");
  EXPECT_EQ(dump(dir_.path("out"), RecordFormat::kJsonl), "OK 1 records\n");
  EXPECT_EQ(read_file(dir_.path("out")), "{\"key\":\"a\",\"value_base64\":\"/w==\"}\n");
}

TEST_F(DumpTest, whatExpiresSaysWhen) {
  const FakeFile file;
  connect(file);
  const std::string text = "{\"key\":\"a\",\"value\":\"1\",\"expires\":200000000000000}\n";
  load(text, RecordFormat::kJsonl);
  EXPECT_EQ(dump(dir_.path("out"), RecordFormat::kJsonl), "OK 1 records\n");
  EXPECT_EQ(read_file(dir_.path("out")), text);
  EXPECT_EQ(dump(dir_.path("out")),
            "OK 1 records, 1 of which expire: only --format=jsonl tells when\n");
}

TEST_F(DumpTest, moreThanOnePieceOfABucket) {
  FakeSetup setup;
  setup.options.capacity = 1'000;
  const FakeFile file(setup);
  connect(file);
  std::string text;
  for (int k = 0; k < 300; ++k) text += std::to_string(k) + "\t" + std::string(2'000, 'v') + "\n";
  load(text);
  EXPECT_EQ(dump(dir_.path("out")), "OK 300 records\n");
  EXPECT_EQ(lines_of(read_file(dir_.path("out"))), lines_of(text));
}

TEST_F(DumpTest, toWhatIsNoRegularFile) {
  const FakeFile file;
  connect(file);
  load("a\t1\n");
  EXPECT_EQ(dump("/dev/null"), "OK 1 records\n");
  EXPECT_TRUE(exists("/dev/null"));
  ASSERT_EQ(0, ::mkfifo(dir_.path("fifo").c_str(), 0600));
  std::string read;
  std::thread reader([&] { read = read_file(dir_.path("fifo")); });
  EXPECT_EQ(dump(dir_.path("fifo")), "OK 1 records\n");
  reader.join();
  EXPECT_EQ(read, "a\t1\n");
}

TEST_F(DumpTest, aDumpThatFailsLeavesTheOldOneAlone) {
  FakeFile file;
  connect(file);
  std::string text;
  for (int k = 0; k < 30; ++k) text += std::to_string(k) + "\tv\n";
  load(text);
  dir_.write("out", "old");
  file.kill(1);
  const std::string answer = dump(dir_.path("out"));
  EXPECT_TRUE(answer.ends_with(" is down\n")) << answer;
  EXPECT_EQ(outcome_, Outcome::kUnreachable);
  EXPECT_EQ(read_file(dir_.path("out")), "old");
  EXPECT_FALSE(exists(dir_.path("out.part")));
}

TEST_F(DumpTest, whatCannotBeWritten) {
  const FakeFile file;
  connect(file);
  load("a\t1\n");
  const std::string missing = dir_.path("no/out");
  EXPECT_EQ(dump(missing), "ERR cannot write " + missing + ".part: No such file or directory\n");
  EXPECT_EQ(outcome_, Outcome::kFailed);
  EXPECT_EQ(dump("/dev/full"), "ERR cannot write: No space left on device\n");
  EXPECT_EQ(outcome_, Outcome::kFailed);
  EXPECT_EQ(dump(dir_.path("out")), "OK 1 records\n") << "the session goes on";
}

}  // namespace
}  // namespace lh::client
