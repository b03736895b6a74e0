// What every Env has to do: the same sentences are tested on PosixEnv and on MemEnv. A fixture
// offers env() and dir(), an existing empty directory.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "storage/env.h"

namespace lh::storage {

using Names = std::vector<std::string>;

// A file of its own for each append.
inline void append(Env* env, const std::string& path, std::string_view bytes) {
  auto file = env->open_append(path);
  ASSERT_TRUE(file.ok()) << file.status().message();
  ASSERT_TRUE(file.value()->append(bytes).ok());
}

inline void create(Env* env, const std::string& path, std::string_view bytes) {
  auto file = env->create(path);
  ASSERT_TRUE(file.ok()) << file.status().message();
  ASSERT_TRUE(file.value()->append(bytes).ok());
  ASSERT_TRUE(file.value()->sync().ok());
}

inline std::string read_all(Env* env, const std::string& path) {
  const auto file = env->open_read(path);
  if (!file.ok()) return std::string(file.status().message());
  std::string bytes(file.value()->size() + 10, '?');
  const Result<size_t> got = file.value()->read(0, bytes.size(), bytes.data());
  if (!got.ok()) return std::string(got.status().message());
  bytes.resize(got.value());
  return bytes;
}

template <typename Fixture>
class EnvContract : public Fixture {
 public:
  std::string path(std::string_view name) { return this->dir() + "/" + std::string(name); }
};

TYPED_TEST_SUITE_P(EnvContract);

TYPED_TEST_P(EnvContract, filesGrowAtTheirEnd) {
  Env* env = this->env();
  create(env, this->path("f"), "one ");
  append(env, this->path("f"), "two");
  EXPECT_EQ(read_all(env, this->path("f")), "one two");
  create(env, this->path("f"), "new");
  EXPECT_EQ(read_all(env, this->path("f")), "new");
}

TYPED_TEST_P(EnvContract, readsArePieces) {
  create(this->env(), this->path("f"), "0123456789");
  const auto file = this->env()->open_read(this->path("f"));
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(file.value()->size(), 10u);
  char out[8];
  EXPECT_EQ(file.value()->read(3, 4, out).value(), 4u);
  EXPECT_EQ(std::string_view(out, 4), "3456");
  EXPECT_EQ(file.value()->read(8, 4, out).value(), 2u);
  EXPECT_EQ(file.value()->read(10, 4, out).value(), 0u);
  EXPECT_EQ(file.value()->read(99, 4, out).value(), 0u);
}

TYPED_TEST_P(EnvContract, truncatedFilesGoOnFromThere) {
  create(this->env(), this->path("f"), "0123456789");
  auto file = this->env()->open_append(this->path("f"));
  ASSERT_TRUE(file.ok());
  EXPECT_TRUE(file.value()->truncate(4).ok());
  EXPECT_TRUE(file.value()->append("x").ok());
  EXPECT_EQ(read_all(this->env(), this->path("f")), "0123x");
}

TYPED_TEST_P(EnvContract, whatIsAppendedTakesThePlaceOfWhatWasReserved) {
  const std::string path = this->path("f");
  create(this->env(), path, "head");
  auto file = this->env()->open_append(path);
  ASSERT_TRUE(file.ok());
  EXPECT_TRUE(file.value()->reserve(5).ok());
  EXPECT_EQ(read_all(this->env(), path), std::string("head\0\0\0\0\0", 9));
  EXPECT_TRUE(file.value()->append("abc").ok());
  EXPECT_EQ(read_all(this->env(), path), std::string("headabc\0\0", 9));
  EXPECT_TRUE(file.value()->append("defg").ok());
  EXPECT_EQ(read_all(this->env(), path), "headabcdefg");
  EXPECT_TRUE(file.value()->reserve(2).ok());
  EXPECT_TRUE(file.value()->truncate(11).ok());
  EXPECT_TRUE(file.value()->append("h").ok());
  EXPECT_EQ(read_all(this->env(), path), "headabcdefgh");
}

TYPED_TEST_P(EnvContract, namesComeAndGo) {
  Env* env = this->env();
  create(env, this->path("b"), "b");
  create(env, this->path("a"), "a");
  EXPECT_TRUE(env->make_dir(this->path("d")).ok());
  EXPECT_EQ(env->list(this->dir()).value(), (Names{"a", "b", "d"}));
  EXPECT_TRUE(env->rename(this->path("a"), this->path("b")).ok());
  EXPECT_EQ(read_all(env, this->path("b")), "a");
  EXPECT_TRUE(env->remove(this->path("b")).ok());
  EXPECT_TRUE(env->remove_dir(this->path("d")).ok());
  EXPECT_EQ(env->list(this->dir()).value(), Names{});
  EXPECT_TRUE(env->sync_dir(this->dir()).ok());
}

TYPED_TEST_P(EnvContract, whatIsMissingIsNotFound) {
  Env* env = this->env();
  const std::string none = this->path("none");
  EXPECT_EQ(env->open_read(none).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(env->open_append(none).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(env->list(none).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(env->create(none + "/f").status().code(), StatusCode::kNotFound);
  EXPECT_EQ(env->make_dir(none + "/d").code(), StatusCode::kNotFound);
  EXPECT_EQ(env->remove(none).code(), StatusCode::kNotFound);
  EXPECT_EQ(env->remove_dir(none).code(), StatusCode::kNotFound);
  EXPECT_EQ(env->sync_dir(none).code(), StatusCode::kNotFound);
  EXPECT_EQ(env->rename(none, this->path("x")).code(), StatusCode::kNotFound);
}

TYPED_TEST_P(EnvContract, theWrongKindOfThingIsDamage) {
  Env* env = this->env();
  ASSERT_TRUE(env->make_dir(this->path("d")).ok());
  create(env, this->path("f"), "");
  EXPECT_EQ(env->open_read(this->path("d")).status().code(), StatusCode::kDamaged);
  EXPECT_EQ(env->open_append(this->path("d")).status().code(), StatusCode::kDamaged);
  EXPECT_EQ(env->create(this->path("d")).status().code(), StatusCode::kDamaged);
  EXPECT_EQ(env->list(this->path("f")).status().code(), StatusCode::kDamaged);
  EXPECT_EQ(env->create(this->path("f/g")).status().code(), StatusCode::kDamaged);
}

TYPED_TEST_P(EnvContract, errorsNameThePathAndSayWhy) {
  const Status status = this->env()->open_read(this->path("none")).status();
  EXPECT_EQ(status.message(), "cannot open " + this->path("none") + ": No such file or directory");
  EXPECT_TRUE(this->env()->make_dir(this->path("d")).ok());
  EXPECT_EQ(this->env()->make_dir(this->path("d")).code(), StatusCode::kExists);
  create(this->env(), this->path("d/f"), "");
  EXPECT_EQ(this->env()->remove_dir(this->path("d")).code(), StatusCode::kIo);
}

TYPED_TEST_P(EnvContract, aLockHasOneHolder) {
  auto first = this->env()->lock(this->path("LOCK"));
  ASSERT_TRUE(first.ok());
  const auto second = this->env()->lock(this->path("LOCK"));
  EXPECT_EQ(second.status().code(), StatusCode::kRefused);
  EXPECT_NE(second.status().message().find("is held by process "), std::string::npos);
  first.value().reset();
  EXPECT_TRUE(this->env()->lock(this->path("LOCK")).ok());
}

TYPED_TEST_P(EnvContract, whatIsWrittenOnceMoreIsWhatItWas) {
  Env* env = this->env();
  create(env, this->path("f"), "0123456789");
  ASSERT_TRUE(env->rewrite(this->path("f"), 4).ok());
  ASSERT_TRUE(env->rewrite(this->path("f"), 10).ok());
  append(env, this->path("f"), "more");
  EXPECT_EQ(read_all(env, this->path("f")), "0123456789more");
  EXPECT_EQ(env->rewrite(this->path("g"), 0).code(), StatusCode::kNotFound);
}

REGISTER_TYPED_TEST_SUITE_P(EnvContract, filesGrowAtTheirEnd, readsArePieces,
                            truncatedFilesGoOnFromThere,
                            whatIsAppendedTakesThePlaceOfWhatWasReserved, namesComeAndGo,
                            whatIsMissingIsNotFound, theWrongKindOfThingIsDamage,
                            errorsNameThePathAndSayWhy, aLockHasOneHolder,
                            whatIsWrittenOnceMoreIsWhatItWas);

}  // namespace lh::storage
