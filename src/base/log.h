// The log: one event, one line, one write(2) to stderr, for people and for grep.
//
//   2026-11-22T04:29:40.123Z info  split done bucket=3 node=127.0.0.1:40123
//
// Time (UTC), level, component, event, then key=value pairs. Values with blanks, quotes, '=' or
// control bytes are quoted as in the text protocol; there is never an ANSI sequence, and no value
// can start a line of its own. A line longer than kLogLineMax is cut and ends in "...".
//
//   LH_LOG(kInfo, "split", "done").kv("bucket", 3).kv("node", address);
//
// When the level is off nothing right of LH_LOG is evaluated. Any thread may log. Secrets, keys and
// values of records do not belong here.
#pragma once

#include <atomic>
#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace lh::base {

enum class LogLevel : uint8_t { kDebug, kInfo, kWarn, kError };

// "debug", "info", "warn", "error".
std::string_view to_string(LogLevel level);
std::optional<LogLevel> parse_log_level(std::string_view word);

// The least level that is logged, for the whole process; kInfo at the start.
void set_log_level(LogLevel level);

namespace internal {
inline std::atomic<LogLevel> log_level{LogLevel::kInfo};
}
inline bool log_enabled(LogLevel level) {
  return level >= internal::log_level.load(std::memory_order_relaxed);
}

// A pipe takes a write of up to this many bytes (PIPE_BUF) as one piece.
inline constexpr size_t kLogLineMax = 4096;

// Where lines go. body is "component event key=value ..." without time, level and newline, so that
// a test or the simulator sees the same text in every run. Called on the thread that logs.
class LogSink {
 public:
  virtual ~LogSink() = default;
  virtual void write(LogLevel level, std::string_view body) = 0;
};

// Replaces the sink; nullptr restores stderr. Returns the one before (nullptr for stderr). The
// caller keeps a sink alive until no thread can still be inside it.
LogSink* set_log_sink(LogSink* sink);

// The whole line as stderr gets it, with its newline. wall_ms: milliseconds since 1970 UTC.
std::string format_log_line(int64_t wall_ms, LogLevel level, std::string_view body);

// For log rotation. A process that was started with `2>>FILE` has no name for its log:
// remember_log_file(), called once at the start, asks the system for it, and reopen_log(), called
// after SIGHUP, opens that name anew and puts it in stderr's place. Both do nothing, and
// reopen_log() returns true, when stderr is not a regular file (a terminal, a pipe, the journal).
// False: the file could not be opened; the old one goes on being used.
void remember_log_file();
bool reopen_log();

// One line in the making; the destructor hands it to the sink. Made by LH_LOG.
class LogLine {
 public:
  LogLine(LogLevel level, std::string_view component, std::string_view event);
  ~LogLine();
  LogLine(const LogLine&) = delete;
  LogLine& operator=(const LogLine&) = delete;

  LogLine& kv(std::string_view key, std::string_view value);
  LogLine& kv(std::string_view key, const char* value) { return kv(key, std::string_view(value)); }
  LogLine& kv(std::string_view key, bool value) { return kv(key, value ? "true" : "false"); }
  LogLine& kv(std::string_view key, double value);
  LogLine& kv(std::string_view key, Duration value) { return kv(key, value.seconds()); }
  template <std::integral T>
  LogLine& kv(std::string_view key, T value) {
    static_assert(!std::same_as<T, char>, "a char is text or a number: say which");
    if constexpr (std::signed_integral<T>) return signed_kv(key, value);
    return unsigned_kv(key, static_cast<uint64_t>(value));
  }

  // Adds suppressed=count when there were any.
  LogLine& suppressed(uint64_t count) { return count > 0 ? kv("suppressed", count) : *this; }

 private:
  LogLine& signed_kv(std::string_view key, int64_t value);
  LogLine& unsigned_kv(std::string_view key, uint64_t value);

  LogLevel level_;
  std::string body_;
};

// Lets one event a second through and counts the others: a peer that misbehaves a million times
// must not fill the disk. Safe on any thread; when two race for the same second one wins.
class RateLimit {
 public:
  bool allow(Instant now);

  // How many were not allowed since the last call.
  uint64_t take_suppressed() { return suppressed_.exchange(0, std::memory_order_relaxed); }

 private:
  static constexpr Duration kInterval = seconds(1);

  std::atomic<int64_t> next_ns_{std::numeric_limits<int64_t>::min()};
  std::atomic<uint64_t> suppressed_{0};
};

}  // namespace lh::base

// `level` is an enumerator of LogLevel without its scope.
#define LH_LOG(level, component, event)                        \
  if (!::lh::base::log_enabled(::lh::base::LogLevel::level)) { \
  } else                                                       \
    ::lh::base::LogLine(::lh::base::LogLevel::level, component, event)

// The same, at most once a second for this place in the source; the next line that gets through
// says how many did not. limit_now: the Instant of this turn.
#define LH_LOG_LIMITED(level, component, event, limit_now)                          \
  if (!::lh::base::log_enabled(::lh::base::LogLevel::level)) {                      \
  } else if (static ::lh::base::RateLimit lh_limit_; !lh_limit_.allow(limit_now)) { \
  } else                                                                            \
    ::lh::base::LogLine(::lh::base::LogLevel::level, component, event)              \
        .suppressed(lh_limit_.take_suppressed())
