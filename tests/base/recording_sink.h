// RecordingSink: what is logged while it lives goes here, for tests that look at it. Safe on any
// thread.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/mutex.h"

namespace lh::base::testing {

class RecordingSink final : public LogSink {
 public:
  RecordingSink() : before_(set_log_sink(this)) {}
  ~RecordingSink() override {
    set_log_sink(before_);
    set_log_level(LogLevel::kInfo);
  }

  void write(LogLevel level, std::string_view body) override {
    MutexLock lock(mutex_);
    lines_.push_back(std::string(to_string(level)) + " " + std::string(body));
  }

  // `info component event key=value`, a line each.
  std::vector<std::string> lines() {
    MutexLock lock(mutex_);
    return lines_;
  }
  // Those since the last call.
  std::vector<std::string> take() {
    MutexLock lock(mutex_);
    return std::exchange(lines_, {});
  }
  std::string only_line() {
    const std::vector<std::string> all = lines();
    return all.size() == 1 ? all[0] : std::to_string(all.size()) + " lines";
  }

 private:
  LogSink* before_;
  Mutex mutex_;
  std::vector<std::string> lines_ LH_GUARDED_BY(mutex_);
};

}  // namespace lh::base::testing
