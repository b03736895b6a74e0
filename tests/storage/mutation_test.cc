// Ten thousand ways to spoil a data directory, by seed. Each is detected (kDamaged, and nothing is
// changed on disk), or it is harmless: what is recovered is what was written, or for each stream a
// beginning of it that has everything that the directory itself proves to have been durable.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/prng.h"
#include "storage/data_dir.h"
#include "storage/file_names.h"
#include "storage/frame_reader.h"
#include "storage/mem_env.h"
#include "tests/storage/history.h"
#include "tests/storage/store_model.h"

namespace lh::storage {
namespace {

using Files = std::map<std::string, std::string>;

Files files_of(const MemEnv& env) {
  Files files;
  for (const std::string& path : env.files()) files[path] = env.content(path);
  return files;
}

void make_dirs_above(const std::string& path, MemEnv* env) {
  for (const std::string& dir : {std::string("d"), parent_of(path)}) {
    const Status made = env->make_dir(dir);
    EXPECT_TRUE(made.ok() || made.code() == StatusCode::kExists);
  }
}

void put_files(const Files& files, MemEnv* env) {
  for (const auto& [path, bytes] : files) {
    make_dirs_above(path, env);
    env->set_content(path, bytes);
  }
}

// The whole frames of a file; the first element is its header.
std::vector<std::string> pieces_of(const std::string& bytes) {
  std::vector<std::string> pieces = {bytes.substr(0, kFileHeaderBytes)};
  for (size_t at = kFileHeaderBytes; at < bytes.size();) {
    FrameHeader header;
    if (!decode_frame_header(std::string_view(bytes).substr(at), salt_of(bytes), &header)) break;
    pieces.push_back(bytes.substr(at, kFrameHeaderBytes + header.payload_bytes));
    at += pieces.back().size();
  }
  return pieces;
}

// The sequence that a frame starts with, as it is on disk.
std::string first_of(const std::string& frame) { return frame.substr(16, sizeof(uint64_t)); }

std::string joined(const std::vector<std::string>& pieces) {
  std::string bytes;
  for (const std::string& piece : pieces) bytes += piece;
  return bytes;
}

// ---------------------------------------------------------------- a directory before it is spoilt

class Victim {
 public:
  enum class End { kAny, kSynced };

