// Files of a test: made, read and removed with it.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

namespace lh::client::testing {

// A directory of its own for one test.
class TempDir {
 public:
  TempDir() {
    std::string pattern = ::testing::TempDir() + "/lhnode-client-XXXXXX";
    EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
    path_ = pattern;
  }
  ~TempDir() { std::filesystem::remove_all(path_); }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  std::string path(std::string_view name) const { return path_ + "/" + std::string(name); }

  std::string write(std::string_view name, std::string_view text) const {
    std::ofstream(path(name), std::ios::binary) << text;
    return path(name);
  }

 private:
  std::string path_;
};

inline bool exists(const std::string& path) { return std::filesystem::exists(path); }

inline std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Both ends of a pipe.
struct Pipe {
  Pipe() { EXPECT_EQ(0, ::pipe2(fds, O_CLOEXEC)); }
  ~Pipe() {
    close_writer();
    close_reader();
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  int reader() const { return fds[0]; }
  int writer() const { return fds[1]; }
  void close_reader() {
    if (fds[0] >= 0) ::close(fds[0]);
    fds[0] = -1;
  }
  void close_writer() {
    if (fds[1] >= 0) ::close(fds[1]);
    fds[1] = -1;
  }
  void write(std::string_view bytes) const {
    ASSERT_EQ(static_cast<ssize_t>(bytes.size()), ::write(fds[1], bytes.data(), bytes.size()));
  }
  // What was written, up to the end; closes the writer.
  std::string read_all() {
    close_writer();
    std::string all;
    char block[4096];
    for (ssize_t got = 0; (got = ::read(fds[0], block, sizeof block)) > 0;) {
      all.append(block, static_cast<size_t>(got));
    }
    return all;
  }

  int fds[2] = {-1, -1};
};

}  // namespace lh::client::testing
