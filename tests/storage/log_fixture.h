// A log in memory, as a small language: write("a b"); sync(); crash(); EXPECT_EQ(read(), "1=a
// 2=b").
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "storage/file_names.h"
#include "storage/log_reader.h"
#include "storage/log_writer.h"
#include "storage/mem_env.h"

namespace lh::storage {

class LogFixture : public ::testing::Test {
 protected:
  static constexpr uint64_t kStream = 7;

  LogFixture() {
    EXPECT_TRUE(env_.make_dir("w").ok());
    EXPECT_TRUE(env_.sync_dir(".").ok());
    EXPECT_TRUE(LogWriter::create(&env_, "w", owner_).ok());
    EXPECT_EQ(reopen(), "");
  }

  // Reads the log, and goes on writing behind it. Returns what read() says, unless it is damage.
  std::string reopen(const LogWriterOptions& options = {}) {
    writer_.reset();
    const std::string found = read();
    if (found.starts_with("w/")) return found;
    auto writer = LogWriter::open(&env_, "w", owner_, tail_, options);
    EXPECT_TRUE(writer.ok()) << writer.status().message();
    if (!writer.ok()) return std::string(writer.status().message());
    writer_ = std::move(writer).value();
    batch_ = LogBatch(writer_->next_sequence());
    return found;
  }

  // One frame with these words as records.
  Status write(const std::string& words) {
    std::istringstream in(words);
    for (std::string word; in >> word;) batch_.append(kStream, word);
    const Status status = writer_->write(&batch_);
    if (status.ok()) batch_.clear();
    return status;
  }
  Status sync() { return writer_->sync(); }
  Status close() { return writer_->close(); }
  void write_synced(const std::string& words) {
    ASSERT_TRUE(write(words).ok());
    ASSERT_TRUE(sync().ok());
  }

  // "1=a 2=b", or the message of what is wrong; tail_ then tells how it ended.
  std::string read(uint64_t oldest = 1, uint64_t durable = 0) {
    std::string found;
    const auto visit = [&found](const Record& record) {
      EXPECT_EQ(record.stream, kStream);
      found += (found.empty() ? "" : " ") + std::to_string(record.sequence) + "=";
      found += record.payload;
      return Status();
    };
    const Status status = read_log(&env_, "w", owner_, oldest, durable, visit, &tail_);
    if (status.ok()) return found;
    EXPECT_EQ(status.code(), StatusCode::kDamaged) << status.message();
    return std::string(status.message());
  }

  // What follows the path in the message: the segment is the one that the test is about.
  std::string damage(uint64_t oldest = 1, uint64_t durable = 0) {
    const std::string message = read(oldest, durable);
    const size_t comma = message.find(", ");
    return message.starts_with("w") && comma != std::string::npos ? message.substr(comma + 2)
                                                                  : "none: " + message;
  }

  static std::string segment(uint64_t first) { return "w/" + segment_name(first); }
  std::string content(uint64_t first = 1) { return env_.content(segment(first)); }
  void set_content(std::string_view bytes, uint64_t first = 1) {
    env_.set_content(segment(first), bytes);
  }
  void cut(size_t bytes, uint64_t first = 1) {
    const std::string all = content(first);
    set_content(all.substr(0, all.size() - bytes), first);
  }
  // The file as a header and its frames.
  std::vector<std::string> pieces(uint64_t first = 1) {
    const std::string all = content(first);
    std::vector<std::string> found = {all.substr(0, kFileHeaderBytes)};
    const uint32_t salt = salt_of(all);
    for (size_t at = kFileHeaderBytes; at < all.size();) {
      FrameHeader header;
      EXPECT_TRUE(decode_frame_header(all.substr(at), salt, &header));
      found.push_back(all.substr(at, kFrameHeaderBytes + header.payload_bytes));
      at += found.back().size();
    }
    return found;
  }
  void set_pieces(const std::vector<std::string>& parts, uint64_t first = 1) {
    std::string all;
    for (const std::string& part : parts) all += part;
    set_content(all, first);
  }

  MemEnv env_;
  base::Prng prng_{301};
  FileOwner owner_{.node = NodeId{3}, .epoch = 0xabcdef, .generation = 1, .worker = 0};
  std::unique_ptr<LogWriter> writer_;
  LogBatch batch_{1};
  LogTail tail_;
};

}  // namespace lh::storage
