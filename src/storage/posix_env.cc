#include "storage/posix_env.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "base/log.h"
#include "base/os_error.h"
#include "base/strings.h"

namespace lh::storage {
namespace {

StatusCode code_of(int error) {
  switch (error) {
    case ENOENT:
      return StatusCode::kNotFound;
    case EEXIST:
      return StatusCode::kExists;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return StatusCode::kRefused;
    case EISDIR:
    case ENOTDIR:
    case ELOOP:
    case ENXIO:  // a FIFO that nobody reads, opened for writing
      return StatusCode::kDamaged;
    default:
      return StatusCode::kIo;
  }
}

// "cannot open d/MANIFEST: Permission denied"; `error` is errno, before anything else changes it.
Status os_error(const char* doing, const std::string& path, int error = errno) {
  return base::os_error(std::string("cannot ") + doing + " " + path, error, code_of(error));
}

// Calls again what a signal interrupted.
template <typename Call>
auto retried(Call call) {
  for (;;) {
    const auto result = call();
    if (result >= 0 || errno != EINTR) return result;
  }
}

class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&&) = delete;
  ~Fd() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  bool ok() const { return fd_ >= 0; }

 private:
  int fd_;
};

// O_NONBLOCK: opening a FIFO in place of a file must not wait for its other end.
Fd open_fd(const std::string& path, int flags) {
  constexpr mode_t kOwnerOnly = 0600;
  return Fd(retried(
      [&] { return ::open(path.c_str(), flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, kOwnerOnly); }));
}

// Its size, if it is a regular file.
Result<uint64_t> file_size(const Fd& fd, const std::string& path) {
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return os_error("look at", path);
  if (!S_ISREG(info.st_mode)) return Status(StatusCode::kDamaged, path + " is no regular file");
  return static_cast<uint64_t>(info.st_size);
}

class PosixAppendFile : public AppendFile {
 public:
  PosixAppendFile(Fd fd, std::string path, uint64_t end)
      : fd_(std::move(fd)), path_(std::move(path)), end_(end), on_the_way_(end) {}

  Status append(std::string_view bytes) override {
    if (Status status = put(end_, bytes); !status.ok()) return status;
    end_ += bytes.size();
    if (end_ - on_the_way_ >= kWriteBehindBytes) write_behind();
    return {};
  }

  Status reserve(uint64_t bytes) override {
    const std::string zeros(bytes, '\0');
    return put(end_, zeros);
  }

  Status truncate(uint64_t size) override {
    const int failed = retried([&] { return ::ftruncate(fd_.get(), static_cast<off_t>(size)); });
    if (failed != 0) return os_error("truncate", path_);
    end_ = size;
    on_the_way_ = std::min(on_the_way_, size);
    return {};
  }

  Status sync() override {
    return ::fdatasync(fd_.get()) != 0 ? os_error("sync", path_) : Status();
  }

 private:
  // Left to itself the system lets hundreds of megabytes gather, and the sync of a snapshot, which
  // other files wait for, would take seconds.
  static constexpr uint64_t kWriteBehindBytes = uint64_t{1} << 20;

  // A hint, which some file systems do not take: the next sync() is what counts.
  void write_behind() {
    ::sync_file_range(fd_.get(), static_cast<off64_t>(on_the_way_),
                      static_cast<off64_t>(end_ - on_the_way_), SYNC_FILE_RANGE_WRITE);
    on_the_way_ = end_;
  }

  Status put(uint64_t at, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = retried(
          [&] { return ::pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(at)); });
      if (n < 0) return os_error("write to", path_);
      at += static_cast<uint64_t>(n);
      bytes.remove_prefix(static_cast<size_t>(n));
    }
    return {};
  }

  Fd fd_;
  std::string path_;
  uint64_t end_;
  uint64_t on_the_way_;  // up to here the system was told to write
};

class PosixReadFile : public ReadFile {
 public:
  PosixReadFile(Fd fd, std::string path, uint64_t size)
      : fd_(std::move(fd)), path_(std::move(path)), size_(size) {}

  uint64_t size() const override { return size_; }

  Result<size_t> read(uint64_t offset, size_t size, char* out) const override {
    size_t got = 0;
    while (got < size) {
      const auto at = static_cast<off_t>(offset + got);
      const ssize_t n = retried([&] { return ::pread(fd_.get(), out + got, size - got, at); });
      if (n < 0) return os_error("read", path_);
      if (n == 0) break;
      got += static_cast<size_t>(n);
    }
    return got;
  }

 private:
  Fd fd_;
  std::string path_;
  uint64_t size_;
};

class PosixLock : public FileLock {
 public:
  explicit PosixLock(Fd fd) : fd_(std::move(fd)) {}

 private:
  Fd fd_;
};

