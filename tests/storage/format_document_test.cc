// The examples of FORMAT.md are what the writers write.
#include "tests/format_document.h"

#include <gtest/gtest.h>

#include <string>

#include "storage/file_names.h"
#include "storage/log_reader.h"
#include "storage/log_writer.h"
#include "storage/manifest.h"
#include "storage/mem_env.h"
#include "storage/snapshot.h"

namespace lh::storage {
namespace {

std::string example(const std::string& title) {
  return lh::testing::format_example("storage", title);
}

std::string hex(const std::string& bytes) {
  std::string text;
  for (const char byte : bytes) {
    constexpr char kDigits[] = "0123456789abcdef";
    text += {kDigits[static_cast<uint8_t>(byte) >> 4], kDigits[byte & 15], ' '};
  }
  return text;
}

class FormatDocumentTest : public ::testing::Test {
 protected:
  FormatDocumentTest() { EXPECT_TRUE(env_.make_dir("w").ok()); }

  MemEnv env_;
  const FileOwner owner_{
      .node = NodeId{3}, .epoch = 0x1122334455667788, .generation = 1, .worker = 0};
};

TEST_F(FormatDocumentTest, logSegment) {
  ASSERT_TRUE(LogWriter::create(&env_, "w", owner_).ok());
  LogTail tail;
  const auto ignore = [](const Record&) { return Status(); };
  ASSERT_TRUE(read_log(&env_, "w", owner_, 1, 0, ignore, &tail).ok());
  const auto writer = LogWriter::open(&env_, "w", owner_, tail);
  ASSERT_TRUE(writer.ok());
  LogBatch batch(1);
  batch.append(0, "hi");
  batch.append(300, "key");
  ASSERT_TRUE(writer.value()->write(&batch).ok());
  ASSERT_TRUE(writer.value()->close().ok());
  EXPECT_EQ(hex(example("Log segment")), hex(env_.content("w/" + segment_name(1))));
}

TEST_F(FormatDocumentTest, snapshot) {
  const auto writer = SnapshotWriter::begin(&env_, "w", owner_, 2);
  ASSERT_TRUE(writer.ok());
  LogBatch batch(1);
  batch.append(300, "key");
  ASSERT_TRUE(writer.value()->write(&batch).ok());
  ASSERT_TRUE(writer.value()->finish(2).ok());
  EXPECT_EQ(hex(example("Snapshot")), hex(env_.content("w/" + snapshot_name(2))));
}

TEST_F(FormatDocumentTest, manifest) {
  const Manifest manifest{
      .node = owner_.node, .epoch = owner_.epoch, .edit = 4, .entries = {{1, 0, true, 3, 2}}};
  EXPECT_EQ(hex(example("Manifest")), hex(encode_manifest(manifest)));
}

}  // namespace
}  // namespace lh::storage