  explicit Victim(uint64_t seed, End end = End::kAny) : prng_(seed), store_(&env_, seed) {
    workers_ = static_cast<uint32_t>(prng_.between(1, 2));
    if (prng_.chance(1, 2)) log_.reserve_bytes = prng_.below(1'000);
    EXPECT_TRUE(store_.start(workers_, log_).ok());
    live(40);
    earlier_ = files_of(env_);
    if (prng_.chance(1, 3)) change_workers();
    live(40);
    if (end == End::kSynced || prng_.chance(2, 3)) {
      EXPECT_TRUE(store_.commit().ok());
    }
    const bool closed = prng_.chance(1, 4);
    if (closed) {
      EXPECT_TRUE(store_.dir().close().ok());
    }
    store_.stop();
    files_ = files_of(env_);
    find_proofs();
  }

  const LogWriterOptions& log() const { return log_; }

  uint32_t workers() const { return workers_; }
  const Files& files() const { return files_; }
  const Files& earlier() const { return earlier_; }  // as they were in the middle of its life

  // What may be found when the ends of logs cannot have gone missing, and when they can: then only
  // the manifest and the snapshots tell how far the logs went.
  History strict() { return proven(with_frames_); }
  History loose() { return proven(without_frames_); }

 private:
  struct Place {
    uint64_t generation;
    uint32_t worker;
    uint64_t sequence;
  };
  using Proofs = std::map<uint32_t, uint64_t>;  // by worker of the newest generation

  void live(int steps) {
    for (int i = 0; i < steps; ++i) {
      const uint64_t what = prng_.below(100);
      if (what < 65) {
        change();
      } else if (what < 80) {
        EXPECT_TRUE(store_.commit().ok());
      } else if (what < 94) {
        EXPECT_TRUE(store_.write(static_cast<uint32_t>(prng_.below(workers_))).ok());
      } else {
        const auto worker = static_cast<uint32_t>(prng_.below(workers_));
        EXPECT_TRUE(store_.snapshot(worker, 2, [this] { change(); }).ok());
      }
    }
  }

  void change() {
    const uint64_t stream = history_.change(&store_, &prng_);
    places_[stream].push_back({store_.dir().manifest().newest_generation(),
                               store_.worker_of(stream), store_.last_sequence(stream)});
  }

  void change_workers() {
    EXPECT_TRUE(store_.commit().ok());
    workers_ = 3 - workers_;
    EXPECT_TRUE(store_.start(workers_, log_).ok());
  }

  void find_proofs() {
    EXPECT_TRUE(read_manifest(&env_, "d", &manifest_).ok());
    for (const ManifestEntry& entry : manifest_.entries) {
      if (entry.generation != manifest_.newest_generation()) continue;
      uint64_t& known = without_frames_[entry.worker];
      uint64_t& shown = with_frames_[entry.worker];
      known = shown = entry.durable;
      const std::string folder = "d/" + folder_name(entry.generation, entry.worker) + "/";
      for (const auto& [path, bytes] : files_) {
        const bool is_log = path.ends_with(".log");
        // A snapshot that was finished, but never installed, proves nothing.
        const bool is_installed =
            entry.has_snapshot && path == folder + snapshot_name(entry.oldest - 1);
        if (!path.starts_with(folder) || !(is_log || is_installed)) continue;
        for (const std::string& piece : pieces_of(bytes)) {
          FrameHeader header;
          if (!decode_frame_header(piece, salt_of(bytes), &header)) continue;
          shown = std::max(shown, header.durable);
          if (header.type == FrameType::kSnapshotEnd) known = std::max(known, header.durable);
        }
      }
    }
  }

  History proven(const Proofs& proofs) const {
    History history = history_;
    for (const auto& [stream, places] : places_) {
      size_t count = 0;
      for (const Place& place : places) {
        if (place.generation == manifest_.newest_generation() &&
            place.sequence > proofs.at(place.worker)) {
          break;
        }
        ++count;
      }
      history.set_durable(stream, count);
    }
    return history;
  }

  base::Prng prng_;
  MemEnv env_;
  StoreModel store_;
  History history_;
  LogWriterOptions log_{.segment_bytes = 400, .reserve_bytes = 0};
  uint32_t workers_ = 0;
  std::map<uint64_t, std::vector<Place>> places_;
  Files files_;
  Files earlier_;
  Manifest manifest_;
  Proofs with_frames_;
  Proofs without_frames_;
};

// --------------------------------------------------------------------------------- the mutations

class Mutation {
 public:
  Mutation(Victim* victim, const Victim& other, base::Prng* prng)
      : other_(other), prng_(*prng), files_(victim->files()), earlier_(victim->earlier()) {
    std::vector<std::string> paths;
    for (const auto& [path, bytes] : files_) {
      if (path != "d/LOCK") paths.push_back(path);
    }
    path_ = paths[prng_.below(paths.size())];
    second_ = paths[prng_.below(paths.size())];
    constexpr size_t kCount = std::size(kAll);
    kind_ = prng_.below(kCount);
    (this->*kAll[kind_])();
  }

  // False when by chance nothing was changed.
  bool is_one(const Victim& victim) const {
    return files_ != victim.files() || !directory_.empty();
  }
  bool may_shorten_a_log() const { return shortens_; }
  std::string describe() const { return "mutation " + std::to_string(kind_) + " of " + path_; }

  void apply_to(MemEnv* env) const {
    put_files(files_, env);
    if (!directory_.empty()) {
      make_dirs_above(directory_, env);
      EXPECT_TRUE(env->make_dir(directory_).ok());
    }
  }

 private:
  std::string& bytes() { return files_.at(path_); }
  size_t place() { return prng_.below(bytes().size()); }
  std::vector<std::string> pieces() { return pieces_of(bytes()); }

