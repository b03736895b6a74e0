#include "core/dedup.h"

#include <gtest/gtest.h>

#include <string>

#include "core/limits.h"

namespace lh::core {
namespace {

class DedupTest : public ::testing::Test {
 protected:
  // What becomes of a request; a new one is answered with `answer`.
  std::string request(ClientId client, uint64_t seq, uint64_t acked = 0, Code answer = Code::kOk) {
    return request(&dedup_, client, seq, acked, answer);
  }
  static std::string request(Dedup* dedup, ClientId client, uint64_t seq, uint64_t acked,
                             Code answer) {
    Code known = Code::kBusy;
    std::string_view value;
    switch (dedup->admit(client, seq, acked, &known, &value)) {
      case Dedup::Verdict::kNew:
        dedup->remember(client, seq, answer, {});
        return "new";
      case Dedup::Verdict::kAnswered:
        return "again " + to_string(known);
      case Dedup::Verdict::kStale:
        return "stale";
    }
    return "?";
  }
  static Dedup copy_of(const Dedup& original) {
    Dedup copy;
    original.visit([&](ClientId client, uint64_t acked,
                       uint64_t cleared) { copy.restore_client(client, acked, cleared); },
                   [&](ClientId client, uint64_t seq, Code answer, std::string_view value) {
                     copy.restore_answer(client, seq, answer, value);
                   });
    return copy;
  }

