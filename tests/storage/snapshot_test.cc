#include "storage/snapshot.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "storage/file_names.h"
#include "storage/mem_env.h"

namespace lh::storage {
namespace {

class SnapshotTest : public ::testing::Test {
 protected:
  SnapshotTest() { EXPECT_TRUE(env_.make_dir("w").ok()); }

  void begin(uint64_t covered = 10) {
    auto writer = SnapshotWriter::begin(&env_, "w", owner_, covered);
    ASSERT_TRUE(writer.ok()) << writer.status().message();
    writer_ = std::move(writer).value();
    batch_ = LogBatch(1);
  }
  Status write(const std::vector<std::string>& payloads) {
    for (const std::string& payload : payloads) batch_.append(7, payload);
    const Status status = writer_->write(&batch_);
    batch_.clear();
    return status;
  }
  // Two frames, three records, log 10 to 15.
  void write_whole() {
    begin();
    ASSERT_TRUE(write({"a", "b"}).ok());
    ASSERT_TRUE(write({"c"}).ok());
    ASSERT_TRUE(writer_->finish(15).ok());
  }

  std::string read(uint64_t covered = 10) {
    std::string found;
    const auto visit = [&found](const Record& record) {
      found += (found.empty() ? "" : " ") + std::string(record.payload);
      return Status();
    };
    const Status status = read_snapshot(&env_, "w", owner_, covered, visit, &summary_);
    if (status.ok()) return found;
    const std::string message(status.message());
    return status.code() == StatusCode::kDamaged ? "damaged" + message.substr(message.find(','))
                                                 : message;
  }

