// MemEnv: an Env in memory that is also the simulated disk of tests and simulator. It knows of each
// byte and each name whether it would survive a crash, and it fails on demand. Deterministic: no
// clock, no threads (one thread uses a MemEnv), no randomness but the Prng that crash() is given.
//
// crash() is a loss of power: open files and locks are gone, and of what was not synced some part
// is lost. Sectors of 512 bytes are kept or lost each for itself; a lost sector has its synced
// content, or zeros when it never had any. Names likewise: of the creations, renames and removals
// in a directory since its last sync_dir() some have happened and some have not.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/prng.h"
#include "storage/env.h"

namespace lh::storage {

struct CrashOptions {
  bool torn_sectors = true;  // unsynced sectors survive in any combination; false: a prefix of them
  bool torn_names = true;    // the same of changes of names
};

class MemEnv : public Env {
 public:
  Result<std::unique_ptr<AppendFile>> create(const std::string& path) override;
  Result<std::unique_ptr<AppendFile>> open_append(const std::string& path) override;
  Result<std::unique_ptr<ReadFile>> open_read(const std::string& path) override;
  Status rewrite(const std::string& path, uint64_t offset) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status remove(const std::string& path) override;
  Status remove_dir(const std::string& path) override;
  Status make_dir(const std::string& path) override;
  Status sync_dir(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& path) override;
  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override;

  // -------------------------------------------------------------------------------------- faults

  // File objects from before fail from now on. Clears the faults below, but not the capacity.
  void crash(base::Prng* prng, CrashOptions options = {});

  // The next n operations that change something succeed; all after them fail as if the disk had
  // gone, until crash(). operation_count() counts them.
  void stop_after(uint64_t n) { operations_left_ = n; }
  uint64_t operation_count() const { return operations_; }

  // The n-th sync (of a file) from now on fails, 1 being the next one, and what it was to make
  // durable never will be, though later syncs succeed: there is what was there before, or zeros.
  void fail_sync(uint64_t n, StatusCode code = StatusCode::kIo) {
    syncs_to_failure_ = n;
    sync_failure_ = code;
  }
  uint64_t sync_count() const { return syncs_; }

  // The n-th write from now on writes half of its bytes and fails.
  void fail_append(uint64_t n) { appends_to_failure_ = n; }

  // All reads of this file fail; an empty path heals it.
  void fail_reads(const std::string& path) { unreadable_ = path; }

  // Room for this many bytes of content in all: an append beyond writes what fits and is refused.
  void set_capacity(uint64_t bytes) { capacity_ = bytes; }
  uint64_t used_bytes() const;

  // ------------------------------------------------------------------- the disk as a vandal sees
  // it

  bool exists(const std::string& path) const { return find(path) != nullptr; }
  std::vector<std::string> files() const;  // all paths but directories, sorted
  std::string content(const std::string& path) const;
  // Puts or replaces a file, durably.
  void set_content(const std::string& path, std::string_view bytes);
  void flip_bit(const std::string& path, uint64_t bit);
  bool synced(const std::string& path) const;  // all its bytes would survive a crash

 private:
  struct Node {
    bool is_dir = false;
    std::string live;       // what a reader sees
    std::string durable;    // what a crash leaves for sure
    size_t same = 0;        // live and durable agree up to here
    size_t least = 0;       // the size since the last sync was never below this
    uint64_t identity = 0;  // order of creation, so that crashes are deterministic
  };
  using NodeRef = std::shared_ptr<Node>;
  // A name in a directory changed: it now means `node`, or nothing.
  struct NameChange {
    std::string path;
    NodeRef node;
  };
  using Names = std::map<std::string, NodeRef>;
  class OpenAppend;
  class OpenRead;
  class HeldLock;

  const Node* find(const std::string& path) const;
  Status admit(const char* doing, const std::string& path);  // counts an operation
  Status check_parent(const std::string& path) const;
  Result<NodeRef> file_node(const std::string& path) const;
  NodeRef new_node(bool is_dir);
  void change_names(std::vector<NameChange> changes);
  Status write_at(Node* node, const std::string& path, uint64_t at, std::string_view bytes);
  Status sync_node(Node* node, const std::string& path);
  static void tear(Node* node, base::Prng* prng, bool in_any_order);

  Names names_;          // live, by full path
  Names durable_names_;  // what a crash leaves for sure
  // By directory, oldest first; the changes of one rename happen together.
  std::map<std::string, std::vector<std::vector<NameChange>>> unsynced_names_;
  std::set<std::string> locked_;
  uint64_t epoch_ = 0;  // crashes so far
  uint64_t nodes_made_ = 0;
  uint64_t operations_ = 0;
  uint64_t operations_left_ = ~uint64_t{0};
  uint64_t syncs_ = 0;
  uint64_t syncs_to_failure_ = 0;
  StatusCode sync_failure_ = StatusCode::kIo;
  uint64_t appends_to_failure_ = 0;
  std::atomic<uint64_t> capacity_ = ~uint64_t{0};  // a disk gets room while a thread writes to it
  std::string unreadable_;
};

}  // namespace lh::storage
