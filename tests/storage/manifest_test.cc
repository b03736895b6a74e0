#include "storage/manifest.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "storage/mem_env.h"

namespace lh::storage {
namespace {

class ManifestTest : public ::testing::Test {
 protected:
  std::string read() {
    Manifest found;
    const Status status = read_manifest(&env_, ".", &found);
    if (!status.ok()) return std::string(status.message());
    std::string text = "node=" + std::to_string(static_cast<uint32_t>(found.node)) +
                       " epoch=" + std::to_string(found.epoch) +
                       " edit=" + std::to_string(found.edit);
    for (const ManifestEntry& entry : found.entries) {
      text += " " + std::to_string(entry.generation) + "." + std::to_string(entry.worker) + "@" +
              std::to_string(entry.oldest) + (entry.has_snapshot ? "s" : "") + ".." +
              std::to_string(entry.durable);
    }
    return text;
  }
  void write(const std::vector<ManifestEntry>& entries) {
    manifest_.entries = entries;
    ASSERT_TRUE(write_manifest(&env_, ".", manifest_).ok());
  }
  bool is_damaged() {
    Manifest found;
    return read_manifest(&env_, ".", &found).code() == StatusCode::kDamaged;
  }

  MemEnv env_;
  Manifest manifest_{.node = NodeId{3}, .epoch = 5, .edit = 8, .entries = {}};
};

TEST_F(ManifestTest, itComesBack) {
  write({});
  EXPECT_EQ(read(), "node=3 epoch=5 edit=8");
  write({{1, 0, true, 7, 6}, {1, 1, false, 1, 9}, {4, 0, false, 1, 0}});
  EXPECT_EQ(read(), "node=3 epoch=5 edit=8 1.0@7s..6 1.1@1..9 4.0@1..0");
  EXPECT_EQ(manifest_.newest_generation(), 4u);
  EXPECT_EQ(manifest_.workers(), 1u);
  EXPECT_TRUE(manifest_.has_older_generations());
}

TEST_F(ManifestTest, noneIsNotDamage) {
  Manifest found;
  EXPECT_EQ(read_manifest(&env_, ".", &found).code(), StatusCode::kNotFound);
}

TEST_F(ManifestTest, anyFlippedBitIsSeen) {
  write({{1, 0, true, 7, 6}, {1, 1, false, 1, 0}});
  for (uint64_t bit = 0; bit < env_.content("./MANIFEST").size() * 8; ++bit) {
    env_.flip_bit("./MANIFEST", bit);
    ASSERT_TRUE(is_damaged()) << bit;
    env_.flip_bit("./MANIFEST", bit);
  }
}

TEST_F(ManifestTest, cutAnywhereOrLongerItIsDamaged) {
  write({{1, 0, true, 7, 6}, {1, 1, false, 1, 0}});
  const std::string all = env_.content("./MANIFEST");
  for (size_t size = 0; size < all.size(); ++size) {
    env_.set_content("./MANIFEST", all.substr(0, size));
    ASSERT_TRUE(is_damaged()) << size;
  }
  env_.set_content("./MANIFEST", all + "x");
  EXPECT_EQ(read(), "./MANIFEST, offset 48: the manifest is not exactly one whole frame");
}

TEST_F(ManifestTest, entriesThatMakeNoSense) {
  const std::vector<std::vector<ManifestEntry>> all = {
      {{0, 0, false, 1, 0}},                       // generations count from 1
      {{1, 1, false, 1, 0}},                       // worker 0 is missing
      {{1, 0, false, 1, 0}, {1, 0, false, 1, 0}},  // an entry twice
      {{1, 0, false, 1, 0}, {1, 2, false, 1, 0}},  // worker 1 is missing
      {{2, 0, false, 1, 0}, {1, 0, false, 1, 0}},  // generations out of order
      {{1, 0, false, 0, 0}},                       // sequences count from 1
      {{1, 0, true, 7, 5}},                        // a snapshot of what was not durable
  };
  for (const auto& entries : all) {
    write(entries);
    EXPECT_EQ(read(), "./MANIFEST, offset 48: an entry of the manifest makes no sense");
  }
}

TEST_F(ManifestTest, aHeaderThatDoesNotMatch) {
  write({{1, 0, false, 1, 0}});
  const std::string all = env_.content("./MANIFEST");
  const std::string head = encode_file_header({FileKind::kManifest, {NodeId{3}, 5, 1, 2}, 0});
  const std::string payload = all.substr(kFileHeaderBytes + kFrameHeaderBytes);
  const auto frame = [&](uint32_t count, std::string_view bytes) {
    return encode_frame({.type = FrameType::kManifest, .count = count}, bytes, salt_of(head));
  };
  env_.set_content("./MANIFEST", head + frame(1, payload));
  EXPECT_EQ(read(), "./MANIFEST, offset 0: the header of the manifest does not match its entries");
  env_.set_content("./MANIFEST", head + frame(1, payload + "x"));
  EXPECT_EQ(read(), "./MANIFEST, offset 48: the manifest is malformed");
  env_.set_content("./MANIFEST", head + frame(0xffffffff, payload));
  EXPECT_EQ(read(), "./MANIFEST, offset 48: an entry of the manifest makes no sense");
}

TEST_F(ManifestTest, anotherFileInItsPlace) {
  env_.set_content("./MANIFEST", encode_file_header({FileKind::kLog, {}, 1}));
  EXPECT_EQ(read(), "./MANIFEST, offset 0: a file of another kind");
  EXPECT_TRUE(env_.remove("./MANIFEST").ok());
  EXPECT_TRUE(env_.make_dir("./MANIFEST").ok());
  EXPECT_TRUE(is_damaged());
}

}  // namespace
}  // namespace lh::storage