class PosixEnv : public Env {
 public:
  Result<std::unique_ptr<AppendFile>> create(const std::string& path) override {
    return open_for_append(path, O_CREAT | O_TRUNC, "create");
  }

  Result<std::unique_ptr<AppendFile>> open_append(const std::string& path) override {
    return open_for_append(path, 0, "open");
  }

  Result<std::unique_ptr<ReadFile>> open_read(const std::string& path) override {
    Fd fd = open_fd(path, O_RDONLY);
    if (!fd.ok()) return os_error("open", path);
    const Result<uint64_t> size = file_size(fd, path);
    if (!size.ok()) return size.status();
    return std::unique_ptr<ReadFile>(new PosixReadFile(std::move(fd), path, size.value()));
  }

  Status rewrite(const std::string& path, uint64_t offset) override {
    const Fd fd = open_fd(path, O_RDWR);
    if (!fd.ok()) return os_error("open", path);
    constexpr size_t kPieceBytes = size_t{1} << 20;
    const auto piece = std::make_unique<char[]>(kPieceBytes);
    for (;;) {
      const auto at = static_cast<off_t>(offset);
      const ssize_t got = retried([&] { return ::pread(fd.get(), piece.get(), kPieceBytes, at); });
      if (got < 0) return os_error("read", path);
      if (got == 0) return {};
      const auto size = static_cast<size_t>(got);
      const ssize_t put = retried([&] { return ::pwrite(fd.get(), piece.get(), size, at); });
      if (put <= 0) return os_error("write to", path);
      offset += static_cast<uint64_t>(put);
    }
  }

  Status rename(const std::string& from, const std::string& to) override {
    return ::rename(from.c_str(), to.c_str()) != 0 ? os_error("rename to", to) : Status();
  }

  Status remove(const std::string& path) override {
    return ::unlink(path.c_str()) != 0 ? os_error("remove", path) : Status();
  }

  Status remove_dir(const std::string& path) override {
    return ::rmdir(path.c_str()) != 0 ? os_error("remove", path) : Status();
  }

  Status make_dir(const std::string& path) override {
    return ::mkdir(path.c_str(), 0700) != 0 ? os_error("create", path) : Status();
  }

  Status sync_dir(const std::string& path) override {
    const Fd fd = open_fd(path, O_RDONLY | O_DIRECTORY);
    if (!fd.ok()) return os_error("open", path);
    return ::fsync(fd.get()) != 0 ? os_error("sync", path) : Status();
  }

  Result<std::vector<std::string>> list(const std::string& path) override {
    DIR* dir = ::opendir(path.c_str());
    if (dir == nullptr) return os_error("list", path);
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = ::readdir(dir)) {
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
      errno = 0;
    }
    const int error = errno;
    ::closedir(dir);
    if (error != 0) return os_error("list", path, error);
    std::sort(names.begin(), names.end());
    return names;
  }

  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override {
    Fd fd = open_fd(path, O_RDWR | O_CREAT);
    if (!fd.ok()) return os_error("open", path);
    if (retried([&] { return ::flock(fd.get(), LOCK_EX | LOCK_NB); }) != 0) {
      return errno == EWOULDBLOCK ? held(fd, path) : os_error("lock", path);
    }
    // The number is for people only, and a full disk may have no room for it.
    const std::string owner = std::to_string(::getpid()) + "\n";
    const bool told =
        ::ftruncate(fd.get(), 0) == 0 && ::pwrite(fd.get(), owner.data(), owner.size(), 0) > 0;
    if (!told) {
      LH_LOG(kWarn, "storage", "lock without owner").kv("path", path);
    }
    return std::unique_ptr<FileLock>(new PosixLock(std::move(fd)));
  }

 private:
  static Result<std::unique_ptr<AppendFile>> open_for_append(const std::string& path, int flags,
                                                             const char* doing) {
    Fd fd = open_fd(path, O_WRONLY | flags);
    if (!fd.ok()) return os_error(doing, path);
    const Result<uint64_t> size = file_size(fd, path);
    if (!size.ok()) return size.status();
    return std::unique_ptr<AppendFile>(new PosixAppendFile(std::move(fd), path, size.value()));
  }

  static Status held(const Fd& fd, const std::string& path) {
    char text[24] = {};
    const ssize_t n = ::pread(fd.get(), text, sizeof text - 1, 0);
    const std::string_view line(text, n > 0 ? static_cast<size_t>(n) : 0);
    const auto pid = base::parse_u64(line.substr(0, line.find('\n')));
    const std::string who = pid ? "process " + std::to_string(*pid) : "another process";
    return {StatusCode::kRefused, path + " is held by " + who};
  }
};

}  // namespace

Env* posix_env() {
  static PosixEnv env;
  return &env;
}

}  // namespace lh::storage
