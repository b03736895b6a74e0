// Env: everything that storage asks of the operating system, after LevelDB's class of that name.
// PosixEnv is the real one, MemEnv the simulated disk of tests and simulator. Paths are joined with
// '/', and a rename stays within its directory.
//
// Errors are a Status whose message has the path and the system's words. Codes that callers act on:
//   kNotFound  there is no such file or directory
//   kExists    there is one already (make_dir)
//   kRefused   no room: the disk or a quota is full; or, from lock(), someone else holds it
//   kDamaged   the path is there, but is the wrong kind of thing: a directory for a file, a FIFO,
//              a loop of links
//   kIo        anything else; what was written before is in doubt
//
// What survives a crash: the bytes of a file up to its last successful sync(), and the names in a
// directory as they were at its last successful sync_dir(). Nothing else is promised, whatever the
// order of calls. Functions of an Env may be called from several threads; a file object belongs to
// one thread at a time, but for AppendFile::sync().
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lh/status.h"

namespace lh::storage {

// A file that grows at its end. Closed, without a sync, by its destructor.
class AppendFile {
 public:
  virtual ~AppendFile() = default;

  // On an error any part of the bytes may have been written; the next append takes its place.
  virtual Status append(std::string_view bytes) = 0;

  // Puts zeros behind the end, where what is appended next takes their place: a sync() of that has
  // no size and no new blocks to write down, which is most of what it costs. Bound: none are left.
  virtual Status reserve(uint64_t bytes) = 0;

  // The next append goes to offset `size`, which is not beyond the end. Nothing is reserved then.
  virtual Status truncate(uint64_t size) = 0;

  // Makes bytes and size durable. After an error nobody knows what is on the disk, and a second
  // sync() that succeeds says nothing about the first: systems drop what they failed to write.
  // May run in another thread than the rest: it is of what was there when it was called.
  virtual Status sync() = 0;
};

class ReadFile {
 public:
  virtual ~ReadFile() = default;
  virtual uint64_t size() const = 0;  // when it was opened

  // Reads up to `size` bytes at `offset` and returns how many there were: fewer only at the end.
  virtual Result<size_t> read(uint64_t offset, size_t size, char* out) const = 0;
};

// Held until it is destroyed.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

class Env {
 public:
  virtual ~Env() = default;

  virtual Result<std::unique_ptr<AppendFile>> create(const std::string& path) = 0;  // or empties
  virtual Result<std::unique_ptr<AppendFile>> open_append(const std::string& path) = 0;
  virtual Result<std::unique_ptr<ReadFile>> open_read(const std::string& path) = 0;

  // Writes once more what is in the file from `offset` to its end, so that the next sync() of it
  // takes that to the disk: after one that failed a system may believe that it is there.
  virtual Status rewrite(const std::string& path, uint64_t offset) = 0;

  virtual Status rename(const std::string& from, const std::string& to) = 0;
  virtual Status remove(const std::string& path) = 0;      // a file
  virtual Status remove_dir(const std::string& path) = 0;  // an empty directory
  virtual Status make_dir(const std::string& path) = 0;
  virtual Status sync_dir(const std::string& path) = 0;

  // The names in a directory, sorted, without "." and "..".
  virtual Result<std::vector<std::string>> list(const std::string& path) = 0;

  // Creates the file when need be. One holder at a time, over all processes; a refusal says who it
  // is. The lock ends with its process.
  virtual Result<std::unique_ptr<FileLock>> lock(const std::string& path) = 0;
};

// The directory that holds `path`: "a" for "a/b", "." for "b".
inline std::string parent_of(std::string_view path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return std::string(path.substr(0, slash == 0 ? 1 : slash));
}

}  // namespace lh::storage