  void flip_a_bit() {
    char& byte = bytes()[place()];
    byte = static_cast<char>(byte ^ 1 << prng_.below(8));
  }
  void overwrite() {
    shortens_ = true;
    const size_t from = place();
    const size_t size = std::min<size_t>(bytes().size() - from, prng_.between(1, 64));
    for (size_t i = 0; i < size; ++i) bytes()[from + i] = static_cast<char>(prng_.next());
  }
  void zero() {
    shortens_ = true;
    const size_t from = place();
    const size_t size = std::min<size_t>(bytes().size() - from, prng_.between(1, 600));
    bytes().replace(from, size, size, '\0');
  }
  void take_out_bytes() {
    shortens_ = true;
    const size_t from = place();
    bytes().erase(from, prng_.between(1, 100));
  }
  void put_in_bytes() { bytes().insert(place(), prng_.between(1, 50), '\x5a'); }
  void drop_a_frame() {
    std::vector<std::string> all = pieces();
    if (all.size() < 2) return;
    all.erase(all.begin() + static_cast<ptrdiff_t>(prng_.between(1, all.size() - 1)));
    bytes() = joined(all);
  }
  void swap_frames() {
    std::vector<std::string> all = pieces();
    if (all.size() < 3) return;
    std::swap(all[prng_.between(1, all.size() - 1)], all[prng_.between(1, all.size() - 1)]);
    bytes() = joined(all);
  }
  void repeat_a_frame() {
    std::vector<std::string> all = pieces();
    if (all.size() < 2) return;
    const std::string frame = all[prng_.between(1, all.size() - 1)];
    all.insert(all.begin() + static_cast<ptrdiff_t>(prng_.between(1, all.size())), frame);
    bytes() = joined(all);
  }
  // A frame of another file takes the place of one, or stands beside it.
  void transplant_a_frame() {
    const bool foreign = prng_.chance(1, 2);
    const auto there = other_.files().find(path_);
    const bool has_twin = foreign && there != other_.files().end();
    const std::vector<std::string> donor = pieces_of(has_twin ? there->second : files_.at(second_));
    std::vector<std::string> all = pieces();
    if (all.size() < 2 || donor.size() < 2 || (!has_twin && second_ == path_)) return;
    const size_t at = prng_.between(1, all.size() - 1);
    std::string frame = donor[prng_.between(1, donor.size() - 1)];
    // Best of all one that would fit.
    for (size_t i = 1; i < donor.size(); ++i) {
      if (first_of(donor[i]) == first_of(all[at])) frame = donor[i];
    }
    if (prng_.chance(1, 2)) {
      all[at] = frame;
    } else {
      all.insert(all.begin() + static_cast<ptrdiff_t>(at), frame);
    }
    bytes() = joined(all);
  }
  void cut() {
    shortens_ = true;
    bytes().resize(place());
  }
  void cut_within_the_last_frame() {
    const std::vector<std::string> all = pieces();
    bytes().resize(bytes().size() - prng_.between(1, all.back().size()));
  }
  void add_garbage() {
    for (uint64_t i = prng_.between(1, 200); i > 0; --i) bytes() += static_cast<char>(prng_.next());
  }
  void add_zeros() { bytes().append(prng_.between(1, 600), '\0'); }
  void empty() { bytes().clear(); }
  void remove() { files_.erase(path_); }
  void swap_files() { std::swap(files_.at(path_), files_.at(second_)); }
  void copy_over() { files_.at(second_) = files_.at(path_); }
  void copy_beside() {
    const uint64_t number = prng_.below(60);
    const std::string name = prng_.chance(1, 2) ? segment_name(number) : snapshot_name(number);
    files_[join(parent_of(path_), name)] = bytes();
  }
  void replace_by_a_foreign_one() {
    const auto there = other_.files().find(path_);
    if (there != other_.files().end()) bytes() = there->second;
  }
  void replace_by_an_earlier_one() {
    shortens_ = true;
    const auto there = earlier_.find(path_);
    if (there != earlier_.end()) bytes() = there->second;
  }
  void replace_by_a_directory() {
    files_.erase(path_);
    directory_ = path_;
  }

