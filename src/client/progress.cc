#include "client/progress.h"

#include <algorithm>
#include <cmath>

#include "base/strings.h"
#include "client/output.h"

namespace lh::client {
namespace {

constexpr base::Duration kDrawEvery = base::ms(100);
constexpr size_t kBarWidth = 20;

void print(int fd, std::string_view text) {
  Output out(fd);
  out.append(text);
  out.flush();
}

}  // namespace

std::string progress_line(base::Duration elapsed, uint64_t count, const char* unit, uint64_t done,
                          uint64_t total) {
  const double seconds = std::max(elapsed.seconds(), 1e-3);
  std::string line;
  const double part =
      total == 0 ? 0 : std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
  if (total > 0) {
    const auto filled = static_cast<size_t>(part * kBarWidth);
    line += '[' + std::string(filled, '#') + std::string(kBarWidth - filled, '.') + ']';
    base::append_format(&line, " %3.0f%%  ", std::floor(part * 100));
  }
  base::append_format(&line, "%llu %s  %.0f/s", static_cast<unsigned long long>(count), unit,
                      static_cast<double>(count) / seconds);
  if (part > 0) {
    const auto left = static_cast<unsigned long long>(seconds * (1 - part) / part + 0.5);
    base::append_format(&line, "  %llu:%02llu left", left / 60, left % 60);
  }
  return line;
}

void Progress::update(base::Instant now, uint64_t count, uint64_t done, uint64_t total) {
  if (fd_ < 0 || now - drawn_at_ < kDrawEvery) return;
  drawn_at_ = now;
  std::string line = progress_line(now - start_, count, unit_, done, total);
  const size_t size = line.size();
  line.resize(std::max(width_, size), ' ');
  width_ = size;
  print(fd_, '\r' + line);
}

void Progress::clear() {
  if (width_ > 0) print(fd_, '\r' + std::string(width_, ' ') + '\r');
  width_ = 0;
}

}  // namespace lh::client
