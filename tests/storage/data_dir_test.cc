#include "storage/data_dir.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/log.h"
#include "storage/file_names.h"
#include "storage/mem_env.h"
#include "tests/storage/store_model.h"

namespace lh::storage {
namespace {

class DataDirTest : public ::testing::Test {
 protected:
  // Keeps the log out of the test's output, and what it said for the test to see.
  struct Lines : base::LogSink {
    void write(base::LogLevel, std::string_view body) override { text += std::string(body) + "\n"; }
    std::string text;
  };

  DataDirTest() { base::set_log_sink(&log_); }
  ~DataDirTest() override { base::set_log_sink(nullptr); }

  // Starts, and says what was found.
  std::string start(uint32_t workers = 1, const LogWriterOptions& log = {}) {
    const Status status = store_.start(workers, log);
    return status.ok() ? StoreModel::to_string(store_.state()) : std::string(status.message());
  }
  std::string found() { return StoreModel::to_string(store_.state()); }
  void put(uint64_t stream, const std::string& key, const std::string& value) {
    store_.put(stream, key, value);
  }
  void commit() { ASSERT_TRUE(store_.commit().ok()); }
  void snapshot(uint32_t worker) {
    const Status status = store_.snapshot(worker);
    ASSERT_TRUE(status.ok()) << status.message();
  }
  void crash() {
    store_.stop();
    env_.crash(&prng_);
  }
  // What makes a start fail must leave everything as it is.
  std::string refused_start(uint32_t workers = 1) {
    store_.stop();
    const uint64_t before = env_.operation_count();
    const Status status = store_.start(workers);
    EXPECT_EQ(status.code(), StatusCode::kDamaged) << status.message();
    EXPECT_EQ(env_.operation_count(), before) << "it changed something";
    return std::string(status.message());
  }
  std::vector<std::string> names(const std::string& folder) {
    return env_.list("d/" + folder).value();
  }
  std::string path(uint32_t worker, const std::string& name, uint64_t generation = 1) {
    return "d/" + folder_name(generation, worker) + "/" + name;
  }

