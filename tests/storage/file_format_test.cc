#include "storage/file_format.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace lh::storage {
namespace {

constexpr FileOwner kOwner{.node = NodeId{9}, .epoch = 1, .generation = 2, .worker = 3};

TEST(FileFormatTest, fileHeadersComeBack) {
  constexpr uint64_t kHuge = std::numeric_limits<uint64_t>::max();
  for (const FileKind kind : {FileKind::kLog, FileKind::kSnapshot, FileKind::kManifest}) {
    const std::string bytes =
        encode_file_header({kind, {NodeId{0xffffffff}, kHuge, kHuge - 1, 0xfffffffe}, kHuge - 2});
    ASSERT_EQ(bytes.size(), kFileHeaderBytes);
    FileHeader header;
    uint32_t salt = 0;
    ASSERT_TRUE(decode_file_header(bytes + "more", "f", &header, &salt).ok());
    EXPECT_EQ(header.kind, kind);
    EXPECT_EQ(header.owner.node, NodeId{0xffffffff});
    EXPECT_EQ(header.owner.epoch, kHuge);
    EXPECT_EQ(header.owner.generation, kHuge - 1);
    EXPECT_EQ(header.owner.worker, 0xfffffffeu);
    EXPECT_EQ(header.first, kHuge - 2);
    EXPECT_EQ(salt, salt_of(bytes));
  }
}

TEST(FileFormatTest, frameHeadersComeBackUnderTheirSaltOnly) {
  const FrameHeader header{.type = FrameType::kClose,
                           .payload_bytes = 1,
                           .payload_crc = 2,
                           .count = 3,
                           .first = 4,
                           .durable = 5};
  char bytes[kFrameHeaderBytes];
  encode_frame_header(header, 77, bytes);
  const std::string_view view(bytes, sizeof bytes);
  FrameHeader found;
  ASSERT_TRUE(decode_frame_header(view, 77, &found));
  EXPECT_EQ(found.type, FrameType::kClose);
  EXPECT_EQ(found.payload_bytes, 1u);
  EXPECT_EQ(found.payload_crc, 2u);
  EXPECT_EQ(found.count, 3u);
  EXPECT_EQ(found.first, 4u);
  EXPECT_EQ(found.durable, 5u);
  EXPECT_FALSE(decode_frame_header(view, 78, &found));
  EXPECT_FALSE(decode_frame_header(view.substr(1), 77, &found));
  for (size_t bit = 0; bit < 8 * sizeof bytes; ++bit) {
    std::string flipped(view);
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
    ASSERT_FALSE(decode_frame_header(flipped, 77, &found)) << bit;
  }
}

TEST(FileFormatTest, typesThatDoNotExistAreNoFrames) {
  FrameHeader found;
  for (const uint8_t type : {uint8_t{0}, uint8_t{6}, uint8_t{255}}) {
    const std::string frame = encode_frame({.type = FrameType{type}}, "", 1);
    EXPECT_FALSE(decode_frame_header(frame, 1, &found)) << int{type};
  }
}

TEST(FileFormatTest, aFileBelongsWhereItsHeaderSays) {
  const FileHeader expected{FileKind::kLog, kOwner, 5};
  EXPECT_TRUE(check_owner(expected, expected, "f").ok());
  FileHeader early = expected;
  early.owner.node = NodeId::kNone;
  EXPECT_TRUE(check_owner(early, expected, "f").ok()) << "written before the node had its number";
  const auto message = [&](auto change) {
    FileHeader header = expected;
    change(&header);
    return std::string(check_owner(header, expected, "f").message());
  };
  EXPECT_EQ(message([](FileHeader* h) { h->kind = FileKind::kSnapshot; }),
            "f, offset 0: a file of another kind");
  EXPECT_EQ(message([](FileHeader* h) { h->owner.node = NodeId{1}; }),
            "f, offset 0: a file of another node");
  EXPECT_EQ(message([](FileHeader* h) { h->owner.epoch = 9; }),
            "f, offset 0: a file of another data directory");
  EXPECT_EQ(message([](FileHeader* h) { h->owner.generation = 9; }),
            "f, offset 0: a file of another worker");
  EXPECT_EQ(message([](FileHeader* h) { h->first = 6; }),
            "f, offset 0: the header and the name of the file disagree on its first sequence");
}

}  // namespace
}  // namespace lh::storage
