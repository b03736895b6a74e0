// History: the lines that were typed, oldest first, in memory and in a file that several prompts
// may share: each line is appended at once. The file is for its owner's eyes only, as values may be
// secrets. One thread. A file that cannot be read or written is no history, and no error.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace lh::client {

class History {
 public:
  static constexpr size_t kLinesMax = 1'000;

  // In memory only.
  History() = default;
  // Reads the last lines of the file.
  explicit History(std::string path);

  // Empty lines and repetitions of the last one are passed over.
  void add(std::string_view line);

  size_t size() const { return lines_.size(); }
  // 0 is the oldest.
  const std::string& line(size_t index) const { return lines_[index]; }

 private:
  bool remember(std::string_view line);
  void rewrite() const;

  std::string path_;
  std::vector<std::string> lines_;
};

// ~/.lhnode_history; empty when there is no home.
std::string history_path();

}  // namespace lh::client