  Dedup dedup_;
};

TEST_F(DedupTest, large_answers_are_kept_up_to_a_bound) {
  const std::string large(kAnswerBytesMax, 'v');
  const uint64_t fits = kDedupClientBytesMax / kAnswerBytesMax;
  Code code = Code::kBusy;
  std::string_view value;
  for (uint64_t seq = 1; seq <= fits + 2; ++seq) {
    ASSERT_EQ(dedup_.admit(7, seq, 0, &code, &value), Dedup::Verdict::kNew);
    dedup_.remember(7, seq, Code::kOk, large);
  }
  EXPECT_EQ(dedup_.answer_count(), fits);
  EXPECT_EQ(dedup_.value_bytes(), fits * kAnswerBytesMax);
  ASSERT_EQ(dedup_.admit(7, fits + 2, 0, &code, &value), Dedup::Verdict::kAnswered);
  EXPECT_EQ(value, large);
  EXPECT_EQ(request(7, fits + 3, fits + 3), "new");
  EXPECT_EQ(dedup_.value_bytes(), 0u);
}

TEST_F(DedupTest, the_first_answer_is_given_again) {
  EXPECT_EQ(request(7, 1, 0, Code::kExists), "new");
  EXPECT_EQ(request(7, 1), "again Exists");
  EXPECT_EQ(request(7, 1), "again Exists");
}

TEST_F(DedupTest, clients_are_told_apart) {
  EXPECT_EQ(request(7, 1), "new");
  EXPECT_EQ(request(8, 1), "new");
  EXPECT_EQ(dedup_.client_count(), 2u);
}

TEST_F(DedupTest, requests_may_come_in_any_order) {
  for (const uint64_t seq : {5, 2, 9, 3}) EXPECT_EQ(request(7, seq), "new") << seq;
  for (const uint64_t seq : {2, 3, 5, 9}) EXPECT_EQ(request(7, seq), "again Ok") << seq;
  EXPECT_EQ(request(7, 4), "new");
}

TEST_F(DedupTest, what_the_client_acknowledged_is_forgotten_and_stale) {
  request(7, 1);
  request(7, 2);
  request(7, 4);
  EXPECT_EQ(request(7, 5, 4), "new");
  EXPECT_EQ(dedup_.answer_count(), 2u) << "4 and 5";
  EXPECT_EQ(request(7, 2), "stale");
  EXPECT_EQ(request(7, 3), "stale") << "never came here, but the client has its answer";
  EXPECT_EQ(request(7, 4), "again Ok") << "all below 4 were acknowledged";
}

TEST_F(DedupTest, an_older_acknowledgement_takes_nothing_back) {
  request(7, 5, 5);
  request(7, 6, 2);
  EXPECT_EQ(request(7, 4), "stale");
}

TEST_F(DedupTest, a_request_cannot_acknowledge_itself) {
  EXPECT_EQ(request(7, 3, ~uint64_t{0}), "new");
  EXPECT_EQ(request(7, 3, ~uint64_t{0}), "again Ok");
  EXPECT_EQ(request(7, 2), "stale");
}

TEST_F(DedupTest, a_client_has_a_window_of_answers) {
  for (uint64_t seq = 1; seq <= kClientWindowMax + 1; ++seq) ASSERT_EQ(request(7, seq), "new");
  EXPECT_EQ(dedup_.answer_count(), kClientWindowMax);
  EXPECT_EQ(request(7, 2), "again Ok");
  EXPECT_EQ(request(7, 1), "new") << "beyond its window a client has no claim";
}

TEST_F(DedupTest, beyond_the_bound_the_client_that_was_silent_for_the_longest_is_forgotten) {
  for (ClientId client = 1; client <= kDedupClientsMax; ++client) request(client, 1);
  EXPECT_EQ(request(1, 1), "again Ok") << "heard again";
  EXPECT_EQ(request(kDedupClientsMax + 1, 1), "new");
  EXPECT_EQ(dedup_.client_count(), kDedupClientsMax);
  EXPECT_EQ(request(1, 1), "again Ok");
  EXPECT_EQ(request(3, 1), "again Ok");
  EXPECT_EQ(request(2, 1), "new") << "the longest silent one";
}

TEST_F(DedupTest, a_copy_says_the_same) {
  request(7, 3, 3, Code::kExists);
  request(7, 5);
  request(8, 1, 0, Code::kNotFound);
  Dedup copy = copy_of(dedup_);
  EXPECT_EQ(copy.client_count(), 2u);
  EXPECT_EQ(copy.answer_count(), 3u);
  EXPECT_EQ(request(&copy, 7, 3, 0, Code::kOk), "again Exists");
  EXPECT_EQ(request(&copy, 8, 1, 0, Code::kOk), "again NotFound");
  EXPECT_EQ(request(&copy, 7, 2, 0, Code::kOk), "stale");
  EXPECT_EQ(request(&copy, 7, 4, 0, Code::kOk), "new");
}

TEST_F(DedupTest, a_copy_forgets_in_the_same_order) {
  for (ClientId client = 1; client <= kDedupClientsMax; ++client) request(client, 1);
  request(1, 2);
  Dedup copy = copy_of(dedup_);
  request(&copy, 1'000'000, 1, 0, Code::kOk);
  EXPECT_EQ(request(&copy, 1, 2, 0, Code::kOk), "again Ok");
  EXPECT_EQ(request(&copy, 2, 1, 0, Code::kOk), "new");
}

// A batch of a split stream may come twice.
TEST_F(DedupTest, restoring_twice_changes_nothing) {
  dedup_.restore_client(7, 3, 0);
  dedup_.restore_answer(7, 4, Code::kExists, {});
  dedup_.restore_answer(7, 4, Code::kOk, {});
  dedup_.restore_client(7, 2, 0);
  dedup_.restore_answer(7, 1, Code::kOk, {});
  EXPECT_EQ(dedup_.answer_count(), 1u);
  EXPECT_EQ(request(7, 4), "again Exists");
  EXPECT_EQ(request(7, 2), "stale");
}

TEST_F(DedupTest, the_value_of_an_answer_is_given_again_also_by_a_copy) {
  Code code = Code::kBusy;
  std::string_view value;
  ASSERT_EQ(dedup_.admit(7, 1, 0, &code, &value), Dedup::Verdict::kNew);
  dedup_.remember(7, 1, Code::kOk, "-9223372036854775808");
  Dedup copy = copy_of(dedup_);
  for (Dedup* dedup : {&dedup_, &copy}) {
    ASSERT_EQ(dedup->admit(7, 1, 0, &code, &value), Dedup::Verdict::kAnswered);
    EXPECT_EQ(code, Code::kOk);
    EXPECT_EQ(value, "-9223372036854775808");
  }
}

TEST_F(DedupTest, a_scan_clears_once_and_not_after_a_later_one) {
  EXPECT_TRUE(dedup_.admit_clear(7, 2));
  EXPECT_FALSE(dedup_.admit_clear(7, 2));
  EXPECT_FALSE(dedup_.admit_clear(7, 1)) << "done just before the later one";
  EXPECT_TRUE(dedup_.admit_clear(8, 1));
  Dedup copy = copy_of(dedup_);
  EXPECT_FALSE(copy.admit_clear(7, 2));
  EXPECT_TRUE(copy.admit_clear(7, 3));
  copy.restore_client(7, 0, 2);
  EXPECT_FALSE(copy.admit_clear(7, 3)) << "what is restored takes nothing back";
}

}  // namespace
}  // namespace lh::core
