#include "base/log.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/mutex.h"
#include "base/strings.h"

namespace lh::base {
namespace {

static_assert(kLogLineMax <= PIPE_BUF);

constexpr std::array<std::string_view, 4> kLevelNames = {"debug", "info", "warn", "error"};
constexpr std::string_view kCut = "...";

// Time, level and newline around a body: kLogLineMax bounds the sum.
constexpr size_t kPrefixSize = std::string_view("2026-11-22T04:29:40.123Z info  ").size();
constexpr size_t kBodyMax = kLogLineMax - kPrefixSize - 1;

std::atomic<LogSink*> log_sink{nullptr};

Mutex log_file_mutex;
std::string log_file_path LH_GUARDED_BY(log_file_mutex);

// One write; what a full disk or a closed pipe refuses is lost, as there is nowhere to report it.
void write_to_stderr(std::string_view line) {
  while (::write(STDERR_FILENO, line.data(), line.size()) < 0 && errno == EINTR) {
  }
}

bool is_plain(std::string_view value) {
  return value.find('=') == std::string_view::npos && !needs_quotes(value);
}

// Cuts between characters, so that the line stays valid UTF-8.
void cut_body(std::string* body) {
  size_t size = kBodyMax - kCut.size();
  while (size > 0 && (static_cast<uint8_t>((*body)[size]) & 0xc0) == 0x80) --size;
  body->resize(size);
  body->append(kCut);
}

}  // namespace

std::string_view to_string(LogLevel level) { return kLevelNames[static_cast<size_t>(level)]; }

std::optional<LogLevel> parse_log_level(std::string_view word) {
  for (size_t i = 0; i < kLevelNames.size(); ++i) {
    if (word == kLevelNames[i]) return static_cast<LogLevel>(i);
  }
  return std::nullopt;
}

void set_log_level(LogLevel level) { internal::log_level.store(level, std::memory_order_relaxed); }

LogSink* set_log_sink(LogSink* sink) { return log_sink.exchange(sink, std::memory_order_acq_rel); }

std::string format_log_line(int64_t wall_ms, LogLevel level, std::string_view body) {
  const time_t wall_s = wall_ms / 1000;
  tm utc{};
  gmtime_r(&wall_s, &utc);
  std::string line = format("%04d-%02d-%02dT%02d:%02d:%02d.%03dZ %-5s ", utc.tm_year + 1900,
                            utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
                            static_cast<int>(wall_ms % 1000), to_string(level).data());
  line.append(body);
  line.push_back('\n');
  return line;
}

void remember_log_file() {
  MutexLock lock(log_file_mutex);
  log_file_path.clear();
  struct stat status {};
  if (fstat(STDERR_FILENO, &status) != 0 || !S_ISREG(status.st_mode)) return;
  char path[PATH_MAX];
  const ssize_t size = readlink("/proc/self/fd/2", path, sizeof path);
  if (size > 0 && size < PATH_MAX) log_file_path.assign(path, static_cast<size_t>(size));
}

bool reopen_log() {
  MutexLock lock(log_file_mutex);
  if (log_file_path.empty()) return true;
  const int fd = open(log_file_path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
  if (fd < 0) return false;
  const bool replaced = dup2(fd, STDERR_FILENO) >= 0;
  close(fd);
  return replaced;
}

LogLine::LogLine(LogLevel level, std::string_view component, std::string_view event)
    : level_(level) {
  body_.reserve(160);
  body_.append(component).append(" ").append(event);
}

LogLine::~LogLine() {
  if (body_.size() > kBodyMax) cut_body(&body_);
  if (LogSink* sink = log_sink.load(std::memory_order_acquire)) {
    sink->write(level_, body_);
  } else {
    write_to_stderr(format_log_line(wall_clock_ms(), level_, body_));
  }
}

LogLine& LogLine::kv(std::string_view key, std::string_view value) {
  body_.append(" ").append(key).append("=");
  if (is_plain(value)) {
    body_.append(value);
  } else {
    append_quoted(&body_, value);
  }
  return *this;
}

LogLine& LogLine::kv(std::string_view key, double value) { return kv(key, format("%.6g", value)); }

LogLine& LogLine::signed_kv(std::string_view key, int64_t value) {
  body_.append(" ").append(key).append("=").append(std::to_string(value));
  return *this;
}

LogLine& LogLine::unsigned_kv(std::string_view key, uint64_t value) {
  body_.append(" ").append(key).append("=").append(std::to_string(value));
  return *this;
}

bool RateLimit::allow(Instant now) {
  int64_t next = next_ns_.load(std::memory_order_relaxed);
  if (now.ns() >= next &&
      next_ns_.compare_exchange_strong(next, (now + kInterval).ns(), std::memory_order_relaxed)) {
    return true;
  }
  suppressed_.fetch_add(1, std::memory_order_relaxed);
  return false;
}

}  // namespace lh::base
