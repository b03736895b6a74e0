// LockedEnv: a MemEnv for several threads, one of them at a time.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "storage/mem_env.h"

namespace lh::storage {

class LockedEnv final : public Env {
 public:
  // Bound: no other thread uses it, or what is called is atomic.
  MemEnv& mem() { return env_; }

  Result<std::unique_ptr<AppendFile>> create(const std::string& path) override {
    return wrap([&] { return env_.create(path); });
  }
  Result<std::unique_ptr<AppendFile>> open_append(const std::string& path) override {
    return wrap([&] { return env_.open_append(path); });
  }
  Result<std::unique_ptr<ReadFile>> open_read(const std::string& path) override {
    const base::MutexLock lock(mutex_);
    return env_.open_read(path);
  }
  Status rewrite(const std::string& path, uint64_t offset) override {
    const base::MutexLock lock(mutex_);
    return env_.rewrite(path, offset);
  }
  Status rename(const std::string& from, const std::string& to) override {
    const base::MutexLock lock(mutex_);
    return env_.rename(from, to);
  }
  Status remove(const std::string& path) override {
    const base::MutexLock lock(mutex_);
    return env_.remove(path);
  }
  Status remove_dir(const std::string& path) override {
    const base::MutexLock lock(mutex_);
    return env_.remove_dir(path);
  }
  Status make_dir(const std::string& path) override {
    const base::MutexLock lock(mutex_);
    return env_.make_dir(path);
  }
  Status sync_dir(const std::string& path) override {
    const base::MutexLock lock(mutex_);
    return env_.sync_dir(path);
  }
  Result<std::vector<std::string>> list(const std::string& path) override {
    const base::MutexLock lock(mutex_);
    return env_.list(path);
  }
  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override {
    const base::MutexLock lock(mutex_);
    return env_.lock(path);
  }

 private:
  class File final : public AppendFile {
   public:
    File(base::Mutex* mutex, std::unique_ptr<AppendFile> file)
        : mutex_(mutex), file_(std::move(file)) {}
    ~File() override {
      const base::MutexLock lock(*mutex_);
      file_.reset();
    }
    Status append(std::string_view bytes) override {
      const base::MutexLock lock(*mutex_);
      return file_->append(bytes);
    }
    Status reserve(uint64_t bytes) override {
      const base::MutexLock lock(*mutex_);
      return file_->reserve(bytes);
    }
    Status truncate(uint64_t size) override {
      const base::MutexLock lock(*mutex_);
      return file_->truncate(size);
    }
    Status sync() override {
      const base::MutexLock lock(*mutex_);
      return file_->sync();
    }

   private:
    base::Mutex* mutex_;
    std::unique_ptr<AppendFile> file_;
  };

  template <typename Open>
  Result<std::unique_ptr<AppendFile>> wrap(Open open) {
    const base::MutexLock lock(mutex_);
    Result<std::unique_ptr<AppendFile>> file = open();
    if (!file.ok()) return file;
    return std::unique_ptr<AppendFile>(std::make_unique<File>(&mutex_, std::move(file).value()));
  }

  base::Mutex mutex_;
  MemEnv env_;
};

}  // namespace lh::storage
