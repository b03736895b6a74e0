#include "storage/recovery.h"

#include <gtest/gtest.h>

#include <string>

#include "storage/mem_env.h"
#include "tests/storage/store_model.h"

namespace lh::storage {
namespace {

TEST(RecoveryTest, theSnapshotComesFirstThenTheLogBehindIt) {
  MemEnv env;
  StoreModel store(&env);
  ASSERT_TRUE(store.start(1).ok());
  store.put(1, "a", "1");
  store.put(1, "b", "2");
  ASSERT_TRUE(store.commit().ok());
  ASSERT_TRUE(store.snapshot(0, 1, [&] { store.put(1, "b", "3"); }).ok());
  store.put(1, "c", "4");
  ASSERT_TRUE(store.commit().ok());

  std::string seen;
  const auto visit = [&seen](const Record& record) {
    seen += std::to_string(record.sequence) + ":" + std::string(record.payload) + " ";
    return Status();
  };
  const Manifest& manifest = store.dir().manifest();
  Recovered recovered;
  ASSERT_TRUE(recover_worker(&env, "d", manifest, manifest.entries[0], visit, &recovered).ok());
  EXPECT_EQ(seen, "1:a=1 2:b=3 3:b=3 4:b=3 5:c=4 ");
  EXPECT_EQ(recovered.snapshot.records, 2u);
  EXPECT_EQ(recovered.snapshot.log_end, 4u);
  EXPECT_EQ(recovered.log_records, 3u);
  EXPECT_EQ(recovered.tail.next_sequence, 6u);
}

}  // namespace
}  // namespace lh::storage