  const std::string path_ = "w/" + snapshot_name(10);
  MemEnv env_;
  FileOwner owner_{.node = NodeId{3}, .epoch = 5, .generation = 1, .worker = 2};
  std::unique_ptr<SnapshotWriter> writer_;
  LogBatch batch_{1};
  SnapshotSummary summary_;
};

TEST_F(SnapshotTest, recordsComeBackInOrder) {
  write_whole();
  EXPECT_EQ(read(), "a b c");
  EXPECT_EQ(summary_.records, 3u);
  EXPECT_EQ(summary_.log_end, 15u);
  EXPECT_EQ(writer_->record_count(), 3u);
}

TEST_F(SnapshotTest, anEmptySnapshotIsOne) {
  begin();
  EXPECT_TRUE(writer_->finish(10).ok());
  EXPECT_EQ(read(), "");
  EXPECT_EQ(summary_.log_end, 10u);
}

TEST_F(SnapshotTest, itIsThereOnlyWhenItIsFinishedAndDurable) {
  begin();
  EXPECT_TRUE(write({"a"}).ok());
  EXPECT_FALSE(env_.exists(path_));
  EXPECT_TRUE(writer_->finish(10).ok());
  EXPECT_TRUE(env_.exists(path_));
  EXPECT_TRUE(env_.synced(path_));
  EXPECT_FALSE(env_.exists(path_ + ".tmp"));
}

TEST_F(SnapshotTest, whatIsAbandonedLeavesNothing) {
  begin();
  EXPECT_TRUE(write({"a"}).ok());
  writer_.reset();
  EXPECT_TRUE(env_.files().empty());
}

TEST_F(SnapshotTest, withoutRoomItIsGivenUp) {
  begin();
  env_.set_capacity(100);
  EXPECT_EQ(write({std::string(100, 'x')}).code(), StatusCode::kRefused);
  env_.set_capacity(1 << 20);
  EXPECT_EQ(write({"b"}).code(), StatusCode::kRefused) << "half a frame is in it";
  EXPECT_EQ(writer_->finish(10).code(), StatusCode::kRefused);
  writer_.reset();
  EXPECT_TRUE(env_.files().empty());
}

TEST_F(SnapshotTest, aFailedSyncIsNoSnapshot) {
  begin();
  EXPECT_TRUE(write({"a"}).ok());
  env_.fail_sync(1);
  EXPECT_EQ(writer_->finish(10).code(), StatusCode::kIo);
  writer_.reset();
  EXPECT_TRUE(env_.files().empty());
}

TEST_F(SnapshotTest, anyFlippedBitIsSeen) {
  write_whole();
  const size_t size = env_.content(path_).size();
  for (uint64_t bit = 0; bit < size * 8; ++bit) {
    env_.flip_bit(path_, bit);
    ASSERT_TRUE(read().starts_with("damaged")) << bit;
    env_.flip_bit(path_, bit);
  }
  EXPECT_EQ(read(), "a b c");
}

TEST_F(SnapshotTest, cutAnywhereItIsDamaged) {
  write_whole();
  const std::string all = env_.content(path_);
  for (size_t size = 0; size < all.size(); ++size) {
    env_.set_content(path_, all.substr(0, size));
    ASSERT_TRUE(read().starts_with("damaged")) << size;
  }
}

TEST_F(SnapshotTest, withoutItsEndItIsDamaged) {
  write_whole();
  const std::string all = env_.content(path_);
  env_.set_content(path_, all.substr(0, all.size() - 44));
  EXPECT_EQ(read(), "damaged, offset 137: the end of the snapshot is missing");
}

TEST_F(SnapshotTest, moreBehindItsEndIsDamage) {
  write_whole();
  env_.set_content(path_, env_.content(path_) + "x");
  EXPECT_EQ(read(), "damaged, offset 181: there is more behind the end of the snapshot");
}

TEST_F(SnapshotTest, framesMissingTwiceOrSwapped) {
  write_whole();
  const std::string all = env_.content(path_);
  const std::string head = all.substr(0, 48);
  const std::string one = all.substr(48, 46);
  const std::string two = all.substr(94, 43);
  const std::string end = all.substr(137);
  for (const std::string& body : {two + end, one + end, one + one + two + end, two + one + end, end,
                                  one + two + two + end, one + two + end + end}) {
    env_.set_content(path_, head + body);
    ASSERT_TRUE(read().starts_with("damaged"));
  }
  env_.set_content(path_, head + one + two + end);
  EXPECT_EQ(read(), "a b c");
}

// An end that claims more than there is makes nobody reserve memory for it.
TEST_F(SnapshotTest, countsThatLie) {
  write_whole();
  const std::string all = env_.content(path_);
  const std::string end =
      encode_frame({.type = FrameType::kSnapshotEnd, .first = uint64_t{1} << 60, .durable = 15},
                   "1234", salt_of(all));
  env_.set_content(path_, all.substr(0, all.size() - end.size()) + end);
  EXPECT_EQ(read(), "damaged, offset 137: a frame is missing, or twice here, or out of order");
}

TEST_F(SnapshotTest, anotherSnapshotsFramesDoNotFit) {
  write_whole();
  const std::string mine = env_.content(path_);
  ++owner_.epoch;
  write_whole();
  const std::string other = env_.content(path_);
  env_.set_content(path_, other.substr(0, 94) + mine.substr(94));
  EXPECT_EQ(read(), "damaged, offset 94: here is no frame of this file, or its header is damaged");
  env_.set_content(path_, mine);
  EXPECT_EQ(read(), "damaged, offset 0: a file of another data directory");
}

TEST_F(SnapshotTest, aSnapshotUnderAnotherName) {
  write_whole();
  env_.set_content("w/" + snapshot_name(11), env_.content(path_));
  EXPECT_EQ(read(11),
            "damaged, offset 0: the header and the name of the file disagree on its first "
            "sequence");
}

TEST_F(SnapshotTest, framesOfALogDoNotBelong) {
  begin();
  EXPECT_TRUE(writer_->finish(10).ok());
  const std::string head = env_.content(path_).substr(0, 48);
  env_.set_content(path_,
                   head + encode_frame({.type = FrameType::kClose, .first = 1}, "", salt_of(head)));
  EXPECT_EQ(read(), "damaged, offset 48: this frame does not belong into a snapshot");
}

}  // namespace
}  // namespace lh::storage
