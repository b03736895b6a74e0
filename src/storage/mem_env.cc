#include "storage/mem_env.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"

namespace lh::storage {
namespace {

constexpr size_t kSectorBytes = 512;

Status error(StatusCode code, const char* doing, const std::string& path, const char* words) {
  return {code, std::string("cannot ") + doing + " " + path + ": " + words};
}

Status missing(const char* doing, const std::string& path) {
  return error(StatusCode::kNotFound, doing, path, "No such file or directory");
}

Status io_error(const char* doing, const std::string& path) {
  return error(StatusCode::kIo, doing, path, "Input/output error");
}

// Counts down to a planned failure; 0 is none.
bool is_due(uint64_t* countdown) { return *countdown > 0 && --*countdown == 0; }

}  // namespace

class MemEnv::OpenAppend : public AppendFile {
 public:
  OpenAppend(MemEnv* env, NodeRef node, std::string path)
      : env_(env),
        node_(std::move(node)),
        path_(std::move(path)),
        epoch_(env->epoch_),
        end_(node_->live.size()) {}

  Status append(std::string_view bytes) override {
    if (epoch_ != env_->epoch_) return io_error("write to", path_);
    Status status = env_->write_at(node_.get(), path_, end_, bytes);
    if (status.ok()) end_ += bytes.size();
    return status;
  }

  Status reserve(uint64_t bytes) override {
    if (epoch_ != env_->epoch_) return io_error("write to", path_);
    LH_CHECK(end_ == node_->live.size());
    return env_->write_at(node_.get(), path_, end_, std::string(bytes, '\0'));
  }

  Status truncate(uint64_t size) override {
    if (epoch_ != env_->epoch_) return io_error("truncate", path_);
    LH_CHECK(size <= node_->live.size());
    if (Status s = env_->admit("truncate", path_); !s.ok()) return s;
    node_->live.resize(size);
    node_->same = std::min<size_t>(node_->same, size);
    node_->least = std::min<size_t>(node_->least, size);
    end_ = size;
    return {};
  }

  Status sync() override {
    if (epoch_ != env_->epoch_) return io_error("sync", path_);
    return env_->sync_node(node_.get(), path_);
  }

 private:
  MemEnv* env_;
  NodeRef node_;
  std::string path_;
  uint64_t epoch_;
  uint64_t end_;
};

class MemEnv::OpenRead : public ReadFile {
 public:
  OpenRead(const MemEnv* env, NodeRef node, std::string path)
      : env_(env),
        node_(std::move(node)),
        path_(std::move(path)),
        size_(node_->live.size()),
        epoch_(env->epoch_) {}

  uint64_t size() const override { return size_; }

  Result<size_t> read(uint64_t offset, size_t size, char* out) const override {
    if (epoch_ != env_->epoch_ || env_->unreadable_ == path_) return io_error("read", path_);
    const std::string& live = node_->live;
    if (offset >= live.size()) return size_t{0};
    const size_t n = std::min<size_t>(size, live.size() - offset);
    std::memcpy(out, live.data() + offset, n);
    return n;
  }

 private:
  const MemEnv* env_;
  NodeRef node_;
  std::string path_;
  uint64_t size_;
  uint64_t epoch_;
};

class MemEnv::HeldLock : public FileLock {
 public:
  HeldLock(MemEnv* env, std::string path)
      : env_(env), path_(std::move(path)), epoch_(env->epoch_) {}
  ~HeldLock() override {
    if (epoch_ == env_->epoch_) env_->locked_.erase(path_);
  }