  static constexpr void (Mutation::*kAll[])() = {&Mutation::flip_a_bit,
                                                 &Mutation::flip_a_bit,
                                                 &Mutation::flip_a_bit,
                                                 &Mutation::overwrite,
                                                 &Mutation::zero,
                                                 &Mutation::take_out_bytes,
                                                 &Mutation::put_in_bytes,
                                                 &Mutation::drop_a_frame,
                                                 &Mutation::swap_frames,
                                                 &Mutation::repeat_a_frame,
                                                 &Mutation::transplant_a_frame,
                                                 &Mutation::cut,
                                                 &Mutation::cut_within_the_last_frame,
                                                 &Mutation::add_garbage,
                                                 &Mutation::add_zeros,
                                                 &Mutation::empty,
                                                 &Mutation::remove,
                                                 &Mutation::swap_files,
                                                 &Mutation::copy_over,
                                                 &Mutation::copy_beside,
                                                 &Mutation::replace_by_a_foreign_one,
                                                 &Mutation::replace_by_an_earlier_one,
                                                 &Mutation::replace_by_a_directory};

  const Victim& other_;
  base::Prng& prng_;
  Files files_;
  const Files& earlier_;
  std::string path_;
  std::string second_;
  std::string directory_;
  uint64_t kind_ = 0;
  bool shortens_ = false;
};

// --------------------------------------------------------------------------------------- the test

class MutationTest : public ::testing::Test {
 protected:
  struct Silence : base::LogSink {
    void write(base::LogLevel, std::string_view) override {}
  };

  MutationTest() { base::set_log_sink(&silence_); }
  ~MutationTest() override { base::set_log_sink(nullptr); }

  // Starts on the spoilt directory and judges what comes of it.
  void judge(Victim* victim, const Mutation& mutation) {
    MemEnv env;
    mutation.apply_to(&env);
    StoreModel store(&env);
    const uint64_t before = env.operation_count();
    const Status status = store.start(victim->workers(), victim->log());
    if (!status.ok()) {
      ++detected_;
      ASSERT_EQ(status.code(), StatusCode::kDamaged) << status.message();
      ASSERT_NE(status.message().find("d/"), std::string::npos) << status.message();
      ASSERT_EQ(env.operation_count(), before) << "something was changed: " << status.message();
      return;
    }
    ++harmless_;
    History allowed = mutation.may_shorten_a_log() ? victim->loose() : victim->strict();
    ASSERT_EQ(allowed.judge(store.state()), "");
  }

  Silence silence_;
  uint64_t detected_ = 0;
  uint64_t harmless_ = 0;
};

TEST_F(MutationTest, tenThousand) {
  constexpr uint64_t kVictims = 50;
  constexpr uint64_t kMutationsEach = 250;
  for (uint64_t seed = 1; seed <= kVictims; ++seed) {
    Victim victim(seed);
    const Victim other(seed + 1000);
    base::Prng prng(seed);
    for (uint64_t i = 0; i < kMutationsEach; ++i) {
      const Mutation mutation(&victim, other, &prng);
      if (!mutation.is_one(victim)) continue;
      SCOPED_TRACE("victim " + std::to_string(seed) + ", no. " + std::to_string(i) + ": " +
                   mutation.describe());
      judge(&victim, mutation);
      if (HasFailure()) return;
    }
  }
  EXPECT_GE(detected_ + harmless_, 10000u);
  EXPECT_GE(detected_, 7000u);
  EXPECT_GE(harmless_, 500u) << "torn tails are forgiven";
}

// The test itself: without any mutation everything is found.
TEST_F(MutationTest, none) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    Victim victim(seed, Victim::End::kSynced);
    MemEnv env;
    put_files(victim.files(), &env);
    StoreModel store(&env);
    ASSERT_TRUE(store.start(victim.workers(), victim.log()).ok());
    History all = victim.strict();
    all.all_durable();
    ASSERT_EQ(all.judge(store.state()), "");
  }
}

}  // namespace
}  // namespace lh::storage