  Lines log_;
  MemEnv env_;
  StoreModel store_{&env_};
  base::Prng prng_{301};
};

TEST_F(DataDirTest, aNewDirectory) {
  EXPECT_EQ(start(2), "");
  EXPECT_TRUE(store_.dir().is_new());
  EXPECT_EQ(env_.list("d").value(),
            (std::vector<std::string>{"LOCK", "MANIFEST", "worker-0-generation-1",
                                      "worker-1-generation-1"}));
  EXPECT_EQ(names("worker-0-generation-1"), std::vector<std::string>{segment_name(1)});
  EXPECT_EQ(store_.dir().manifest().epoch, 0x5eedu);
  EXPECT_EQ(start(2), "");
  EXPECT_FALSE(store_.dir().is_new());
}

TEST_F(DataDirTest, whatIsCommittedSurvivesAStop) {
  start(2);
  put(1, "a", "x");
  put(2, "b", "y");
  store_.erase(1, "none");
  commit();
  EXPECT_TRUE(store_.dir().close().ok());
  EXPECT_EQ(start(2), "1:a=x 2:b=y");
}

TEST_F(DataDirTest, whatIsCommittedSurvivesACrash) {
  start(2);
  put(1, "a", "x");
  commit();
  crash();
  EXPECT_EQ(start(2), "1:a=x");
  put(1, "a", "z");
  put(2, "b", "y");
  commit();
  crash();
  EXPECT_EQ(start(2), "1:a=z 2:b=y");
}

// A process that is killed leaves names which are not durable; the next one removes what they make
// needless, and goes on where they say. If the power fails then, all of it has to fit together.
TEST_F(DataDirTest, whatARestartRestsOnIsNotTakenBack) {
  uint64_t killed = 0;
  for (uint64_t operations = 0; operations < 40; ++operations) {
    for (uint64_t seed = 0; seed < 20; ++seed) {
      MemEnv env;
      StoreModel store(&env);
      ASSERT_TRUE(store.start(1, {.segment_bytes = 64}).ok());
      store.put(1, "a", "1");
      ASSERT_TRUE(store.commit().ok());
      ASSERT_TRUE(store.snapshot(0).ok());
      env.stop_after(operations);
      store.put(1, "b", "2");
      const bool lived = store.commit().ok() && store.snapshot(0).ok();
      killed += lived ? 0 : 1;
      store.stop();
      env.stop_after(~uint64_t{0});
      ASSERT_TRUE(store.start(1, {.segment_bytes = 64}).ok());
      store.put(1, "c", "3");
      ASSERT_TRUE(store.commit().ok());
      store.stop();
      base::Prng prng(seed);
      env.crash(&prng);
      const Status status = store.start(1);
      ASSERT_TRUE(status.ok()) << operations << ": " << status.message();
      const std::string found = StoreModel::to_string(store.state());
      EXPECT_TRUE(found == "1:a=1 1:b=2 1:c=3" || (!lived && found == "1:a=1 1:c=3"))
          << operations << ": " << found;
    }
  }
  EXPECT_GT(killed, 200u);
}

TEST_F(DataDirTest, aTornTailIsCutAndReported) {
  start();
  put(1, "a", "x");
  commit();
  const std::string file = path(0, segment_name(1));
  store_.stop();
  env_.set_content(file, env_.content(file) + "torn");
  EXPECT_EQ(start(), "1:a=x");
  EXPECT_NE(log_.text.find("storage torn tail cut file=" + file + " offset=93 bytes=4"),
            std::string::npos)
      << log_.text;
}

TEST_F(DataDirTest, oneProcessAtATime) {
  start();
  const auto second = DataDir::open(&env_, "d", {});
  EXPECT_EQ(second.status().code(), StatusCode::kRefused);
  EXPECT_EQ(second.status().message(), "d/LOCK is held by process 1");
}

TEST_F(DataDirTest, theNodeGetsItsNumberOnce) {
  start();
  EXPECT_EQ(store_.dir().manifest().node, NodeId::kNone);
  EXPECT_TRUE(store_.dir().set_node(NodeId{4}).ok());
  EXPECT_TRUE(store_.dir().set_node(NodeId{4}).ok());
  EXPECT_EQ(store_.dir().set_node(NodeId{5}).message(), "d belongs to node 4");
  put(1, "a", "x");
  commit();
  crash();
  EXPECT_EQ(start(), "1:a=x");
  EXPECT_EQ(store_.dir().manifest().node, NodeId{4});
}

// ---------------------------------------------------------------------------------- snapshots

TEST_F(DataDirTest, aSnapshotReplacesTheLogBeforeIt) {
  start(1, {.segment_bytes = 60});
  for (int i = 0; i < 5; ++i) {
    put(1, "a", std::to_string(i));
    commit();
  }
  snapshot(0);
  EXPECT_EQ(names("worker-0-generation-1"),
            (std::vector<std::string>{segment_name(5), snapshot_name(5)}));
  put(1, "b", "y");
  commit();
  crash();
  EXPECT_EQ(start(1, {.segment_bytes = 60}), "1:a=4 1:b=y");
  snapshot(0);
  EXPECT_EQ(names("worker-0-generation-1"),
            (std::vector<std::string>{segment_name(6), snapshot_name(6)}));
  EXPECT_EQ(start(1, {.segment_bytes = 60}), "1:a=4 1:b=y");
}

TEST_F(DataDirTest, writingGoesOnDuringASnapshot) {
  start();
  for (char key = 'a'; key <= 'z'; ++key) put(1, {key}, "old");
  commit();
  int turn = 0;
  ASSERT_TRUE(store_
                  .snapshot(0, 3,
                            [&] {
                              ++turn;
                              put(1, std::string(1, static_cast<char>('a' + turn)), "new");
                              store_.erase(1, std::string(1, static_cast<char>('z' - turn)));
                              put(1, "k" + std::to_string(turn), "added");
                              ASSERT_TRUE(store_.commit().ok());
                            })
                  .ok());
  const std::string before = found();
  crash();
  EXPECT_EQ(start(), before);
}

TEST_F(DataDirTest, anErasedKeyDoesNotComeBack) {
  start();
  put(1, "a", "x");
  commit();
  snapshot(0);
  store_.erase(1, "a");
  commit();
  snapshot(0);
  crash();
  EXPECT_EQ(start(), "");
}

TEST_F(DataDirTest, aSnapshotWithoutRoomLeavesTheOneBefore) {
  start();
  put(1, "a", "x");
  commit();
  snapshot(0);
  put(1, "b", std::string(1000, 'y'));
  commit();
  env_.set_capacity(env_.used_bytes() + 500);
  EXPECT_EQ(store_.snapshot(0).code(), StatusCode::kRefused);
  put(1, "c", "z");
  commit();
  const std::string before = found();
  crash();
  EXPECT_EQ(start(), before);
}

TEST_F(DataDirTest, leftoversAreSweptUp) {
  start();
  put(1, "a", "x");
  commit();
  store_.stop();
  env_.set_content("d/MANIFEST.tmp", "half");
  env_.set_content(path(0, snapshot_name(7) + ".tmp"), "half");
  env_.set_content(path(0, snapshot_name(8)), "finished, but never installed");
  EXPECT_EQ(start(), "1:a=x");
  EXPECT_EQ(env_.files(),
            (std::vector<std::string>{"d/LOCK", "d/MANIFEST", path(0, segment_name(1))}));
  EXPECT_NE(log_.text.find("removing unfinished file file=d/MANIFEST.tmp"), std::string::npos);
}

// ------------------------------------------------------------------- another number of workers

TEST_F(DataDirTest, streamsFindNewHomes) {
  start(4);
  for (uint64_t stream = 0; stream < 8; ++stream) put(stream, "k", std::to_string(stream));
  commit();
  const std::string all = found();
  EXPECT_EQ(start(3), all);
  EXPECT_TRUE(store_.dir().needs_snapshots());
  EXPECT_EQ(store_.dir().manifest().entries.size(), 7u);
  for (uint32_t worker = 0; worker < 3; ++worker) snapshot(worker);
  EXPECT_FALSE(store_.dir().needs_snapshots());
  EXPECT_EQ(env_.list("d").value(),
            (std::vector<std::string>{"LOCK", "MANIFEST", "worker-0-generation-2",
                                      "worker-1-generation-2", "worker-2-generation-2"}));
  crash();
  EXPECT_EQ(start(3), all);
}

TEST_F(DataDirTest, aRestartBeforeTheSnapshotsReadsBothGenerations) {
  start(2);
  put(1, "a", "old");
  put(1, "b", "old");
  put(2, "c", "old");
  commit();
  start(3);
  put(1, "a", "new");
  store_.erase(2, "c");
  commit();
  snapshot(1);
  snapshot(1);
  EXPECT_TRUE(store_.dir().needs_snapshots()) << "workers 0 and 2 have none";
  store_.erase(1, "b");
  commit();
  crash();
  EXPECT_EQ(start(3), "1:a=new");
  crash();
  EXPECT_EQ(start(5), "1:a=new");
  put(9, "d", "x");
  commit();
  crash();
  EXPECT_EQ(start(2), "1:a=new 9:d=x");
  snapshot(0);
  snapshot(1);
  EXPECT_EQ(env_.list("d").value().size(), 4u);
  EXPECT_EQ(start(2), "1:a=new 9:d=x");
}

// What the new generation rests on is made durable before it: here the old tail was only cached.
TEST_F(DataDirTest, anOldGenerationIsSyncedBeforeANewOneIsBegun) {
  start(1);
  put(1, "a", "x");
  ASSERT_TRUE(store_.write(0).ok());
  EXPECT_EQ(start(2), "1:a=x");
  put(1, "b", "y");
  commit();
  crash();
  EXPECT_EQ(start(2), "1:a=x 1:b=y");
}

// ------------------------------------------------------------------------------------- damage

TEST_F(DataDirTest, aMissingManifestIsNoNewDirectory) {
  start();
  store_.stop();
  ASSERT_TRUE(env_.remove("d/MANIFEST").ok());
  EXPECT_EQ(refused_start(),
            "d/MANIFEST, offset 0: the manifest is missing, but there is worker-0-generation-1");
}

TEST_F(DataDirTest, aDamagedManifest) {
  start();
  store_.stop();
  env_.flip_bit("d/MANIFEST", 100 * 8);
  EXPECT_EQ(refused_start(), "d/MANIFEST, offset 48: the manifest is not exactly one whole frame");
}

TEST_F(DataDirTest, theManifestNamesAMissingFile) {
  start();
  put(1, "a", "x");
  commit();
  snapshot(0);
  store_.stop();
  const std::string file = path(0, snapshot_name(1));
  ASSERT_TRUE(env_.remove(file).ok());
  EXPECT_EQ(refused_start(), "the manifest names what is missing: cannot open " + file +
                                 ": No such file or directory");
}

TEST_F(DataDirTest, theManifestNamesAMissingFolder) {
  start();
  store_.stop();
  ASSERT_TRUE(env_.remove(path(0, segment_name(1))).ok());
  ASSERT_TRUE(env_.remove_dir("d/worker-0-generation-1").ok());
  EXPECT_NE(refused_start().find("the manifest names what is missing"), std::string::npos);
}

TEST_F(DataDirTest, aFolderThatTheManifestDoesNotName) {
  start(2);
  put(1, "a", "x");
  commit();
  store_.stop();
  Manifest manifest;
  ASSERT_TRUE(read_manifest(&env_, "d", &manifest).ok());
  manifest.entries.pop_back();
  env_.set_content("d/MANIFEST", encode_manifest(manifest));
  EXPECT_EQ(refused_start(),
            "d/MANIFEST, offset 0: the manifest does not name "
            "d/worker-1-generation-1, which has records");
  manifest.entries.clear();
  env_.set_content("d/MANIFEST", encode_manifest(manifest));
  EXPECT_NE(refused_start().find("which has records"), std::string::npos);
}

TEST_F(DataDirTest, anOldManifestDoesNotFitItsFiles) {
  start(1, {.segment_bytes = 60});
  for (int i = 0; i < 3; ++i) {
    put(1, "a", std::to_string(i));
    commit();
  }
  const std::string old = env_.content("d/MANIFEST");
  snapshot(0);
  store_.stop();
  env_.set_content("d/MANIFEST", old);
  EXPECT_EQ(refused_start(),
            "d/worker-0-generation-1, offset 0: the log segment that holds "
            "sequence 1 is missing");
}

TEST_F(DataDirTest, theManifestOfAnotherDirectory) {
  start();
  put(1, "a", "x");
  commit();
  store_.stop();
  Manifest manifest;
  ASSERT_TRUE(read_manifest(&env_, "d", &manifest).ok());
  ++manifest.epoch;
  env_.set_content("d/MANIFEST", encode_manifest(manifest));
  EXPECT_EQ(refused_start(),
            path(0, segment_name(1)) + ", offset 0: a file of another data directory");
}

TEST_F(DataDirTest, aSnapshotThatIsAheadOfItsLog) {
  start();
  put(1, "a", "x");
  commit();
  ASSERT_TRUE(store_.snapshot(0, 1, [this] { put(1, "b", "y"); }).ok());
  store_.stop();
  const std::string file = path(0, segment_name(1));
  const std::string log = env_.content(file);
  env_.set_content(file, log.substr(0, log.size() - 1));
  EXPECT_EQ(refused_start(), file + ", offset 93: a frame is cut off");
}

// The manifest says how far the logs go: not even whole frames can be taken off their ends.
TEST_F(DataDirTest, nothingIsMissingBehindAClose) {
  start();
  for (int i = 0; i < 4; ++i) {
    put(1, "a", std::to_string(i));
    commit();
  }
  ASSERT_TRUE(store_.dir().close().ok());
  store_.stop();
  const std::string file = path(0, segment_name(1));
  const std::string log = env_.content(file);
  for (size_t size = 0; size < log.size() - kFrameHeaderBytes; ++size) {
    env_.set_content(file, log.substr(0, size));
    refused_start();
  }
  env_.set_content(file, log.substr(0, log.size() - 1));
  EXPECT_EQ(start(), "1:a=3") << "the mark of the close is not missed";
}

// Whatever is half made when room runs out, a later start makes whole.
TEST_F(DataDirTest, aStartWithoutRoomCanBeTriedAgain) {
  uint64_t refused = 0;
  for (uint64_t room = 0; room < 600; room += 7) {
    MemEnv env;
    StoreModel store(&env);
    for (const uint32_t workers : {2u, 3u}) {
      env.set_capacity(env.used_bytes() + room);
      const Status status = store.start(workers);
      ASSERT_TRUE(status.ok() || status.code() == StatusCode::kRefused) << status.message();
      refused += status.ok() ? 0 : 1;
      env.set_capacity(1 << 20);
      if (!status.ok()) {
        ASSERT_TRUE(store.start(workers).ok()) << room;
      }
      store.put(workers, "k", std::to_string(workers));
      ASSERT_TRUE(store.commit().ok());
    }
    ASSERT_TRUE(store.start(3).ok());
    ASSERT_EQ(StoreModel::to_string(store.state()), "2:k=2 3:k=3");
  }
  EXPECT_GT(refused, 50u);
}

TEST_F(DataDirTest, aFullDiskCanBeClosed) {
  start();
  put(1, "a", "x");
  commit();
  env_.set_capacity(env_.used_bytes() + 20);
  EXPECT_TRUE(store_.dir().close().ok());
  EXPECT_EQ(start(), "1:a=x");
}

TEST_F(DataDirTest, aRecordThatTheCallerRefuses) {
  start();
  LogBatch batch(1);
  batch.append(1, "");
  ASSERT_TRUE(store_.dir().log(0)->write(&batch).ok());
  EXPECT_EQ(refused_start(),
            path(0, segment_name(1)) + ", offset 90: this is no change of a store");
}

TEST_F(DataDirTest, aFileInPlaceOfADirectory) {
  env_.set_content("d", "x");
  EXPECT_EQ(store_.start(1).code(), StatusCode::kDamaged);
}

TEST_F(DataDirTest, aDirectoryWhoseParentIsMissing) {
  EXPECT_EQ(DataDir::open(&env_, "none/d", {}).status().code(), StatusCode::kNotFound);
}

}  // namespace
}  // namespace lh::storage