 private:
  MemEnv* env_;
  std::string path_;
  uint64_t epoch_;
};

// ------------------------------------------------------------------------------------------- Env

Result<std::unique_ptr<AppendFile>> MemEnv::create(const std::string& path) {
  if (Status s = check_parent(path); !s.ok()) return s;
  if (Status s = admit("create", path); !s.ok()) return s;
  Result<NodeRef> there = file_node(path);
  if (there.status().code() == StatusCode::kDamaged) return there.status();
  if (there.ok()) {
    there.value()->live.clear();
    there.value()->same = there.value()->least = 0;
  } else {
    there = new_node(false);
    change_names({{path, there.value()}});
  }
  return std::unique_ptr<AppendFile>(new OpenAppend(this, there.value(), path));
}

Result<std::unique_ptr<AppendFile>> MemEnv::open_append(const std::string& path) {
  const Result<NodeRef> node = file_node(path);
  if (!node.ok()) return node.status();
  return std::unique_ptr<AppendFile>(new OpenAppend(this, node.value(), path));
}

Result<std::unique_ptr<ReadFile>> MemEnv::open_read(const std::string& path) {
  const Result<NodeRef> node = file_node(path);
  if (!node.ok()) return node.status();
  return std::unique_ptr<ReadFile>(new OpenRead(this, node.value(), path));
}

Status MemEnv::rewrite(const std::string& path, uint64_t offset) {
  const Result<NodeRef> node = file_node(path);
  if (!node.ok()) return node.status();
  if (Status s = admit("write to", path); !s.ok()) return s;
  node.value()->same = std::min<size_t>(node.value()->same, offset);
  return {};
}

Status MemEnv::rename(const std::string& from, const std::string& to) {
  LH_CHECK(parent_of(from) == parent_of(to));
  if (find(from) == nullptr) return missing("rename", from);
  if (Status s = admit("rename to", to); !s.ok()) return s;
  change_names({{to, names_.at(from)}, {from, nullptr}});
  return {};
}

Status MemEnv::remove(const std::string& path) {
  const Result<NodeRef> node = file_node(path);
  if (!node.ok()) return node.status();
  if (Status s = admit("remove", path); !s.ok()) return s;
  change_names({{path, nullptr}});
  return {};
}

Status MemEnv::remove_dir(const std::string& path) {
  const Result<std::vector<std::string>> names = list(path);
  if (!names.ok()) return names.status();
  if (!names.value().empty()) {
    return error(StatusCode::kIo, "remove", path, "Directory not empty");
  }
  if (Status s = admit("remove", path); !s.ok()) return s;
  change_names({{path, nullptr}});
  return {};
}

Status MemEnv::make_dir(const std::string& path) {
  if (Status s = check_parent(path); !s.ok()) return s;
  if (find(path) != nullptr) return error(StatusCode::kExists, "create", path, "File exists");
  if (Status s = admit("create", path); !s.ok()) return s;
  change_names({{path, new_node(true)}});
  return {};
}

Status MemEnv::sync_dir(const std::string& path) {
  if (const Status s = check_parent(path + "/any"); !s.ok()) return s;
  if (Status s = admit("sync", path); !s.ok()) return s;
  for (const auto& changes : unsynced_names_[path]) {
    for (const NameChange& change : changes) durable_names_[change.path] = change.node;
  }
  unsynced_names_.erase(path);
  return {};
}

Result<std::vector<std::string>> MemEnv::list(const std::string& path) {
  if (const Status s = check_parent(path + "/any"); !s.ok()) return s;
  std::vector<std::string> names;
  for (const auto& [name, node] : names_) {
    if (parent_of(name) == path) names.push_back(name.substr(path == "." ? 0 : path.size() + 1));
  }
  return names;
}

Result<std::unique_ptr<FileLock>> MemEnv::lock(const std::string& path) {
  if (find(path) == nullptr) {
    const Result<std::unique_ptr<AppendFile>> made = create(path);
    if (!made.ok()) return made.status();
  }
  if (!locked_.insert(path).second) {
    return Status(StatusCode::kRefused, path + " is held by process 1");
  }
  return std::unique_ptr<FileLock>(new HeldLock(this, path));
}

// ------------------------------------------------------------------------------------------ parts

const MemEnv::Node* MemEnv::find(const std::string& path) const {
  const auto it = names_.find(path);
  return it == names_.end() ? nullptr : it->second.get();
}

Status MemEnv::admit(const char* doing, const std::string& path) {
  if (operations_left_ == 0) return io_error(doing, path);
  --operations_left_;
  ++operations_;
  return {};
}

Status MemEnv::check_parent(const std::string& path) const {
  const std::string parent = parent_of(path);
  if (parent == ".") return {};
  const Node* dir = find(parent);
  if (dir == nullptr) return missing("open", parent);
  if (!dir->is_dir) return error(StatusCode::kDamaged, "open", parent, "Not a directory");
  return {};
}

Result<MemEnv::NodeRef> MemEnv::file_node(const std::string& path) const {
  const auto it = names_.find(path);
  if (it == names_.end()) return missing("open", path);
  if (it->second->is_dir) return error(StatusCode::kDamaged, "open", path, "Is a directory");
  return it->second;
}

MemEnv::NodeRef MemEnv::new_node(bool is_dir) {
  auto node = std::make_shared<Node>();
  node->is_dir = is_dir;
  node->identity = ++nodes_made_;
  return node;
}

void MemEnv::change_names(std::vector<NameChange> changes) {
  for (const NameChange& change : changes) {
    if (change.node != nullptr) {
      names_[change.path] = change.node;
    } else {
      names_.erase(change.path);
    }
  }
  unsynced_names_[parent_of(changes.front().path)].push_back(std::move(changes));
}

Status MemEnv::write_at(Node* node, const std::string& path, uint64_t at, std::string_view bytes) {
  if (Status s = admit("write to", path); !s.ok()) return s;
  const auto put = [&](std::string_view part) {
    node->live.replace(at, part.size(), part);  // and beyond the end
    node->same = std::min<size_t>(node->same, at);
  };
  if (is_due(&appends_to_failure_)) {
    put(bytes.substr(0, bytes.size() / 2));
    return io_error("write to", path);
  }
  const uint64_t used = used_bytes();
  const uint64_t room = (capacity_ > used ? capacity_ - used : 0) + node->live.size() - at;
  put(bytes.substr(0, room));
  if (bytes.size() <= room) return {};
  return error(StatusCode::kRefused, "write to", path, "No space left on device");
}

Status MemEnv::sync_node(Node* node, const std::string& path) {
  if (Status s = admit("sync", path); !s.ok()) return s;
  ++syncs_;
  if (is_due(&syncs_to_failure_)) {
    node->durable.resize(node->live.size());
    node->same = node->least = node->live.size();
    return error(sync_failure_, "sync", path, "it failed");
  }
  node->durable.resize(node->same);
  node->durable.append(node->live, node->same);
  node->same = node->least = node->live.size();
  return {};
}

uint64_t MemEnv::used_bytes() const {
  uint64_t bytes = 0;
  for (const auto& [path, node] : names_) bytes += node->live.size();
  return bytes;
}

// ---------------------------------------------------------------------------------------- crashes

// Decides what of the file is left, and makes it durable.
void MemEnv::tear(Node* node, base::Prng* prng, bool in_any_order) {
  const std::string& live = node->live;
  std::string left = node->durable;
  left.resize(std::max(left.size(), live.size()));
  for (size_t begin = node->same; begin < live.size();) {
    const size_t end = std::min(live.size(), (begin / kSectorBytes + 1) * kSectorBytes);
    if (!in_any_order || prng->chance(1, 2))
      left.replace(begin, end - begin, live, begin, end - begin);
    begin = end;
  }
  // The size is journalled apart from the content.
  const size_t sizes[] = {node->durable.size(), live.size(),
                          prng->between(node->least, std::max(live.size(), node->least))};
  left.resize(sizes[prng->below(3)]);
  node->live = node->durable = left;
  node->same = node->least = left.size();
}

void MemEnv::crash(base::Prng* prng, CrashOptions options) {
  for (const auto& [dir, batches] : unsynced_names_) {
    const uint64_t prefix = prng->below(batches.size() + 1);
    for (size_t i = 0; i < batches.size(); ++i) {
      const bool kept = options.torn_names ? prng->chance(1, 2) : i < prefix;
      if (!kept) continue;
      for (const NameChange& change : batches[i]) durable_names_[change.path] = change.node;
    }
  }
  unsynced_names_.clear();
  std::erase_if(durable_names_, [](const auto& entry) { return entry.second == nullptr; });
  std::map<uint64_t, NodeRef> torn;  // a file may have two names after a half-done rename
  for (auto& [path, node] : durable_names_) {
    NodeRef& left = torn[node->identity];
    if (left == nullptr) {
      left = std::make_shared<Node>(*node);
      if (!left->is_dir) tear(left.get(), prng, options.torn_sectors);
    }
    node = left;
  }
  // What lies in a directory that was lost is lost with it.
  names_ = std::exchange(durable_names_, {});
  std::erase_if(names_, [this](const auto& e) { return !check_parent(e.first).ok(); });
  durable_names_ = names_;
  locked_.clear();
  ++epoch_;
  operations_left_ = ~uint64_t{0};
  syncs_to_failure_ = appends_to_failure_ = 0;
  unreadable_.clear();
}

// ----------------------------------------------------------------------------------------- vandals

std::vector<std::string> MemEnv::files() const {
  std::vector<std::string> paths;
  for (const auto& [path, node] : names_) {
    if (!node->is_dir) paths.push_back(path);
  }
  return paths;
}

std::string MemEnv::content(const std::string& path) const {
  const Node* node = find(path);
  LH_CHECK(node != nullptr, path);
  return node->live;
}

void MemEnv::set_content(const std::string& path, std::string_view bytes) {
  NodeRef& node = names_[path];
  if (node == nullptr) node = new_node(false);
  node->live = node->durable = bytes;
  node->same = node->least = bytes.size();
  durable_names_[path] = node;
}

void MemEnv::flip_bit(const std::string& path, uint64_t bit) {
  std::string bytes = content(path);
  bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ 1 << bit % 8);
  set_content(path, bytes);
}

bool MemEnv::synced(const std::string& path) const {
  const Node* node = find(path);
  return node != nullptr && node->same == node->live.size() && node->same == node->durable.size();
}

}  // namespace lh::storage
