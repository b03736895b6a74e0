#include "client/history.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "client/line_input.h"
#include "client/output.h"
#include "wire/text.h"

namespace lh::client {
namespace {

constexpr int kOwnerOnly = 0600;

void append_to(const std::string& path, int mode, std::string_view text) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | mode, kOwnerOnly);
  if (fd < 0) return;
  Output out(fd);
  out.append(text);
  out.flush();
  ::close(fd);
}

}  // namespace

History::History(std::string path) : path_(std::move(path)) {
  const int fd = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  LineInput input(fd, wire::kLineBytesMax, [] {});
  std::string_view line;
  size_t read = 0;
  for (; input.next(&line) == LineInput::Outcome::kLine; ++read) remember(line);
  ::close(fd);
  if (read > 2 * kLinesMax) rewrite();
}

bool History::remember(std::string_view line) {
  if (line.empty() || (!lines_.empty() && lines_.back() == line)) return false;
  if (lines_.size() == kLinesMax) lines_.erase(lines_.begin());
  lines_.emplace_back(line);
  return true;
}

void History::add(std::string_view line) {
  if (!remember(line) || path_.empty()) return;
  append_to(path_, O_APPEND, std::string(line) + '\n');
}

// Beside it and renamed, so that no other prompt finds half of it.
void History::rewrite() const {
  std::string text;
  for (const std::string& line : lines_) text.append(line).push_back('\n');
  const std::string part = path_ + ".part";
  append_to(part, O_TRUNC, text);
  if (std::rename(part.c_str(), path_.c_str()) != 0) ::unlink(part.c_str());
}

std::string history_path() {
  const char* home = std::getenv("HOME");
  if (home == nullptr || *home == '\0') return {};
  return std::string(home) + "/.lhnode_history";
}

}  // namespace lh::client
