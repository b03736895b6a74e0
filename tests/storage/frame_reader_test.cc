#include "storage/frame_reader.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "storage/mem_env.h"

namespace lh::storage {
namespace {

using Step = FrameReader::Step;

class FrameReaderTest : public ::testing::Test {
 protected:
  FrameReaderTest() { env_.set_content("f", head_); }

  std::string frame(uint64_t first, const std::string& payload) {
    return encode_frame({.count = 1, .first = first, .durable = first - 1}, payload,
                        salt_of(head_));
  }
  void add(const std::string& bytes) { env_.set_content("f", env_.content("f") + bytes); }

  std::unique_ptr<FrameReader> open() {
    auto reader = FrameReader::open(&env_, "f");
    EXPECT_TRUE(reader.ok()) << reader.status().message();
    return std::move(reader).value();
  }

  MemEnv env_;
  std::string head_ = encode_file_header({FileKind::kLog, {.epoch = 5}, 1});
};

TEST_F(FrameReaderTest, framesComeOneByOne) {
  add(frame(1, "one") + frame(2, ""));
  const auto reader = open();
  EXPECT_EQ(reader->header().owner.epoch, 5u);
  Frame found;
  ASSERT_EQ(reader->next(&found).value(), Step::kFrame);
  EXPECT_EQ(found.payload, "one");
  EXPECT_EQ(found.offset, 48u);
  EXPECT_EQ(found.header_bytes, frame(1, "one").substr(0, kFrameHeaderBytes));
  ASSERT_EQ(reader->next(&found).value(), Step::kFrame);
  EXPECT_EQ(found.payload, "");
  EXPECT_EQ(found.offset, 91u);
  EXPECT_EQ(reader->next(&found).value(), Step::kEnd);
  EXPECT_EQ(reader->next(&found).value(), Step::kEnd);
}

TEST_F(FrameReaderTest, framesMayBeLargerThanTheWindow) {
  const std::string large(3 * FrameReader::kWindowBytes + 7, 'x');
  add(frame(1, "one") + frame(2, large) + frame(3, "three"));
  const auto reader = open();
  Frame found;
  EXPECT_EQ(reader->next(&found).value(), Step::kFrame);
  EXPECT_EQ(reader->next(&found).value(), Step::kFrame);
  EXPECT_EQ(found.payload, large);
  EXPECT_EQ(reader->next(&found).value(), Step::kFrame);
  EXPECT_EQ(found.payload, "three");
}

TEST_F(FrameReaderTest, aBrokenFrameStaysWhereItIs) {
  add(frame(1, "one") + frame(2, "two").substr(1));
  const auto reader = open();
  Frame found;
  EXPECT_EQ(reader->next(&found).value(), Step::kFrame);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(reader->next(&found).value(), Step::kBroken);
    EXPECT_EQ(reader->offset(), 91u);
  }
}

TEST_F(FrameReaderTest, aFileThatCannotBeReadIsAnErrorOfTheSystem) {
  add(frame(1, std::string(2 * FrameReader::kWindowBytes, 'x')));
  const auto reader = open();
  env_.fail_reads("f");
  Frame found;
  EXPECT_EQ(reader->next(&found).status().code(), StatusCode::kIo);
  EXPECT_EQ(FrameReader::open(&env_, "f").status().code(), StatusCode::kIo);
  EXPECT_EQ(FrameReader::open(&env_, "none").status().code(), StatusCode::kNotFound);
}

TEST_F(FrameReaderTest, manyBeginningsOfFramesAreNoProof) {
  std::string bytes;
  while (bytes.size() < 4 * FrameReader::kWindowBytes) bytes += frame_magic();
  add(bytes);
  EXPECT_FALSE(open()->proves_durable(1).value());
  add(frame(5, ""));
  EXPECT_TRUE(open()->proves_durable(4).value());
  EXPECT_FALSE(open()->proves_durable(5).value());
}

TEST_F(FrameReaderTest, recordsOfAFrameAreVisited) {
  std::string seen;
  const auto visit = [&seen](const Record& record) {
    seen += std::to_string(record.sequence) + "/" + std::to_string(record.stream) + "=" +
            std::string(record.payload) + " ";
    return Status();
  };
  const std::string_view payload("\1\7a\2\x80\1bb\0\0", 10);
  const Frame whole{
      .header = {.count = 3, .first = 5}, .header_bytes = {}, .payload = payload, .offset = 0};
  EXPECT_TRUE(visit_records(whole, "f", 0, visit).ok());
  EXPECT_EQ(seen, "5/7=a 6/128=bb 7/0= ");
  seen.clear();
  EXPECT_TRUE(visit_records(whole, "f", 7, visit).ok());
  EXPECT_EQ(seen, "7/0= ");
}

TEST_F(FrameReaderTest, zerosBehindTheLastFrameAreItsEnd) {
  for (const size_t zeros : {size_t{1}, kFrameHeaderBytes, 3 * FrameReader::kWindowBytes}) {
    env_.set_content("f", head_ + frame(1, "one") + std::string(zeros, '\0'));
    auto reader = open();
    Frame found;
    ASSERT_EQ(reader->next(&found).value(), Step::kFrame);
    EXPECT_EQ(reader->next(&found).value(), Step::kEnd);
    EXPECT_TRUE(reader->is_at_end().value());
    EXPECT_EQ(reader->size() - reader->offset(), zeros);
    add("x");
    reader = open();
    ASSERT_EQ(reader->next(&found).value(), Step::kFrame);
    EXPECT_EQ(reader->next(&found).value(), Step::kBroken) << zeros;
    EXPECT_FALSE(reader->is_at_end().value());
  }
}

TEST_F(FrameReaderTest, recordsAreShownAheadOfTheirVisits) {
  std::string payload;
  for (int k = 0; k < 70; ++k) payload += std::string("\1\1x", 3);
  const Frame whole{
      .header = {.count = 70, .first = 1}, .header_bytes = {}, .payload = payload, .offset = 0};
  uint64_t shown = 9;
  uint64_t visited = 9;
  const RecordVisitor visitor(
      [&](const Record& record) {
        EXPECT_EQ(record.sequence, ++visited);
        EXPECT_LE(visited, shown);
        return Status();
      },
      [&](std::span<const Record> records) {
        EXPECT_EQ(shown, visited);
        for (const Record& record : records) EXPECT_EQ(record.sequence, ++shown);
      });
  EXPECT_TRUE(visit_records(whole, "f", 10, visitor).ok());
  EXPECT_EQ(visited, 70u);
}

}  // namespace
}  // namespace lh::storage
