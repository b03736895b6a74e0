#include "storage/log_writer.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/storage/log_fixture.h"

namespace lh::storage {
namespace {

class LogWriterTest : public LogFixture {
 protected:
  // A log whose next record, which waits in `batch`, opens a second segment.
  struct AlmostFull {
    explicit AlmostFull(const FileOwner& owner) {
      EXPECT_TRUE(env.make_dir("w").ok());
      EXPECT_TRUE(LogWriter::create(&env, "w", owner).ok());
      const auto ignore = [](const Record&) { return Status(); };
      EXPECT_TRUE(read_log(&env, "w", owner, 1, 0, ignore, &tail).ok());
      writer = LogWriter::open(&env, "w", owner, tail, {.segment_bytes = 60}).value();
      batch.append(kStream, "first");
      EXPECT_TRUE(writer->write(&batch).ok());
      batch.clear();
      batch.append(kStream, "second");
    }

    MemEnv env;
    LogTail tail;
    std::unique_ptr<LogWriter> writer;
    LogBatch batch{1};
  };
};

TEST_F(LogWriterTest, anEmptyLogIsEmpty) {
  EXPECT_EQ(read(), "");
  EXPECT_EQ(tail_.next_sequence, 1u);
  EXPECT_EQ(tail_.torn_bytes(), 0u);
  EXPECT_EQ(writer_->durable(), 0u);
}

TEST_F(LogWriterTest, recordsAreReadInOrder) {
  EXPECT_TRUE(write("a b").ok());
  EXPECT_TRUE(write("c").ok());
  EXPECT_EQ(read(), "1=a 2=b 3=c");
  EXPECT_EQ(tail_.next_sequence, 4u);
}

TEST_F(LogWriterTest, payloadsAreAnyBytes) {
  batch_.append(kStream, std::string(3, '\0'));
  batch_.append(kStream, "");
  batch_.append(kStream, std::string(100000, 'x'));
  EXPECT_TRUE(write("").ok());
  const std::string zeros(3, '\0');
  EXPECT_EQ(read(), "1=" + zeros + " 2= 3=" + std::string(100000, 'x'));
}

TEST_F(LogWriterTest, anEmptyBatchIsNothing) {
  const std::string before = content();
  EXPECT_TRUE(write("").ok());
  EXPECT_EQ(content(), before);
}

TEST_F(LogWriterTest, durableIsWhatWasSynced) {
  EXPECT_TRUE(write("a b").ok());
  EXPECT_EQ(writer_->durable(), 0u);
  EXPECT_TRUE(sync().ok());
  EXPECT_EQ(writer_->durable(), 2u);
  const uint64_t syncs = env_.sync_count();
  EXPECT_TRUE(sync().ok());
  EXPECT_EQ(env_.sync_count(), syncs) << "nothing to do";
}

TEST_F(LogWriterTest, aBatchIsHandedOver) {
  LogBatch spare;
  EXPECT_EQ(batch_.append(kStream, "a"), 1u);
  batch_.hand_over(&spare);
  EXPECT_EQ(batch_.append(kStream, "b"), 2u);
  EXPECT_TRUE(writer_->write(&spare).ok());
  spare.clear();
  batch_.hand_over(&spare);
  EXPECT_EQ(spare.first(), 2u);
  EXPECT_TRUE(writer_->write(&spare).ok());
  EXPECT_EQ(read(), "1=a 2=b");
}

TEST_F(LogWriterTest, writingGoesOnAfterARestart) {
  write_synced("a");
  EXPECT_EQ(reopen(), "1=a");
  write_synced("b");
  EXPECT_EQ(reopen(), "1=a 2=b");
}

TEST_F(LogWriterTest, aCloseIsSeenUntilSomethingFollows) {
  write_synced("a");
  EXPECT_TRUE(close().ok());
  EXPECT_EQ(reopen(), "1=a");
  EXPECT_TRUE(tail_.closed);
  write_synced("b");
  EXPECT_EQ(read(), "1=a 2=b");
  EXPECT_FALSE(tail_.closed);
}

TEST_F(LogWriterTest, fullSegmentsAreFollowedByOthers) {
  reopen({.segment_bytes = 100});
  for (const char* word : {"a", "b", "c", "d", "e"}) write_synced(word);
  EXPECT_EQ(env_.list("w").value(),
            (std::vector<std::string>{segment_name(1), segment_name(3), segment_name(5)}));
  EXPECT_EQ(reopen({.segment_bytes = 100}), "1=a 2=b 3=c 4=d 5=e");
  write_synced("f");
  write_synced("g");
  EXPECT_EQ(read(), "1=a 2=b 3=c 4=d 5=e 6=f 7=g");
  EXPECT_EQ(read(4), "4=d 5=e 6=f 7=g");
}

TEST_F(LogWriterTest, aSyncElsewhereIsOfWhatWasThereWhenItBegan) {
  EXPECT_FALSE(writer_->begin_sync()) << "nothing to do";
  EXPECT_TRUE(write("a").ok());
  EXPECT_TRUE(writer_->has_unsynced());
  std::optional<LogSync> job = writer_->begin_sync();
  ASSERT_TRUE(job);
  EXPECT_FALSE(writer_->has_unsynced());
  EXPECT_TRUE(write("b").ok());
  EXPECT_TRUE(writer_->has_unsynced());
  EXPECT_TRUE(writer_->end_sync(job->run()).ok());
  EXPECT_EQ(writer_->durable(), 1u);
  EXPECT_TRUE(sync().ok());
  EXPECT_EQ(writer_->durable(), 2u);
  EXPECT_FALSE(writer_->has_unsynced());
}

TEST_F(LogWriterTest, noSegmentEndsWhileItIsSyncedElsewhere) {
  reopen({.segment_bytes = 100});
  EXPECT_TRUE(write("a b c d").ok());
  std::optional<LogSync> job = writer_->begin_sync();
  EXPECT_TRUE(write("e").ok());
  EXPECT_TRUE(write("f").ok());
  EXPECT_EQ(env_.list("w").value().size(), 1u);
  EXPECT_TRUE(writer_->end_sync(job->run()).ok());
  EXPECT_TRUE(write("g").ok());
  EXPECT_EQ(env_.list("w").value().size(), 2u);
  EXPECT_EQ(reopen({.segment_bytes = 100}), "1=a 2=b 3=c 4=d 5=e 6=f 7=g");
}

// Each of the three is of what the one before made sure of, and only the last one is told of.
TEST_F(LogWriterTest, aSegmentIsEndedElsewhereInThreeSyncs) {
  reopen({.segment_bytes = 100});
  EXPECT_TRUE(write("a b c d").ok());
  EXPECT_TRUE(write("e").ok());
  EXPECT_TRUE(writer_->is_ending());
  EXPECT_FALSE(writer_->has_unsynced()) << "the second one will cover it";
  for (int step = 1; step <= 3; ++step) {
    SCOPED_TRACE(step);
    EXPECT_TRUE(writer_->is_ending());
    std::optional<LogSync> job = writer_->begin_sync();
    ASSERT_TRUE(job);
    EXPECT_EQ(job->folder, step == 2 ? "w" : "");
    EXPECT_TRUE(write("f g h i j k").ok());
    EXPECT_EQ(writer_->has_unsynced(), step >= 2);
    EXPECT_EQ(env_.synced(segment(1)), step == 2);
    EXPECT_EQ(writer_->durable(), 0u);
    EXPECT_EQ(env_.list("w").value().size(), 2u) << "a third one has to wait";
    EXPECT_TRUE(writer_->end_sync(job->run()).ok());
  }
  EXPECT_FALSE(writer_->is_ending());
  EXPECT_TRUE(env_.synced(segment(1)));
  EXPECT_EQ(writer_->durable(), 11u);
  EXPECT_TRUE(writer_->has_unsynced());
  EXPECT_TRUE(write("l").ok());
  EXPECT_EQ(env_.list("w").value().size(), 3u);
  EXPECT_TRUE(sync().ok());
  EXPECT_EQ(writer_->durable(), 24u);
}

TEST_F(LogWriterTest, ofWhatIsDurableItTakesTwo) {
  reopen({.segment_bytes = 100});
  write_synced("a b c d");
  EXPECT_TRUE(write("e").ok());
  const uint64_t syncs = env_.sync_count();
  EXPECT_TRUE(sync().ok());
  EXPECT_EQ(env_.sync_count(), syncs + 2);
}

// Some systems say only then that there is no room: what was written is in doubt all the same.
TEST_F(LogWriterTest, aSyncThatFindsNoRoomEndsTheWriterLikeAnyOther) {
  for (const uint64_t nth : {1, 2, 3}) {
    SCOPED_TRACE(nth);
    reopen({.segment_bytes = 100});
    EXPECT_TRUE(write("a b c d").ok());
    EXPECT_TRUE(write("e").ok());
    env_.fail_sync(nth, StatusCode::kRefused);
    const Status status = sync();
    EXPECT_EQ(status.code(), StatusCode::kIo) << status.message();
    EXPECT_EQ(write("f").code(), StatusCode::kIo);
  }
}

TEST_F(LogWriterTest, aSyncElsewhereThatFailsEndsTheWriterForEver) {
  EXPECT_TRUE(write("a").ok());
  std::optional<LogSync> job = writer_->begin_sync();
  env_.fail_sync(1);
  EXPECT_FALSE(writer_->end_sync(job->run()).ok());
  EXPECT_FALSE(write("b").ok());
  EXPECT_FALSE(writer_->begin_sync());
  EXPECT_EQ(writer_->durable(), 0u);
}

TEST_F(LogWriterTest, aReservedLogGrowsInItsPlace) {
  reopen({.segment_bytes = 1'000, .reserve_bytes = 200});
  write_synced("a");
  const size_t size = content().size();
  EXPECT_EQ(read(), "1=a");
  EXPECT_EQ(tail_.last.reserved_bytes, 200u);
  EXPECT_EQ(tail_.torn_bytes(), 0u);
  write_synced("b");
  write_synced("c");
  EXPECT_EQ(content().size(), size) << "nothing for a sync to write down but the bytes";
  EXPECT_EQ(reopen({.segment_bytes = 1'000, .reserve_bytes = 200}), "1=a 2=b 3=c");
  EXPECT_LT(content().size(), size);
  while (writer_->next_sequence() < 100) write_synced("x");
  EXPECT_GT(env_.list("w").value().size(), 2u);
  EXPECT_TRUE(close().ok());
  EXPECT_TRUE(read().starts_with("1=a 2=b 3=c 4=x 5=x"));
  EXPECT_EQ(tail_.last.reserved_bytes, 0u) << "a log that is closed keeps no room";
}

TEST_F(LogWriterTest, aFullDiskDoesWithoutReserve) {
  reopen({.segment_bytes = 1'000, .reserve_bytes = 500});
  env_.set_capacity(env_.used_bytes() + 100);
  write_synced("a");
  write_synced("b");
  EXPECT_EQ(read(), "1=a 2=b");
  EXPECT_EQ(tail_.last.reserved_bytes, 0u);
}

TEST_F(LogWriterTest, whatHasNoRoomIsTakenBackAndWrittenLater) {
  write_synced("a");
  const std::string before = content();
  env_.set_capacity(env_.used_bytes() + 30);
  EXPECT_EQ(write("b c").code(), StatusCode::kRefused);
  EXPECT_EQ(content(), before);
  EXPECT_EQ(write("d").code(), StatusCode::kRefused) << "the batch has grown";
  EXPECT_EQ(read(), "1=a");
  env_.set_capacity(1 << 20);
  EXPECT_TRUE(write("").ok());
  EXPECT_TRUE(sync().ok());
  EXPECT_EQ(reopen(), "1=a 2=b 3=c 4=d");
}

// At every amount of room: whether it runs out in a frame, in the new segment or in the end frame.
TEST_F(LogWriterTest, roomMayRunOutAtAnyByte) {
  for (uint64_t room = 0; room < 200; ++room) {
    AlmostFull log(owner_);
    log.env.set_capacity(log.env.used_bytes() + room);
    const Status status = log.writer->write(&log.batch);
    ASSERT_TRUE(status.ok() || status.code() == StatusCode::kRefused) << status.message();
    ASSERT_EQ(status.ok(), room >= 48 + 40 + 48) << room;
    uint64_t last = 0;
    const auto visit = [&last](const Record& record) {
      last = record.sequence;
      return Status();
    };
    ASSERT_TRUE(read_log(&log.env, "w", owner_, 1, 1, visit, &log.tail).ok()) << room;
    ASSERT_EQ(last, status.ok() ? 2u : 1u);
    ASSERT_EQ(log.tail.torn_bytes(), 0u);
    log.env.set_capacity(1 << 20);
    if (!status.ok()) {
      ASSERT_TRUE(log.writer->write(&log.batch).ok()) << room;
    }
    ASSERT_TRUE(read_log(&log.env, "w", owner_, 1, 1, visit, &log.tail).ok()) << room;
    ASSERT_EQ(last, 2u);
  }
}

// Its name must not come back when what follows went past its sequence.
TEST_F(LogWriterTest, aSegmentThatFoundNoRoomIsGoneForGood) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    AlmostFull log(owner_);
    ASSERT_TRUE(log.env.sync_dir(".").ok());
    log.env.set_capacity(log.env.used_bytes() + kFrameHeaderBytes + 10);
    ASSERT_EQ(log.writer->write(&log.batch).code(), StatusCode::kRefused);
    log.env.set_capacity(1 << 20);
    std::optional<LogSync> job = log.writer->begin_sync();
    ASSERT_TRUE(log.writer->write(&log.batch).ok()) << "to the full one, which is being synced";
    ASSERT_TRUE(log.writer->end_sync(job->run()).ok());
    ASSERT_TRUE(log.writer->sync().ok());
    base::Prng prng(seed);
    log.env.crash(&prng);
    uint64_t last = 0;
    const auto visit = [&last](const Record& record) {
      last = record.sequence;
      return Status();
    };
    const Status status = read_log(&log.env, "w", owner_, 1, 2, visit, &log.tail);
    ASSERT_TRUE(status.ok()) << seed << ": " << status.message();
    ASSERT_EQ(last, 2u);
  }
}

TEST_F(LogWriterTest, aSegmentWithoutARecordIsNotFollowed) {
  reopen({.segment_bytes = 60});
  for (int k = 0; k < 3; ++k) EXPECT_TRUE(close().ok());
  write_synced("a");
  EXPECT_EQ(env_.list("w").value().size(), 1u);
  write_synced("b");
  EXPECT_EQ(reopen(), "1=a 2=b");
}

TEST_F(LogWriterTest, aFailedSyncEndsTheWriterForEver) {
  write_synced("a");
  EXPECT_TRUE(write("b").ok());
  env_.fail_sync(1);
  const Status failed = sync();
  EXPECT_EQ(failed.code(), StatusCode::kIo);
  EXPECT_EQ(writer_->durable(), 1u);
  EXPECT_EQ(sync().message(), failed.message());
  EXPECT_EQ(write("c").message(), failed.message());
  EXPECT_EQ(close().message(), failed.message());
  EXPECT_EQ(writer_->status().message(), failed.message());
}

TEST_F(LogWriterTest, aFailedWriteEndsTheWriterForEver) {
  write_synced("a");
  env_.fail_append(1);
  const Status failed = write("b");
  EXPECT_EQ(failed.code(), StatusCode::kIo);
  EXPECT_EQ(sync().message(), failed.message());
  EXPECT_EQ(read(), "1=a") << "half a frame is a torn tail";
  EXPECT_GT(tail_.torn_bytes(), 0u);
}

TEST_F(LogWriterTest, failuresWhileASegmentEndsEndTheWriterToo) {
  for (uint64_t nth = 1; nth <= 3; ++nth) {
    AlmostFull log(owner_);
    log.env.fail_sync(nth);
    EXPECT_TRUE(log.writer->write(&log.batch).ok());
    EXPECT_EQ(log.writer->sync().code(), StatusCode::kIo) << nth;
    EXPECT_EQ(log.writer->durable(), 0u);
    log.batch.clear();
    log.batch.append(kStream, "third");
    EXPECT_EQ(log.writer->write(&log.batch).code(), StatusCode::kIo) << nth;
  }
}

TEST_F(LogWriterTest, tornTailsAreCutBeforeAnythingFollows) {
  write_synced("a");
  EXPECT_TRUE(write("bbbb").ok());
  cut(2);
  EXPECT_EQ(reopen(), "1=a");
  EXPECT_GT(tail_.torn_bytes(), 0u);
  write_synced("c");
  EXPECT_EQ(reopen(), "1=a 2=c");
  EXPECT_EQ(tail_.torn_bytes(), 0u);
}

TEST_F(LogWriterTest, anUnendedSegmentIsEnded) {
  reopen({.segment_bytes = 60});
  write_synced("a");
  write_synced("b");
  cut(content(2).size() - kFileHeaderBytes, 2);
  cut(13, 1);
  EXPECT_EQ(reopen({.segment_bytes = 60}), "1=a");
  ASSERT_TRUE(tail_.before_last.has_value());
  EXPECT_EQ(tail_.torn_bytes(), 27u);
  write_synced("c");
  EXPECT_EQ(reopen({.segment_bytes = 60}), "1=a 2=c");
  EXPECT_TRUE(tail_.before_last->has_end_frame) << "nothing proves that it is durable";
}

TEST_F(LogWriterTest, laterSegmentsCarryTheNodesNumber) {
  owner_.node = NodeId::kNone;
  EXPECT_TRUE(env_.remove(segment(1)).ok());
  EXPECT_TRUE(LogWriter::create(&env_, "w", owner_).ok());
  EXPECT_EQ(reopen({.segment_bytes = 60}), "");
  write_synced("a");
  owner_.node = NodeId{3};
  writer_->set_node(NodeId{3});
  write_synced("b");
  EXPECT_EQ(read(), "1=a 2=b");
}

TEST_F(LogWriterTest, whatASyncFailedToWriteIsWrittenAgainByTheNextWriter) {
  write_synced("a b");
  ASSERT_TRUE(write("c").ok());
  env_.fail_sync(1);
  ASSERT_FALSE(sync().ok());
  // The process starts again, and the system shows it what it never got to the disk.
  EXPECT_EQ(reopen(), "1=a 2=b 3=c");
  write_synced("d");
  env_.crash(&prng_);
  EXPECT_EQ(read(), "1=a 2=b 3=c 4=d");
}

TEST_F(LogWriterTest, theMarkOfAStopIsWrittenAgainToo) {
  write_synced("a");
  env_.fail_sync(1);
  ASSERT_FALSE(close().ok());
  EXPECT_EQ(reopen(), "1=a");
  write_synced("b");
  write_synced("c");
  env_.crash(&prng_);
  EXPECT_EQ(read(), "1=a 2=b 3=c");
}

TEST_F(LogWriterTest, whatIsProvenIsNotWrittenAgain) {
  write_synced("a b");
  write_synced("c");
  const uint64_t end = content().size();
  write_synced("d");
  EXPECT_EQ(read(), "1=a 2=b 3=c 4=d");
  EXPECT_EQ(tail_.last.proven, end) << "of the last frame nothing tells";
  EXPECT_EQ(read(1, 4), "1=a 2=b 3=c 4=d");
  EXPECT_EQ(tail_.last.proven, tail_.last.offset) << "the caller knows";
}

}  // namespace
}  // namespace lh::storage
