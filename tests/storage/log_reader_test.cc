#include "storage/log_reader.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/storage/log_fixture.h"

namespace lh::storage {
namespace {

class LogReaderTest : public LogFixture {
 protected:
  // Three frames, each synced before the next was written.
  void write_three() {
    for (const char* word : {"a", "b", "c"}) write_synced(word);
  }
  bool is_damaged(uint64_t oldest = 1, uint64_t durable = 0) {
    return !damage(oldest, durable).starts_with("none");
  }
};

// ------------------------------------------------------------------- the header of a segment

TEST_F(LogReaderTest, anEmptyFile) {
  set_content("");
  EXPECT_EQ(damage(), "offset 0: the header of the file is cut off");
}

TEST_F(LogReaderTest, onlyMagic) {
  set_content(content().substr(0, 8));
  EXPECT_EQ(damage(), "offset 0: the header of the file is cut off");
}

TEST_F(LogReaderTest, wrongMagic) {
  write_three();
  env_.flip_bit(segment(1), 3);
  EXPECT_EQ(damage(), "offset 0: this is no file of lhnode: wrong magic");
}

TEST_F(LogReaderTest, aFutureVersion) {
  std::string bytes = content();
  bytes[8] = 2;
  set_content(bytes);
  EXPECT_EQ(damage(), "offset 8: format version 2, but this program reads version 1");
}

TEST_F(LogReaderTest, anOlderVersion) {
  std::string bytes = content();
  bytes[8] = 0;
  set_content(bytes);
  EXPECT_EQ(damage(), "offset 8: format version 0, but this program reads version 1");
}

TEST_F(LogReaderTest, aHeaderWithAFlippedBit) {
  for (uint64_t bit = 12 * 8; bit < kFileHeaderBytes * 8; ++bit) {
    env_.flip_bit(segment(1), bit);
    ASSERT_EQ(damage(), "offset 0: the checksum of the file's header is wrong");
    env_.flip_bit(segment(1), bit);
  }
  EXPECT_EQ(read(), "");
}

TEST_F(LogReaderTest, segmentsOfOthers) {
  write_three();
  const FileOwner mine = owner_;
  owner_.node = NodeId{4};
  EXPECT_EQ(damage(), "offset 0: a file of another node");
  owner_ = mine;
  ++owner_.epoch;
  EXPECT_EQ(damage(), "offset 0: a file of another data directory");
  owner_ = mine;
  ++owner_.worker;
  EXPECT_EQ(damage(), "offset 0: a file of another worker");
  owner_ = mine;
  ++owner_.generation;
  EXPECT_EQ(damage(), "offset 0: a file of another worker");
}

TEST_F(LogReaderTest, aFileOfAnotherKind) {
  set_content(encode_file_header({FileKind::kSnapshot, owner_, 1}));
  EXPECT_EQ(damage(), "offset 0: a file of another kind");
}

TEST_F(LogReaderTest, aSegmentUnderAnotherName) {
  env_.set_content(segment(4), content());
  write_three();
  EXPECT_EQ(damage(4),
            "offset 0: the header and the name of the file disagree on its first sequence");
}

TEST_F(LogReaderTest, aDirectoryInPlaceOfASegment) {
  EXPECT_TRUE(env_.remove(segment(1)).ok());
  EXPECT_TRUE(env_.make_dir(segment(1)).ok());
  EXPECT_EQ(read(), "cannot open " + segment(1) + ": Is a directory");
}

// ----------------------------------------------------------------------------------- the tail

TEST_F(LogReaderTest, aTailThatIsCutAnywhereIsTorn) {
  write_synced("a");
  const size_t good = content().size();
  write_synced("last");
  const std::string all = content();
  for (size_t size = good; size < all.size(); ++size) {
    set_content(all.substr(0, size));
    ASSERT_EQ(read(), "1=a") << size;
    ASSERT_EQ(tail_.last.offset, good);
    ASSERT_EQ(tail_.last.torn_bytes, size - good);
    ASSERT_EQ(tail_.next_sequence, 2u);
  }
}

TEST_F(LogReaderTest, aTailThatIsCutAtASector) {
  write_synced("a");
  write_synced(std::string(2000, 'x'));
  set_content(content().substr(0, 1024));
  EXPECT_EQ(read(), "1=a");
}

TEST_F(LogReaderTest, garbageBehindTheTail) {
  write_three();
  set_content(content() + "garbage, and more than a header of it: 0123456789");
  EXPECT_EQ(read(), "1=a 2=b 3=c");
  EXPECT_EQ(tail_.last.torn_bytes, 49u);
}

TEST_F(LogReaderTest, zerosBehindTheTail) {
  write_three();
  set_content(content() + std::string(4096, '\0'));
  EXPECT_EQ(read(), "1=a 2=b 3=c");
  EXPECT_EQ(tail_.last.torn_bytes, 0u);
  EXPECT_EQ(tail_.last.reserved_bytes, 4096u);
}

TEST_F(LogReaderTest, aTailThatTheCallerKnowsToBeDurable) {
  write_synced("a");
  write_synced("b");
  cut(1);
  EXPECT_EQ(read(1, 1), "1=a");
  EXPECT_EQ(damage(1, 2), "offset 91: a frame is cut off");
  cut(42);
  EXPECT_EQ(read(1, 1), "1=a") << "cut between two frames";
  EXPECT_EQ(damage(1, 2), "offset 91: the log ends before its durable end");
}

TEST_F(LogReaderTest, whatWasNeverSyncedMayBeTornInTheMiddle) {
  EXPECT_TRUE(write("a").ok());
  EXPECT_TRUE(write("b").ok());
  EXPECT_TRUE(write("c").ok());
  env_.flip_bit(segment(1), 91 * 8);
  EXPECT_EQ(read(), "1=a") << "the frame of c says that b was not durable yet";
  EXPECT_EQ(tail_.next_sequence, 2u);
}

TEST_F(LogReaderTest, theMarkOfACloseProvesAllBeforeIt) {
  write_synced("a");
  EXPECT_TRUE(close().ok());
  env_.flip_bit(segment(1), 90 * 8);
  EXPECT_EQ(damage(), "offset 48: the checksum of a frame is wrong");
}

TEST_F(LogReaderTest, aClosedLogMayLoseItsMark) {
  write_synced("a");
  EXPECT_TRUE(close().ok());
  cut(1);
  EXPECT_EQ(read(), "1=a");
  EXPECT_FALSE(tail_.closed);
}

// A payload cannot pretend to be a later frame: it does not know the salt.
TEST_F(LogReaderTest, framesInPayloadsProveNothing) {
  write_synced("a");
  const std::string fake =
      encode_frame({.type = FrameType::kRecords, .first = 9, .durable = 8}, "", 0x1234);
  batch_.append(kStream, fake + fake);
  EXPECT_TRUE(write("").ok());
  cut(1);
  EXPECT_EQ(read(), "1=a");
}

// A proof may lie anywhere, also across the pieces in which the file is read.
TEST_F(LogReaderTest, proofsAreFoundAtAllDistances) {
  for (size_t distance = 262144 - 100; distance < 262144 + 20; ++distance) {
    FileHeader header{FileKind::kLog, owner_, 1};
    const std::string head = encode_file_header(header);
    const std::string proof =
        encode_frame({.type = FrameType::kRecords, .first = 9, .durable = 1}, "", salt_of(head));
    set_content(head + std::string(distance, '?') + proof);
    ASSERT_TRUE(is_damaged()) << distance;
    set_content(head + std::string(distance, '?'));
    ASSERT_EQ(read(), "");
  }
}

// ------------------------------------------------------------------------------------- damage

TEST_F(LogReaderTest, aBitFlippedAtEachByteOfThreeRecords) {
  write_three();
  EXPECT_TRUE(close().ok());
  const size_t size = content().size() - kFrameHeaderBytes;
  for (uint64_t byte = 0; byte < size; ++byte) {
    env_.flip_bit(segment(1), byte * 8 + byte % 8);
    ASSERT_TRUE(is_damaged()) << byte;
    env_.flip_bit(segment(1), byte * 8 + byte % 8);
  }
  EXPECT_EQ(read(), "1=a 2=b 3=c");
}

TEST_F(LogReaderTest, lengthsThatLie) {
  write_three();
  const std::vector<std::string> whole = pieces();
  for (const uint32_t length : {0u, 1u, 0x7fffffffu, 0xffffffffu}) {
    std::vector<std::string> parts = whole;
    std::memcpy(parts[1].data() + 12, &length, sizeof length);
    set_pieces(parts);
    ASSERT_EQ(damage(), "offset 48: here is no frame of this file, or its header is damaged");
  }
}

// Even with a checksum that fits, a length beyond the file is only a frame that is cut off.
TEST_F(LogReaderTest, aLengthBeyondTheFileIsNotBelieved) {
  write_three();
  std::vector<std::string> parts = pieces();
  encode_frame_header({.payload_bytes = 0xfffffff0, .count = 1, .first = 3, .durable = 2},
                      salt_of(parts[0]), parts[3].data());
  set_pieces(parts);
  EXPECT_EQ(read(), "1=a 2=b");
  EXPECT_EQ(damage(1, 3), "offset 134: a frame is cut off");
}

TEST_F(LogReaderTest, theChecksumOfAnotherFrame) {
  write_three();
  std::vector<std::string> parts = pieces();
  parts[1].replace(4, 8, parts[2], 4, 8);
  set_pieces(parts);
  EXPECT_EQ(damage(), "offset 48: here is no frame of this file, or its header is damaged");
}

TEST_F(LogReaderTest, aFrameDropped) {
  write_three();
  std::vector<std::string> parts = pieces();
  parts.erase(parts.begin() + 2);
  set_pieces(parts);
  EXPECT_EQ(damage(), "offset 91: this frame starts with sequence 3 where 2 should follow");
}

TEST_F(LogReaderTest, framesSwapped) {
  write_three();
  std::vector<std::string> parts = pieces();
  std::swap(parts[2], parts[3]);
  set_pieces(parts);
  EXPECT_EQ(damage(), "offset 91: this frame starts with sequence 3 where 2 should follow");
}

TEST_F(LogReaderTest, aFrameTwice) {
  write_three();
  std::vector<std::string> parts = pieces();
  parts.push_back(parts.back());
  set_pieces(parts);
  EXPECT_EQ(damage(), "offset 177: this frame starts with sequence 3 where 4 should follow");
}

TEST_F(LogReaderTest, sequencesThatGoBackOrSkip) {
  write_three();
  const std::vector<std::string> parts = pieces();
  for (const uint64_t first : {1u, 2u, 5u, 0u}) {
    const FrameHeader header{.count = 1, .first = first, .durable = 0};
    set_pieces({parts[0], parts[1], parts[2], parts[3],
                encode_frame(header, std::string("\1\7x"), salt_of(parts[0]))});
    ASSERT_EQ(damage(), "offset 177: this frame starts with sequence " + std::to_string(first) +
                            " where 4 should follow");
  }
}

TEST_F(LogReaderTest, aFrameFromBeforeItsTime) {
  const std::string head = pieces()[0];
  const FrameHeader header{.count = 1, .first = 1, .durable = 1};
  set_pieces({head, encode_frame(header, std::string("\1\7x"), salt_of(head))});
  EXPECT_EQ(damage(), "offset 48: this frame claims to be older than it is");
}

TEST_F(LogReaderTest, recordsThatDoNotFillTheirFrame) {
  const std::string head = pieces()[0];
  const auto frame = [&](uint32_t count, std::string_view payload) {
    set_pieces({head, encode_frame({.count = count, .first = 1}, payload, salt_of(head))});
  };
  frame(2, "\1\7x");
  EXPECT_EQ(damage(), "offset 48: a record is malformed");
  frame(1, "\2\7x");
  EXPECT_EQ(damage(), "offset 48: a record is malformed");
  frame(1, "\1\7xy");
  EXPECT_EQ(damage(), "offset 48: a frame has more than its records");
  frame(0, "");
  EXPECT_EQ(damage(), "offset 48: this frame has a wrong number of records");
  frame(0xffffffff, "\1\7x");
  EXPECT_EQ(damage(), "offset 48: a record is malformed");
}

TEST_F(LogReaderTest, framesOfOtherKinds) {
  const std::string head = pieces()[0];
  for (const FrameType type : {FrameType::kManifest, FrameType::kSnapshotEnd}) {
    set_pieces({head, encode_frame({.type = type, .first = 1}, "", salt_of(head))});
    EXPECT_EQ(damage(), "offset 48: this frame does not belong into a log");
  }
}

TEST_F(LogReaderTest, aVisitorThatRefusesEndsTheReadingWithThePlace) {
  write_three();
  const auto refuse = [](const Record& record) {
    if (record.sequence < 2) return Status();
    return Status(StatusCode::kDamaged, "no such change");
  };
  const Status status = read_log(&env_, "w", owner_, 1, 0, refuse, &tail_);
  EXPECT_EQ(status.message(), segment(1) + ", offset 133: no such change");
}

TEST_F(LogReaderTest, aFileThatCannotBeReadIsNoDamage) {
  write_three();
  env_.fail_reads(segment(1));
  const auto ignore = [](const Record&) { return Status(); };
  EXPECT_EQ(read_log(&env_, "w", owner_, 1, 0, ignore, &tail_).code(), StatusCode::kIo);
}

// ----------------------------------------------------------------------------------- segments

class LogSegmentsTest : public LogReaderTest {
 protected:
  // Five records in segments that start at 1, 3 and 5.
  LogSegmentsTest() {
    reopen({.segment_bytes = 100});
    for (const char* word : {"a", "b", "c", "d", "e"}) write_synced(word);
  }
  void remove(uint64_t first) { ASSERT_TRUE(env_.remove(segment(first)).ok()); }
};

TEST_F(LogSegmentsTest, theFirstMissing) {
  remove(1);
  EXPECT_EQ(damage(), "offset 0: the log segment that holds sequence 1 is missing");
  EXPECT_EQ(read(3), "3=c 4=d 5=e") << "it is not needed any more";
}

TEST_F(LogSegmentsTest, oneInTheMiddleMissing) {
  remove(3);
  EXPECT_EQ(damage(),
            "offset 48: this segment starts with sequence 5, but the one before it ends at 2");
}

TEST_F(LogSegmentsTest, theLastMissing) {
  remove(5);
  EXPECT_EQ(damage(), "offset 174: the segment that follows this one is missing");
}

TEST_F(LogSegmentsTest, allMissing) {
  for (const uint64_t first : {1, 3, 5}) remove(first);
  EXPECT_EQ(damage(), "offset 0: the log segment that holds sequence 1 is missing");
}

TEST_F(LogSegmentsTest, whatIsNotNeededIsNotRead) {
  set_content("rubbish", 1);
  EXPECT_EQ(read(4), "4=d 5=e");
  remove(3);
  EXPECT_EQ(read(6), "");
}

TEST_F(LogSegmentsTest, filesWithOtherNamesAreNotRead) {
  env_.set_content("w/notes.txt", "x");
  env_.set_content("w/7.log", "x");
  env_.set_content("w/00000000000000000004.log.old", "x");
  EXPECT_EQ(read(), "1=a 2=b 3=c 4=d 5=e");
}

TEST_F(LogSegmentsTest, aSegmentInTheMiddleThatIsCutAnywhere) {
  const std::string all = content(3);
  for (size_t size = 0; size < all.size() - kFrameHeaderBytes; ++size) {
    set_content(all.substr(0, size), 3);
    ASSERT_TRUE(is_damaged()) << size;
  }
}

TEST_F(LogSegmentsTest, moreBehindTheEndOfASegment) {
  set_content(content(1) + "x", 1);
  EXPECT_EQ(damage(), "offset 174: there is more behind the end of this segment");
}

TEST_F(LogSegmentsTest, segmentsInEachOthersPlace) {
  const std::string one = content(1);
  set_content(content(3), 1);
  set_content(one, 3);
  EXPECT_TRUE(is_damaged());
}

// A crash before the end frame was durable.
TEST_F(LogSegmentsTest, anEndThatIsMissingIsForgivenWhileNothingBehindItWasDurable) {
  const std::string all = content(3);
  const std::string last = content(5);
  for (size_t size = all.size() - kFrameHeaderBytes; size < all.size(); ++size) {
    SCOPED_TRACE(size);
    set_content(all.substr(0, size), 3);
    ASSERT_EQ(read(), "1=a 2=b 3=c 4=d 5=e");
    ASSERT_FALSE(tail_.before_last->has_end_frame);
    ASSERT_TRUE(is_damaged(1, 5));
    set_content(last.substr(0, last.size() - 1), 5);
    ASSERT_EQ(read(), "1=a 2=b 3=c 4=d");
    ASSERT_EQ(tail_.torn_bytes() + 2 * kFileHeaderBytes,
              size - (all.size() - kFrameHeaderBytes) + last.size() - 1 + kFileHeaderBytes);
    set_content(last, 5);
  }
  set_content(all, 3);
  write_synced("f");
  set_content(all.substr(0, all.size() - 1), 3);
  EXPECT_EQ(damage(), "offset 134: the end of this segment is damaged");
  set_content(all.substr(0, all.size() - kFrameHeaderBytes), 3);
  EXPECT_EQ(damage(), "offset 134: the end of this segment is damaged");
}

// Three records in a segment and two in the next one, and only the first was ever synced.
class UnendedLogTest : public LogReaderTest {
 protected:
  UnendedLogTest() {
    reopen({.segment_bytes = 150});
    write_synced("a");
    for (const char* word : {"b", "c", "d", "e"}) EXPECT_TRUE(write(word).ok());
    old_ = content(1);
    last_ = content(4);
  }
  std::string old_;
  std::string last_;
};

TEST_F(UnendedLogTest, whatIsWholeIsRead) {
  EXPECT_EQ(read(), "1=a 2=b 3=c 4=d 5=e");
  EXPECT_EQ(tail_.before_last->next_sequence, 4u);
  EXPECT_EQ(tail_.torn_bytes(), 0u);
  EXPECT_EQ(reopen(), "1=a 2=b 3=c 4=d 5=e");
  write_synced("f");
  EXPECT_EQ(reopen(), "1=a 2=b 3=c 4=d 5=e 6=f");
  EXPECT_FALSE(tail_.before_last.has_value());
}

TEST_F(UnendedLogTest, whatFollowsOnNothingIsDropped) {
  const size_t frame = pieces(4)[1].size();
  const size_t frames = kFileHeaderBytes + 3 * frame;
  for (size_t size = kFileHeaderBytes + frame; size < frames; ++size) {
    SCOPED_TRACE(size);
    set_content(old_.substr(0, size), 1);
    set_content(last_, 4);
    ASSERT_EQ(reopen(), size < frames - frame ? "1=a" : "1=a 2=b");
    ASSERT_EQ(tail_.dropped->path, segment(4));
    ASSERT_EQ(tail_.torn_bytes(), (size - kFileHeaderBytes) % frame + last_.size());
    ASSERT_FALSE(env_.exists(segment(4)));
    write_synced("x");
    ASSERT_EQ(read(), size < frames - frame ? "1=a 2=x" : "1=a 2=b 3=x");
  }
  set_content(old_.substr(0, kFileHeaderBytes + frame - 1), 1);
  set_content(last_, 4);
  EXPECT_EQ(damage(), "offset 48: a frame is cut off") << "b's frame tells of a";
}

TEST_F(UnendedLogTest, noneIsDroppedThatProvesSomething) {
  EXPECT_TRUE(sync().ok());
  EXPECT_TRUE(write("f").ok());
  last_ = content(4);
  for (size_t size = 0; size < old_.size() - kFrameHeaderBytes; ++size) {
    set_content(old_.substr(0, size), 1);
    ASSERT_TRUE(is_damaged()) << size;
  }
}

TEST_F(UnendedLogTest, aCrashMayLeaveTheLastWithoutAHeader) {
  for (size_t size = 0; size < kFileHeaderBytes; ++size) {
    set_content(last_.substr(0, size), 4);
    ASSERT_EQ(read(), "1=a 2=b 3=c");
    ASSERT_TRUE(is_damaged(1, 4));
  }
  set_content(std::string(last_.size(), '\0'), 4);
  EXPECT_EQ(reopen(), "1=a 2=b 3=c");
  write_synced("x");
  EXPECT_EQ(read(), "1=a 2=b 3=c 4=x");
}

TEST_F(UnendedLogTest, segmentsOfOthersAreNotDropped) {
  cut(1, 1);
  set_content(old_.substr(0, old_.size() - kFrameHeaderBytes - 1), 1);
  std::string other = last_;
  FileOwner stranger = owner_;
  stranger.worker = 1;
  other.replace(0, kFileHeaderBytes, encode_file_header({FileKind::kLog, stranger, 4}));
  set_content(other, 4);
  EXPECT_EQ(damage(), "offset 0: a file of another worker");
}

}  // namespace
}  // namespace lh::storage
