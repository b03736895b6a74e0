// Power fails at every operation of a store's life, and again while it recovers: what was synced is
// there, what is there was written, and no crash is ever taken for damage.
#include <gtest/gtest.h>

#include <string>

#include "base/log.h"
#include "base/prng.h"
#include "storage/data_dir.h"
#include "storage/mem_env.h"
#include "tests/storage/history.h"
#include "tests/storage/store_model.h"

namespace lh::storage {
namespace {

class CrashTest : public ::testing::Test {
 protected:
  struct Silence : base::LogSink {
    void write(base::LogLevel, std::string_view) override {}
  };

  CrashTest() { base::set_log_sink(&silence_); }
  ~CrashTest() override { base::set_log_sink(nullptr); }

  Silence silence_;
};

// One store, its disk and what is known of it.
class Life {
 public:
  explicit Life(uint64_t seed) : script_(seed), chance_(~seed) {}

  MemEnv& env() { return env_; }

  // A random piece of life: until the disk stops, or `steps` are done.
  void live(uint64_t steps) {
    Status status = start();
    for (uint64_t i = 0; i < steps && status.ok(); ++i) status = step();
    EXPECT_TRUE(status.ok() || status.code() == StatusCode::kIo) << status.message();
  }

  // Loses power, starts, and looks at what is there.
  void crash(CrashOptions options) {
    store_.stop();
    env_.crash(&chance_, options);
    const Status status = start();
    ASSERT_TRUE(status.ok()) << status.message();
  }

 private:
  static constexpr uint64_t kSegmentBytes = 300;

  Status start() {
    workers_ = script_.chance(1, 4) ? static_cast<uint32_t>(script_.between(1, 3)) : workers_;
    const uint64_t reserve = script_.chance(1, 2) ? script_.below(kSegmentBytes) : 0;
    Status status = store_.start(workers_, {kSegmentBytes, reserve});
    // What was recovered has been made durable by the start.
    if (status.ok()) {
      const std::string wrong = history_.accept(store_.state());
      EXPECT_EQ(wrong, "");
    }
    return status;
  }

  Status step() {
    const uint64_t what = script_.below(100);
    if (what < 60) {
      history_.change(&store_, &script_);
      return {};
    }
    if (what < 70) return store_.write(static_cast<uint32_t>(script_.below(workers_)));
    if (what < 88) return durably(store_.commit());
    if (what < 96) {
      const auto worker = static_cast<uint32_t>(script_.below(workers_));
      const auto meanwhile = [this] { history_.change(&store_, &script_); };
      return durably(store_.snapshot(worker, script_.between(1, 4), meanwhile));
    }
    if (what < 98) return store_.dir().close();
    return start();  // after a kill: what was written is still in the cache
  }

  Status durably(Status status) {
    if (status.ok()) history_.all_durable();
    return status;
  }

  base::Prng script_;
  base::Prng chance_;
  MemEnv env_;
  StoreModel store_{&env_};
  History history_;
  uint32_t workers_ = 2;
};

TEST_F(CrashTest, atEveryOperation) {
  for (const bool torn : {false, true}) {
    for (uint64_t seed = 1; seed <= 4; ++seed) {
      Life whole(seed);
      whole.live(150);
      const uint64_t operations = whole.env().operation_count();
      ASSERT_GT(operations, 100u);
      for (uint64_t n = 0; n < operations; ++n) {
        SCOPED_TRACE("seed " + std::to_string(seed) + ", after operation " + std::to_string(n));
        Life life(seed);
        life.env().stop_after(n);
        life.live(150);
        life.crash({.torn_sectors = torn, .torn_names = torn});
        if (HasFailure()) return;
      }
    }
  }
}

TEST_F(CrashTest, againAndAgain) {
  for (uint64_t seed = 1; seed <= 400; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    base::Prng prng(seed);
    Life life(seed);
    for (int round = 0; round < 10; ++round) {
      life.env().stop_after(prng.below(prng.chance(1, 2) ? 20 : 200));
      life.live(100);
      life.crash({.torn_sectors = prng.chance(1, 2), .torn_names = prng.chance(1, 2)});
      if (HasFailure()) return;
    }
  }
}

// A failed sync: the process stops at once, and what it had reported as durable is there.
TEST_F(CrashTest, whenASyncFails) {
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Life life(seed);
    life.env().fail_sync(1 + seed % 60);
    life.live(100);
    life.crash({});
    if (HasFailure()) return;
  }
}

// A failed write tears a frame; the process stops at once.
TEST_F(CrashTest, whenAWriteFails) {
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Life life(seed);
    life.env().fail_append(1 + seed % 60);
    life.live(100);
    life.crash({});
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace lh::storage
