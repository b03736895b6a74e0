#include "storage/dump.h"

#include <gtest/gtest.h>

#include <string>

#include "storage/file_names.h"
#include "storage/mem_env.h"
#include "tests/storage/store_model.h"

namespace lh::storage {
namespace {

class LhdumpTest : public ::testing::Test {
 protected:
  LhdumpTest() {
    EXPECT_TRUE(store_.start(1).ok());
    store_.put(7, "a", "x y");
    EXPECT_TRUE(store_.commit().ok());
    store_.stop();
  }

  std::string directory(DumpOptions options) {
    status_ = dump_directory(&env_, "d", options, [this](std::string_view line) { take(line); });
    return std::exchange(text_, {});
  }
  std::string file(const std::string& path, DumpOptions options) {
    status_ = dump_file(&env_, path, options, [this](std::string_view line) { take(line); });
    return std::exchange(text_, {});
  }

  const std::string log_ = "d/worker-0-generation-1/00000000000000000001.log";
  MemEnv env_;
  StoreModel store_{&env_};
  Status status_;

 private:
  void take(std::string_view line) { text_ += std::string(line) + "\n"; }
  std::string text_;
};

TEST_F(LhdumpTest, aDirectory) {
  EXPECT_EQ(directory({}),
            "manifest node=0 epoch=0000000000005eed edit=2 generation=1 workers=1\n"
            "worker generation=1 worker=0 oldest=1 snapshot=no\n"
            "file " +
                log_ +
                " kind=log bytes=95 node=0 epoch=0000000000005eed generation=1 "
                "worker=0 first=1\n"
                "frame offset=48 type=records bytes=7 first=1 count=1 durable=0\n"
                "ok generation=1 worker=0 snapshot_records=0 log_records=1 next=2 closed=no "
                "torn_bytes=0\n");
  EXPECT_TRUE(status_.ok());
}

TEST_F(LhdumpTest, theVerdictAlone) {
  EXPECT_EQ(directory({.frames = false}),
            "manifest node=0 epoch=0000000000005eed edit=2 generation=1 workers=1\n"
            "worker generation=1 worker=0 oldest=1 snapshot=no\n"
            "ok generation=1 worker=0 snapshot_records=0 log_records=1 next=2 closed=no "
            "torn_bytes=0\n");
}

TEST_F(LhdumpTest, recordsAreQuoted) {
  EXPECT_EQ(file(log_, {.frames = false, .records = true}),
            "record sequence=1 stream=7 payload=\"a=x y\"\n");
  EXPECT_TRUE(status_.ok());
}

TEST_F(LhdumpTest, aTornTailIsShownAndNoDamage) {
  env_.set_content(log_, env_.content(log_) + "torn");
  const std::string text = directory({});
  EXPECT_TRUE(status_.ok());
  EXPECT_NE(text.find("broken " + log_ + ", offset 95: a frame is cut off in its header\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("torn_bytes=4"), std::string::npos);
  file(log_, {});
  EXPECT_EQ(status_.message(), log_ + ", offset 95: a frame is cut off in its header");
}

TEST_F(LhdumpTest, damageHasAFileAndAnOffset) {
  ASSERT_TRUE(store_.start(1).ok());
  ASSERT_TRUE(store_.dir().close().ok());
  store_.stop();
  env_.flip_bit(log_, 90 * 8);
  directory({});
  EXPECT_EQ(status_.code(), StatusCode::kDamaged);
  EXPECT_EQ(status_.message(), log_ + ", offset 48: the checksum of a frame is wrong");
}

TEST_F(LhdumpTest, filesOfOtherKinds) {
  ASSERT_TRUE(store_.start(1).ok());
  ASSERT_TRUE(store_.snapshot(0).ok());
  EXPECT_NE(file("d/worker-0-generation-1/" + snapshot_name(1), {}).find("type=snapshot-end"),
            std::string::npos);
  EXPECT_NE(file("d/MANIFEST", {}).find("kind=manifest"), std::string::npos);
  env_.set_content("x", "hello");
  file("x", {});
  EXPECT_EQ(status_.code(), StatusCode::kDamaged);
  file("none", {});
  EXPECT_EQ(status_.code(), StatusCode::kNotFound);
}

}  // namespace
}  // namespace lh::storage
